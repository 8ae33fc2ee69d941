//! A plain, slow reference for the timing model: every cycle is played through, register by register.
//!
//! It shares the instruction types with the model and nothing else; its burst splitting, padding, arbiter, queues and
//! memory are written down a second time in the most direct way.

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::isa::{Insn, MemInsn};
use std::collections::VecDeque;

/// Cycles without any change after which a launch counts as dead.
const PATIENCE: u64 = 10_000_000;

#[derive(Clone, Copy)]
struct Request {
    client: usize,
    beats: u64,
}

/// What one module executes.
#[derive(Default)]
struct Running {
    insn: usize,
    /// The cycle in which it ends, once that is known.
    end: Option<u64>,
    /// LOAD only: requests not yet in the client's queue, requests not yet answered, and when the first may enter.
    client: usize,
    requests: VecDeque<u64>,
    unanswered: usize,
    first_request: u64,
    last_beat: Option<u64>,
    /// From its last write to its end.
    drain: u64,
    /// Zeros in the order in which they are written: `true` writes one, `false` passes a row.
    zeros: VecDeque<bool>,
    last_zero: Option<u64>,
}

#[derive(Default)]
struct ModuleState {
    /// Instructions and the first cycle in which they are seen; the running one is still here.
    queue: VecDeque<(usize, u64)>,
    running: Option<Running>,
}

/// Cycles to the end of FINISH from tokens `tokens`; `None` if it is never reached.
pub fn run(insns: &[Insn], geometry: &Geometry, tokens: &mut [u8; 4]) -> Option<u64> {
    let beat_bytes = u64::from(geometry.axi_bits() / 8);
    let burst_bytes = beat_bytes * u64::from(geometry.max_burst());
    let batch = (burst_bytes / 16).max(1) as usize;

    let mut modules: [ModuleState; 3] = Default::default();
    let mut client_queues: [Option<(Request, u64)>; 5] = [None; 5];
    let mut tags = [0u64; 16]; // the cycle from which each is free
    let mut memory_queue: VecDeque<(Request, usize)> = VecDeque::new();
    let mut counter_start = 0;
    let mut serving: Option<(Request, usize, u64)> = None; // last beat
    let mut handed_out = 0;
    let mut batch_end = 0;
    let mut hand_out_from = None; // cycle
    let mut ask_for_batch = true;
    let mut writing_client = None; // whose beat arrived in the previous cycle
    let mut quiet_since = 0;

    for now in 0.. {
        if now - quiet_since > PATIENCE {
            return None;
        }
        let memory_was_empty = memory_queue.is_empty();
        let arriving = serving.map(|(request, ..)| request.client);
        // The last beat of a request.
        let mut last_beat = false;
        if let Some((request, tag, last)) = serving
            && last == now
        {
            last_beat = true;
            quiet_since = now;
            serving = None;
            tags[tag] = now + 1;
            if request.client == 0 {
                hand_out_from = Some(now + 3);
            }
            for running in modules.iter_mut().filter_map(|m| m.running.as_mut()) {
                if request.client != 0 && running.client == request.client {
                    running.unanswered -= 1;
                    if running.unanswered == 0 && running.requests.is_empty() {
                        running.last_beat = Some(now);
                    }
                }
            }
        }
        // The memory starts to serve the oldest request.
        if serving.is_none()
            && let Some(&(request, tag)) = memory_queue.front()
            && now >= counter_start + 17
        {
            memory_queue.pop_front();
            serving = Some((request, tag, now + request.beats));
        }
        // Instructions end.
        for state in &mut modules {
            let ended = state.running.as_ref().is_some_and(|r| r.end == Some(now));
            if ended && let Some(running) = state.running.take() {
                quiet_since = now;
                state.queue.pop_front();
                for token in insns[running.insn].pushes().into_iter().flatten() {
                    let count = &mut tokens[token.index()];
                    *count = count.saturating_add(1);
                }
                if matches!(insns[running.insn], Insn::Finish(_)) {
                    return Some(now);
                }
            }
        }
        // Instructions start.
        for state in &mut modules {
            if state.running.is_none()
                && let Some(&(insn, seen)) = state.queue.front()
                && seen <= now
            {
                let pops = || insns[insn].pops().into_iter().flatten();
                if pops().all(|token| tokens[token.index()] > 0) {
                    quiet_since = now;
                    pops().for_each(|token| tokens[token.index()] -= 1);
                    state.running = Some(begin(&insns[insn], insn, now, geometry));
                }
            }
        }
        // Zeros are written where no data is; data is written one cycle after it arrives.
        for running in modules.iter_mut().filter_map(|m| m.running.as_mut()) {
            let busy = running.client != 0 && writing_client == Some(running.client);
            match running.zeros.front() {
                Some(true) if !busy => {
                    running.zeros.pop_front();
                    running.last_zero = Some(now);
                }
                Some(false) => {
                    running.zeros.pop_front();
                }
                _ => {}
            }
            if let Some(last) = running.last_beat
                && !running.zeros.contains(&true)
                && running.end.is_none()
            {
                let last_write = running.last_zero.unwrap_or(0).max(last + 1);
                running.end = Some(last_write + running.drain);
            }
        }
        writing_client = arriving.filter(|_| now > 0);
        // The arbiter takes one request, by priority, of those that were in their queues before.
        let tag = tags.iter().position(|&free| free <= now);
        let chosen = (0..5).find(|&c| client_queues[c].is_some_and(|(_, since)| since < now));
        let taken = match (tag, chosen) {
            (Some(tag), Some(client)) if !last_beat => client_queues[client].map(|r| (r.0, tag)),
            _ => None,
        };
        // Requests enter queues that were empty at the start of the cycle.
        for running in modules.iter_mut().filter_map(|m| m.running.as_mut()) {
            if running.client != 0
                && client_queues[running.client].is_none()
                && now >= running.first_request
                && let Some(beats) = running.requests.pop_front()
            {
                let client = running.client;
                running.unanswered += 1;
                client_queues[client] = Some((Request { client, beats }, now));
            }
        }
        if ask_for_batch && handed_out < insns.len() {
            batch_end = insns.len().min(handed_out + batch);
            let beats = ((batch_end - handed_out) as u64 * 16).div_ceil(beat_bytes);
            client_queues[0] = Some((Request { client: 0, beats }, now));
        }
        ask_for_batch = false;
        if let Some((request, tag)) = taken {
            quiet_since = now;
            client_queues[request.client] = None;
            tags[tag] = u64::MAX;
            if memory_was_empty {
                counter_start = now;
            }
            memory_queue.push_back((request, tag));
        }
        // Fetch hands out an instruction.
        if hand_out_from.is_some_and(|from| from <= now) {
            let module = insns[handed_out].module().index();
            if modules[module].queue.len() < 512 {
                quiet_since = now;
                modules[module].queue.push_back((handed_out, now + 1));
                handed_out += 1;
                if handed_out == batch_end {
                    hand_out_from = None;
                    ask_for_batch = true;
                }
            }
        }
    }
    None
}

/// Beats of each request of a copy.
fn requests(m: &MemInsn, geometry: &Geometry) -> Vec<(u64, u64)> {
    let beat = u64::from(geometry.axi_bits() / 8);
    let burst = beat * u64::from(geometry.max_burst());
    let elem = geometry.elem_bytes(m.mem) as u64;
    let mut out = Vec::new();
    for y in 0..u64::from(m.y_size) {
        let first = (u64::from(m.dram_base) + y * u64::from(m.x_stride)) * elem;
        let end = first + u64::from(m.x_size) * elem;
        // Beat by beat; a request ends with the row or before a multiple of the longest burst.
        let beats = first / beat..end.div_ceil(beat);
        let mut open: Option<(u64, u64)> = None;
        for at in beats.map(|number| number * beat) {
            match &mut open {
                Some((_, count)) if at % burst != 0 => *count += 1,
                _ => {
                    out.extend(open);
                    open = Some((at, 1));
                }
            }
        }
        out.extend(open);
    }
    out
}

fn begin(insn: &Insn, index: usize, now: u64, geometry: &Geometry) -> Running {
    let beat = u64::from(geometry.axi_bits() / 8);
    let mut running = Running {
        insn: index,
        ..Running::default()
    };
    let after = |cycles: u64| Some(now + cycles);
    match insn {
        Insn::Load(m) | Insn::Store(m) if m.x_size == 0 => running.end = after(2),
        Insn::Finish(_) => running.end = after(1),
        Insn::Gemm(g) => running.end = after(7 + g.operations()),
        Insn::Alu(a) if a.operand.is_imm() => running.end = after(7 + a.operations()),
        Insn::Alu(a) => running.end = after(7 + 2 * a.operations()),
        Insn::Store(m) => {
            let elem = geometry.elem_bytes(Mem::Out) as u64;
            let mut cycles = 1;
            for (addr, beats) in requests(m, geometry) {
                let elements = (addr + beats * beat).div_ceil(elem) - addr / elem;
                cycles += 3 + beats + if elem <= beat { 1 } else { elements };
            }
            running.end = after(cycles);
        }
        Insn::Load(m) => {
            running.client = match m.mem {
                Mem::Uop => 1,
                Mem::Inp => 2,
                Mem::Wgt => 3,
                Mem::Acc | Mem::Acc8 | Mem::Out => 4,
            };
            let elem = geometry.elem_bytes(m.mem) as u64;
            running.drain = if elem > beat { 4 } else { 3 };
            running.first_request = now + u64::from(m.y_pad_0);
            running.requests = requests(m, geometry).into_iter().map(|r| r.1).collect();
            let width = usize::from(m.x_pad_0) + usize::from(m.x_size) + usize::from(m.x_pad_1);
            let beside = usize::from(m.x_pad_0) + usize::from(m.x_pad_1);
            let zeros = &mut running.zeros;
            zeros.extend(vec![true; usize::from(m.y_pad_0) * width]);
            for _ in 0..m.y_size {
                zeros.extend(vec![true; beside]);
                if beside == 0 {
                    zeros.push_back(false);
                }
            }
            zeros.extend(vec![true; usize::from(m.y_pad_1) * width]);
            if running.requests.is_empty() {
                // Nothing to read: the zeros, if any, decide.
                let writes = zeros.iter().filter(|&&write| write).count() as u64;
                let passes = zeros.iter().position(|&write| write).unwrap_or(0) as u64;
                let end = if writes == 0 {
                    2
                } else {
                    (passes + writes - 1 + running.drain).max(2)
                };
                running.end = after(end);
                zeros.clear();
            }
        }
    }
    running
}
