//! A run of AutoTVM's XGBTuner, in a process of its own (`autotvm.py`).

use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use crate::support;
use crate::{Job, Place, Seconds};

#[derive(Deserialize)]
struct Spent {
    wall: f64,
    search: f64,
    build: f64,
    run: f64,
}

/// Tunes from nothing. Importing TVM and making the task do not count.
pub fn tune(job: &Job, place: &Place<'_>, seed: u64) -> Seconds {
    let tracker = match place {
        Place::Shared => None,
        Place::Apart(tracker, key) => Some((&tracker.address.host, tracker.address.port, key)),
    };
    let workload = &job.task.workload;
    let log = tempfile::Builder::new()
        .prefix("xgb-")
        .tempfile_in(job.folder.path())
        .unwrap();
    let request = json!({
        "task": {
            "name": workload.name,
            "args": workload.args,
            "target": workload.target,
            "host": job.task.host,
        },
        "trials": job.trials,
        "seed": seed,
        "number": job.run.number,
        "repeat": job.run.repeat,
        "min_repeat_ms": job.run.min_repeat_ms,
        "cooldown": job.run.cooldown.as_secs_f64(),
        "log": log.path(),
        "tracker": tracker,
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/measure/autotvm.py");
    let output = support::command(support::python())
        .arg(script)
        .arg(request.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let spent: Spent =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let made = std::fs::read_to_string(log.path()).unwrap().lines().count();
    assert_eq!(made, job.trials, "{said}");
    Seconds {
        wall: spent.wall,
        search: spent.search,
        build: spent.build,
        run: spent.run,
    }
}
