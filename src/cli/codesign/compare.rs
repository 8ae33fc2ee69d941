//! `--compare`: the search beside its baselines on the draft model, with several seeds, and beside all there is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::format;
use crate::cli::printer::Printer;
use crate::codesign::{
    Chooser, Core, DraftEvaluator, Evaluator, Event, Ledger, Point, Problem, Recalled, SCHEMA,
    Search, SearchConstants, SearchJournal, lower_bound, needs, pareto_front, run as run_search,
    schedules_of_any,
};
use crate::seed::Seed;
use crate::tuning::CancelToken;
use crate::vta::config::{Geometry, Mem};

use super::Networks;
use super::args::CodesignArgs;
use super::results::{geometry_json, write_text};

/// How often a line is written.
const SAID_EVERY: Duration = Duration::from_secs(2);

/// Runs every chooser with every seed.
///
/// # Errors
/// When a file cannot be written, or the draft model cannot say how long a program takes.
pub(super) async fn run(
    args: &CodesignArgs,
    problem: &Arc<Problem>,
    networks: &Networks,
    seeds: u64,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let default = *problem.geometries.base();
    let all = everything(args, problem, &default, printer)?;
    let mut known = Ledger::default();
    for point in points(problem, &default) {
        if let Some(cycles) = all.find(&point) {
            known.add(&point, cycles);
        }
    }
    let best_of = |geometries: &[Geometry]| {
        let scores = geometries.iter();
        scores
            .filter_map(|g| Some((problem.evaluated(&known, g)?, *g)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let optimum = best_of(&problem.pool());
    let of_default = best_of(&[default]);
    write_text(
        &args.output.join("problem.json"),
        &format!("{:#}\n", describe(problem, networks, optimum, of_default)),
    )?;
    let budget = super::budget(args, &problem.network);
    let choosers = [
        Chooser::Agents,
        Chooser::Listed,
        Chooser::TwoStage,
        Chooser::Random,
        Chooser::Fixed(default),
    ];
    let mut lines = String::new();
    let mut rows = Vec::new();
    for chooser in choosers {
        let mut scores = Vec::new();
        let begun = Instant::now();
        for seed in 0..seeds {
            let (line, score) = one(problem, chooser, budget, seed, &all).await?;
            lines += &format!("{line}\n");
            scores.extend(score);
        }
        printer.note(format!(
            "{}: {seeds} seeds in {}",
            chooser.name(),
            format::duration(begun.elapsed())
        ));
        rows.push(row(chooser, &scores, optimum, begun.elapsed(), seeds));
    }
    write_text(&args.output.join("compare.jsonl"), &lines)?;
    let said = |found: Option<(f64, Geometry)>| {
        found.map_or_else(
            || "none".to_owned(),
            |(score, g)| format!("{} on {}", format::count(score.round() as u64), g.name()),
        )
    };
    printer.result(format!(
        "draft model, {budget} evaluations, {seeds} seeds, objective {}",
        problem.objective
    ));
    printer.result(format!("the best there is: {}", said(optimum)));
    printer.result(format!(
        "the best of the default geometry: {}",
        said(of_default)
    ));
    printer.result(format::table(
        &[
            "who chooses geometries",
            "mean",
            "best",
            "worst",
            "mean distance",
            "seconds a run",
        ],
        1,
        rows,
    ));
    Ok(ExitCode::Success)
}

fn row(
    chooser: Chooser,
    scores: &[f64],
    optimum: Option<(f64, Geometry)>,
    took: Duration,
    seeds: u64,
) -> Vec<String> {
    let n = scores.len().max(1) as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let best = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let worst = scores.iter().copied().fold(0.0, f64::max);
    let count = |score: f64| format::count(score.round() as u64);
    vec![
        chooser.name().to_owned(),
        count(mean),
        count(best),
        count(worst),
        optimum.map_or_else(String::new, |(optimum, _)| {
            format!("{:.2} %", 100.0 * (mean / optimum - 1.0))
        }),
        format!("{:.1}", took.as_secs_f64() / seeds.max(1) as f64),
    ]
}

/// One run: its line for compare.jsonl, and its score.
async fn one(
    problem: &Arc<Problem>,
    chooser: Chooser,
    budget: usize,
    seed: u64,
    all: &Recalled,
) -> Result<(Value, Option<f64>), CliError> {
    let failed = |error: String| CliError::new(ExitCode::Failure, error, "");
    let constants = SearchConstants::default();
    let mut search = Search::new(Arc::clone(problem), chooser, budget, Seed(seed), constants)
        .map_err(|error| failed(error.to_string()))?;
    let mut curve: Vec<(usize, f64)> = Vec::new();
    let begun = Instant::now();
    run_search(
        problem,
        &mut search,
        &mut DraftEvaluator::default(),
        all,
        None,
        &CancelToken::default(),
        |search| {
            curve.extend(
                search
                    .best()
                    .map(|best| (search.ledger().len(), best.score)),
            )
        },
    )
    .await
    .map_err(|error| failed(error.to_string()))?;
    let best = search.best();
    let front: Vec<Value> = pareto_front(problem, search.ledger())
        .iter()
        .map(|p| json!([p.scored.score, p.cost.macs, p.cost.sram_bits]))
        .collect();
    let line = json!({
        "chooser": chooser.name(), "seed": seed, "evaluations": search.ledger().len(),
        "geometry": best.map(|best| best.geometry.name()), "score": best.map(|best| best.score),
        "curve": curve, "front": front, "seconds": begun.elapsed().as_secs_f64(),
    });
    Ok((line, best.map(|best| best.score)))
}

/// Every schedule of every layer on every core, each on a geometry that can run it.
fn points(problem: &Problem, default: &Geometry) -> Vec<Point> {
    let mut cores: Vec<(Core, Vec<Geometry>)> = Vec::new();
    for geometry in problem.geometries.largest().iter().chain([default]) {
        let core = Core::of(geometry);
        match cores.iter_mut().find(|(known, _)| *known == core) {
            Some((_, geometries)) => geometries.push(*geometry),
            None => cores.push((core, vec![*geometry])),
        }
    }
    let mut points = Vec::new();
    for (_, geometries) in &cores {
        for (layer, of_layer) in problem.network.layers().iter().enumerate() {
            let conv = of_layer.convolution.packed(&geometries[0]);
            for tiles in schedules_of_any(&conv, geometries) {
                let runs = |g: &&Geometry| conv.refusal(g, &tiles).is_none();
                let geometry = *geometries.iter().find(runs).unwrap_or(&geometries[0]);
                points.push(Point {
                    layer,
                    geometry,
                    tiles,
                });
            }
        }
    }
    points
}

/// What each schedule takes, by the draft model, into a file that a later run goes on with.
///
/// A schedule is left out where another needs no more of any buffer and takes no longer than the least that this one could:
/// it is the best of no geometry. What is left out gets its lower bound, which changes no optimum.
fn everything(
    args: &CodesignArgs,
    problem: &Problem,
    default: &Geometry,
    printer: Printer,
) -> Result<Recalled, CliError> {
    let mut evaluator = DraftEvaluator::default();
    let layers = problem.network.layers().iter();
    let labels: Vec<String> = layers.map(|layer| layer.convolution.label()).collect();
    let path = args.output.join("table.jsonl");
    let (mut journal, mut known) =
        SearchJournal::open(&path, &labels, evaluator.name()).map_err(|error| {
            CliError::new(
                ExitCode::Log,
                error.to_string(),
                "name another folder with -o",
            )
        })?;
    let mut all: Vec<(u64, Point)> = points(problem, default)
        .into_iter()
        .map(|point| {
            let conv = problem.network.layers()[point.layer]
                .convolution
                .packed(&point.geometry);
            (lower_bound(&conv, &point.geometry, &point.tiles), point)
        })
        .collect();
    all.sort_by_key(|(least, _)| *least);
    if known.is_empty() {
        journal.write(&Event::Search {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            layers: labels.clone(),
            evaluator: evaluator.name().to_owned(),
            limits: problem.geometries.limits().describe(),
            objective: problem.objective.to_string(),
            chooser: "everything".to_owned(),
            budget: all.len(),
            seed: 0,
        })?;
    }
    let (begun, mut said, mut left_out) = (Instant::now(), Instant::now(), 0);
    let mut beaten_by: HashMap<(Core, usize), Vec<([usize; 3], u64)>> = HashMap::new();
    let mut pruned = Vec::new();
    for (done, (least, point)) in all.iter().enumerate() {
        let conv = problem.network.layers()[point.layer]
            .convolution
            .packed(&point.geometry);
        let needs = needs(&conv, &point.tiles);
        let better = beaten_by
            .entry((Core::of(&point.geometry), point.layer))
            .or_default();
        let beats = |(theirs, cycles): &([usize; 3], u64)| {
            cycles <= least && theirs.iter().zip(&needs).all(|(a, b)| a <= b)
        };
        if better.iter().any(beats) {
            left_out += 1;
            pruned.push((*point, *least));
            continue;
        }
        let cycles = match known.find(point) {
            Some(cycles) => cycles,
            None => {
                let cycles = evaluator
                    .cycles(&problem.network, point)
                    .map_err(|error| CliError::new(ExitCode::Failure, error, ""))?;
                journal.write(&Event::evaluation(point, cycles))?;
                known.add(point, cycles);
                cycles
            }
        };
        better.extend(cycles.map(|cycles| (needs, cycles)));
        if said.elapsed() >= SAID_EVERY {
            said = Instant::now();
            printer.note(format!(
                "[{}] every schedule there is: {} of {}",
                format::duration(begun.elapsed()),
                format::count(done as u64),
                format::count(all.len() as u64)
            ));
        }
    }
    printer.note(format!(
        "{} schedules, of which {} are the best of no geometry by their lower bound",
        format::count(all.len() as u64),
        format::count(left_out)
    ));
    for (point, least) in pruned {
        known.add(&point, Some(least));
    }
    Ok(known)
}

/// What another program needs to search the same with the same evaluations.
fn describe(
    problem: &Problem,
    networks: &Networks,
    optimum: Option<(f64, Geometry)>,
    of_default: Option<(f64, Geometry)>,
) -> Value {
    let default = problem.geometries.base();
    let geometries: Vec<Value> = problem
        .pool()
        .iter()
        .chain([default])
        .map(|g| {
            let mut value = geometry_json(g);
            let core = Core::of(g);
            value["core"] = json!([core.batch, core.block_in, core.block_out, core.uop]);
            value["depths"] = json!([Mem::Inp, Mem::Wgt, Mem::Acc].map(|mem| g.depth(mem)));
            value["batch"] = json!(g.batch());
            let repack = problem.network.layers().iter();
            value["repack_cycles"] = json!(
                repack
                    .map(|l| l.convolution.repack_cycles(g))
                    .collect::<Vec<_>>()
            );
            value
        })
        .collect();
    let layers: Vec<Value> = problem
        .network
        .layers()
        .iter()
        .map(|layer| {
            let c = layer.convolution;
            json!({"layer": c.label(), "uses": layer.uses, "macs": c.macs(), "kernel": [c.kernel_height, c.kernel_width],
                   "stride": c.stride, "padding": c.padding, "input": [c.input_channels, c.height, c.width],
                   "output": [c.output_channels, c.out_height(), c.out_width()]})
        })
        .collect();
    let found = |found: Option<(f64, Geometry)>| {
        found.map(|(score, g)| {
            let mut value = geometry_json(&g);
            value["score"] = json!(score);
            value
        })
    };
    let bounds: HashMap<&str, u64> = networks
        .each
        .iter()
        .map(|(name, own)| (name.as_str(), own.least_cycles(default)))
        .collect();
    json!({
        "objective": problem.objective.name(), "limits": problem.geometries.limits().describe(), "layers": layers,
        "geometries": geometries, "optimum": found(optimum), "default": found(of_default),
        "default_geometry": geometry_json(default), "macs": problem.network.macs(),
        "least_cycles": problem.network.least_cycles(default), "least_cycles_of": bounds,
    })
}
