//! What comes out: cycles, and where they went.

use super::account::{Account, ModuleAccount};
use super::rules::{InsnClass, ReadClient};
use crate::vta::config::Geometry;
use crate::vta::isa::{Module, Token};
use crate::vta::program::Counters;
use serde::Serialize;
use std::collections::BTreeMap;

/// The time of a program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimingReport {
    /// The program's name.
    pub program: String,
    /// The geometry's name, with bus, burst and clock where they are not the default.
    pub geometry: String,
    /// Longest burst in beats.
    pub max_burst: u32,
    /// Clock in MHz.
    pub clock_mhz: u32,
    /// Cycles of all launches: each from its launch to the end of FINISH.
    pub cycles: u64,
    /// Cycles of each launch.
    pub launches: Vec<u64>,
    /// The same in seconds at that clock.
    pub seconds: f64,
    /// Share of the cycles in which the MAC array multiplied: GEMM operations without reset / cycles.
    pub utilisation: f64,
    /// Load, compute, store.
    pub modules: Vec<ModuleTiming>,
    /// Reads by client, then all reads and all writes.
    pub memory: MemoryTraffic,
    /// The functional model's statistics, as far as they follow without data: all of them.
    pub counters: Counters,
    /// Tokens left in the queues, in the order of [`Token::ALL`].
    pub tokens_end: [u8; 4],
}

/// Where the cycles of one module went: `busy + waiting_for_memory + waiting_for_fetch + waiting_for_token (all) + drained`
/// are the cycles of the program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModuleTiming {
    /// Which module.
    pub module: Module,
    /// Instructions executed.
    pub insns: u64,
    /// Executing, and not waiting for memory; `padding` included.
    pub busy: u64,
    /// Of those: writing zeros of a padded LOAD after its data was there.
    pub padding: u64,
    /// Executing a LOAD or STORE without moving data: latency, other clients' requests, acknowledgements.
    pub waiting_for_memory: u64,
    /// Its next instruction was not fetched yet.
    pub waiting_for_fetch: u64,
    /// Its next instruction lacked a token, by token; one that lacks two waits for the previous module's first.
    pub waiting_for_token: BTreeMap<&'static str, u64>,
    /// No instruction left.
    pub drained: u64,
    /// Instructions and cycles (waiting for memory included) by class.
    pub classes: BTreeMap<&'static str, ClassTiming>,
}

/// Instructions and cycles of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClassTiming {
    /// Instructions.
    pub insns: u64,
    /// Cycles from start to end, summed.
    pub cycles: u64,
}

/// Requests and beats.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemoryTraffic {
    /// Read requests.
    pub read_requests: u64,
    /// Beats read.
    pub read_beats: u64,
    /// Write requests.
    pub write_requests: u64,
    /// Beats written.
    pub write_beats: u64,
    /// Beats read by client.
    pub read_beats_by_client: BTreeMap<&'static str, u64>,
    /// Share of the cycles in which a beat was read.
    pub read_utilisation: f64,
}

impl TimingReport {
    pub(super) fn new(
        program: &str,
        geometry: &Geometry,
        launches: Vec<u64>,
        account: &Account,
        tokens_end: [u8; 4],
    ) -> Self {
        let cycles: u64 = launches.iter().sum();
        let counters = account.counters(geometry);
        TimingReport {
            program: program.to_owned(),
            geometry: geometry.name(),
            max_burst: geometry.max_burst(),
            clock_mhz: geometry.clock_mhz(),
            cycles,
            launches,
            seconds: cycles as f64 / (f64::from(geometry.clock_mhz()) * 1e6),
            utilisation: share(counters.gemm_counter, cycles),
            modules: Module::ALL
                .into_iter()
                .zip(&account.modules)
                .map(|(module, account)| ModuleTiming::new(module, account))
                .collect(),
            memory: MemoryTraffic::new(account, cycles),
            counters,
            tokens_end,
        }
    }
}

impl ModuleTiming {
    fn new(module: Module, account: &ModuleAccount) -> Self {
        let used = InsnClass::ALL
            .into_iter()
            .zip(account.classes)
            .filter(|(_, class)| class.insns > 0);
        let executing: u64 = account.classes.iter().map(|class| class.cycles).sum();
        ModuleTiming {
            module,
            insns: account.classes.iter().map(|class| class.insns).sum(),
            busy: executing - account.memory,
            padding: account.padding,
            waiting_for_memory: account.memory,
            waiting_for_fetch: account.fetch,
            waiting_for_token: Token::ALL
                .into_iter()
                .filter(|token| takes(module, *token))
                .map(|token| (token.name(), account.tokens[token.index()]))
                .collect(),
            drained: account.drained,
            classes: used
                .map(|(class, account)| {
                    let timing = ClassTiming {
                        insns: account.insns,
                        cycles: account.cycles,
                    };
                    (class.name(), timing)
                })
                .collect(),
        }
    }

    /// All cycles of the module: those of the program.
    pub fn total(&self) -> u64 {
        self.busy
            + self.waiting_for_memory
            + self.waiting_for_fetch
            + self.waiting_for_token.values().sum::<u64>()
            + self.drained
    }
}

impl MemoryTraffic {
    fn new(account: &Account, cycles: u64) -> Self {
        let read_beats = account.reads.iter().map(|reads| reads.beats).sum();
        MemoryTraffic {
            read_requests: account.reads.iter().map(|reads| reads.requests).sum(),
            read_beats,
            write_requests: account.writes.requests,
            write_beats: account.writes.beats,
            read_beats_by_client: ReadClient::ALL
                .into_iter()
                .zip(&account.reads)
                .map(|(client, reads)| (client.name(), reads.beats))
                .collect(),
            read_utilisation: share(read_beats, cycles),
        }
    }
}

fn takes(module: Module, token: Token) -> bool {
    match token {
        Token::LoadToCompute | Token::StoreToCompute => module == Module::Compute,
        Token::ComputeToLoad => module == Module::Load,
        Token::ComputeToStore => module == Module::Store,
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
