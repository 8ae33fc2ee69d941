//! The program killed at random moments (kill -9, as a power cut does), and the same command given again.

use std::collections::HashSet;
use std::time::Duration;

use arco_tvm::record::Record;
use nix::sys::signal::Signal;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fleet::{Fleet, turn};
use crate::tuner::{Tuner, nothing_is_left};

/// Kills a run so many times, lets the next one end, and looks at what is left.
fn killed_and_resumed(kills: usize, trials_per_task: usize, seed: u64) {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(10));
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut trials = 0;
    for _ in 0..kills {
        let mut tuner = Tuner::start(&fleet, trials_per_task);
        if draw.random_bool(0.25) {
            // While it starts, or recovers what the last one had finished.
            std::thread::sleep(Duration::from_millis(draw.random_range(0..3000)));
        } else {
            let most = 6 * trials_per_task / (kills + 1);
            tuner.wait_for_trials(trials + draw.random_range(1..=most));
            std::thread::sleep(Duration::from_micros(draw.random_range(0..60_000)));
        }
        tuner.signal(Signal::SIGKILL);
        tuner.wait(Duration::from_secs(5));
        trials = tuner.journalled().len();
        nothing_is_left(&fleet);
    }
    let mut tuner = Tuner::start(&fleet, trials_per_task);
    let (status, _) = tuner.wait(Duration::from_secs(60));
    assert_eq!(status.code(), Some(0), "{}", tuner.said());
    nothing_is_left(&fleet);

    let logged = tuner.logged();
    let records: Vec<Record> = logged
        .iter()
        .map(|line| Record::from_line(line).unwrap())
        .collect();
    let mut tasks: std::collections::BTreeMap<String, usize> = Default::default();
    for record in &records {
        assert!(record.result.mean_cost().is_some(), "{record:?}");
        *tasks.entry(record.workload.key()).or_default() += 1;
    }
    assert_eq!(tasks.len(), 6);
    assert!(tasks.values().all(|&n| n == trials_per_task), "{tasks:?}");
    let distinct: HashSet<String> = records.iter().map(Record::key).collect();
    assert_eq!(
        distinct.len(),
        records.len(),
        "a configuration is in the log twice"
    );
    let in_log: HashSet<&String> = logged.iter().collect();
    for line in &tuner.journalled() {
        assert!(in_log.contains(line), "finished and not in the log: {line}");
    }
    // A kill can fall between the end of a measurement and its line in the journal; nothing else is measured twice.
    let twice = fleet.measured_again();
    assert!(twice <= kills, "{twice} candidates were measured twice");
}

#[test]
fn a_killed_run_loses_nothing_that_was_finished_and_measures_nothing_twice() {
    match std::env::var("ARCO_TEST_KILLS") {
        // `make test-killed`. The smallest of the spaces has 28 configurations.
        Ok(kills) => killed_and_resumed(kills.parse().unwrap(), 24, 20),
        Err(_) => killed_and_resumed(2, 12, 3),
    }
}
