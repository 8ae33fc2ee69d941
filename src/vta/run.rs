//! Running a program file on the functional model and comparing what comes out with what the file says.

use super::func::{Dram, Outcome};
use super::func::{DramError, FuncError, GemmPath, Machine, PagedDram, Unmapped};
use super::isa::DecodeError;
use super::program::{Counters, DramRow, Program};
use serde::Serialize;

/// How to run a program.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How often the whole program is run; buffers and tokens persist.
    pub launches: u32,
    /// GEMM code; the fastest available if not given.
    pub path: Option<GemmPath>,
    /// Limit of micro-operations for one launch.
    pub max_operations: u64,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            launches: 1,
            path: None,
            max_operations: super::func::DEFAULT_MAX_OPERATIONS,
        }
    }
}

/// A byte of memory that is not what the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Its address.
    pub addr: u64,
    /// What the file says.
    pub expected: u8,
    /// What is there.
    pub found: u8,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The program's name.
    pub program: String,
    /// The geometry's name.
    pub geometry: String,
    /// GEMM code used.
    pub path: GemmPath,
    /// Times the program was run.
    pub launches: u32,
    /// Instructions executed over all launches.
    pub executed: u64,
    /// Cycles over all launches, where a timing model ran.
    pub cycles: Option<u64>,
    /// Statistics over all launches.
    pub counters: Counters,
    /// Share of cycles in which the MAC array worked, where a timing model ran.
    pub utilisation: Option<f64>,
    /// Tokens left in the queues, in the order of [`super::isa::Token::ALL`].
    pub tokens_end: [u64; 4],
    /// Bytes compared with what the file says.
    pub memory_compared: u64,
    /// Bytes that differ.
    pub memory_mismatches: u64,
    /// The first few of them.
    pub mismatches: Vec<Mismatch>,
    /// Whether the statistics are what the file says (multiplied by the launches), where it says so.
    pub counters_match: Option<bool>,
    /// Whether the tokens left after the last launch are what the file says, where it says so.
    pub tokens_match: Option<bool>,
}

/// Most mismatches that a report lists.
const LISTED_MISMATCHES: usize = 16;

/// Why a program did not run to its end.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RunError {
    /// Bits that are no instruction.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// An instruction that cannot be executed, or a deadlock.
    #[error("launch {launch}: {source}")]
    Func {
        /// Which launch, from 0.
        launch: u32,
        /// What happened.
        source: FuncError,
    },
    /// Memory of the file that cannot be laid out.
    #[error("memory of the program: {0}")]
    Memory(#[from] DramError),
}

/// The memory that a program starts with: pages for everything it names, filled with its inputs.
///
/// # Errors
/// [`DramError`] if a row leaves the address space.
pub fn memory(program: &Program) -> Result<PagedDram, DramError> {
    let mut dram = PagedDram::new(if program.timing_only {
        Unmapped::Zero
    } else {
        Unmapped::Error
    });
    for launch in &program.launches {
        for row in launch.dram_in.iter().chain(&launch.dram_out) {
            dram.map(row.addr, row.bytes.len())?;
        }
    }
    Ok(dram)
}

/// Runs a program on the functional model.
///
/// # Errors
/// [`RunError`] for bits that are no instruction, instructions that cannot be executed, and deadlocks. Memory or counters
/// that differ from the file are no error but part of the report.
pub fn run(program: &Program, options: &RunOptions) -> Result<Report, RunError> {
    let path = options
        .path
        .unwrap_or_else(|| GemmPath::detect(&program.geometry));
    let mut machine = Machine::with_path(program.geometry, path);
    machine.set_max_operations(options.max_operations);
    let mut dram = memory(program)?;
    let decoded = (0..program.launches.len())
        .map(|launch| program.decode(launch))
        .collect::<Result<Vec<_>, _>>()?;
    let mut comparison = Comparison::default();
    let mut executed = 0;
    let mut number = 0;
    for _ in 0..options.launches {
        for (launch, insns) in program.launches.iter().zip(&decoded) {
            for row in &launch.dram_in {
                dram.fill(row.addr, &row.bytes)?;
            }
            let outcome: Outcome =
                machine
                    .launch(insns, &mut dram)
                    .map_err(|source| RunError::Func {
                        launch: number,
                        source,
                    })?;
            executed += u64::from(outcome.executed);
            for row in &launch.dram_out {
                comparison.row(row, &mut dram)?;
            }
            number += 1;
        }
    }
    let counters = machine.counters();
    let tokens_end = machine.tokens();
    let times = u64::from(options.launches);
    Ok(Report {
        program: program.name.clone(),
        geometry: program.geometry.name(),
        path: machine.path(),
        launches: options.launches,
        executed,
        cycles: None,
        counters,
        utilisation: None,
        tokens_end,
        memory_compared: comparison.compared,
        memory_mismatches: comparison.mismatches,
        mismatches: comparison.first,
        counters_match: program.expected.counters.map(|expected| {
            let expected = expected
                .entries()
                .into_iter()
                .map(|(_, v)| v.wrapping_mul(times));
            counters
                .entries()
                .into_iter()
                .map(|(_, value)| value)
                .eq(expected)
        }),
        // Left-over tokens add up from launch to launch.
        tokens_match: program
            .expected
            .tokens_end
            .map(|expected| tokens_end == expected.map(|tokens| tokens.wrapping_mul(times))),
    })
}

#[derive(Default)]
struct Comparison {
    compared: u64,
    mismatches: u64,
    first: Vec<Mismatch>,
}

impl Comparison {
    fn row(&mut self, row: &DramRow, dram: &mut PagedDram) -> Result<(), DramError> {
        let mut found = vec![0; row.bytes.len()];
        dram.read(row.addr, &mut found)?;
        self.compared += found.len() as u64;
        for ((addr, &expected), &found) in (row.addr..).zip(&row.bytes).zip(&found) {
            if expected != found {
                self.mismatches += 1;
                if self.first.len() < LISTED_MISMATCHES {
                    self.first.push(Mismatch {
                        addr,
                        expected,
                        found,
                    });
                }
            }
        }
        Ok(())
    }
}
