//! One launch, event by event.
//!
//! Events are the start and the end of an instruction in one of three modules, and the acceptance of a read request. All
//! else follows at these points: when a request is accepted, the cycle of its last beat is known, and with it when a
//! batch of instructions is handed out or when a LOAD ends.

use super::account::Account;
use super::burst::{Burst, Bursts};
use super::error::TimingError;
use super::module::{Entry, Loading, ModuleState, Running};
use super::observer::{Executed, Observer, ReadRequest, WaitReason, WriteRequest};
use super::padding::Padding;
use super::port::{NEVER, ReadPort, Service, Slot};
use super::rules::{FETCH_DRAIN, InsnClass, LOAD_WRITE_TO_END, MAX_CYCLE, ReadClient, Rules};
use super::tokens::Tokens;
use crate::vta::config::{Geometry, Mem};
use crate::vta::func::ExecError;
use crate::vta::isa::{INSN_BYTES, Insn, InsnIndex, MemInsn, Module, Token};

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
    pub(super) geometry: &'a Geometry,
    pub(super) rules: &'a Rules,
    pub(super) insns: &'a [Insn],
    /// Byte address of the first instruction.
    pub(super) insn_base: u64,
    pub(super) launch: u32,
    pub(super) modules: &'a mut [ModuleState; 3],
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
            let wake = self.modules.iter().map(|m| m.wake).fold(NEVER, u64::min);
            let port = self.port.next();
            if port <= wake {
                if port == NEVER {
                    return Ok(());
                }
                self.accept(port);
                continue;
            }
            // What ends in a cycle gives its tokens before anything starts in it.
            for module in Module::ALL {
                let state = &self.modules[module.index()];
                if state.wake == wake && state.running.is_some() {
                    self.end(module, wake);
                }
            }
            for module in Module::ALL {
                let state = &self.modules[module.index()];
                if state.wake == wake && state.running.is_none() {
                    self.start(module, wake)?;
                }
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
        while self.fetch.next < self.fetch.batch_end {
            let index = self.fetch.next;
            let module = self.insns[index as usize].module();
            let state = &mut self.modules[module.index()];
            if state.is_full() {
                self.fetch.stalled = Some(module);
                return;
            }
            let cycle = self.fetch.cycle;
            state.push(Entry {
                index,
                visible: cycle + 1,
            });
            self.observer.dispatched(InsnIndex(index), module, cycle);
            self.schedule(module, now);
            self.fetch.next += 1;
            self.fetch.cycle += 1;
        }
        self.fetch.stalled = None;
        self.request_batch(self.fetch.cycle);
    }

    /// Decides when an idle module starts its next instruction, if it can.
    #[inline]
    fn schedule(&mut self, module: Module, now: u64) {
        let state = &mut self.modules[module.index()];
        if state.running.is_some() || state.wake != NEVER {
            return;
        }
        if module == Module::Compute && self.finished.is_some() {
            return;
        }
        if let Some(head) = state.head() {
            let mut pops = self.insns[head.index as usize].pops().into_iter().flatten();
            if pops.all(|token| self.tokens.has(token)) {
                state.wake = now.max(head.visible);
            }
        }
    }

    fn start(&mut self, module: Module, now: u64) -> Result<(), TimingError> {
        let state = &mut self.modules[module.index()];
        let Some(head) = state.head() else {
            state.wake = NEVER;
            return Ok(());
        };
        let insns = self.insns;
        let insn = &insns[head.index as usize];
        self.account_wait(module, head, insn);
        for token in insn.pops().into_iter().flatten() {
            self.tokens.pop(token);
            if O::ACTIVE {
                let count = self.tokens.count(token);
                self.observer
                    .token(token, InsnIndex(head.index), count, now);
            }
        }
        self.account.count(insn, self.geometry);
        let mut running = Running {
            index: head.index,
            start: now,
            transfer: 0,
            padding: 0,
        };
        let cycles =
            self.cycles(module, insn, &mut running)
                .map_err(|source| TimingError::Exec {
                    launch: self.launch,
                    index: InsnIndex(head.index),
                    source,
                })?;
        let state = &mut self.modules[module.index()];
        state.running = Some(running);
        state.wake = cycles.map_or(NEVER, |cycles| now.saturating_add(cycles));
        if cycles.is_some_and(|cycles| cycles > MAX_CYCLE - now.min(MAX_CYCLE)) {
            return Err(TimingError::TooLong {
                launch: self.launch,
                index: InsnIndex(head.index),
            });
        }
        Ok(())
    }

    /// Cycles of an instruction; `None` for a LOAD, whose end depends on memory.
    #[inline]
    fn cycles(
        &mut self,
        module: Module,
        insn: &Insn,
        running: &mut Running,
    ) -> Result<Option<u64>, ExecError> {
        match insn {
            Insn::Load(m) | Insn::Store(m) if m.is_nop() => Ok(Some(self.rules.nop())),
            Insn::Load(m) => self.load(module, m, running.start),
            Insn::Store(m) => self.store(m, running).map(Some),
            Insn::Gemm(g) => {
                self.check_uops(g.uop_bgn, g.uop_end)?;
                Ok(Some(self.rules.gemm(g.operations())))
            }
            Insn::Alu(a) => {
                self.check_uops(a.uop_bgn, a.uop_end)?;
                Ok(Some(self.rules.alu(a.operations(), a.operand.is_imm())))
            }
            Insn::Finish(_) => Ok(Some(self.rules.finish())),
        }
    }

    fn load(&mut self, module: Module, m: &MemInsn, now: u64) -> Result<Option<u64>, ExecError> {
        let client = ReadClient::of_load(m.mem).ok_or(ExecError::LoadMem(m.mem))?;
        self.check_sram(m, m.sram_elements())?;
        let mut rest = Bursts::new(m, self.geometry, self.rules);
        let mut padding = Padding::new(m, now);
        let Some(first) = rest.next() else {
            // No rows: only zeros are written, if any.
            let end = padding.finish().map_or(0, |last| last + LOAD_WRITE_TO_END);
            return Ok(Some(end.saturating_sub(now).max(self.rules.nop())));
        };
        self.modules[module.index()].loading = Loading {
            client,
            rest,
            padding,
            tail: self.rules.load_tail(self.geometry.log_elem_bytes(m.mem)),
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

    fn store(&mut self, m: &MemInsn, running: &mut Running) -> Result<u64, ExecError> {
        if m.mem != Mem::Out {
            return Err(ExecError::StoreMem(m.mem));
        }
        self.check_sram(m, m.elements())?;
        let mut cycles = self.rules.store_start();
        for burst in Bursts::new(m, self.geometry, self.rules) {
            let start = running.start + cycles;
            cycles += self.rules.store_burst(burst);
            running.transfer += u64::from(burst.beats);
            self.account.writes.count(burst.beats);
            if O::ACTIVE {
                self.observer.write(WriteRequest {
                    burst,
                    start,
                    end: running.start + cycles,
                });
            }
        }
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
        if O::ACTIVE {
            self.observer.read(ReadRequest {
                client,
                burst,
                tag: service.tag,
                entered,
                accepted: now,
                start: service.start,
                last: service.last,
            });
        }
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
        // A beat is written one cycle after it arrives.
        loading.padding.data(service.start + 2, service.last + 2);
        let next = loading.rest.next();
        if let Some(next) = next {
            self.port.enter(slot, next, now + 1);
        }
        let Some(running) = &mut state.running else {
            return;
        };
        running.transfer += u64::from(burst.beats);
        if next.is_none() {
            let data_end = service.last + loading.tail;
            let zeros_end = loading
                .padding
                .finish()
                .map_or(0, |last| last + LOAD_WRITE_TO_END);
            running.padding = zeros_end.saturating_sub(data_end);
            state.wake = data_end.max(zeros_end);
        }
    }

    fn end(&mut self, module: Module, now: u64) {
        let state = &mut self.modules[module.index()];
        let Some(running) = state.running.take() else {
            return;
        };
        state.wake = NEVER;
        state.idle_since = now;
        state.pop();
        let insns = self.insns;
        let insn = &insns[running.index as usize];
        if self.finished.is_none() {
            self.account_executed(module, insn, &running, now);
        }
        self.observer.executed(Executed {
            module,
            index: InsnIndex(running.index),
            insn,
            start: running.start,
            end: now,
        });
        if matches!(insn, Insn::Finish(_)) && self.finished.is_none() {
            self.finished = Some(now);
            self.account_finish(now);
        }
        for token in insn.pushes().into_iter().flatten() {
            self.tokens.push(token, now);
            if O::ACTIVE {
                let count = self.tokens.count(token);
                self.observer
                    .token(token, InsnIndex(running.index), count, now);
            }
            self.schedule(taker(token), now);
        }
        self.schedule(module, now);
        if self.fetch.stalled == Some(module) {
            self.fetch.cycle = self.fetch.cycle.max(now);
            self.hand_out(now);
        }
    }

    /// Why a module stood still before the instruction that starts now.
    #[inline]
    fn account_wait(&mut self, module: Module, head: Entry, insn: &Insn) {
        let counted = self.finished.is_none();
        let index = InsnIndex(head.index);
        let account = &mut self.account.modules[module.index()];
        let mut from = self.modules[module.index()].idle_since;
        let mut wait = |reason, to: u64, observer: &mut O| {
            if to > from {
                if counted {
                    account.waited(reason, to - from);
                }
                observer.waited(module, index, reason, from, to);
                from = to;
            }
        };
        wait(WaitReason::Fetch, head.visible, &mut self.observer);
        for token in insn.pops().into_iter().flatten() {
            let since = self.tokens.since(token);
            wait(WaitReason::Token(token), since, &mut self.observer);
        }
    }

    #[inline]
    fn account_executed(&mut self, module: Module, insn: &Insn, running: &Running, now: u64) {
        let account = &mut self.account.modules[module.index()];
        let class = InsnClass::of(insn);
        let cycles = now - running.start;
        account.executed(class, cycles);
        if class.uses_memory() {
            account.padding += running.padding;
            account.memory += cycles.saturating_sub(running.transfer + running.padding);
        }
    }

    /// What the modules are doing when FINISH ends, and since when.
    fn account_finish(&mut self, now: u64) {
        for module in Module::ALL {
            let state = &self.modules[module.index()];
            let account = &mut self.account.modules[module.index()];
            if let Some(running) = state.running {
                let insn = &self.insns[running.index as usize];
                account.executed(InsnClass::of(insn), now.saturating_sub(running.start));
                continue;
            }
            let idle = now - state.idle_since;
            let Some(head) = state.head() else {
                account.drained += idle;
                continue;
            };
            let fetch = head.visible.clamp(state.idle_since, now) - state.idle_since;
            account.fetch += fetch;
            let mut pops = self.insns[head.index as usize].pops().into_iter().flatten();
            match pops.find(|&token| !self.tokens.has(token)) {
                Some(token) => account.waited(WaitReason::Token(token), idle - fetch),
                None => account.drained += idle - fetch,
            }
        }
    }

    fn check_uops(&self, bgn: u16, end: u16) -> Result<(), ExecError> {
        let depth = self.geometry.depth(Mem::Uop);
        if usize::from(end) > depth {
            return Err(ExecError::UopRange { bgn, end, depth });
        }
        Ok(())
    }

    fn check_sram(&self, m: &MemInsn, count: u64) -> Result<(), ExecError> {
        let depth = self.geometry.depth(m.mem);
        let first = u64::from(m.sram_base);
        if first + count > depth as u64 {
            return Err(ExecError::SramRange {
                mem: m.mem,
                first,
                count,
                depth,
            });
        }
        Ok(())
    }
}

/// The module that takes a token.
#[inline]
fn taker(token: Token) -> Module {
    match token {
        Token::LoadToCompute | Token::StoreToCompute => Module::Compute,
        Token::ComputeToLoad => Module::Load,
        Token::ComputeToStore => Module::Store,
    }
}
