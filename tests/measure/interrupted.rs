//! Ctrl-C: once ends the run when what is in flight is finished, twice ends it at once. Nothing stays behind.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::fleet::{Fleet, turn};
use crate::tuner::{Tuner, no_port_is_left, nothing_is_left};

#[test]
fn ctrl_c_once_finishes_what_is_in_flight() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(60));
    let mut tuner = Tuner::start(&fleet, 64);
    tuner.wait_for_trials(4);
    let (there, before) = (fleet.processes(), tuner.journalled().len());
    let sockets = there.listening();
    assert!(
        sockets.len() >= 3,
        "frontend, builder and device listen: {there:?}"
    );
    tuner.signal(Signal::SIGINT);
    let (status, _) = tuner.wait(Duration::from_secs(30));
    assert_eq!(status.code(), Some(130), "{}", tuner.said());
    assert!(
        tuner.said().contains("ending after the batch in flight"),
        "{}",
        tuner.said()
    );
    let (mut logged, mut journalled) = (tuner.logged(), tuner.journalled());
    assert!(logged.len() > before, "what was in flight is finished");
    assert!(logged.len() < before + 64, "nothing more is asked for");
    logged.sort();
    journalled.sort();
    assert_eq!(logged, journalled, "every trial is in the log");
    nothing_is_left(&fleet);
    no_port_is_left(&sockets);
}

#[test]
fn ctrl_c_twice_ends_at_once() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_secs(3));
    let mut tuner = Tuner::start(&fleet, 8);
    tuner.wait_for_measurement();
    let (there, before) = (fleet.processes(), tuner.logged());
    let sockets = there.listening();
    tuner.signal(Signal::SIGINT);
    std::thread::sleep(Duration::from_millis(300));
    tuner.signal(Signal::SIGINT);
    let (status, took) = tuner.wait(Duration::from_secs(10));
    assert_eq!(status.code(), Some(130), "{}", tuner.said());
    // A kernel takes six seconds; this machine may be busy.
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    assert_eq!(tuner.logged()[..before.len()], before);
    nothing_is_left(&fleet);
    no_port_is_left(&sockets);
}
