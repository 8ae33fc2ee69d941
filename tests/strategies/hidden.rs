//! ML2Tuner's hidden features, on a VTA space: what the compiler reveals before anything runs.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arco_tvm::measure::recorded::{ReadOptions, RecordedSpace, read};
use arco_tvm::seed::Seed;
use arco_tvm::strategy::{Ml2, Ml2Constants, Observation, Outcome, Random, Strategy};
use arco_tvm::surrogate::HiddenFeatures;
use arco_tvm::task::ConfigIndex;

/// Instructions and bytes of each configuration that compiles.
struct Compiled(HashMap<ConfigIndex, Vec<f64>>);

impl HiddenFeatures for Compiled {
    fn columns(&self) -> usize {
        4
    }

    fn reveal(&self, indices: &[ConfigIndex]) -> Result<Vec<Option<Vec<f64>>>, String> {
        Ok(indices
            .iter()
            .map(|index| self.0.get(index).cloned())
            .collect())
    }
}

fn landscape(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/landscapes/vta")
        .join(name)
}

/// A 3x3 convolution, in which 147 of 2304 configurations work; no masks say which.
fn recorded(name: &str) -> RecordedSpace {
    let options = ReadOptions {
        masks: false,
        ..ReadOptions::default()
    };
    let recording = read(&landscape(name), &options).unwrap();
    recording.spaces.into_iter().next().unwrap()
}

fn compiled(name: &str, space: &RecordedSpace) -> Compiled {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(landscape(name)).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let mut revealed = HashMap::new();
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let index = ConfigIndex(record["index"].as_u64().unwrap());
        let valid = record["valid"].as_bool().unwrap();
        assert_eq!(space.evaluate(index).cost.is_ok(), valid, "{index}");
        if valid {
            let counts = [
                &record["insn_count"],
                &record["stats"]["inp_load_nbytes"],
                &record["stats"]["wgt_load_nbytes"],
                &record["stats"]["acc_load_nbytes"],
            ];
            let counts = counts.map(|count| count.as_f64().unwrap());
            revealed.insert(index, counts.to_vec());
        }
    }
    Compiled(revealed)
}

/// Failures among the first 128, and the best of them as a share of the optimum.
fn run(space: &RecordedSpace, strategy: &mut dyn Strategy) -> (usize, f64) {
    let (mut failures, mut best) = (0, f64::INFINITY);
    for _ in 0..8 {
        let asked = strategy.ask(16).unwrap();
        assert_eq!(asked.len(), 16);
        for proposal in asked {
            let outcome = match space.evaluate(proposal.index).cost {
                Ok(cost) => {
                    best = best.min(cost);
                    Outcome::Cost(cost)
                }
                Err(error) => {
                    failures += 1;
                    Outcome::Failed(error)
                }
            };
            let index = proposal.index;
            strategy.tell(&[Observation { index, outcome }]).unwrap();
        }
    }
    (failures, space.optimum().unwrap() / best)
}

#[test]
fn what_compilation_reveals_saves_failures_and_finds_better_schedules() {
    let name = "C5.jsonl.gz";
    let recorded = recorded(name);
    let hidden: Arc<dyn HiddenFeatures> = Arc::new(compiled(name, &recorded));
    let (mut random, mut knobs, mut all) = ((0, 0.0), (0, 0.0), (0, 0.0));
    for seed in (0..10).map(Seed) {
        let ml2 = |hidden| {
            let space = Arc::clone(&recorded.space);
            Ml2::new(space, seed, Ml2Constants::default(), hidden)
        };
        let sums = [
            (
                &mut random,
                run(
                    &recorded,
                    &mut Random::new(Arc::clone(&recorded.space), seed),
                ),
            ),
            (&mut knobs, run(&recorded, &mut ml2(None))),
            (
                &mut all,
                run(&recorded, &mut ml2(Some(Arc::clone(&hidden)))),
            ),
        ];
        for (sum, (failures, share)) in sums {
            sum.0 += failures;
            sum.1 += share / 10.0;
        }
    }
    let said = format!(
        "failures of 1280 and share of the optimum: random {random:?}, without {knobs:?}, with {all:?}"
    );
    assert!(
        3 * knobs.0 < 2 * random.0 && 3 * all.0 < 2 * knobs.0,
        "{said}"
    );
    assert!(knobs.1 > random.1 && all.1 >= knobs.1, "{said}");
}
