//! A device that is lost for good: the run goes on with the others, and says so.

use std::time::{Duration, Instant};

use arco_tvm::measure::{PeerError, Pipeline, Role, TrialId};
use tokio::runtime::Builder;

use crate::fleet::{DeviceServers, Fleet, TrackerServer, candidate, drive, task, turn};

#[test]
fn a_device_that_is_lost_for_good_is_given_up_and_named_and_its_candidates_go_elsewhere() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(20));
    let tracker = TrackerServer::start();
    let mut board = Some(DeviceServers::start(&fleet, &tracker, "board", 1));
    let devices = vec![
        fleet.local(Role::Device, "device.log"),
        tracker.device_within("board", Duration::from_secs(60), Duration::from_secs(2)),
    ];
    let task = task();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pipeline = Pipeline::start(&fleet.options(fleet.builders(1), devices))
            .await
            .unwrap();
        let mut done = 0;
        // They take longer than the device is waited for.
        drive(&mut pipeline, &task, 0..200, 8, |_, _| {
            done += 1;
            if done == 10 {
                drop(board.take());
            }
        })
        .await;
        assert_eq!(done, 200);
        let lost = pipeline.lost().map(ToString::to_string);
        assert!(lost.is_some_and(|lost| lost.contains("`board`")));
        pipeline.shut_down().await;
    });
}

#[test]
fn no_candidate_waits_for_a_device_that_is_gone_while_another_is_there() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(20));
    let tracker = TrackerServer::start();
    let mut board = Some(DeviceServers::start(&fleet, &tracker, "board", 1));
    let patience = Duration::from_secs(60);
    let devices = vec![
        fleet.local(Role::Device, "device.log"),
        tracker.device_within("board", Duration::from_secs(60), patience),
    ];
    let task = task();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pipeline = Pipeline::start(&fleet.options(fleet.builders(1), devices))
            .await
            .unwrap();
        let mut done = 0;
        let start = Instant::now();
        drive(&mut pipeline, &task, 0..40, 8, |_, _| {
            done += 1;
            if done == 10 {
                drop(board.take());
            }
        })
        .await;
        let took = start.elapsed();
        assert!(took < patience / 2, "{took:?}");
        assert!(pipeline.lost().is_none(), "{:?}", pipeline.lost());
        pipeline.shut_down().await;
    });
}

#[test]
fn when_the_last_device_is_lost_the_run_breaks_off_and_says_why() {
    let _turn = turn();
    let fleet = Fleet::new(Duration::from_millis(20));
    let tracker = TrackerServer::start();
    let board = DeviceServers::start(&fleet, &tracker, "board", 1);
    let device = tracker.device_within("board", Duration::from_secs(60), Duration::from_secs(2));
    let task = task();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pipeline = Pipeline::start(&fleet.options(fleet.builders(1), vec![device]))
            .await
            .unwrap();
        for index in 0..20 {
            pipeline.submit(TrialId(index), candidate(&task, index));
        }
        pipeline.next().await.unwrap().unwrap();
        drop(board);
        let error = loop {
            match pipeline.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it says that nothing is left to measure"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, PeerError::Tracker(_)), "{error}");
        pipeline.shut_down().await;
    });
}
