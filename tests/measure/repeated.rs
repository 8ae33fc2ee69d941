//! What was measured is not measured again where the device computes its time.

use std::time::Duration;

use arco_tvm::measure::{Measurement, Pipeline, TrialId};
use tokio::runtime::Builder;

use crate::fleet::{Fleet, candidate, task, turn};

/// Measures each of five candidates twice, one after the other.
fn twice(computed: bool) -> (Fleet, Vec<Measurement>) {
    let fleet = Fleet::new(Duration::from_millis(5));
    let mut options = fleet.options(fleet.builders(1), fleet.devices(1));
    options.run.computed = computed;
    let task = task();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let found = runtime.block_on(async {
        let mut pipeline = Pipeline::start(&options).await.unwrap();
        let mut found = Vec::new();
        for id in 0..10 {
            pipeline.submit(TrialId(id), candidate(&task, id % 5));
            let (finished, measurement) = pipeline.next().await.unwrap().unwrap();
            assert_eq!(finished, TrialId(id));
            found.push(measurement);
        }
        assert!(pipeline.next().await.unwrap().is_none());
        pipeline.shut_down().await;
        found
    });
    (fleet, found)
}

#[test]
fn a_repeated_candidate_costs_nothing_where_time_is_computed() {
    let _turn = turn();
    let (fleet, found) = twice(true);
    assert_eq!(fleet.measured_again(), 0);
    for (first, again) in found[..5].iter().zip(&found[5..]) {
        assert!(first.build > Duration::ZERO);
        assert_eq!((again.build, again.run), (Duration::ZERO, Duration::ZERO));
        assert_eq!(first.outcome, again.outcome);
    }
}

#[test]
fn a_repeated_candidate_is_measured_again_where_time_is_measured() {
    let _turn = turn();
    let (fleet, _) = twice(false);
    assert_eq!(fleet.measured_again(), 5);
}
