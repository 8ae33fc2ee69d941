//! What is searched, from the command line.

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::codesign::{GeometrySpace, Limits, Network, Problem};
use crate::vta::config::{Geometry, Preset};
use crate::vta::resources::Budget;

use super::args::CodesignArgs;

/// log2 of the most images at once when nothing is said.
const DEFAULT_LOG_BATCH: u32 = 4;

fn usage(message: impl Into<String>, hint: &str) -> CliError {
    CliError::new(ExitCode::Usage, message, hint)
}

/// The FPGA that is named, if one is.
fn board(args: &CodesignArgs) -> Result<Option<Budget>, CliError> {
    let Some(name) = &args.limits.budget_fpga else {
        return Ok(None);
    };
    let known = || {
        let all = Budget::ALL.iter();
        all.map(|b| format!("{} ({})", b.board, b.device))
            .collect::<Vec<_>>()
            .join(", ")
    };
    Budget::from_name(name).map(Some).ok_or_else(|| {
        usage(
            format!("no FPGA `{name}` is known; there are: {}", known()),
            "name one of these, or give limits with --max-macs and --max-sram",
        )
    })
}

/// The geometry that everything is compared with.
///
/// # Errors
/// When the text names none.
pub(super) fn default_geometry(args: &CodesignArgs) -> Result<Geometry, CliError> {
    if let Some(name) = &args.geometry {
        return crate::cli::vta::geometry(name);
    }
    let preset = board(args)?.and_then(|board| Preset::from_name(board.board));
    Ok(preset.map_or_else(Geometry::default, Preset::geometry))
}

/// The limits: what is not said is what the default geometry has, unless a board says it.
///
/// # Errors
/// When one makes no sense.
pub(super) fn limits(args: &CodesignArgs, default: &Geometry) -> Result<Limits, CliError> {
    let board = board(args)?;
    let own = Limits::of(default);
    let (macs, sram_bits) = if board.is_some() {
        (None, None)
    } else {
        (own.macs, own.sram_bits)
    };
    let most = args.objective.log_batch();
    let log_batch = match args.limits.max_batch {
        // More images at once make a narrower matrix unit with more vector lanes, and an image waits for all others.
        None => most.min(DEFAULT_LOG_BATCH),
        Some(batch) if most == 0 && batch > 1 => {
            return Err(usage(
                format!(
                    "--max-batch {batch}: the objective {} is about one image",
                    args.objective
                ),
                "add --objective throughput",
            ));
        }
        Some(batch) if batch.is_power_of_two() && batch <= 1 << most => batch.trailing_zeros(),
        Some(batch) => {
            return Err(usage(
                format!(
                    "--max-batch {batch}: a power of two up to {} is needed",
                    1 << most
                ),
                "",
            ));
        }
    };
    Ok(Limits {
        macs: args.limits.max_macs.or(macs),
        sram_bits: args.limits.max_sram.map(|kib| 8 * 1024 * kib).or(sram_bits),
        board,
        log_batch,
        unequal_blocks: args.limits.unequal_blocks,
    })
}

/// The problem of a network within limits.
///
/// # Errors
/// When no geometry keeps to them.
pub(super) fn problem(
    args: &CodesignArgs,
    network: Network,
    default: Geometry,
    limits: Limits,
) -> Result<Problem, CliError> {
    let describe = limits.describe();
    let geometries = GeometrySpace::new(default, limits);
    if geometries.all().is_empty() {
        return Err(usage(
            format!("no geometry keeps to the limits: {describe}"),
            "allow more MACs or more memory",
        ));
    }
    Ok(Problem {
        network,
        geometries,
        objective: args.objective,
    })
}
