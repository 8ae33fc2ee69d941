//! Whoever reaches a TVM RPC server runs code in it: what a run starts can be reached from this machine alone.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::fleet::{Fleet, turn};
use crate::tuner::Tuner;

#[test]
fn all_that_a_run_starts_listens_on_the_loopback_address_only() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(60));
    let mut tuner = Tuner::start(&fleet, 64);
    tuner.wait_for_trials(2);
    let addresses = fleet.processes().listening_addresses();
    assert!(
        addresses.len() >= 3,
        "frontend, builder and device listen: {addresses:?}"
    );
    let open: Vec<&String> = addresses
        .iter()
        // 127.0.0.1, as /proc/net/tcp has it on a little-endian and on a big-endian machine.
        .filter(|address| !address.starts_with("0100007F:") && !address.starts_with("7F000001:"))
        .collect();
    assert!(open.is_empty(), "{open:?}");
    tuner.signal(Signal::SIGINT);
    tuner.wait(Duration::from_secs(30));
}
