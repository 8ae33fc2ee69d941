//! `arco-tvm vta info`.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::format;
use crate::cli::printer::Printer;
use crate::vta::config::{Geometry, Mem};
use crate::vta::resources::{Budget, Fit, Mapping, Resources, resources};

use super::args::InfoArgs;

/// Shows what follows from a geometry.
///
/// # Errors
/// A geometry that is none, or breaks a rule.
pub fn run(args: &InfoArgs, printer: Printer) -> Result<ExitCode, CliError> {
    let geometry = geometry(&args.geometry)?;
    let resources = resources(&geometry, Mapping::Single);
    let fits: Vec<Fit> = Budget::ALL
        .iter()
        .map(|budget| budget.fit(&geometry))
        .collect();
    if args.json {
        let config = geometry.to_config();
        let config = config.with_derived().unwrap_or(config);
        let depths: serde_json::Map<String, serde_json::Value> = Mem::ALL
            .into_iter()
            .map(|mem| (mem.name().to_owned(), geometry.depth(mem).into()))
            .collect();
        let boards: Vec<_> = fits
            .iter()
            .map(|fit| {
                json!({"board": fit.budget.board, "fits": fit.fits(), "mapping": fit.resources.mapping,
                       "budget": fit.budget, "shortages": fit.shortages})
            })
            .collect();
        let object = json!({"name": geometry.name(), "model": geometry.model(), "config": config, "depths": depths,
                            "resources": resources, "boards": boards});
        printer.result(format!("{object:#}"));
    } else {
        printer.result(text(&geometry, &resources, &fits).trim_end());
    }
    Ok(ExitCode::Success)
}

/// A file if there is one of that name, else what the name says.
///
/// # Errors
/// When the file cannot be read or the text is no geometry.
pub fn geometry(argument: &str) -> Result<Geometry, CliError> {
    let path = Path::new(argument);
    let text = if path.is_file() {
        std::fs::read_to_string(path).map_err(|error| {
            CliError::new(
                ExitCode::Failure,
                format!("cannot read {argument}: {error}"),
                "",
            )
        })?
    } else {
        argument.to_owned()
    };
    text.parse().map_err(|error: crate::vta::config::ConfigError| {
        CliError::new(
            ExitCode::Usage,
            error.to_string(),
            "name a preset (sim, pynq, ultra96, zcu104, de10nano), a geometry, or a vta_config.json",
        )
    })
}

fn text(geometry: &Geometry, resources: &Resources, fits: &[Fit]) -> String {
    let mut out = String::new();
    let mut line = |label: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{label:<12}  {value}");
    };
    line("name", geometry.name());
    line("model", geometry.model());
    line(
        "matrix",
        format!(
            "{} x {} by {} x {}: {} multiply-accumulates a cycle",
            geometry.batch(),
            geometry.block_in(),
            geometry.block_in(),
            geometry.block_out(),
            format::count(resources.macs)
        ),
    );
    line(
        "widths",
        format!(
            "inputs {}, weights {}, accumulators {}, outputs {} bits",
            geometry.inp_bits(),
            geometry.wgt_bits(),
            geometry.acc_bits(),
            geometry.out_bits()
        ),
    );
    line(
        "memory",
        format!(
            "{} bits a beat, bursts of {} beats, {:.2} GB/s",
            geometry.axi_bits(),
            geometry.max_burst(),
            resources.bus_gbytes
        ),
    );
    line(
        "clock",
        format!(
            "{} MHz: at most {:.1} GMAC/s",
            geometry.clock_mhz(),
            resources.peak_gmacs
        ),
    );
    line(
        "ALU",
        format!("{} lanes", format::count(resources.alu_lanes)),
    );
    out + "\n" + &buffers(resources) + "\n\n" + &boards(fits)
}

fn buffers(resources: &Resources) -> String {
    let rows = resources.buffers.iter().map(|buffer| {
        vec![
            buffer.mem.name().to_owned(),
            format::count(buffer.bytes),
            format::count(buffer.elem_bits / 8),
            format::count(buffer.depth),
            format!("{} x {}", buffer.banks, buffer.bank_bits),
            format::count(buffer.bram36_estimate),
        ]
    });
    let head = [
        "buffer",
        "bytes",
        "element bytes",
        "depth",
        "banks x bits",
        "BRAM36 (estimate)",
    ];
    format::table(&head, 1, rows.collect())
}

fn boards(fits: &[Fit]) -> String {
    let rows = fits.iter().map(|fit| {
        let (needs, has) = (&fit.resources, &fit.budget);
        let of = |needed, there| format!("{} of {}", format::count(needed), format::count(there));
        let missing: Vec<&str> = fit
            .shortages
            .iter()
            .map(|shortage| shortage.resource)
            .collect();
        let verdict = if fit.fits() {
            "fits".to_owned()
        } else {
            format!("lacks {}", missing.join(", "))
        };
        vec![
            has.board.to_owned(),
            verdict,
            format!("{:?}", needs.mapping).to_lowercase(),
            of(needs.bram36_estimate, has.bram36),
            of(needs.dsp_estimate, has.dsp),
            of(needs.mac_lut_estimate, has.lut),
        ]
    });
    let head = ["board", "estimate", "multipliers", "BRAM36", "DSP", "LUT"];
    format::table(&head, 3, rows.collect())
}
