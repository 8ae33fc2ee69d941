//! What a run says.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::cli::format;
use crate::vta::func::GemmPath;
use crate::vta::run::Mismatch;
use crate::vta::timing::{ModuleTiming, TimingReport};

/// Both models' reports on one run, and how they compare with the file.
#[derive(Debug, Serialize)]
pub struct RunReport {
    /// Cycles, utilisation, where the cycles went.
    #[serde(flatten)]
    pub timing: TimingReport,
    /// The cycles that the file states for this burst.
    pub cycles_expected: Option<u64>,
    /// Bytes compared with the file; none if only the time was wanted or the file has no output.
    pub memory_compared: u64,
    /// Bytes of those that differ.
    pub memory_mismatches: u64,
    /// The first few of them.
    pub mismatches: Vec<Mismatch>,
    /// Whether the counters are those of the file, if it has any.
    pub counters_match: Option<bool>,
    /// Whether the tokens left are those of the file, if it says.
    pub tokens_match: Option<bool>,
    /// Code that multiplied the matrices; none if only the time was wanted.
    pub gemm_path: Option<GemmPath>,
}

impl RunReport {
    /// True if anything is not as the file says.
    pub fn differs(&self) -> bool {
        self.memory_mismatches > 0
            || self.counters_match == Some(false)
            || self.tokens_match == Some(false)
            || self
                .cycles_expected
                .is_some_and(|cycles| cycles != self.timing.cycles)
    }

    fn verdict(matches: Option<bool>) -> &'static str {
        match matches {
            None => "",
            Some(true) => "  as in the file",
            Some(false) => "  NOT as in the file",
        }
    }
}

impl Display for RunReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let timing = &self.timing;
        let launches = timing.launches.len();
        let insns: u64 = timing.modules.iter().map(|module| module.insns).sum();
        writeln!(f, "program       {}", timing.program)?;
        writeln!(f, "geometry      {}", timing.geometry)?;
        write!(
            f,
            "cycles        {}  ({} at {} MHz, bursts of {} beats)",
            format::count(timing.cycles),
            format::seconds(timing.seconds),
            timing.clock_mhz,
            timing.max_burst
        )?;
        match self.cycles_expected {
            Some(cycles) if cycles != timing.cycles => {
                writeln!(f, "  NOT {} as in the file", format::count(cycles))?;
            }
            expected => writeln!(f, "{}", Self::verdict(expected.map(|_| true)))?,
        }
        if launches > 1 {
            let (first, last) = (timing.launches[0], timing.launches[launches - 1]);
            let (first, last) = (format::count(first), format::count(last));
            writeln!(
                f,
                "launches      {launches}  (the first {first}, the last {last} cycles)"
            )?;
        }
        writeln!(
            f,
            "utilisation   {:.1} % of the MAC array",
            timing.utilisation * 100.0
        )?;
        writeln!(f, "instructions  {}", format::count(insns))?;
        writeln!(f, "\ncounters{}", Self::verdict(self.counters_match))?;
        for (name, value) in timing.counters.entries() {
            writeln!(f, "  {name:<16} {:>14}", format::count(value))?;
        }
        writeln!(f, "\nwhere the cycles went")?;
        writeln!(f, "{}", modules(&timing.modules, timing.cycles))?;
        writeln!(
            f,
            "\ntokens left   {:?}{}",
            timing.tokens_end,
            Self::verdict(self.tokens_match)
        )?;
        self.memory(f)
    }
}

impl RunReport {
    fn memory(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let compared = format::count(self.memory_compared);
        if self.memory_compared == 0 {
            return writeln!(f, "memory        not compared");
        }
        if self.memory_mismatches == 0 {
            return writeln!(f, "memory        {compared} bytes  as in the file");
        }
        let differ = format::count(self.memory_mismatches);
        writeln!(
            f,
            "memory        {differ} of {compared} bytes are NOT as in the file"
        )?;
        for Mismatch {
            addr,
            expected,
            found,
        } in &self.mismatches
        {
            writeln!(f, "  {addr:#x}: {found:#04x}, in the file {expected:#04x}")?;
        }
        Ok(())
    }
}

fn modules(modules: &[ModuleTiming], cycles: u64) -> String {
    let share = |part: u64| format!("{:.1} %", part as f64 * 100.0 / cycles.max(1) as f64);
    let rows = modules.iter().map(|module| {
        let tokens = module.waiting_for_token.values().sum();
        vec![
            format!("  {}", module.module.name()),
            format::count(module.insns),
            share(module.busy),
            share(module.waiting_for_memory),
            share(tokens),
            share(module.waiting_for_fetch),
            share(module.drained),
        ]
    });
    let head = [
        "  module",
        "instructions",
        "busy",
        "memory",
        "tokens",
        "fetch",
        "done",
    ];
    format::table(&head, 1, rows.collect())
}
