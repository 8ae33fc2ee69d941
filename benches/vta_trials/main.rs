//! Trials per second on the accelerator, against AutoTVM's LocalBuilder and RPCRunner.
//!
//! Both are given the same configurations of one task of a network, in turn, and what they measure must be the same to
//! the nanosecond. Neither searches: choosing takes nothing here. The start of builders and devices is shown apart, since
//! it is paid once for a network.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "../../tests/fleet/mod.rs"]
mod fleet;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arco_tvm::frontend::{Frontend, ModelDetails, ModelSpec};
use arco_tvm::measure::{
    BuildOptions, Candidate, CoreSet, CoreSharing, Endpoint, Pipeline, PipelineOptions, PythonHost,
    Role, RunOptions, TrialId,
};
use arco_tvm::replay::median;
use arco_tvm::seed::Seed;
use arco_tvm::task::{ConfigIndex, Task};
use clap::Parser;
use rand::RngExt;
use serde::Deserialize;
use serde_json::json;
use tvm_rt::{DeviceType, Tvm};

use fleet::TrackerServer;

/// Trials per second on the accelerator.
#[derive(Parser)]
struct Options {
    /// The network whose task is measured
    #[arg(long, default_value = "resnet-18")]
    model: String,
    /// The task's position among the network's (0 is the first)
    #[arg(long, default_value_t = 3)]
    task: usize,
    /// Configurations
    #[arg(long, default_value_t = 128)]
    trials: usize,
    /// Runs of each
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Devices of ours
    #[arg(long, default_value_t = 1)]
    devices: usize,
    /// What cargo passes
    #[arg(long, hide = true)]
    bench: bool,
}

/// The module that servers import for the accelerator.
const MODULE: &str = "vta.testing.simulator";
/// Candidates in flight, as `arco-tvm tune` has them.
const IN_FLIGHT: usize = 16;
const KEY: &str = "vta-bench";

/// What a run took.
#[derive(Deserialize)]
struct Run {
    /// Seconds until candidates could be built.
    start: f64,
    build: f64,
    run: f64,
    #[serde(default)]
    wall: f64,
    costs: Vec<f64>,
}

fn main() {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut host = PythonHost::find(Some(&support::python())).unwrap();
    host.imports = vec![MODULE.to_owned()];
    Tvm::load(&host.libtvm).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let task = runtime.block_on(async {
        let mut frontend = Frontend::start(&host, folder.path()).await.unwrap();
        let model = ModelSpec::new(&options.model, ModelDetails::default());
        let extracted = frontend.tasks(&model, "vta").await.unwrap();
        frontend.shut_down().await;
        Arc::clone(&extracted.tasks[options.task])
    });
    let indices = draw(&task, options.trials);
    println!(
        "{}: {} configurations of {}, {} cores",
        task.workload.label(),
        indices.len(),
        task.space.range_length(),
        CoreSet::available().len()
    );
    let tracker = TrackerServer::start();
    let _device = serve(&host, &tracker);
    println!(
        "\n| run | | start s | build s | run s | wall s | trials/s |\n|---|---|---:|---:|---:|---:|---:|"
    );
    let mut ratios = Vec::new();
    for number in 0..options.runs {
        let theirs = autotvm(&task, &indices, &tracker);
        let ours = runtime.block_on(arco(&host, &task, &indices, options.devices, folder.path()));
        let differing = ours
            .costs
            .iter()
            .zip(&theirs.costs)
            .filter(|(a, b)| a != b)
            .count();
        assert_eq!(differing, 0, "the same candidates take another time");
        let count = indices.len() as f64;
        for (name, run) in [("AutoTVM", &theirs), ("arco-tvm", &ours)] {
            println!(
                "| {} | {name} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} |",
                number + 1,
                run.start,
                run.build,
                run.run,
                run.wall,
                count / run.wall
            );
        }
        ratios.push(theirs.wall / ours.wall);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "\nratio of trials per second, median of {}: {:.1} (lowest {:.1}, highest {:.1}); all costs are equal",
        ratios.len(),
        median(&ratios),
        ratios[0],
        ratios[ratios.len() - 1]
    );
}

/// Different configurations that the rules of the hardware allow.
fn draw(task: &Task, count: usize) -> Vec<ConfigIndex> {
    let all: Vec<ConfigIndex> = (0..task.space.range_length()).map(ConfigIndex).collect();
    let valid = task.space.valid(&all).unwrap();
    let open: Vec<ConfigIndex> = all
        .into_iter()
        .zip(valid)
        .filter(|(_, v)| *v)
        .map(|(i, _)| i)
        .collect();
    let mut draw = Seed(0).stream("configurations");
    let mut chosen = BTreeSet::new();
    while chosen.len() < count.min(open.len()) {
        chosen.insert(open[draw.random_range(0..open.len())]);
    }
    chosen.into_iter().collect()
}

/// A server that AutoTVM's runner finds at the tracker; it ends with this.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve(host: &PythonHost, tracker: &TrackerServer) -> Served {
    let place = format!("{}:{}", tracker.address.host, tracker.address.port);
    let mut command: Command = support::command(&host.python);
    command
        .args([
            "-m",
            "vta.exec.rpc_server",
            "--port",
            "9850",
            "--tracker",
            &place,
            "--key",
            KEY,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Served(command.spawn().unwrap())
}

fn autotvm(task: &Task, indices: &[ConfigIndex], tracker: &TrackerServer) -> Run {
    let workload = &task.workload;
    let configs: Vec<_> = indices
        .iter()
        .map(|&i| task.space.get(i).unwrap().to_json())
        .collect();
    let request = json!({
        "task": {
            "name": workload.name,
            "args": workload.args,
            "target": workload.target,
            "host": task.host,
        },
        "configs": configs,
        "tracker": [tracker.address.host, tracker.address.port, KEY],
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/vta_trials/autotvm.py");
    let output = support::command(support::python())
        .arg(script)
        .arg(request.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut run: Run = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {} {said}",
            String::from_utf8_lossy(&output.stdout)
        )
    });
    run.wall = run.build + run.run;
    run
}

async fn arco(
    host: &PythonHost,
    task: &Arc<Task>,
    indices: &[ConfigIndex],
    devices: usize,
    folder: &Path,
) -> Run {
    let local = |role: Role, name: String| Endpoint::Local {
        host: host.clone(),
        role,
        log: folder.join(name),
        cores: None,
    };
    let target = &task.workload.target;
    let model = target
        .split_whitespace()
        .find_map(|word| word.strip_prefix("-model="))
        .unwrap();
    let builders = CoreSet::available().len();
    let options = PipelineOptions {
        builders: (0..builders)
            .map(|b| local(Role::Builder, format!("builder-{b}.out")))
            .collect(),
        build: BuildOptions {
            limit: Duration::from_secs(10),
            cross_compiler: None,
            gpu_limits: None,
        },
        devices: (0..devices)
            .map(|d| local(Role::Device, format!("device-{d}.out")))
            .collect(),
        // As `arco-tvm tune --target vta` has it.
        run: RunOptions {
            number: 1,
            repeat: 1,
            min_repeat_ms: 0,
            cooldown: Duration::ZERO,
            setup: vec![
                ("arco.vta.set_mode".to_owned(), "timing".to_owned()),
                ("arco.vta.set_config".to_owned(), model.to_owned()),
            ],
            computed: true,
            ..RunOptions::default()
        },
        device_type: DeviceType::EXT_DEV,
        sharing: CoreSharing::Separate,
    };
    let begun = Instant::now();
    let mut pipeline = Pipeline::start(&options).await.unwrap();
    // Whatever is done once is done in the first builds: they belong to the start, as the first batch of the other side.
    let mut run = Run {
        start: 0.0,
        build: 0.0,
        run: 0.0,
        wall: 0.0,
        costs: vec![f64::NAN; indices.len()],
    };
    for id in 0..builders as u64 {
        let config = None;
        pipeline.submit(
            TrialId(id),
            Candidate {
                task: Arc::clone(task),
                config,
            },
        );
    }
    for _ in 0..builders {
        pipeline.next().await.unwrap().unwrap();
    }
    run.start = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let mut ahead = (0..).zip(indices);
    let submit = |pipeline: &mut Pipeline, (id, index): (u64, &ConfigIndex)| {
        let config = Some(task.space.get(*index).unwrap());
        pipeline.submit(
            TrialId(id),
            Candidate {
                task: Arc::clone(task),
                config,
            },
        );
    };
    for next in ahead.by_ref().take(IN_FLIGHT) {
        submit(&mut pipeline, next);
    }
    while let Some((id, measurement)) = pipeline.next().await.unwrap() {
        run.build += measurement.build.as_secs_f64();
        run.run += measurement.run.as_secs_f64();
        run.costs[id.0 as usize] = measurement.outcome.unwrap()[0];
        if let Some(next) = ahead.next() {
            submit(&mut pipeline, next);
        }
    }
    run.wall = begun.elapsed().as_secs_f64();
    pipeline.shut_down().await;
    run
}
