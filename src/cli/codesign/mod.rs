//! `arco-tvm codesign`: choose the accelerator together with every layer's schedule, measure the choice, say what was won.

mod answer;
pub mod args;
mod compare;
mod measured;
mod problem;
mod programs;
mod report;
mod results;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::codesign::{
    Chooser, DraftEvaluator, Evaluator, Event, ForeignTask, FrontPoint, Ledger, Mode, Network,
    Problem, SCHEMA, Search, SearchConstants, SearchJournal, pareto_front, run as run_search,
};
use crate::frontend::{ModelDetails, ModelSpec};
use crate::seed::Seed;

use super::context::{Context, interruptible};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::fleet::Fleet;
use super::format;
use super::printer::Printer;
use super::settings::SettingsFile;
use args::CodesignArgs;
use measured::{MeasuredNetwork, RealPath};

/// Evaluations on the draft model for each layer when nothing is said.
const EVALUATIONS_PER_LAYER: usize = 96;
/// What takes so many times as long as the fastest is no point of a front that anybody would measure.
const MUCH_SLOWER: f64 = 5.0;
/// How often a line is written about a search.
const SAID_EVERY: Duration = Duration::from_secs(2);

/// A network by its name, and all of them as one.
struct Networks {
    each: Vec<(String, Network)>,
    all: Network,
}

/// Runs the command.
///
/// # Errors
/// See the exit codes.
pub async fn run(
    args: &CodesignArgs,
    settings: &SettingsFile,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let default = problem::default_geometry(args)?;
    let limits = problem::limits(args, &default)?;
    let target = format!("vta:{}", default.model());
    let fleet = Fleet::new(&args.measure, settings, &target)?;
    std::fs::create_dir_all(&args.output).map_err(|error| {
        let message = format!("cannot make the folder {}: {error}", args.output.display());
        CliError::new(ExitCode::Failure, message, "name another with -o")
    })?;
    let context = Context::open(&args.host, settings)?.for_target(&target);
    let networks = extract(args, &context, &target, printer).await?;
    report::introduce(args, &networks, &default, &limits, printer);
    let problem = Arc::new(problem::problem(
        args,
        networks.all.clone(),
        default,
        limits.clone(),
    )?);
    printer.note(format!(
        "{} geometries keep to the limits, {} of them with the largest buffers",
        format::count(problem.geometries.all().len() as u64),
        format::count(problem.geometries.largest().len() as u64)
    ));
    if let Some(seeds) = args.search.compare {
        return compare::run(args, &problem, &networks, seeds, printer).await;
    }
    if args.search.evaluate {
        return answer::answer(args, &problem, printer);
    }
    let path = RealPath {
        context: &context,
        fleet: &fleet,
        printer,
    };
    match args.mode {
        Mode::PerLayer => per_layer(args, &problem, &networks, &path, printer).await,
        Mode::Fixed | Mode::PerNetwork => {
            one_geometry(args, &problem, &networks, &path, printer).await
        }
    }
}

/// The convolutions of every model, from the tasks that it has on the default geometry.
async fn extract(
    args: &CodesignArgs,
    context: &Context,
    target: &str,
    printer: Printer,
) -> Result<Networks, CliError> {
    let mut frontend = interruptible(context.frontend()).await?;
    let mut networks = Networks {
        each: Vec::new(),
        all: Network::default(),
    };
    for model in &args.models {
        printer.note(format!("importing {model} and extracting its convolutions"));
        let spec = ModelSpec::new(model, ModelDetails::default());
        let extracted = interruptible(frontend.tasks(&spec, target)).await?;
        let mut network = Network::default();
        let tasks = extracted.tasks.iter().map(|task| &**task);
        let foreign = |error: ForeignTask| {
            CliError::new(
                ExitCode::Model,
                error.to_string(),
                "co-design is for networks whose accelerated operators are convolutions of one group, with the same \
                 stride and padding along both axes",
            )
        };
        network.add_tasks(tasks.clone()).map_err(foreign)?;
        networks.all.add_tasks(tasks).map_err(foreign)?;
        networks.each.push((extracted.model.clone(), network));
    }
    frontend.shut_down().await;
    Ok(networks)
}

fn budget(args: &CodesignArgs, network: &Network) -> usize {
    let each = EVALUATIONS_PER_LAYER * network.layers().len();
    args.search.evaluations.unwrap_or(each)
}

/// One search on the draft model, with a journal in the output folder.
async fn search(
    args: &CodesignArgs,
    problem: &Arc<Problem>,
    chooser: Chooser,
    journal: &str,
    printer: Printer,
) -> Result<Search, CliError> {
    let mut evaluator = DraftEvaluator::default();
    let layers = problem.network.layers().iter();
    let labels: Vec<String> = layers.map(|layer| layer.convolution.label()).collect();
    let path = args.output.join(journal);
    let (mut journal, recalled) =
        SearchJournal::open(&path, &labels, evaluator.name()).map_err(|error| {
            let hint = "name another folder with -o";
            CliError::new(ExitCode::Log, error.to_string(), hint)
        })?;
    let budget = budget(args, &problem.network);
    let seed = args.search.seed.unwrap_or(0);
    journal.write(&Event::Search {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        layers: labels,
        evaluator: evaluator.name().to_owned(),
        limits: problem.geometries.limits().describe(),
        objective: problem.objective.to_string(),
        chooser: chooser.name().to_owned(),
        budget,
        seed,
    })?;
    if !recalled.is_empty() {
        printer.note(format!(
            "{} evaluations of an earlier run are known",
            recalled.len()
        ));
    }
    let mut constants = SearchConstants::default();
    if args.mode == Mode::PerLayer {
        // Nobody builds a layer's accelerator, and nobody asks for its front.
        constants.best = 1.0;
    }
    let mut search = Search::new(Arc::clone(problem), chooser, budget, Seed(seed), constants)
        .map_err(|error| CliError::new(ExitCode::Failure, error.to_string(), ""))?;
    let begun = Instant::now();
    let mut said = Instant::now();
    let done = run_search(
        problem,
        &mut search,
        &mut evaluator,
        &recalled,
        Some(&mut journal),
        |search, untold| {
            if said.elapsed() >= SAID_EVERY {
                said = Instant::now();
                let line = report::search_line(search, untold, budget, begun.elapsed());
                printer.note(line);
            }
        },
    );
    tokio::select! {
        done = done => {
            done.map_err(|error| CliError::new(ExitCode::Failure, error.to_string(), ""))?;
        }
        Ok(()) = tokio::signal::ctrl_c() => {
            return Err(CliError::new(
                ExitCode::Interrupted,
                "interrupted",
                "the same command goes on from here",
            ));
        }
    }
    printer.note(report::search_line(&search, 0, budget, begun.elapsed()));
    Ok(search)
}

/// `fixed` and `per-network`: search, measure the choice and the default, say what was won.
async fn one_geometry(
    args: &CodesignArgs,
    problem: &Arc<Problem>,
    networks: &Networks,
    path: &RealPath<'_>,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let default = *problem.geometries.base();
    // Schedules of the default geometry first: what was learnt of them is what the choice is compared with.
    let on_default = search(
        args,
        problem,
        Chooser::Fixed(default),
        "default.jsonl",
        printer,
    )
    .await?;
    let mut drafted: Ledger = on_default.ledger().clone();
    let mut chosen = default;
    if args.mode == Mode::PerNetwork {
        let search = search(args, problem, Chooser::Agents, "search.jsonl", printer).await?;
        drafted.extend(search.ledger());
        let best = search.best().ok_or_else(|| {
            CliError::new(
                ExitCode::NothingFound,
                "no geometry was evaluated in every layer",
                "allow more evaluations with --evaluations",
            )
        })?;
        chosen = problem.choice(&drafted, &best.geometry);
    }
    printer.note(format!("measuring on {}", default.name()));
    let log = args.output.join("default.log");
    let on_default = path
        .tune(args, &problem.network, &default, &drafted, &log)
        .await?;
    let on_chosen = if chosen == default {
        on_default.clone()
    } else {
        printer.note(format!("measuring on {}", chosen.name()));
        let log = args.output.join("chosen.log");
        path.tune(args, &problem.network, &chosen, &drafted, &log)
            .await?
    };
    // The draft model ranks; whether the choice is better is for the real path to say.
    let better = |network: &MeasuredNetwork| {
        let cycles = network.cycles(&problem.network)?;
        Some(problem.score(cycles as f64, &network.geometry))
    };
    let on_chosen = match (better(&on_chosen), better(&on_default)) {
        (Some(chosen), Some(default)) if chosen > default => {
            printer.warning("measured, the default geometry is better than the one that the draft model liked best: it stays");
            on_default.clone()
        }
        _ => on_chosen,
    };
    let mut front = Vec::new();
    for point in spread(pareto_front(problem, &drafted), args.search.front) {
        let geometry = point.scored.geometry;
        printer.note(format!("measuring the front: {}", geometry.name()));
        let layers = 0..problem.network.layers().len();
        let schedules: Option<Vec<_>> = layers
            .map(|layer| Some(drafted.best(&problem.network, layer, &geometry)?.tiles))
            .collect();
        let Some(schedules) = schedules else { continue };
        let measured = path
            .measure(&problem.network, &geometry, &schedules)
            .await?;
        front.push((point, measured));
    }
    let outcome = results::Outcome {
        problem,
        networks,
        default: on_default,
        chosen: on_chosen,
        front,
    };
    results::write(args, &outcome, printer)?;
    report::outcome(args, &outcome, printer);
    Ok(ExitCode::Success)
}

/// Up to `n` points of a front, from its fastest to its smallest.
fn spread(front: Vec<FrontPoint>, n: usize) -> Vec<FrontPoint> {
    let fastest = front.first().map_or(0.0, |point| point.scored.score);
    let near = |point: &FrontPoint| point.scored.score <= MUCH_SLOWER * fastest;
    let front: Vec<FrontPoint> = front.into_iter().filter(near).collect();
    let last = front.len().saturating_sub(1);
    let mut kept: Vec<usize> = (0..n)
        .map(|i| i * last / n.saturating_sub(1).max(1))
        .collect();
    kept.dedup();
    kept.into_iter()
        .filter_map(|i| front.get(i).copied())
        .collect()
}

/// `per-layer`: the best geometry of each layer by itself.
async fn per_layer(
    args: &CodesignArgs,
    problem: &Arc<Problem>,
    networks: &Networks,
    path: &RealPath<'_>,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let mut rows = Vec::new();
    let mut total = Some(0);
    for (position, layer) in problem.network.layers().iter().enumerate() {
        let mut alone = Network::default();
        alone.add(layer.convolution, layer.uses);
        let own = Arc::new(Problem {
            network: alone,
            ..Problem::clone(problem)
        });
        let journal = format!("layer-{position}.jsonl");
        let search = search(args, &own, Chooser::Agents, &journal, printer).await?;
        let Some(best) = search.best() else {
            total = None;
            continue;
        };
        let Some(schedule) = search.ledger().best(&own.network, 0, &best.geometry) else {
            continue;
        };
        let measured = path
            .measure(&own.network, &best.geometry, &[schedule.tiles])
            .await?;
        let repack = layer.convolution.repack_cycles(&best.geometry);
        let cycles = measured[0].map(|cycles| cycles + repack);
        total = total.and_then(|sum| {
            let images = best.geometry.batch() as u64;
            Some(sum + u64::from(layer.uses) * cycles? / images)
        });
        rows.push((layer, best.geometry, cycles));
    }
    report::per_layer(args, problem, networks, &rows, total, printer);
    Ok(ExitCode::Success)
}
