//! One launch, event by event.
//!
//! Events are the start and the end of an instruction in one of three modules, and the acceptance of a read request. All
//! else follows at these points: when a request is accepted, the cycle of its last beat is known, and with it when a
//! batch of instructions is handed out or when a LOAD ends.

use super::account::Account;
use super::burst::{Burst, Bursts};
use super::error::TimingError;
use super::module::{Entry, Loading, ModuleState, Running, Wake};
use super::observer::{Executed, Observer, ReadRequest, WaitReason, WriteRequest};
use super::padding::Padding;
use super::port::{ReadPort, Service, Slot};
use super::rules::{
    FETCH_DRAIN, InsnClass, LOAD_BEAT_TO_WRITE, MAX_CYCLE, NOTHING_TO_READ, ReadClient, Rules,
};
use super::tokens::{TokenSet, Tokens, taken_by};
use crate::vta::config::Mem;
use crate::vta::func::ExecError;
use crate::vta::isa::{INSN_BYTES, Insn, InsnIndex, MemInsn, Module};

/// Fetch: which instructions it has handed out and which it waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fetch {
    /// The next instruction to hand out.
    pub(super) next: u32,
    /// One past the batch under way.
    batch_end: u32,
    /// The cycle in which the next can be handed out.
    cycle: u64,
    /// The module whose full queue stops it.
    pub(super) stalled: Option<Module>,
}

/// A launch under way.
pub(super) struct Engine<'a, O> {
    pub(super) rules: &'a Rules,
    pub(super) insns: &'a [Insn],
    /// Byte address of the first instruction.
    pub(super) insn_base: u64,
    pub(super) launch: u32,
    pub(super) modules: &'a mut [ModuleState; 3],
    /// The next start or end of each module.
    pub(super) wakes: [Wake; 3],
    pub(super) tokens: &'a mut Tokens,
    pub(super) port: ReadPort,
    pub(super) fetch: Fetch,
    pub(super) account: Account,
    /// The cycle in which FINISH ended.
    pub(super) finished: Option<u64>,
    pub(super) observer: O,
}

impl<O: Observer> Engine<'_, O> {
    /// Runs until nothing can advance any more.
    pub(super) fn run(&mut self) -> Result<(), TimingError> {
        self.request_batch(0);
        loop {
            let [load, compute, store] = self.wakes;
            let first = load.min(compute).min(store);
            let port = self.port.next();
            if port <= first.cycle() {
                self.accept(port);
                continue;
            }
            if first >= Wake::UNKNOWN {
                return Ok(());
            }
            let module = if first == compute {
                Module::Compute
            } else if first == load {
                Module::Load
            } else {
                Module::Store
            };
            if first.is_start() {
                self.start(module, first.cycle())?;
            } else {
                self.end(module, first.cycle());
            }
        }
    }

    /// Asks for the next batch of instructions, if there are any left.
    fn request_batch(&mut self, cycle: u64) {
        let left = self.insns.len() as u32 - self.fetch.next;
        if left == 0 {
            return;
        }
        let batch = left.min(self.rules.fetch_batch);
        self.fetch.batch_end = self.fetch.next + batch;
        let request = Burst {
            addr: self.insn_base + u64::from(self.fetch.next) * INSN_BYTES as u64,
            beats: self.rules.fetch_beats(batch),
        };
        self.port.enter(Slot::Fetch, request, cycle);
    }

    /// Hands out what is left of the batch, one instruction a cycle, until a queue is full.
    fn hand_out(&mut self, now: u64) {
        let insns = self.insns;
        let (next, end) = (self.fetch.next, self.fetch.batch_end);
        let mut cycle = self.fetch.cycle;
        for (index, insn) in (next..end).zip(&insns[next as usize..end as usize]) {
            let module = insn.module();
            let state = &mut self.modules[module.index()];
            if state.is_full() {
                self.fetch.stalled = Some(module);
                self.fetch.next = index;
                self.fetch.cycle = cycle;
                return;
            }
            state.push(Entry::new(index, insn, module, cycle + 1));
            self.observer.dispatched(InsnIndex(index), module, cycle);
            self.schedule(module, now);
            cycle += 1;
        }
        self.fetch.stalled = None;
        self.fetch.next = end;
        self.fetch.cycle = cycle;
        self.request_batch(cycle);
    }

    /// Decides when an idle module starts its next instruction, if it can.
    #[inline]
    fn schedule(&mut self, module: Module, now: u64) {
        let state = &self.modules[module.index()];
        let wake = &mut self.wakes[module.index()];
        if *wake != Wake::IDLE {
            return;
        }
        if let Some(head) = state.head()
            && self.tokens.have(head.pops)
        {
            *wake = Wake::start(now.max(head.visible));
        }
    }

    #[inline]
    fn start(&mut self, module: Module, now: u64) -> Result<(), TimingError> {
        let state = &mut self.modules[module.index()];
        self.wakes[module.index()] = Wake::UNKNOWN;
        let Some(&entry) = state.head() else {
            return Ok(());
        };
        let idle_since = state.idle_since;
        state.running = Running {
            start: now,
            transfer: 0,
            padding: 0,
        };
        self.account_wait(module, &entry, idle_since);
        self.tokens.take(entry.pops);
        self.observe_tokens(entry.pops, entry.index, now);
        let work = &mut self.account.work[entry.class.index()];
        *work = work.saturating_add(entry.work);
        match self.cycles(module, &entry, now) {
            Ok(Some(cycles)) if cycles > MAX_CYCLE - now => Err(TimingError::TooLong {
                launch: self.launch,
                index: InsnIndex(entry.index),
            }),
            Ok(Some(cycles)) => {
                self.wakes[module.index()] = Wake::end(now + cycles);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(source) => Err(TimingError::Exec {
                launch: self.launch,
                index: InsnIndex(entry.index),
                source,
            }),
        }
    }

    /// Cycles of an instruction; `None` for a LOAD, whose end depends on memory.
    #[inline]
    fn cycles(
        &mut self,
        module: Module,
        entry: &Entry,
        now: u64,
    ) -> Result<Option<u64>, ExecError> {
        let insns = self.insns;
        if entry.class.uses_memory() {
            return match &insns[entry.index as usize] {
                Insn::Load(m) => self.load(module, m, now),
                Insn::Store(m) => self.store(m, now).map(Some),
                Insn::Gemm(_) | Insn::Alu(_) | Insn::Finish(_) => Ok(None),
            };
        }
        if entry.class.uses_uops() {
            self.check_uops(&insns[entry.index as usize])?;
        }
        let cost = self.rules.cost(entry.class);
        Ok(Some(cost.fixed + cost.per_operation * entry.work))
    }

    fn load(&mut self, module: Module, m: &MemInsn, now: u64) -> Result<Option<u64>, ExecError> {
        let client = ReadClient::of_load(m.mem).ok_or(ExecError::LoadMem(m.mem))?;
        self.check_sram(m, m.sram_elements())?;
        let mut rest = Bursts::new(m, self.rules);
        let mut padding = Padding::new(m, now);
        let drain = self.rules.load_drain(m.mem);
        let Some(first) = rest.next() else {
            // No rows: only zeros are written, if any.
            let end = padding.finish().map_or(0, |last| last + drain);
            return Ok(Some(end.saturating_sub(now).max(NOTHING_TO_READ)));
        };
        self.modules[module.index()].loading = Loading {
            client,
            rest,
            padding,
            drain,
        };
        let slot = if module == Module::Load {
            Slot::Load
        } else {
            self.port.set_compute_first(client == ReadClient::Uop);
            Slot::Compute
        };
        // Rows of zeros above delay the first request (timing note section 3).
        self.port.enter(slot, first, now + u64::from(m.y_pad_0));
        Ok(None)
    }

    fn store(&mut self, m: &MemInsn, now: u64) -> Result<u64, ExecError> {
        if m.mem != Mem::Out {
            return Err(ExecError::StoreMem(m.mem));
        }
        self.check_sram(m, m.elements())?;
        let mut cycles = self.rules.store_start();
        let mut beats = 0;
        for burst in Bursts::new(m, self.rules) {
            let start = now + cycles;
            cycles += self.rules.store_burst(burst);
            beats += u64::from(burst.beats);
            self.account.writes.count(burst.beats);
            self.observer.write(WriteRequest {
                burst,
                start,
                end: now + cycles,
            });
        }
        self.modules[Module::Store.index()].running.transfer = beats;
        Ok(cycles)
    }

    /// The arbiter takes a request, or finds that it cannot.
    fn accept(&mut self, now: u64) {
        let Some((slot, burst, entered, service)) = self.port.accept(now) else {
            return;
        };
        let client = match slot {
            Slot::Fetch => ReadClient::Fetch,
            Slot::Load => self.modules[Module::Load.index()].loading.client,
            Slot::Compute => self.modules[Module::Compute.index()].loading.client,
        };
        self.account.reads[client as usize].count(burst.beats);
        self.observer.read(ReadRequest {
            client,
            burst,
            tag: service.tag,
            entered,
            accepted: now,
            start: service.start,
            last: service.last,
        });
        match slot {
            Slot::Fetch => {
                self.fetch.cycle = service.last + FETCH_DRAIN;
                self.hand_out(now);
            }
            Slot::Load => self.load_request(slot, Module::Load, burst, service, now),
            Slot::Compute => self.load_request(slot, Module::Compute, burst, service, now),
        }
    }

    /// One request of a LOAD was accepted: the next enters the queue, or the end is known.
    #[inline]
    fn load_request(
        &mut self,
        slot: Slot,
        module: Module,
        burst: Burst,
        service: Service,
        now: u64,
    ) {
        let state = &mut self.modules[module.index()];
        let loading = &mut state.loading;
        let written = service.start + 1 + LOAD_BEAT_TO_WRITE..service.last + 1 + LOAD_BEAT_TO_WRITE;
        loading.padding.data(&written);
        let next = loading.rest.next();
        if let Some(next) = next {
            self.port.enter(slot, next, now + 1);
        }
        let running = &mut state.running;
        running.transfer += u64::from(burst.beats);
        if next.is_none() {
            let data_end = written.end - 1 + loading.drain;
            let zeros = loading.padding.finish();
            let zeros_end = zeros.map_or(0, |last| last + loading.drain);
            running.padding = zeros_end.saturating_sub(data_end);
            self.wakes[module.index()] = Wake::end(data_end.max(zeros_end));
        }
    }

    #[inline]
    fn end(&mut self, module: Module, now: u64) {
        let state = &mut self.modules[module.index()];
        self.wakes[module.index()] = Wake::IDLE;
        let Some(&entry) = state.head() else {
            return;
        };
        let running = state.running;
        state.idle_since = now;
        state.pop();
        if self.finished.is_none() {
            let account = &mut self.account.modules[module.index()];
            let cycles = now - running.start;
            account.executed(entry.class, cycles);
            if entry.class.uses_memory() {
                account.padding += running.padding;
                account.memory += cycles.saturating_sub(running.transfer + running.padding);
            }
        }
        if O::ACTIVE {
            self.observer.executed(Executed {
                module,
                index: InsnIndex(entry.index),
                insn: &self.insns[entry.index as usize],
                start: running.start,
                end: now,
            });
        }
        if entry.class == InsnClass::Finish && self.finished.is_none() {
            self.finished = Some(now);
            self.account_finish(now);
            self.wakes[module.index()] = Wake::UNKNOWN;
        }
        self.tokens.give(entry.pushes, now);
        self.observe_tokens(entry.pushes, entry.index, now);
        if entry.pushes != TokenSet::EMPTY {
            if module == Module::Compute {
                self.schedule(Module::Load, now);
                self.schedule(Module::Store, now);
            } else {
                self.schedule(Module::Compute, now);
            }
        }
        self.schedule(module, now);
        if self.fetch.stalled == Some(module) {
            self.fetch.cycle = self.fetch.cycle.max(now);
            self.hand_out(now);
        }
    }

    /// Why a module stood still before the instruction that starts now.
    #[inline]
    fn account_wait(&mut self, module: Module, entry: &Entry, idle_since: u64) {
        if self.finished.is_none() {
            let account = &mut self.account.modules[module.index()];
            let mut from = idle_since;
            let mut wait = |taken: bool, until: u64| {
                let cycles = if taken { until.saturating_sub(from) } else { 0 };
                from += cycles;
                cycles
            };
            account.fetch += wait(true, entry.visible);
            for token in taken_by(module) {
                account.tokens[token.index()] +=
                    wait(entry.pops.contains(token), self.tokens.since(token));
            }
        }
        if O::ACTIVE {
            self.observe_wait(module, entry, idle_since);
        }
    }

    fn observe_wait(&mut self, module: Module, entry: &Entry, idle_since: u64) {
        let tokens = entry.pops.iter();
        let reasons = tokens.map(|token| (WaitReason::Token(token), self.tokens.since(token)));
        let mut from = idle_since;
        for (reason, to) in std::iter::once((WaitReason::Fetch, entry.visible)).chain(reasons) {
            if to > from {
                let index = InsnIndex(entry.index);
                self.observer.waited(module, index, reason, from, to);
                from = to;
            }
        }
    }

    #[inline]
    fn observe_tokens(&mut self, set: TokenSet, index: u32, now: u64) {
        if O::ACTIVE {
            for token in set.iter() {
                let count = self.tokens.count(token);
                self.observer.token(token, InsnIndex(index), count, now);
            }
        }
    }

    /// What the modules are doing when FINISH ends, and since when.
    fn account_finish(&mut self, now: u64) {
        for module in Module::ALL {
            let state = &self.modules[module.index()];
            let account = &mut self.account.modules[module.index()];
            let idle = now - state.idle_since;
            let Some(head) = state.head() else {
                account.drained += idle;
                continue;
            };
            let wake = self.wakes[module.index()];
            if !wake.is_start() && wake != Wake::IDLE {
                account.executed(head.class, now - state.running.start);
                continue;
            }
            let fetch = head.visible.clamp(state.idle_since, now) - state.idle_since;
            account.fetch += fetch;
            match head
                .pops
                .iter()
                .find(|&token| self.tokens.count(token) == 0)
            {
                Some(token) => account.waited(WaitReason::Token(token), idle - fetch),
                None => account.drained += idle - fetch,
            }
        }
    }

    #[inline]
    fn check_uops(&self, insn: &Insn) -> Result<(), ExecError> {
        let (bgn, end) = match insn {
            Insn::Gemm(g) => (g.uop_bgn, g.uop_end),
            Insn::Alu(a) => (a.uop_bgn, a.uop_end),
            _ => return Ok(()),
        };
        let depth = self.rules.depth(Mem::Uop);
        if u32::from(end) > depth {
            let depth = depth as usize;
            return Err(ExecError::UopRange { bgn, end, depth });
        }
        Ok(())
    }

    #[inline]
    fn check_sram(&self, m: &MemInsn, count: u64) -> Result<(), ExecError> {
        let depth = self.rules.depth(m.mem);
        let first = u64::from(m.sram_base);
        if first + count > u64::from(depth) {
            return Err(ExecError::SramRange {
                mem: m.mem,
                first,
                count,
                depth: depth as usize,
            });
        }
        Ok(())
    }
}
