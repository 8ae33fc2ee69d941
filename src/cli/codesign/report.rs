//! What a run says: the bound before it, tables and gains after it.

use std::time::Duration;

use crate::cli::format;
use crate::cli::printer::Printer;
use crate::codesign::{
    Cost, Layer, Limits, Mode, Network, Objective, Problem, Search, timing_verified,
};
use crate::vta::config::Geometry;

use super::Networks;
use super::args::CodesignArgs;
use super::measured::{MeasuredLayer, MeasuredNetwork};
use super::results::{Outcome, per_image, seconds};

/// Mode, objective, clock, limits, and what no schedule can beat.
pub(super) fn introduce(
    args: &CodesignArgs,
    networks: &Networks,
    default: &Geometry,
    limits: &Limits,
    printer: Printer,
) {
    printer.note(format!("mode {}", args.mode.describe()));
    printer.note(format!(
        "objective {}, clock fixed at {} MHz; {}",
        args.objective,
        default.clock_mhz(),
        limits.describe()
    ));
    printer.note(format!("default geometry {}", describe(default)));
    for (name, network) in &networks.each {
        printer.note(bound_line(name, network, default));
    }
}

/// `resnet-18: 1,708,392,448 MACs in 20 convolutions, at least 6,673,408 cycles at 256 a cycle`.
pub(super) fn bound_line(name: &str, network: &Network, geometry: &Geometry) -> String {
    let uses: u32 = network.layers().iter().map(|layer| layer.uses).sum();
    format!(
        "{name}: {} MACs in {uses} convolutions, at least {} cycles at {} a cycle",
        format::count(network.macs()),
        format::count(network.least_cycles(geometry)),
        geometry.macs()
    )
}

/// A geometry with what it costs, and whether its time was ever compared with hardware.
pub(super) fn describe(geometry: &Geometry) -> String {
    let cost = Cost::of(geometry);
    let unverified = if timing_verified(geometry) {
        ""
    } else {
        ", timing unverified"
    };
    format!(
        "{} ({} MACs, {} KiB of buffers, {} vector lanes{unverified})",
        geometry.name(),
        cost.macs,
        cost.sram_bits / 8192,
        cost.alu_lanes
    )
}

/// Where a search stands, with what was evaluated since it was last told.
pub(super) fn search_line(
    search: &Search,
    untold: usize,
    budget: usize,
    elapsed: Duration,
) -> String {
    let best = search.best().map_or_else(
        || "no geometry is complete yet".to_owned(),
        |best| {
            format!(
                "best {} with {} cycles (draft model)",
                best.geometry.name(),
                format::count(best.score.round() as u64)
            )
        },
    );
    format!(
        "[{}] {}/{budget} evaluations, {} geometries in the race; {best}",
        format::duration(elapsed),
        search.ledger().len() + untold,
        search.alive().len()
    )
}

/// The layers, the gains, the front, and what to do next.
pub(super) fn outcome(args: &CodesignArgs, outcome: &Outcome<'_>, printer: Printer) {
    let network = &outcome.problem.network;
    let (default, chosen) = (&outcome.default, &outcome.chosen);
    printer.result(format!("mode {}", args.mode.describe()));
    printer.result(format!("default: {}", describe(&default.geometry)));
    printer.result(format!("chosen:  {}", describe(&chosen.geometry)));
    printer.result(String::new());
    layers(network, default, chosen, printer);
    printer.result(String::new());
    for (name, own) in &outcome.networks.each {
        let line = |measured: &MeasuredNetwork| {
            outcome.cycles_of(own, measured).map_or_else(
                || "a layer has no schedule".to_owned(),
                |cycles| figures(cycles, own, &measured.geometry),
            )
        };
        printer.result(format!("{name}, default: {}", line(default)));
        printer.result(format!("{name}, chosen:  {}", line(chosen)));
    }
    printer.result(String::new());
    gains(outcome, printer);
    printer.result(String::new());
    front(outcome, printer);
    next(args, outcome, printer);
}

/// Cycles for an image, its share of the bound's, and time.
fn figures(cycles: u64, network: &Network, geometry: &Geometry) -> String {
    let image = per_image(cycles, geometry);
    let busy = 100.0 * network.macs() as f64
        / (cycles as f64 / geometry.batch() as f64)
        / geometry.macs() as f64;
    format!(
        "{} cycles an image ({} at {} MHz), multipliers busy {busy:.1} %",
        format::count(image.round() as u64),
        format::seconds(seconds(image, geometry)),
        geometry.clock_mhz()
    )
}

/// One row for each layer: cycles an image on both geometries.
fn layers(
    network: &Network,
    default: &MeasuredNetwork,
    chosen: &MeasuredNetwork,
    printer: Printer,
) {
    let cell = |layer: &Layer, measured: &MeasuredLayer, geometry: &Geometry| {
        let Some(best) = measured.best else {
            return ["-".to_owned(), "-".to_owned(), "none".to_owned()];
        };
        let repack = layer.convolution.repack_cycles(geometry);
        let image = per_image(best.cycles + repack, geometry);
        let busy = 100.0 * layer.convolution.macs() as f64 / image / geometry.macs() as f64;
        let t = best.tiles;
        let threads = match (t.oc_threads, t.h_threads) {
            (1, 1) => String::new(),
            (oc, 1) => format!(", {oc} threads along channels"),
            (_, h) => format!(", {h} threads along rows"),
        };
        [
            format::count(image.round() as u64),
            format!("{busy:.1} %"),
            format!("{}x{} in {} out {}{threads}", t.h, t.w, t.ci, t.co),
        ]
    };
    let rows = network
        .layers()
        .iter()
        .zip(default.layers.iter().zip(&chosen.layers))
        .map(|(layer, (on_default, on_chosen))| {
            let [dc, db, ds] = cell(layer, on_default, &default.geometry);
            let [cc, cb, cs] = cell(layer, on_chosen, &chosen.geometry);
            vec![
                layer.convolution.label(),
                layer.uses.to_string(),
                dc,
                db,
                cc,
                cb,
                ds,
                cs,
            ]
        })
        .collect();
    printer.result(format::table(
        &[
            "layer",
            "uses",
            "default",
            "busy",
            "chosen",
            "busy",
            "default's schedule",
            "chosen's schedule",
        ],
        1,
        rows,
    ));
}

/// What of the gain comes from where: both geometries, with TVM's fallback schedules and tuned.
fn gains(outcome: &Outcome<'_>, printer: Printer) {
    let network = &outcome.problem.network;
    let cost = |measured: &MeasuredNetwork, untuned: bool| {
        let cycles = if untuned {
            measured.untuned_cycles(network)
        } else {
            measured.cycles(network)
        };
        cycles.map(|cycles| outcome.problem.score(cycles as f64, &measured.geometry))
    };
    let (default, chosen) = (&outcome.default, &outcome.chosen);
    let what = match outcome.problem.objective {
        Objective::Latency => "cycles",
        Objective::Throughput => "cycles an image",
        Objective::LatencyPerArea => "cycles times area",
    };
    let said = |cost: Option<f64>| {
        cost.map_or_else(|| "none".to_owned(), |c| format::count(c.round() as u64))
    };
    let rows = [("fallback schedules", true), ("tuned schedules", false)]
        .into_iter()
        .map(|(name, untuned)| {
            vec![
                name.to_owned(),
                said(cost(default, untuned)),
                said(cost(chosen, untuned)),
            ]
        })
        .collect();
    printer.result(format::table(&[what, "default", "chosen"], 1, rows));
    let ratio = |from: Option<f64>, to: Option<f64>| match (from, to) {
        (Some(from), Some(to)) => format!("{:.3}x", from / to),
        _ => "unknown, as a fallback schedule failed".to_owned(),
    };
    let (a, b) = (cost(default, true), cost(default, false));
    let (c, d) = (cost(chosen, true), cost(chosen, false));
    printer.result(format!(
        "gain from schedules alone {}, from hardware alone (fallback schedules) {}, from hardware with tuned schedules {}, \
         from both {}",
        ratio(a, b),
        ratio(a, c),
        ratio(b, d),
        ratio(a, d)
    ));
    if default.geometry != chosen.geometry
        && let (Some(default_cycles), Some(chosen_cycles)) = (b, d)
    {
        let bound = outcome.problem.score(
            network.least_cycles(&default.geometry) as f64,
            &default.geometry,
        );
        if default.geometry.macs() == chosen.geometry.macs() {
            let closed = (default_cycles - chosen_cycles) / (default_cycles - bound);
            printer.result(format!(
                "of the gap between the default geometry and the bound of {} {what}, {:.1} % is closed",
                format::count(bound.round() as u64),
                100.0 * closed
            ));
        }
    }
}

/// Measured points of time against resources.
fn front(outcome: &Outcome<'_>, printer: Printer) {
    let rows = outcome
        .points()
        .iter()
        .map(|point| {
            let mut marks = Vec::new();
            if point.geometry == outcome.default.geometry {
                marks.push("default");
            }
            if point.geometry == outcome.chosen.geometry {
                marks.push("chosen");
            }
            if !point.on_front {
                marks.push("beaten");
            }
            if !timing_verified(&point.geometry) {
                marks.push("timing unverified");
            }
            vec![
                point.geometry.name(),
                point.cost.macs.to_string(),
                (point.cost.sram_bits / 8192).to_string(),
                point.cost.alu_lanes.to_string(),
                format::count(per_image(point.cycles, &point.geometry).round() as u64),
                marks.join(", "),
            ]
        })
        .collect();
    printer.result("time against resources, measured:");
    printer.result(format::table(
        &["geometry", "MACs", "KiB", "lanes", "cycles an image", ""],
        1,
        rows,
    ));
}

fn next(args: &CodesignArgs, outcome: &Outcome<'_>, printer: Printer) {
    let geometry = &outcome.chosen.geometry;
    if geometry.block_in() != geometry.block_out() {
        printer.note("a network with unequal blocks cannot be compiled as a whole yet: the log is of its layers");
        return;
    }
    // Measured, the default geometry may have been the better one: then `chosen.log` is of another.
    let is_default = *geometry == outcome.default.geometry;
    let log = args.output.join(if is_default {
        "default.log"
    } else {
        "chosen.log"
    });
    for model in &args.models {
        let mut words = vec![
            "arco-tvm".to_owned(),
            "verify".to_owned(),
            model.clone(),
            "--target".to_owned(),
            format!("vta:{}", geometry.model()),
            "--log".to_owned(),
            log.display().to_string(),
        ];
        if geometry.batch() > 1 {
            words.extend(["--batch".to_owned(), geometry.batch().to_string()]);
        }
        let words: Vec<_> = words.iter().map(|word| format::shell_word(word)).collect();
        printer.note(format!("next: {}", words.join(" ")));
    }
}

/// The table of `per-layer`.
pub(super) fn per_layer(
    args: &CodesignArgs,
    problem: &Problem,
    networks: &Networks,
    rows: &[(&Layer, Geometry, Option<u64>)],
    total: Option<u64>,
    printer: Printer,
) {
    debug_assert_eq!(args.mode, Mode::PerLayer);
    printer.result(format!("mode {}", args.mode.describe()));
    let cells = rows
        .iter()
        .map(|(layer, geometry, cycles)| {
            vec![
                layer.convolution.label(),
                layer.uses.to_string(),
                geometry.name(),
                cycles.map_or_else(
                    || "none".to_owned(),
                    |c| format::count(per_image(c, geometry).round() as u64),
                ),
                if timing_verified(geometry) {
                    ""
                } else {
                    "timing unverified"
                }
                .to_owned(),
            ]
        })
        .collect();
    printer.result(format::table(
        &["layer", "uses", "geometry", "cycles an image", ""],
        1,
        cells,
    ));
    let names: Vec<&str> = networks
        .each
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let total = total.map_or_else(|| "unknown".to_owned(), format::count);
    printer.result(format!(
        "{}: {total} cycles an image if every layer had its own accelerator (an upper bound, no accelerator); {}",
        names.join(" and "),
        bound_line("bound", &problem.network, problem.geometries.base())
    ));
}
