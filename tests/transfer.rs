//! What searches learn from other tasks.

use std::sync::Arc;

use arco_tvm::record::parse_log;
use arco_tvm::seed::Seed;
use arco_tvm::strategy::{Observation, Outcome, StrategyKind};
use arco_tvm::task::{ConfigIndex, ConfigSpace, Entity, Knob, KnobKind, TaskContext, Workload};
use arco_tvm::transfer::Knowledge;
use serde_json::json;

/// Tiles of 1 to 128 in three loops.
fn space(names: [&str; 3]) -> Arc<ConfigSpace> {
    let knob = |name: &str| {
        let sizes = (0..8).map(|log| Entity::Split(vec![-1, 1 << log]));
        Knob::new(name, KnobKind::Split, sizes.collect()).unwrap()
    };
    Arc::new(ConfigSpace::new(names.map(knob).into()).unwrap())
}

const TILES: [&str; 3] = ["tile_x", "tile_y", "tile_k"];

fn workload(template: &str, extent: usize) -> Workload {
    Workload {
        target: "llvm -keys=cpu".to_owned(),
        name: template.to_owned(),
        args: json!([["TENSOR", [extent, extent], "float32"]]),
    }
}

/// Seconds: best at tiles of 2^`best`, and a factor of 1.5 worse for each step away.
fn cost(digits: &[u32], best: [u32; 3]) -> f64 {
    let away: u32 = digits.iter().zip(best).map(|(&d, b)| d.abs_diff(b)).sum();
    1e-3 * 1.5f64.powi(away as i32)
}

/// A search of `n` evaluations that knows what `knowledge` knows; returns its costs.
fn search(
    kind: StrategyKind,
    knowledge: &Knowledge,
    (template, tiles): (&str, [&str; 3]),
    best: [u32; 3],
    seed: u64,
    n: usize,
) -> Vec<f64> {
    let space = space(tiles);
    let context = TaskContext::of(&workload(template, 256));
    let mut strategy = kind.build(Arc::clone(&space), &context, Seed(seed), knowledge);
    let mut costs = Vec::new();
    while costs.len() < n {
        let told: Vec<Observation> = strategy
            .ask(8)
            .unwrap()
            .iter()
            .map(|proposal| {
                let cost = cost(&space.digits(proposal.index).unwrap(), best);
                costs.push(cost);
                Observation {
                    index: proposal.index,
                    outcome: Outcome::Cost(cost),
                }
            })
            .collect();
        strategy.tell(&told).unwrap();
    }
    costs
}

/// Evaluations until the best of 512 was found, of at most 128.
fn evaluations(
    kind: StrategyKind,
    knowledge: &Knowledge,
    task: (&str, [&str; 3]),
    best: [u32; 3],
    seed: u64,
) -> usize {
    let costs = search(kind, knowledge, task, best, seed, 128);
    let found = costs.iter().position(|&cost| cost == 1e-3);
    found.map_or(costs.len(), |position| position + 1)
}

const BEST: [u32; 3] = [5, 3, 6];

/// What a search of another task of template `conv` has measured.
fn taught(best: [u32; 3]) -> Knowledge {
    let knowledge = Knowledge::default();
    search(StrategyKind::Arco, &knowledge, ("conv", TILES), best, 7, 64);
    knowledge
}

fn total(kind: StrategyKind, knowledge: impl Fn() -> Knowledge, task: (&str, [&str; 3])) -> usize {
    (0..8)
        .map(|seed| evaluations(kind, &knowledge(), task, BEST, seed))
        .sum()
}

#[test]
fn a_task_begins_where_others_of_its_template_did_best() {
    let cold = total(StrategyKind::Arco, Knowledge::default, ("conv", TILES));
    let warm = total(StrategyKind::Arco, || taught(BEST), ("conv", TILES));
    assert!(
        4 * warm < cold,
        "{warm} evaluations of 8 runs, {cold} without"
    );
}

#[test]
fn measurements_of_other_templates_or_with_other_knobs_teach_nothing() {
    // Agents are the same for every task, so they come with what they have learnt.
    let kind = StrategyKind::ArcoWithoutAgents;
    for task in [("dense", TILES), ("conv", ["tile_x", "tile_y", "tile_z"])] {
        let cold = total(kind, Knowledge::default, task);
        assert_eq!(total(kind, || taught(BEST), task), cold, "{task:?}");
    }
}

#[test]
fn a_task_that_contradicts_the_others_is_believed() {
    let cold = total(StrategyKind::Arco, Knowledge::default, ("conv", TILES));
    let misled = total(StrategyKind::Arco, || taught([0, 7, 0]), ("conv", TILES));
    assert!(
        misled < 8 * 64,
        "{misled} evaluations of 8 runs, {cold} without"
    );
}

#[test]
fn records_of_a_log_teach_what_the_search_that_wrote_it_learnt() {
    let space = space(TILES);
    let lines: String = (0..512)
        .step_by(5)
        .map(|index| {
            let digits = space.digits(ConfigIndex(index)).unwrap();
            let config = space.get(ConfigIndex(index)).unwrap().to_json();
            let Workload { target, name, args } = workload("conv", 64);
            let seconds = cost(&digits, BEST);
            let line = json!({
                "input": [target, name, args, {}], "config": config,
                "result": [[seconds], 0, 1.0, 0.0], "version": 0.2, "tvm_version": "0.19.0",
            });
            format!("{line}\n")
        })
        .collect();
    let log = parse_log("conv.log".as_ref(), lines.as_bytes());
    assert!(log.skipped.is_empty(), "{:?}", log.skipped);
    let remembered = || {
        let knowledge = Knowledge::default();
        knowledge.remember(log.records.iter().map(|(_, record)| record));
        knowledge
    };
    let cold = total(StrategyKind::Arco, Knowledge::default, ("conv", TILES));
    let warm = total(StrategyKind::Arco, remembered, ("conv", TILES));
    assert!(
        2 * warm < cold,
        "{warm} evaluations of 8 runs, {cold} without"
    );
}

#[test]
fn the_same_knowledge_and_seed_give_the_same_search() {
    let run = || {
        evaluations(
            StrategyKind::Arco,
            &taught(BEST),
            ("conv", TILES),
            [4, 3, 6],
            3,
        )
    };
    assert_eq!(run(), run());
}
