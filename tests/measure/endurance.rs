//! Many candidates: nothing grows. `make bench-fleet` does the same with ten thousand.

use std::time::Duration;

use arco_tvm::measure::Pipeline;

use crate::fleet::{DeviceServers, Fleet, TrackerServer, Usage, drive, task, turn, wait_until};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn five_hundred_candidates_leave_no_descriptor_no_thread_and_no_process_behind() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::ZERO);
    let task = task();
    runtime().block_on(async {
        let options = fleet.options(fleet.builders(1), fleet.devices(1));
        let mut pipeline = Pipeline::start(&options).await.unwrap();
        let mut usage = Vec::new();
        for hundred in 0..5 {
            let range = 100 * hundred..100 * (hundred + 1);
            drive(&mut pipeline, &task, range, 32, |id, measurement| {
                assert!(measurement.outcome.is_ok(), "{id:?}: {measurement:?}");
            })
            .await;
            usage.push(Usage::now());
        }
        let (first, last) = (usage[0], usage[4]);
        assert_eq!(last.descriptors, first.descriptors, "{usage:?}");
        assert!(last.threads <= first.threads + 2, "{usage:?}");
        // 16 KiB for each library that was not given back would be 6,400 KiB.
        assert!(last.rss_kib < first.rss_kib + 3000, "{usage:?}");
        // One server and one session each.
        let there = fleet.processes();
        assert_eq!(
            there.running("arco_tvm.serve builder").len(),
            2,
            "{there:?}"
        );
        assert_eq!(there.running("arco_tvm.serve device").len(), 2, "{there:?}");
        pipeline.shut_down().await;
    });
    let measured = fleet.measured();
    assert_eq!(measured.len(), 500);
    assert!(measured.values().all(|&times| times == 1));
    let gone = || fleet.processes().0.is_empty();
    assert!(
        wait_until(Duration::from_secs(5), gone),
        "{:?}",
        fleet.processes()
    );
}

#[test]
fn devices_of_a_tracker_share_the_work() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(50));
    let tracker = TrackerServer::start();
    let _servers = DeviceServers::start(&fleet, &tracker, "board", 8);
    let task = task();
    runtime().block_on(async {
        let device = || tracker.device("board", Duration::from_secs(60));
        let devices = (0..8).map(|_| device()).collect();
        let mut pipeline = Pipeline::start(&fleet.options(fleet.builders(1), devices))
            .await
            .unwrap();
        drive(&mut pipeline, &task, 0..160, 40, |id, measurement| {
            assert!(measurement.outcome.is_ok(), "{id:?}: {measurement:?}");
        })
        .await;
        pipeline.shut_down().await;
    });
    let runs = std::fs::read_to_string(fleet.path().join("runs")).unwrap();
    let mut by_session: std::collections::BTreeMap<&str, usize> = Default::default();
    for line in runs.lines().filter(|line| line.starts_with("end")) {
        *by_session
            .entry(line.rsplit(' ').next().unwrap())
            .or_default() += 1;
    }
    assert_eq!(by_session.len(), 8, "{by_session:?}");
    // 20 candidates each if all were equally fast.
    assert!(
        by_session.values().all(|&runs| runs / 2 >= 8),
        "{by_session:?}"
    );
}
