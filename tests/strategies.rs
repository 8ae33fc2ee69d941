//! Strategies on a recorded space: ResNet-18's 1x1 stride-2 convolution on an x86 CPU, all 864 configurations.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arco_tvm::record::{MeasureResult, parse_log};
use arco_tvm::seed::Seed;
use arco_tvm::strategy::{Observation, Outcome, Strategy, StrategyKind};
use arco_tvm::task::{ConfigIndex, ConfigSpace, Entity, Knob, TargetKind, TaskContext};
use arco_tvm::transfer::Knowledge;

#[path = "strategies/any_space.rs"]
mod any_space;
#[path = "strategies/hidden.rs"]
mod hidden;
#[path = "strategies/large.rs"]
mod large;
#[path = "strategies/narrow.rs"]
mod narrow;
#[path = "strategies/originals.rs"]
mod originals;

struct Recorded {
    space: Arc<ConfigSpace>,
    costs: BTreeMap<ConfigIndex, Outcome>,
}

/// A strategy that knows of no other task.
fn build(kind: StrategyKind, space: &Arc<ConfigSpace>, seed: Seed) -> Box<dyn Strategy> {
    let context = TaskContext::bare(TargetKind::Cpu);
    kind.build(Arc::clone(space), &context, seed, &Knowledge::default())
}

/// Rebuilds a space from a log that holds all of it.
fn recorded(name: &str) -> Recorded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/landscapes")
        .join(name);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    let log = parse_log(&path, &bytes);
    assert!(log.skipped.is_empty(), "{:?}", log.skipped);
    // In index order the values of a knob appear in the knob's own order.
    let mut records: Vec<_> = log.records.into_iter().map(|(_, record)| record).collect();
    records.sort_by_key(|record| record.config.index);
    let knobs = (0..records[0].config.entities.len())
        .map(|k| {
            let mut values: Vec<Entity> = Vec::new();
            for record in &records {
                let value = &record.config.entities[k].1;
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            let name = &records[0].config.entities[k].0;
            Knob::new(name, values[0].kind(), values).unwrap()
        })
        .collect();
    let space = Arc::new(ConfigSpace::new(knobs).unwrap());
    assert_eq!(space.range_length(), records.len() as u64);
    let costs = records
        .iter()
        .map(|record| {
            assert_eq!(space.find(&record.config).unwrap(), record.config.index);
            (record.config.index, outcome(&record.result))
        })
        .collect();
    Recorded { space, costs }
}

fn outcome(result: &MeasureResult) -> Outcome {
    result
        .mean_cost()
        .map_or(Outcome::Failed(result.error_no), Outcome::Cost)
}

impl Recorded {
    /// The best share of the optimum after each of `budgets` evaluations, asked in batches of 16.
    fn run(&self, kind: StrategyKind, seed: u64, budgets: &[usize]) -> Vec<f64> {
        let mut strategy = build(kind, &self.space, Seed(seed));
        let costs: Vec<Outcome> = self
            .indices(strategy.as_mut(), budgets[budgets.len() - 1])
            .iter()
            .map(|index| self.costs[index])
            .collect();
        let best = |outcomes: &mut dyn Iterator<Item = &Outcome>| {
            outcomes
                .filter_map(|o| match o {
                    Outcome::Cost(cost) => Some(*cost),
                    Outcome::Failed(_) => None,
                })
                .fold(f64::INFINITY, f64::min)
        };
        let optimum = best(&mut self.costs.values());
        budgets
            .iter()
            .map(|&budget| optimum / best(&mut costs[..budget].iter()))
            .collect()
    }

    fn indices(&self, strategy: &mut dyn Strategy, budget: usize) -> Vec<ConfigIndex> {
        let mut asked = Vec::new();
        while asked.len() < budget {
            let batch = strategy.ask(16.min(budget - asked.len())).unwrap();
            if batch.is_empty() {
                break;
            }
            let observations: Vec<_> = batch
                .iter()
                .map(|proposal| Observation {
                    index: proposal.index,
                    outcome: self.costs[&proposal.index],
                })
                .collect();
            strategy.tell(&observations).unwrap();
            asked.extend(batch.iter().map(|proposal| proposal.index));
        }
        asked
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

#[test]
fn boosted_trees_find_better_configurations_than_random_search() {
    for name in [
        "r18_conv1x1s2_128x28.json.gz",
        "r18_dense_nopack_512.json.gz",
    ] {
        let recorded = recorded(name);
        let budgets = [64, 128];
        let runs = |kind| -> Vec<Vec<f64>> {
            (0..20)
                .map(|seed| recorded.run(kind, seed, &budgets))
                .collect()
        };
        let (random, gbt) = (runs(StrategyKind::Random), runs(StrategyKind::Gbt16));
        for (b, budget) in budgets.iter().enumerate() {
            let (random, gbt) = (
                mean(random.iter().map(|run| run[b])),
                mean(gbt.iter().map(|run| run[b])),
            );
            assert!(
                gbt > random,
                "{name} @{budget}: random {random:.3}, gbt-16 {gbt:.3}"
            );
        }
    }
}

#[test]
fn every_strategy_visits_the_whole_space_once_and_then_says_that_nothing_is_left() {
    let recorded = recorded("r18_dense_nopack_512.json.gz");
    for kind in StrategyKind::ALL {
        let mut strategy = build(kind, &recorded.space, Seed(3));
        let asked = recorded.indices(strategy.as_mut(), 10_000);
        let distinct: HashSet<_> = asked.iter().collect();
        assert_eq!(asked.len(), 160, "{kind}");
        assert_eq!(distinct.len(), 160, "{kind}");
        assert!(strategy.ask(1).unwrap().is_empty(), "{kind}");
    }
}

#[test]
fn what_was_told_from_a_log_is_not_asked_for_again() {
    let recorded = recorded("r18_dense_nopack_512.json.gz");
    for kind in StrategyKind::ALL {
        let mut strategy = build(kind, &recorded.space, Seed(3));
        let told: Vec<_> = recorded
            .costs
            .iter()
            .take(100)
            .map(|(&index, &outcome)| Observation { index, outcome })
            .collect();
        strategy.tell(&told).unwrap();
        let asked = recorded.indices(strategy.as_mut(), 10_000);
        assert_eq!(asked.len(), 60, "{kind}");
        assert!(told.iter().all(|o| !asked.contains(&o.index)), "{kind}");
    }
}

#[test]
fn the_same_seed_asks_for_the_same_configurations() {
    let recorded = recorded("r18_conv1x1s2_128x28.json.gz");
    for kind in StrategyKind::ALL {
        let ask = |seed| {
            let mut strategy = build(kind, &recorded.space, Seed(seed));
            recorded.indices(strategy.as_mut(), 96)
        };
        assert_eq!(ask(5), ask(5), "{kind}");
        // Chance has no part in these, or only once the descent has ended.
        if ![StrategyKind::Grid, StrategyKind::Droplet].contains(&kind) {
            assert_ne!(ask(5), ask(6), "{kind}");
        }
    }
}

#[test]
fn a_space_of_a_billion_is_searched_without_enumeration() {
    let knobs: Vec<Knob> = (0..9)
        .map(|k| {
            let values = (0..10).map(|v| Entity::Split(vec![-1, 1 << v])).collect();
            Knob::new(format!("tile_{k}"), arco_tvm::task::KnobKind::Split, values).unwrap()
        })
        .collect();
    let space = Arc::new(ConfigSpace::new(knobs).unwrap());
    assert_eq!(space.range_length(), 1_000_000_000);
    // The nearer every digit is to 6, the faster.
    let cost = |index| {
        let digits = space.digits(index).unwrap();
        1.0 + digits
            .iter()
            .map(|&d| (f64::from(d) - 6.0).powi(2))
            .sum::<f64>()
    };
    for kind in StrategyKind::ALL {
        let mut asked = HashSet::new();
        let mut best = f64::INFINITY;
        let memory = allocation_counter::measure(|| {
            let mut strategy = build(kind, &space, Seed(1));
            while asked.len() < 256 {
                let batch = strategy.ask(16).unwrap();
                let told: Vec<_> = batch
                    .iter()
                    .map(|p| Observation {
                        index: p.index,
                        outcome: Outcome::Cost(cost(p.index)),
                    })
                    .collect();
                strategy.tell(&told).unwrap();
                best = told.iter().map(|o| cost(o.index)).fold(best, f64::min);
                let fresh = asked.len() + batch.len();
                asked.extend(batch.iter().map(|p| p.index));
                assert_eq!(asked.len(), fresh, "{kind}");
            }
        });
        let megabytes = memory.bytes_max / 1_000_000;
        assert!(megabytes < 30, "{kind}: {megabytes} MB");
        let informed = [
            StrategyKind::Gbt16,
            StrategyKind::SaGbt,
            StrategyKind::Droplet,
            StrategyKind::Ml2,
            StrategyKind::Chameleon,
        ];
        if informed.contains(&kind) {
            assert!(
                best < 12.0,
                "{kind}: 256 evaluations came to {best}, random search to some 25"
            );
        }
    }
}
