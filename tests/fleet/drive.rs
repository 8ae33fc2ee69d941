//! Candidates through a pipeline, and what this process uses meanwhile.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arco_tvm::measure::{Measurement, Pipeline, TrialId};
use arco_tvm::task::Task;

use super::candidate;

/// Measures the configurations of a range with so many in flight, and fails when one does not come back or comes back
/// twice.
pub async fn drive(
    pipeline: &mut Pipeline,
    task: &Arc<Task>,
    range: Range<u64>,
    in_flight: usize,
    mut each: impl FnMut(TrialId, &Measurement),
) {
    let expected = range.clone();
    let mut ahead = range;
    let mut done: HashSet<TrialId> = HashSet::new();
    for index in ahead.by_ref().take(in_flight) {
        pipeline.submit(TrialId(index), candidate(task, index));
    }
    while let Some((id, measurement)) = pipeline.next().await.unwrap() {
        assert!(expected.contains(&id.0), "{id:?} was never asked for");
        assert!(done.insert(id), "{id:?} came back twice");
        if let Some(index) = ahead.next() {
            pipeline.submit(TrialId(index), candidate(task, index));
        }
        each(id, &measurement);
    }
    assert_eq!(done.len() as u64, expected.end - expected.start);
}

/// What this process holds.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Memory, in KiB.
    pub rss_kib: usize,
    /// Open file descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

impl Usage {
    /// Now.
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Self {
            rss_kib: field("VmRSS:"),
            threads: field("Threads:"),
            descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(),
        }
    }
}
