//! Files of a run: the chosen `vta_config.json`, `result.json`, and the front as JSON and as a picture.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::printer::Printer;
use crate::codesign::{Cost, FrontMark, FrontPoint, Network, Problem, draw_front, timing_verified};
use crate::vta::config::Geometry;

use super::Networks;
use super::args::CodesignArgs;
use super::measured::MeasuredNetwork;

/// What a run found, all of it measured.
pub(super) struct Outcome<'a> {
    pub problem: &'a Problem,
    pub networks: &'a Networks,
    pub default: MeasuredNetwork,
    pub chosen: MeasuredNetwork,
    /// Points of the draft model's front with the cycles of each layer as measured.
    pub front: Vec<(FrontPoint, Vec<Option<u64>>)>,
}

/// A measured point of time against resources.
pub(super) struct MeasuredPoint {
    pub geometry: Geometry,
    pub cost: Cost,
    /// Cycles of all layers, one launch.
    pub cycles: u64,
    /// What the objective says of it.
    pub score: f64,
    /// Whether no other measured point beats it.
    pub on_front: bool,
}

impl Outcome<'_> {
    /// Every geometry that was measured in all layers, the default and the chosen one included, best score first.
    pub fn points(&self) -> Vec<MeasuredPoint> {
        let network = &self.problem.network;
        let mut points: Vec<MeasuredPoint> = Vec::new();
        let mut add = |geometry: Geometry, cycles: Option<u64>| {
            let Some(cycles) = cycles else { return };
            let point = MeasuredPoint {
                geometry,
                cost: Cost::of(&geometry),
                cycles,
                score: self.problem.score(cycles as f64, &geometry),
                on_front: true,
            };
            match points.iter_mut().find(|p| p.geometry == geometry) {
                Some(known) if known.cycles <= cycles => {}
                Some(known) => *known = point,
                None => points.push(point),
            }
        };
        for measured in [&self.default, &self.chosen] {
            add(measured.geometry, measured.cycles(network));
        }
        for (point, measured) in &self.front {
            let geometry = point.scored.geometry;
            add(geometry, sum(network, &geometry, measured));
        }
        points.sort_by(|a, b| {
            let resources = |p: &MeasuredPoint| (p.cost.macs, p.cost.sram_bits);
            a.score
                .total_cmp(&b.score)
                .then_with(|| resources(a).cmp(&resources(b)))
        });
        for i in 0..points.len() {
            let (better, rest) = points.split_at_mut(i);
            let own = &mut rest[0];
            own.on_front = !better.iter().any(|b| b.cost.within(&own.cost));
        }
        points
    }
}

fn sum(network: &Network, geometry: &Geometry, measured: &[Option<u64>]) -> Option<u64> {
    let layers = network.layers().iter().zip(measured);
    layers
        .map(|(layer, cycles)| {
            let repack = layer.convolution.repack_cycles(geometry);
            Some(u64::from(layer.uses) * ((*cycles)? + repack))
        })
        .sum()
}

/// Writes all of them into the output folder.
///
/// # Errors
/// When one cannot be written.
pub(super) fn write(
    args: &CodesignArgs,
    outcome: &Outcome<'_>,
    printer: Printer,
) -> Result<(), CliError> {
    let config = outcome.chosen.geometry.to_config();
    let config = config.with_derived().unwrap_or(config);
    file(args, "vta_config.json", &config.to_json())?;
    let result = result(args, outcome, printer)?;
    file(args, "result.json", &pretty(&result))?;
    let points = outcome.points();
    let front: Vec<Value> = points
        .iter()
        .map(|point| point_json(point, outcome))
        .collect();
    file(args, "front.json", &pretty(&json!(front)))?;
    let marks: Vec<FrontMark> = points
        .iter()
        .map(|point| FrontMark {
            name: point.geometry.name(),
            macs: point.cost.macs,
            sram_bits: point.cost.sram_bits,
            milliseconds: 1e3 * seconds(per_image(point.cycles, &point.geometry), &point.geometry),
            on_front: point.on_front,
            is_default: point.geometry == outcome.default.geometry,
            is_chosen: point.geometry == outcome.chosen.geometry,
        })
        .collect();
    let svg = draw_front(&marks).map_err(|error| {
        CliError::new(
            ExitCode::Failure,
            format!("the front cannot be drawn: {error}"),
            "",
        )
    })?;
    file(args, "front.svg", &svg)?;
    printer.note(format!(
        "{}: vta_config.json, result.json, front.json, front.svg, programs, logs and journals",
        args.output.display()
    ));
    Ok(())
}

fn file(args: &CodesignArgs, name: &str, text: &str) -> Result<(), CliError> {
    let path = args.output.join(name);
    write_text(&path, text)
}

pub(super) fn write_text(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, text).map_err(|error| {
        let message = format!("cannot write {}: {error}", path.display());
        CliError::new(ExitCode::Failure, message, "is there room on the disk?")
    })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Cycles for an image, of a launch that computes BATCH.
pub(super) fn per_image(cycles: u64, geometry: &Geometry) -> f64 {
    cycles as f64 / geometry.batch() as f64
}

pub(super) fn seconds(cycles: f64, geometry: &Geometry) -> f64 {
    cycles / (f64::from(geometry.clock_mhz()) * 1e6)
}

fn point_json(point: &MeasuredPoint, outcome: &Outcome<'_>) -> Value {
    let mut value = geometry_json(&point.geometry);
    value["cycles"] = json!(point.cycles);
    value["cycles_per_image"] = json!(per_image(point.cycles, &point.geometry));
    value["score"] = json!(point.score);
    value["on_front"] = json!(point.on_front);
    value["default"] = json!(point.geometry == outcome.default.geometry);
    value["chosen"] = json!(point.geometry == outcome.chosen.geometry);
    value
}

pub(super) fn geometry_json(geometry: &Geometry) -> Value {
    let cost = Cost::of(geometry);
    json!({
        "geometry": geometry.name(),
        "macs": cost.macs,
        "sram_bits": cost.sram_bits,
        "alu_lanes": cost.alu_lanes,
        "bram36_estimate": cost.bram36,
        "clock_mhz": geometry.clock_mhz(),
        "timing": if timing_verified(geometry) { "verified" } else { "unverified" },
    })
}

fn result(args: &CodesignArgs, outcome: &Outcome<'_>, printer: Printer) -> Result<Value, CliError> {
    let network = &outcome.problem.network;
    let side = |measured: &MeasuredNetwork| -> Result<Value, CliError> {
        let programs = super::programs::write(args, network, measured, printer)?;
        let mut value = geometry_json(&measured.geometry);
        value["trials"] = json!(measured.trials);
        value["cycles"] = json!(measured.cycles(network));
        value["untuned_cycles"] = json!(measured.untuned_cycles(network));
        value["least_cycles"] = json!(network.least_cycles(&measured.geometry));
        let layers = network.layers().iter().zip(&measured.layers);
        let layers: Vec<Value> = layers
            .zip(programs)
            .map(|((layer, measured_layer), program)| {
                json!({
                    "layer": layer.convolution.label(),
                    "uses": layer.uses,
                    "macs": layer.convolution.macs(),
                    "cycles": measured_layer.best.map(|best| best.cycles),
                    "untuned_cycles": measured_layer.untuned,
                    "repack_cycles": layer.convolution.repack_cycles(&measured.geometry),
                    "program": program,
                })
            })
            .collect();
        value["layers"] = json!(layers);
        Ok(value)
    };
    let models: Vec<Value> = outcome
        .networks
        .each
        .iter()
        .map(|(name, own)| {
            json!({"model": name, "macs": own.macs(),
                   "default_cycles": outcome.cycles_of(own, &outcome.default),
                   "chosen_cycles": outcome.cycles_of(own, &outcome.chosen)})
        })
        .collect();
    let default = side(&outcome.default)?;
    let chosen = if outcome.chosen.geometry == outcome.default.geometry {
        default.clone()
    } else {
        side(&outcome.chosen)?
    };
    Ok(json!({
        "mode": args.mode.name(),
        "objective": args.objective.name(),
        "limits": outcome.problem.geometries.limits().describe(),
        "seed": args.search.seed.unwrap_or(0),
        "models": models,
        "default": default,
        "chosen": chosen,
    }))
}

impl Outcome<'_> {
    /// Cycles of one of the networks, which has some of the layers.
    pub fn cycles_of(&self, own: &Network, measured: &MeasuredNetwork) -> Option<u64> {
        let all = self.problem.network.layers();
        own.layers()
            .iter()
            .map(|layer| {
                let position = all
                    .iter()
                    .position(|l| l.convolution == layer.convolution)?;
                let cycles = measured.layers[position].best?.cycles;
                let repack = layer.convolution.repack_cycles(&measured.geometry);
                Some(u64::from(layer.uses) * (cycles + repack))
            })
            .sum()
    }
}
