//! `--compare`: the search beside its baselines on the draft model, with several seeds, and beside all there is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::format;
use crate::cli::printer::Printer;
use crate::codesign::{
    Chooser, Core, DraftEvaluator, Evaluator, Event, FrontPoint, Ledger, Network, Objective, Point,
    Problem, Recalled, SCHEMA, Search, SearchConstants, SearchJournal, lower_bound, pareto_front,
    run as run_search, schedules_of_any,
};
use crate::seed::Seed;
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
    let mut evaluator = Remembering::open(args, problem)?;
    let mut known = Ledger::default();
    if args.search.exhaustive {
        evaluator.everything(problem, &default, printer)?;
        for point in points(problem, &default) {
            if let Some(cycles) = evaluator.known.find(&point) {
                known.add(&point, cycles);
            }
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
    if seeds == 0 {
        return Ok(ExitCode::Success);
    }
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
            let (line, score) = one(problem, chooser, budget, seed, &mut evaluator).await?;
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
    if args.search.exhaustive {
        printer.result(format!("the best there is: {}", said(optimum)));
        printer.result(format!(
            "the best of the default geometry: {}",
            said(of_default)
        ));
    }
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
    evaluator: &mut Remembering,
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
        evaluator,
        &Recalled::default(),
        None,
        |search, untold| {
            if untold == 0 {
                let best = search.best();
                curve.extend(best.map(|best| (search.ledger().len(), best.score)));
            }
        },
    )
    .await
    .map_err(|error| failed(error.to_string()))?;
    let best = search.best();
    let line = json!({
        "chooser": chooser.name(), "seed": seed, "evaluations": search.ledger().len(),
        "geometry": best.map(|best| best.geometry.name()), "score": best.map(|best| best.score),
        "curve": curve, "front": front_json(problem, search.ledger()), "seconds": begun.elapsed().as_secs_f64(),
    });
    Ok((line, best.map(|best| best.score)))
}

/// Every schedule of every layer on every core, each on a geometry that can run it. Where area does not count, cores are
/// left out whose multipliers, always busy, would take twice as long as those of the default geometry.
fn points(problem: &Problem, default: &Geometry) -> Vec<Point> {
    let least = |g: &Geometry| {
        let launch = problem.network.least_cycles(g) * g.batch() as u64;
        problem.score(launch as f64, g)
    };
    let slow = |g: &Geometry| {
        problem.objective != Objective::LatencyPerArea && least(g) >= 2.0 * least(default)
    };
    let mut cores: Vec<(Core, Vec<Geometry>)> = Vec::new();
    let largest = problem.geometries.largest();
    for geometry in largest.iter().chain([default]).filter(|g| !slow(g)) {
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

/// Elements that a schedule needs of each data buffer, and its cycles.
type NeedsAndCycles = ([usize; 3], u64);

/// The draft model, with what it said in this or an earlier comparison: the same program takes the same time, whoever asks.
pub(super) struct Remembering {
    draft: DraftEvaluator,
    known: Recalled,
    journal: SearchJournal,
}

impl Remembering {
    /// Opens `table.jsonl` of the output folder.
    ///
    /// # Errors
    /// When it is of other layers, or cannot be written.
    pub fn open(args: &CodesignArgs, problem: &Problem) -> Result<Self, CliError> {
        let draft = DraftEvaluator::default();
        let layers = problem.network.layers().iter();
        let labels: Vec<String> = layers.map(|layer| layer.convolution.label()).collect();
        let path = args.output.join("table.jsonl");
        let (mut journal, known) =
            SearchJournal::open(&path, &labels, draft.name()).map_err(|error| {
                CliError::new(
                    ExitCode::Log,
                    error.to_string(),
                    "name another folder with -o",
                )
            })?;
        if known.is_empty() {
            journal.write(&Event::Search {
                schema: SCHEMA,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                layers: labels,
                evaluator: draft.name().to_owned(),
                limits: problem.geometries.limits().describe(),
                objective: problem.objective.to_string(),
                chooser: "several".to_owned(),
                budget: 0,
                seed: 0,
            })?;
        }
        Ok(Self {
            draft,
            known,
            journal,
        })
    }

    /// What each schedule takes.
    ///
    /// A schedule is left out where another needs no more of any buffer and takes no longer than the least that this one
    /// could: it is the best of no geometry. What is left out gets its lower bound, which changes no optimum.
    fn everything(
        &mut self,
        problem: &Problem,
        default: &Geometry,
        printer: Printer,
    ) -> Result<(), CliError> {
        let mut all: Vec<(u64, Point)> = points(problem, default)
            .into_iter()
            .map(|point| {
                let conv = problem.network.packed(&point);
                (lower_bound(&conv, &point.geometry, &point.tiles), point)
            })
            .collect();
        all.sort_by_key(|(least, _)| *least);
        let (begun, mut said) = (Instant::now(), Instant::now());
        let mut evaluated: HashMap<(Core, usize), Vec<NeedsAndCycles>> = HashMap::new();
        let mut pruned = Vec::new();
        for (done, (least, point)) in all.iter().enumerate() {
            let needs = problem.network.packed(point).elements(&point.tiles);
            let others = evaluated
                .entry((Core::of(&point.geometry), point.layer))
                .or_default();
            let beats = |(theirs, cycles): &NeedsAndCycles| {
                cycles <= least && theirs.iter().zip(&needs).all(|(a, b)| a <= b)
            };
            if others.iter().any(beats) {
                pruned.push((*point, *least));
                continue;
            }
            let cycles = self
                .cycles(&problem.network, point)
                .map_err(|error| CliError::new(ExitCode::Failure, error, ""))?;
            others.extend(cycles.map(|cycles| (needs, cycles)));
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
            format::count(pruned.len() as u64)
        ));
        for (point, least) in pruned {
            if self.known.find(&point).is_none() {
                self.known.add(&point, Some(least));
            }
        }
        Ok(())
    }
}

impl Evaluator for Remembering {
    fn name(&self) -> &'static str {
        self.draft.name()
    }

    /// Fails when the draft model cannot say, or the file cannot be written.
    fn cycles(&mut self, network: &Network, point: &Point) -> Result<Option<u64>, String> {
        if let Some(cycles) = self.known.find(point) {
            return Ok(cycles);
        }
        let cycles = self.draft.cycles(network, point)?;
        let event = Event::evaluation(point, cycles);
        self.journal.write(&event).map_err(|e| e.to_string())?;
        self.known.add(point, cycles);
        Ok(cycles)
    }
}

/// Score, multipliers and buffer bits of what no geometry beats.
pub(super) fn front_json(problem: &Problem, ledger: &Ledger) -> Vec<Value> {
    let front = pareto_front(problem, ledger);
    let numbers = |p: &FrontPoint| json!([p.scored.score, p.cost.macs, p.cost.sram_bits]);
    front.iter().map(numbers).collect()
}

/// What another program needs to search the same with the same evaluations.
fn describe(
    problem: &Problem,
    networks: &Networks,
    optimum: Option<(f64, Geometry)>,
    of_default: Option<(f64, Geometry)>,
) -> Value {
    let default = problem.geometries.base();
    let pool: HashSet<Geometry> = problem.pool().into_iter().collect();
    let geometries: Vec<Value> = problem
        .geometries
        .all()
        .iter()
        .map(|g| {
            let mut value = geometry_json(g);
            value["largest"] = json!(pool.contains(g));
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
