//! `arco-tvm vta run`.

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::printer::Printer;
use crate::vta::program::Program;
use crate::vta::run::{Report, RunOptions};
use crate::vta::timing::{TimingOptions, TimingReport, simulate};

use super::args::{MachineArgs, RunArgs};
use super::report::RunReport;
use super::stopped;

/// Runs a program on both models, or on the timing model alone.
///
/// # Errors
/// A file that is no program, or a program that does not run to its end. What differs from the file is no error but an exit
/// code.
pub fn run(args: &RunArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let program = super::load(&args.program)?;
    let functional = if args.timing_only {
        None
    } else {
        let options = RunOptions {
            launches: args.machine.launches,
            ..RunOptions::default()
        };
        let report = crate::vta::run::run(&program, &options);
        Some(report.map_err(|error| stopped(&program.name, &error))?)
    };
    let timing = simulate(&program, &timing_options(&args.machine))
        .map_err(|error| stopped(&program.name, &error))?;
    let report = join(&program, &args.machine, functional, timing);
    if args.json {
        let json = serde_json::to_string_pretty(&report).map_err(|error| {
            CliError::new(ExitCode::Failure, format!("cannot print JSON: {error}"), "")
        })?;
        printer.result(json);
    } else {
        printer.result(report.to_string().trim_end());
    }
    if report.differs() {
        return Ok(ExitCode::Mismatch);
    }
    Ok(ExitCode::Success)
}

/// The machine that the command line describes.
pub fn timing_options(args: &MachineArgs) -> TimingOptions {
    TimingOptions {
        max_burst: args.burst,
        clock_mhz: args.clock,
        launches: args.launches,
        ..TimingOptions::default()
    }
}

fn join(
    program: &Program,
    machine: &MachineArgs,
    functional: Option<Report>,
    timing: TimingReport,
) -> RunReport {
    // Launches after the first may differ in time, and the file speaks of one.
    let expected = (machine.launches == 1).then(|| {
        let mut cycles = program.expected.cycles.iter();
        cycles.find_map(|&(burst, cycles)| (burst == timing.max_burst).then_some(cycles))
    });
    let times = u64::from(machine.launches);
    let counters_match = program.expected.counters.map(|expected| {
        let expected = expected
            .entries()
            .map(|(_, value)| value.wrapping_mul(times));
        timing.counters.entries().map(|(_, value)| value) == expected
    });
    let tokens_match = program.expected.tokens_end.map(|expected| {
        timing.tokens_end.map(u64::from) == expected.map(|left| left.wrapping_mul(times))
    });
    let mut report = RunReport {
        cycles_expected: expected.flatten(),
        memory_compared: 0,
        memory_mismatches: 0,
        mismatches: Vec::new(),
        counters_match,
        tokens_match,
        gemm_path: None,
        timing,
    };
    if let Some(functional) = functional {
        report.memory_compared = functional.memory_compared;
        report.memory_mismatches = functional.memory_mismatches;
        report.mismatches = functional.mismatches;
        report.timing.counters = functional.counters;
        report.counters_match = functional.counters_match;
        report.tokens_match = functional.tokens_match;
        report.gemm_path = Some(functional.path);
    }
    report
}
