//! The pipeline in the long run and in the large: ten thousand candidates through one device, and 64 devices behind a
//! real tracker against one of them.
//!
//! A process can hold 32 sessions of TVM's RPC (`MOST_SESSIONS`), so 64 devices are shared by several processes, each
//! with a pipeline and builders of its own, as several runs of `arco-tvm tune` share a tracker.
//!
//! Builders hand out one library and devices wait in the place of a kernel (tests/fleet); servers, sessions, tracker and
//! protocol are the real thing. Ends with an error when something grows or is left behind.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "../../tests/fleet/mod.rs"]
mod fleet;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use arco_tvm::measure::{Endpoint, Pipeline, TrackerAddress};
use clap::Parser;

use fleet::{DeviceServers, Fleet, TrackerServer, Usage, drive, task, wait_until};

/// What 64 devices must do at least, as a part of 64 times what one does.
const EFFICIENCY: f64 = 0.9;

/// Long runs and many devices.
#[derive(Parser)]
struct Options {
    /// Candidates of the long run
    #[arg(long, default_value_t = 10_000)]
    candidates: u64,
    /// Devices
    #[arg(long, default_value_t = 64)]
    devices: usize,
    /// Milliseconds of a kernel, of which each measurement runs two
    #[arg(long, value_delimiter = ',', default_value = "500,100,20")]
    kernel_ms: Vec<u64>,
    /// Processes that share the devices, each with one builder
    #[arg(long, default_value_t = 3)]
    processes: usize,
    /// Measures on so many devices of this tracker, and prints candidates per second: one of those processes
    #[arg(long, hide = true)]
    share_of: Option<TrackerAddress>,
    /// Only this part: long or many
    #[arg(long)]
    only: Option<String>,
    /// What cargo passes
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    // `cargo test --benches` passes arguments of its own and wants nothing measured.
    if std::env::args().any(|arg| arg == "--test") {
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    if let Some(address) = &options.share_of {
        println!("{}", share(&options, address));
        return ExitCode::SUCCESS;
    }
    let wanted = |part: &str| options.only.as_deref().is_none_or(|only| only == part);
    let mut good = true;
    if wanted("long") {
        good &= long(options.candidates);
    }
    if wanted("many") {
        good &= many(&options);
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Many candidates through one builder and one device.
fn long(candidates: u64) -> bool {
    let fleet = Fleet::new(Duration::ZERO);
    let task = task();
    let part = candidates.div_ceil(10);
    println!("{candidates} candidates through one builder and one device");
    println!("| candidates | per second | memory | descriptors | threads | processes |");
    println!("|---|---|---|---|---|---|");
    let mut usage = Vec::new();
    runtime().block_on(async {
        let options = fleet.options(fleet.builders(1), fleet.devices(1));
        let mut pipeline = Pipeline::start(&options).await.unwrap();
        let mut from = 0;
        while from < candidates {
            let to = candidates.min(from + part);
            let start = Instant::now();
            drive(&mut pipeline, &task, from..to, 32, |id, measurement| {
                assert!(measurement.outcome.is_ok(), "{id:?}: {measurement:?}");
            })
            .await;
            let rate = (to - from) as f64 / start.elapsed().as_secs_f64();
            let (now, processes) = (Usage::now(), fleet.processes().0.len());
            println!(
                "| {to} | {rate:.0} | {} KiB | {} | {} | {processes} |",
                now.rss_kib, now.descriptors, now.threads
            );
            usage.push((now, processes));
            from = to;
        }
        pipeline.shut_down().await;
    });
    let left = !wait_until(Duration::from_secs(5), || fleet.processes().0.is_empty());
    let measured = fleet.measured();
    let once = measured.len() as u64 == candidates && measured.values().all(|&times| times == 1);
    let ((first, there), (last, still)) = (usage[0], usage[usage.len() - 1]);
    let grown = last.rss_kib.saturating_sub(first.rss_kib);
    let flat = last.descriptors == first.descriptors
        && last.threads <= first.threads + 2
        && still == there
        // Each library is 16 KiB: a thousandth of those since the first row, and what an allocator keeps.
        && grown < 4096;
    println!(
        "memory grew by {grown} KiB since the first row; every candidate measured once: {once}; processes left: {left}"
    );
    flat && once && !left
}

/// Throughput of one device and of many, for several durations of the kernel.
fn many(options: &Options) -> bool {
    let n = options.devices;
    println!(
        "\n{n} devices behind a tracker, {} processes with a builder each",
        options.processes
    );
    println!("| measurement | one device | {n} devices | of {n} times one | bound |");
    println!("|---|---|---|---|---|");
    let builders = together(options, 0, 2 * options.processes);
    let mut good = true;
    for &ms in &options.kernel_ms {
        let one = together(options, ms, 1);
        let all = together(options, ms, n);
        let part = all / (n as f64 * one);
        // What the devices ask for is more than builders and cores can give.
        let bound = n as f64 * one > EFFICIENCY * builders;
        println!(
            "| {} ms | {one:.2}/s | {all:.1}/s | {:.1} % | {} |",
            2 * ms,
            100.0 * part,
            if bound { "builders" } else { "devices" }
        );
        good &= bound || part >= EFFICIENCY;
    }
    println!(
        "where devices take no time, these processes make {builders:.0} candidates per second on this machine"
    );
    good
}

/// Candidates per second of so many devices at one tracker, shared by processes.
fn together(options: &Options, kernel_ms: u64, devices: usize) -> f64 {
    let fleet = Fleet::new(Duration::from_millis(kernel_ms));
    let tracker = TrackerServer::start();
    let _servers = DeviceServers::start(&fleet, &tracker, "board", devices);
    let processes = options.processes.min(devices);
    let shares: Vec<Child> = (0..processes)
        .map(|p| {
            // What does not divide goes to the first ones.
            let share = devices / processes + usize::from(p < devices % processes);
            Command::new(std::env::current_exe().unwrap())
                .arg(format!("--share-of={}", tracker.address))
                .arg(format!("--devices={share}"))
                .arg(format!("--kernel-ms={kernel_ms}"))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let rates = shares.into_iter().map(|share| {
        let output = share.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse::<f64>().unwrap()
    });
    rates.sum()
}

/// What one of the processes does.
fn share(options: &Options, address: &TrackerAddress) -> f64 {
    let (ms, n) = (options.kernel_ms[0], options.devices);
    let fleet = Fleet::new(Duration::from_millis(ms));
    let device = || Endpoint::Tracker {
        address: address.clone(),
        key: "board".to_owned(),
        patience: Duration::from_secs(60),
        lease: Duration::from_secs(600),
    };
    // About fifteen seconds; a measurement is two runs of the kernel, and some overhead.
    let each = (15.0 / (2.0 * ms as f64 / 1000.0 + 0.02)).ceil() as u64;
    throughput(&fleet, (0..n).map(|_| device()).collect(), each)
}

/// Candidates per second, once every device has had one, `each` for each device.
fn throughput(fleet: &Fleet, devices: Vec<Endpoint>, each: u64) -> f64 {
    let (task, n) = (task(), devices.len() as u64);
    let count = each * n;
    let runtime = runtime();
    let rate = runtime.block_on(async {
        let options = fleet.options(fleet.builders(1), devices);
        let mut pipeline = Pipeline::start(&options).await.unwrap();
        let mut start = Instant::now();
        let mut done = 0;
        drive(
            &mut pipeline,
            &task,
            0..count + n,
            3 * n as usize,
            |id, measurement| {
                assert!(measurement.outcome.is_ok(), "{id:?}: {measurement:?}");
                done += 1;
                if done == n {
                    start = Instant::now();
                }
            },
        )
        .await;
        let rate = count as f64 / start.elapsed().as_secs_f64();
        pipeline.shut_down().await;
        rate
    });
    runtime.shutdown_background();
    rate
}
