//! Co-design: the search on the draft model, and the command with real TVM and the simulator.

mod support;

use std::path::Path;
use std::sync::Arc;

use arco_tvm::codesign::{
    Chooser, Convolution, DraftEvaluator, Evaluator, GeometrySpace, Limits, Network, Objective,
    Point, Problem, Recalled, Search, SearchConstants, lower_bound, pareto_front, run, schedules,
    task,
};
use arco_tvm::record::read_log;
use arco_tvm::seed::Seed;
use arco_tvm::vta::config::{Geometry, VtaConfig};
use serde_json::{Value, json};

/// Two small layers: every schedule on every geometry can be drafted in seconds.
fn small_network() -> Network {
    let mut network = Network::default();
    let first = Convolution {
        input_channels: 32,
        output_channels: 32,
        height: 8,
        width: 8,
        kernel_height: 3,
        kernel_width: 3,
        stride: 1,
        padding: 1,
    };
    network.add(first, 2);
    let second = Convolution {
        output_channels: 64,
        stride: 2,
        ..first
    };
    network.add(second, 1);
    network
}

/// As much as a quarter of the default geometry's multipliers, four images at once at most.
fn problem(objective: Objective) -> Arc<Problem> {
    let limits = Limits {
        macs: Some(64),
        sram_bits: Some(8 * 96 * 1024),
        board: None,
        log_batch: 2,
        unequal_blocks: false,
    };
    Arc::new(Problem {
        network: small_network(),
        geometries: GeometrySpace::new(Geometry::default(), limits),
        objective,
    })
}

fn searched(problem: &Arc<Problem>, chooser: Chooser, budget: usize, seed: u64) -> Search {
    let constants = SearchConstants::default();
    let mut search =
        Search::new(Arc::clone(problem), chooser, budget, Seed(seed), constants).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (mut draft, recalled) = (DraftEvaluator::default(), Recalled::default());
    let done = run(problem, &mut search, &mut draft, &recalled, None, |_, _| {});
    runtime.block_on(done).unwrap();
    search
}

/// The best score that any geometry of the pool has, by drafting every schedule.
fn best_there_is(problem: &Problem) -> f64 {
    let mut draft = DraftEvaluator::default();
    let mut of_geometry = |geometry: &Geometry| {
        let mut sum = 0;
        for (position, layer) in problem.network.layers().iter().enumerate() {
            let conv = layer.convolution.packed(geometry);
            let mut all: Vec<_> = schedules(&conv, geometry)
                .into_iter()
                .map(|tiles| (lower_bound(&conv, geometry, &tiles), tiles))
                .collect();
            all.sort_by_key(|(least, _)| *least);
            let mut best = u64::MAX;
            for (least, tiles) in all {
                if least >= best {
                    break;
                }
                let point = Point {
                    layer: position,
                    geometry: *geometry,
                    tiles,
                };
                let cycles = draft.cycles(&problem.network, &point).unwrap();
                best = best.min(cycles.unwrap_or(u64::MAX));
            }
            sum += u64::from(layer.uses) * best;
        }
        problem.score(sum as f64, geometry)
    };
    let pool = problem.pool();
    pool.iter()
        .map(&mut of_geometry)
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn agents_find_an_accelerator_within_three_percent_of_the_best_there_is() {
    let problem = problem(Objective::Throughput);
    let optimum = best_there_is(&problem);
    for seed in 0..3 {
        let search = searched(&problem, Chooser::Agents, 256, seed);
        let found = search.best().unwrap();
        assert!(found.score <= 1.03 * optimum, "{} > {optimum}", found.score);
        assert!(found.score >= optimum, "nothing beats what was enumerated");
        assert!(search.ledger().len() <= 256);
    }
}

#[test]
fn a_search_repeats_with_its_seed() {
    let problem = problem(Objective::Throughput);
    let run = |seed| {
        let search = searched(&problem, Chooser::Agents, 96, seed);
        let front = pareto_front(&problem, search.ledger());
        (search.best(), front)
    };
    assert_eq!(run(7), run(7));
}

/// How many evaluations a search was not told of whenever `progress` heard of it before anybody else had a turn.
fn heard_before_others(problem: &Arc<Problem>, recalled: &Recalled) -> Vec<usize> {
    let (mut search, mut draft) = (begun(problem), DraftEvaluator::default());
    let mut heard = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let progress = |_: &Search, untold| heard.push(untold);
        let searching = run(problem, &mut search, &mut draft, recalled, None, progress);
        tokio::select! {
            biased;
            _ = searching => panic!("the search ended before anybody else had a turn"),
            () = std::future::ready(()) => {}
        }
    });
    heard
}

fn begun(problem: &Arc<Problem>) -> Search {
    let constants = SearchConstants::default();
    Search::new(Arc::clone(problem), Chooser::Agents, 48, Seed(1), constants).unwrap()
}

#[test]
fn others_have_their_turn_after_each_evaluation() {
    let problem = problem(Objective::Latency);
    assert_eq!(heard_before_others(&problem, &Recalled::default()), [1]);
}

#[test]
fn others_have_their_turn_where_all_is_known_from_before() {
    let problem = problem(Objective::Latency);
    let mut recalled = Recalled::default();
    for point in begun(&problem).ask().unwrap() {
        let cycles = DraftEvaluator::default().cycles(&problem.network, &point);
        recalled.add(&point, cycles.unwrap());
    }
    assert_eq!(heard_before_others(&problem, &recalled), [1]);
}

#[test]
fn every_point_of_a_front_keeps_to_the_limits_and_is_beaten_by_no_other() {
    let problem = problem(Objective::Throughput);
    let search = searched(&problem, Chooser::Agents, 128, 1);
    let front = pareto_front(&problem, search.ledger());
    assert!(front.len() > 1);
    for point in &front {
        assert!(problem.geometries.limits().allow(&point.scored.geometry));
        assert!(point.scored.geometry.to_config().geometry().is_ok());
        let beaten = front.iter().any(|other| {
            other != point
                && other.scored.score <= point.scored.score
                && other.cost.within(&point.cost)
        });
        assert!(!beaten, "{point:?}");
    }
}

#[test]
fn half_of_the_evaluations_find_smaller_accelerators_that_nothing_beats() {
    let problem = problem(Objective::Throughput);
    let count = |chooser| {
        let search = searched(&problem, chooser, 192, 2);
        let front = pareto_front(&problem, search.ledger());
        let macs: std::collections::HashSet<u64> = front.iter().map(|p| p.cost.macs).collect();
        (macs.len(), search.best().unwrap().score)
    };
    let (agents, best) = count(Chooser::Agents);
    let (random, _) = count(Chooser::Random);
    // 64 multipliers down to 8: what is eight times as slow is no point.
    assert!(agents >= 4, "{agents} numbers of multipliers");
    assert!(agents >= random, "{agents} of {random}");
    let (_, two_stage) = count(Chooser::TwoStage);
    assert!(best <= 1.01 * two_stage, "{best} and {two_stage}");
}

#[test]
fn buffers_that_no_schedule_needs_are_not_built() {
    let problem = problem(Objective::Latency);
    let search = searched(&problem, Chooser::Agents, 192, 0);
    let best = search.best().unwrap();
    let chosen = problem.choice(search.ledger(), &best.geometry);
    let sram = |g: &Geometry| arco_tvm::codesign::Cost::of(g).sram_bits;
    assert!(sram(&chosen) < sram(&best.geometry));
    let score = problem.evaluated(search.ledger(), &chosen);
    assert_eq!(score, Some(best.score));
}

#[test]
fn of_a_default_geometry_that_nothing_beats_no_more_buffers_are_built_than_schedules_need() {
    let default = Geometry::default();
    let problem = Arc::new(Problem {
        network: small_network(),
        geometries: GeometrySpace::new(default, Limits::of(&default)),
        objective: Objective::Latency,
    });
    let search = searched(&problem, Chooser::Fixed(default), 192, 0);
    let chosen = problem.choice(search.ledger(), &default);
    let sram = |g: &Geometry| arco_tvm::codesign::Cost::of(g).sram_bits;
    assert!(sram(&chosen) < sram(&default));
    let score = |g: &Geometry| problem.evaluated(search.ledger(), g).unwrap();
    assert_eq!(score(&chosen), score(&default));
}

#[test]
fn with_area_in_the_objective_a_smaller_accelerator_is_chosen() {
    let fast = searched(&problem(Objective::Latency), Chooser::Agents, 192, 0);
    let small = searched(&problem(Objective::LatencyPerArea), Chooser::Agents, 192, 0);
    let sram = |search: &Search| {
        let geometry = search.best().unwrap().geometry;
        arco_tvm::codesign::Cost::of(&geometry).sram_bits
    };
    assert!(sram(&small) < sram(&fast));
}

fn codesign(folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = support::arco_tvm(folder)
        .arg("codesign")
        .args(arguments)
        .env("ARCO_PYTHON", support::python())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    (stdout, stderr)
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap().lines().count()
}

#[test]
fn a_network_gets_an_accelerator_whose_log_compiles_it_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let arguments = [
        "resnet-8",
        "--objective",
        "throughput",
        "--max-batch",
        "4",
        "--evaluations",
        "256",
        "--trials-per-task",
        "4",
        "--front",
        "2",
        "-o",
        "out",
    ];
    let (stdout, stderr) = codesign(folder, &arguments);
    assert!(stdout.contains("mode per-network"), "{stdout}");
    assert!(stderr.contains("clock fixed at 100 MHz"), "{stderr}");
    let out = folder.join("out");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let chosen = VtaConfig::from_json(&read("vta_config.json")).unwrap();
    let chosen = chosen.geometry().unwrap();
    let limits = Limits {
        log_batch: 2,
        ..Limits::of(&Geometry::default())
    };
    assert!(limits.allow(&chosen));
    assert_ne!(chosen, Geometry::default(), "{stdout}");
    assert!(stdout.contains("timing unverified"), "{stdout}");
    let result: Value = serde_json::from_str(&read("result.json")).unwrap();
    assert_eq!(result["chosen"]["geometry"], chosen.name());
    let image = |side: &str, batch: u64| result[side]["cycles"].as_u64().unwrap() / batch;
    assert!(image("chosen", chosen.batch() as u64) <= image("default", 1));
    assert!(read("front.svg").contains("default: "));
    // Each layer's program file takes as long as was measured.
    for layer in result["chosen"]["layers"].as_array().unwrap() {
        let file = layer["program"]["file"].as_str().unwrap();
        let run = support::arco_tvm(folder)
            .args(["vta", "run", "--json", "--timing-only"])
            .arg(out.join(file))
            .output()
            .unwrap();
        let said: Value = serde_json::from_slice(&run.stdout).unwrap();
        let launches = said["launches"].as_array().unwrap().iter();
        let first = layer["program"]["first_launch"].as_u64().unwrap() as usize;
        let cycles: u64 = launches.skip(first).map(|l| l.as_u64().unwrap()).sum();
        assert_eq!(json!(cycles), layer["cycles"], "{file}");
    }
    // Every record is of the chosen geometry, and of a task that the frontend would extract.
    let log = read_log(&out.join("chosen.log")).unwrap();
    let model = format!("-model={}", chosen.model());
    assert!(
        log.records
            .iter()
            .all(|(_, r)| r.workload.target.contains(&model))
    );
    let verify = support::arco_tvm(folder)
        .args([
            "verify",
            "resnet-8",
            "--network-only",
            "--network-repeat",
            "1",
        ])
        .args(["--target", &format!("vta:{}", chosen.model())])
        .args([
            "--log",
            "out/chosen.log",
            "--batch",
            &chosen.batch().to_string(),
        ])
        .env("ARCO_PYTHON", support::python())
        .output()
        .unwrap();
    let verified = String::from_utf8_lossy(&verify.stdout).into_owned();
    assert!(
        verified.contains("outputs agree: largest difference of an output 0.00e0"),
        "{verified}{}",
        String::from_utf8_lossy(&verify.stderr)
    );
    // The same command again evaluates and measures nothing anew.
    let (evaluations, trials) = (
        lines(&out.join("search.jsonl")),
        lines(&out.join("chosen.log")),
    );
    let (again, _) = codesign(folder, &arguments);
    assert_eq!(again, stdout);
    assert_eq!(
        lines(&out.join("search.jsonl")),
        evaluations + 1,
        "a line that says it begins"
    );
    assert_eq!(lines(&out.join("chosen.log")), trials);
}

#[test]
fn a_derived_task_knows_its_own_work() {
    let layer = small_network().layers()[0];
    let task = task(&layer, &Geometry::default()).unwrap();
    assert_eq!(task.flop, Some(2.0 * layer.convolution.macs() as f64));
}
