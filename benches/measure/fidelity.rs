//! The same configurations with the pipeline at work and one by one on a machine at rest.
//!
//! A machine's speed drifts, so the ways of measuring take turns, and each configuration's best time of all rounds
//! counts. Two series at rest show what is left of the noise then.

use std::sync::Arc;

use arco_tvm::measure::{Candidate, Pipeline, TrialId};
use arco_tvm::replay::median;
use arco_tvm::task::ConfigIndex;
use rand::RngExt;

use crate::statistics::rank_correlation;
use crate::{Job, Place, arco};

/// What the two may differ by: the median of ratios, and the rank correlation.
const RATIO: f64 = 0.03;
const CORRELATION: f64 = 0.98;
/// Rounds of every way of measuring.
const ROUNDS: usize = 3;
/// Candidates in flight, as `arco-tvm tune` has them.
const IN_FLIGHT: usize = 16;

/// Measures `count` configurations in both ways and compares.
pub fn report(runtime: &tokio::runtime::Runtime, job: &Job, count: usize) {
    let mut draw = arco_tvm::seed::Seed(0).stream("configurations");
    let mut indices: Vec<ConfigIndex> = Vec::new();
    while indices.len() < count {
        let index = ConfigIndex(draw.random_range(0..job.task.space.range_length()));
        if !indices.contains(&index) {
            indices.push(index);
        }
    }
    let (at_work, at_rest) = runtime.block_on(async {
        let mut at_work = Series::new(count);
        let mut at_rest = [Series::new(count), Series::new(count)];
        for round in 0..ROUNDS {
            at_work.add(&measure(job, &indices, IN_FLIGHT).await);
            for series in 0..2 {
                at_rest[(round + series) % 2].add(&measure(job, &indices, 1).await);
            }
        }
        (at_work, at_rest)
    });
    println!("\n| {count} configurations, best of {ROUNDS} | median ratio | rank correlation |");
    println!("|---|---|---|");
    let (ratio, correlation) = compare("pipeline at work / at rest", &at_work, &at_rest[0]);
    compare("at rest, again / at rest", &at_rest[1], &at_rest[0]);
    let good = (ratio - 1.0).abs() <= RATIO && correlation >= CORRELATION;
    println!(
        "fidelity (within {:.0} %, at least {CORRELATION}): {}",
        100.0 * RATIO,
        if good { "holds" } else { "DOES NOT HOLD" }
    );
}

/// The best mean cost of each configuration; none for one that failed.
struct Series(Vec<Option<f64>>);

impl Series {
    fn new(count: usize) -> Self {
        Self(vec![None; count])
    }

    fn add(&mut self, costs: &[Option<f64>]) {
        for (best, cost) in self.0.iter_mut().zip(costs) {
            *best = match (*best, *cost) {
                (Some(a), Some(b)) => Some(f64::min(a, b)),
                (a, b) => a.or(b),
            };
        }
    }
}

fn compare(what: &str, series: &Series, reference: &Series) -> (f64, f64) {
    let pairs = series.0.iter().zip(&reference.0);
    let (ours, theirs): (Vec<f64>, Vec<f64>) = pairs
        .filter_map(|(ours, theirs)| Some(((*ours)?, (*theirs)?)))
        .unzip();
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| a / b).collect();
    let (ratio, correlation) = (median(&ratios), rank_correlation(&ours, &theirs));
    println!("| {what} | {ratio:.4} | {correlation:.4} |");
    (ratio, correlation)
}

/// Mean seconds of each configuration with so many in flight. With one, it is built and measured before the next is
/// begun; with more, builders and the device work as they do in `arco-tvm tune`.
async fn measure(job: &Job, indices: &[ConfigIndex], in_flight: usize) -> Vec<Option<f64>> {
    let builders = if in_flight == 1 { 1 } else { arco::builders() };
    let options = arco::pipeline(job, &Place::Shared, builders);
    let mut pipeline = Pipeline::start(&options).await.unwrap();
    let mut costs = vec![None; indices.len()];
    let mut ahead = (0..).zip(indices);
    let submit = |pipeline: &mut Pipeline, (id, index): (u64, &ConfigIndex)| {
        let candidate = Candidate {
            task: Arc::clone(&job.task),
            config: Some(job.task.space.get(*index).unwrap()),
        };
        pipeline.submit(TrialId(id), candidate);
    };
    for next in ahead.by_ref().take(in_flight) {
        submit(&mut pipeline, next);
    }
    while let Some((id, measurement)) = pipeline.next().await.unwrap() {
        costs[id.0 as usize] = measurement.to_result().mean_cost();
        if let Some(next) = ahead.next() {
            submit(&mut pipeline, next);
        }
    }
    pipeline.shut_down().await;
    costs
}
