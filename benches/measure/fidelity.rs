//! The same configurations with the pipeline at work and one by one on a machine at rest.

use std::path::Path;
use std::sync::Arc;

use arco_tvm::measure::{Candidate, Pipeline, TrialId};
use arco_tvm::record::{Record, read_log};

use crate::statistics::{median, rank_correlation};
use crate::{Job, Place, arco};

/// What the two may differ by: the median of ratios, and the rank correlation.
const RATIO: f64 = 0.03;
const CORRELATION: f64 = 0.98;

/// Compares the first `count` valid records of a log with measurements at rest.
pub fn report(runtime: &tokio::runtime::Runtime, job: &Job, log: &Path, count: usize) {
    let valid = read_log(log)
        .unwrap()
        .records
        .into_iter()
        .map(|(_, record)| record);
    let records: Vec<Record> = valid
        .filter(|record| record.result.mean_cost().is_some())
        .take(count)
        .collect();
    let at_work: Vec<f64> = records
        .iter()
        .filter_map(|record| record.result.mean_cost())
        .collect();
    let first = runtime.block_on(at_rest(job, &records));
    let second = runtime.block_on(at_rest(job, &records));
    println!(
        "\n{} configurations | median ratio | rank correlation",
        records.len()
    );
    let (ratio, correlation) = compare("pipeline at work / at rest", &at_work, &first);
    compare("at rest, again / at rest", &second, &first);
    let good = (ratio - 1.0).abs() <= RATIO && correlation >= CORRELATION;
    println!(
        "fidelity (within {:.0} %, at least {CORRELATION}): {}",
        100.0 * RATIO,
        if good { "holds" } else { "DOES NOT HOLD" }
    );
}

fn compare(what: &str, ours: &[f64], reference: &[f64]) -> (f64, f64) {
    let ratios: Vec<f64> = ours.iter().zip(reference).map(|(a, b)| a / b).collect();
    let (ratio, correlation) = (median(&ratios), rank_correlation(ours, reference));
    println!("{what} | {ratio:.4} | {correlation:.4}");
    (ratio, correlation)
}

/// Mean seconds of each configuration, built and measured before the next is begun.
async fn at_rest(job: &Job, records: &[Record]) -> Vec<f64> {
    let options = arco::pipeline(job, &Place::Shared, 1);
    let mut pipeline = Pipeline::start(&options).await.unwrap();
    let mut costs = Vec::with_capacity(records.len());
    for (id, record) in (0..).zip(records) {
        let candidate = Candidate {
            task: Arc::clone(&job.task),
            config: Some(record.config.clone()),
        };
        pipeline.submit(TrialId(id), candidate);
        let (_, measurement) = pipeline.next().await.unwrap().unwrap();
        costs.push(
            measurement
                .to_result()
                .mean_cost()
                .expect("it was valid before"),
        );
    }
    pipeline.shut_down().await;
    costs
}
