//! The measurement against AutoTVM's: does the pipeline change what is measured, and how many trials does it make in a
//! second?
//!
//! One task of a network is tuned from nothing by `arco-tvm` and by AutoTVM's XGBTuner with LocalBuilder and a runner,
//! with the same trials, `number`, `repeat`, `min_repeat_ms` and cooldown, in turn. First on this machine's cores, which
//! builders and device share; then with a device that shares none, for which a server stands that answers after a fixed
//! time (`fixed_device.py`), for both.
//!
//! Fidelity comes first (`fidelity.rs`): more trials of what is not the kernel's time would be worth nothing.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod arco;
mod autotvm;
mod fidelity;
#[path = "../../tests/fleet/mod.rs"]
mod fleet;
mod statistics;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arco_tvm::frontend::{Frontend, ModelDetails, ModelSpec};
use arco_tvm::measure::{PythonHost, RunOptions};
use arco_tvm::replay::median;
use arco_tvm::task::Task;
use clap::Parser;
use tvm_rt::Tvm;

use fleet::TrackerServer;

/// Measurement against AutoTVM's.
#[derive(Parser)]
struct Options {
    /// The network whose task is tuned
    #[arg(long, default_value = "resnet-18")]
    model: String,
    /// The task's position among the network's (0 is the first)
    #[arg(long, default_value_t = 1)]
    task: usize,
    /// The target
    #[arg(long, default_value = "llvm -mcpu=native")]
    target: String,
    /// Trials of a run
    #[arg(long, default_value_t = 128)]
    trials: usize,
    /// Runs of each tuner
    #[arg(long, default_value_t = 3)]
    runs: u64,
    /// Seconds that the device which shares no cores takes for a measurement
    #[arg(long, default_value_t = 0.05)]
    fixed: f64,
    /// Pause after each candidate, in seconds
    #[arg(long, default_value_t = 0.1)]
    cooldown: f64,
    /// Least milliseconds of a repeat
    #[arg(long, default_value_t = 0)]
    min_repeat_ms: u32,
    /// Configurations that are measured with the pipeline at work and at rest
    #[arg(long, default_value_t = 50)]
    again: usize,
    /// Only this part: fidelity, shared or apart
    #[arg(long)]
    only: Option<String>,
    /// What cargo passes
    #[arg(long, hide = true)]
    bench: bool,
}

/// Where measured.
pub enum Place<'a> {
    /// On this machine, whose cores builders and device share.
    Shared,
    /// On the device of this key.
    Apart(&'a TrackerServer, &'static str),
}

/// What both tuners are given.
pub struct Job {
    host: PythonHost,
    task: Arc<Task>,
    trials: usize,
    run: RunOptions,
    folder: tempfile::TempDir,
}

/// Seconds of one run of a tuner.
pub struct Seconds {
    /// In all.
    wall: f64,
    /// Choosing and learning.
    search: f64,
    /// Building, by the number of builders.
    build: f64,
    /// Measuring, the cooldown included.
    run: f64,
}

fn main() {
    // `cargo test --benches` passes arguments of its own and wants nothing measured.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let options = Options::parse();
    let host = PythonHost::find(Some(&support::python())).unwrap();
    Tvm::load(&host.libtvm).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let task = runtime.block_on(async {
        let mut frontend = Frontend::start(&host, folder.path()).await.unwrap();
        let model = ModelSpec::new(&options.model, ModelDetails::default());
        let tasks = frontend.tasks(&model, &options.target).await.unwrap().tasks;
        frontend.shut_down().await;
        Arc::clone(&tasks[options.task])
    });
    println!(
        "{} of {} ({} configurations) for {}: {} trials, cooldown {} s, min-repeat-ms {}",
        task.workload.label(),
        options.model,
        task.space.range_length(),
        task.workload.target,
        options.trials,
        options.cooldown,
        options.min_repeat_ms,
    );
    let job = Job {
        host,
        task,
        trials: options.trials,
        run: RunOptions {
            min_repeat_ms: options.min_repeat_ms,
            cooldown: Duration::from_secs_f64(options.cooldown),
            ..RunOptions::default()
        },
        folder,
    };
    let wanted = |part: &str| options.only.as_deref().is_none_or(|only| only == part);
    if wanted("fidelity") {
        fidelity::report(&runtime, &job, options.again);
    }
    if wanted("shared") {
        println!("\nbuilders and device share this machine's cores");
        compare(&runtime, &job, &Place::Shared, options.runs);
    }
    if wanted("apart") {
        let tracker = TrackerServer::start();
        let _device = FixedDevice::start(&tracker, options.fixed);
        println!(
            "\na device that shares no cores, {} s for a measurement",
            options.fixed
        );
        compare(
            &runtime,
            &job,
            &Place::Apart(&tracker, "fixed"),
            options.runs,
        );
    }
    runtime.shutdown_background();
}

/// Both tuners in turn, the one that begins changing from run to run.
fn compare(runtime: &tokio::runtime::Runtime, job: &Job, place: &Place<'_>, runs: u64) {
    println!("| run | tuner | trials/s | seconds | search | build | run | device at work |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut ratios = Vec::new();
    let mut ours = Vec::new();
    for seed in 0..runs {
        let of_arco = || runtime.block_on(arco::tune(job, place, seed));
        let of_autotvm = || autotvm::tune(job, place, seed);
        let (arco, autotvm) = if seed % 2 == 0 {
            let arco = of_arco();
            (arco, of_autotvm())
        } else {
            let autotvm = of_autotvm();
            (of_arco(), autotvm)
        };
        for (who, seconds) in [("arco-tvm", &arco), ("AutoTVM", &autotvm)] {
            println!(
                "| {seed} | {who} | {:.2} | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} % |",
                job.trials as f64 / seconds.wall,
                seconds.wall,
                seconds.search,
                seconds.build,
                seconds.run,
                100.0 * seconds.run / seconds.wall
            );
        }
        ratios.push(autotvm.wall / arco.wall);
        ours.push(arco);
    }
    println!(
        "trials per second: {:.2} times AutoTVM's (median)",
        median(&ratios)
    );
    // The least that the steps need, if the machine did nothing else.
    let (bound, least): (_, fn(&Seconds) -> f64) = match place {
        Place::Shared => ("building and measuring in turn", |s| s.build + s.run),
        Place::Apart(..) => ("the slower of building and measuring", |s| {
            s.build.max(s.run)
        }),
    };
    let parts: Vec<f64> = ours.iter().map(|s| least(s) / s.wall).collect();
    println!(
        "arco-tvm: {bound} is {:.0} % of its time",
        100.0 * median(&parts)
    );
}

/// The device server that answers after a fixed time.
struct FixedDevice {
    process: Child,
}

impl FixedDevice {
    fn start(tracker: &TrackerServer, seconds: f64) -> Self {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/measure");
        let path = format!("{}:{here}", support::packages().display());
        let mut command: Command = support::command(support::python());
        let mut process = command
            .args(["-m", "arco_tvm.serve", "device", "--owned", "--quiet"])
            .args(["--key=fixed", "--import=fixed_device"])
            .arg(format!("--tracker={}", tracker.address))
            .env("PYTHONPATH", path)
            .env("FIXED_DEVICE_S", seconds.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        assert!(line.contains("port"), "no device: {line}");
        Self { process }
    }
}

impl Drop for FixedDevice {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
