//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::frontend::InputShape;
use crate::measure::{CoreSet, TrackerAddress};
use crate::strategy::StrategyKind;

use super::codesign::args::CodesignArgs;
use super::log::args::LogArgs;
use super::record::{RecordArgs, Recording};
use super::replay::args::ReplayArgs;
use super::vta::args::VtaCommand;

/// Tunes the operators of a network for TVM 0.19 and writes an AutoTVM log.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say only results, warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Settings file [default: arco.toml in this folder, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failure, 2 wrong use, 3 no usable TVM, 4 model, 5 target, 6 log,
7 no builder or device, 8 every candidate failed, 9 outputs differ,
130 interrupted (what was finished is in the log)";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tune a model and append every measurement to a log
    Tune(TuneArgs),
    /// Choose the accelerator for one or more networks, together with the schedule of every layer
    Codesign(Box<CodesignArgs>),
    /// Compile a model with a log, and compare it with the untuned model
    Verify(VerifyArgs),
    /// List a model's tasks, their spaces and knobs
    Tasks(TasksArgs),
    /// Run, time, take apart and put together programs of the VTA accelerator
    #[command(subcommand)]
    Vta(VtaCommand),
    /// Offer a device to others, at an address or at a TVM tracker
    #[command(subcommand)]
    Serve(ServeCommand),
    /// Look at the installation and say what to do about what is missing
    Doctor(DoctorArgs),
    /// Look at AutoTVM logs, mend, merge and convert them; needs no TVM
    Log(LogArgs),
    /// Measure one task's space, all of it or a sample, for `replay`
    Record(Box<RecordArgs>),
    /// Compare strategies on recorded spaces; needs no TVM and no device
    Replay(ReplayArgs),
    /// Say another program what to try next, over standard input and output; needs no TVM
    Asktell(AskTellArgs),
}

/// What is served.
#[derive(Debug, Subcommand)]
pub enum ServeCommand {
    /// The simulated accelerator, as a TVM RPC server: any number on a machine
    Vta(ServeVtaArgs),
}

/// Where the accelerator is served.
#[derive(Debug, Args)]
pub struct ServeVtaArgs {
    /// Geometry that sessions begin with: a vta_config.json, a preset or a name [default: sim]
    #[arg(long, value_name = "GEOMETRY")]
    pub geometry: Option<String>,
    /// Address to listen on; whoever reaches it can run code on this machine
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host_address: String,
    /// First port to try
    #[arg(long, default_value_t = 9091)]
    pub port: u16,
    /// TVM tracker to register with
    #[arg(long, value_name = "HOST:PORT", env = "ARCO_TRACKER")]
    pub tracker: Option<TrackerAddress>,
    /// Key at the tracker
    #[arg(long, env = "ARCO_KEY", default_value = "vta")]
    pub key: String,
    #[command(flatten)]
    pub host: HostArgs,
}

/// Which Python hosts TVM.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "TVM")]
pub struct HostArgs {
    /// Python with TVM 0.19 [default: $VIRTUAL_ENV, then ./.venv, then python3]
    #[arg(long, value_name = "PYTHON", env = "ARCO_PYTHON")]
    pub python: Option<PathBuf>,
}

/// Which model, for what.
#[derive(Clone, Debug, Args)]
pub struct ModelArgs {
    /// A network by name (`arco-tvm tasks --help` lists them) or a file: ONNX, TFLite, PyTorch, Relay and others
    pub model: String,
    /// Target, as TVM writes it; `llvm -mcpu=native` is this machine's CPU, `vta` or `vta:GEOMETRY` the simulated
    /// accelerator
    #[arg(short, long, env = "ARCO_TARGET")]
    pub target: Option<String>,
    /// Parameters of a saved Relay module
    #[arg(long, value_name = "FILE")]
    pub params: Option<PathBuf>,
    /// Batch size [default: the file's own, or 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// Format of a model file, where its name does not tell: onnx, tflite, pytorch, relay and others
    #[arg(long)]
    pub format: Option<String>,
    /// Shape of an input that the file leaves open, such as data=1,3,224,224; once for each input
    #[arg(long, value_name = "NAME=SHAPE")]
    pub input_shape: Vec<InputShape>,
}

/// Where and how candidates are measured.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Measurement")]
pub struct MeasureArgs {
    /// Measure on a device from this TVM tracker instead of this machine
    #[arg(long, value_name = "HOST:PORT", env = "ARCO_TRACKER")]
    pub tracker: Option<TrackerAddress>,
    /// The device's key at the tracker
    #[arg(long, env = "ARCO_KEY")]
    pub key: Option<String>,
    /// Runs per repeat, whose mean is one cost [default: 4]
    #[arg(long, value_name = "N")]
    pub number: Option<u32>,
    /// Repeats; of more than two, the fastest and the slowest do not count [default: 3]
    #[arg(long, value_name = "N")]
    pub repeat: Option<u32>,
    /// Least milliseconds of a repeat; more runs are made until it takes as long [default: 0]
    #[arg(long, value_name = "MS")]
    pub min_repeat_ms: Option<u32>,
    /// Pause after each candidate, in seconds [default: 0.1]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub cooldown: Option<f64>,
    /// Empty the CPU's caches before each repeat
    #[arg(long)]
    pub flush_cpu_cache: bool,
    /// Devices to measure on at once; with the builders at most 28 [default: 1]
    #[arg(long, value_name = "N")]
    pub devices: Option<usize>,
    /// Cores that local devices have for themselves, so that builds go on while they measure
    #[arg(long, value_name = "LIST")]
    pub device_cores: Option<CoreSet>,
    /// Builder processes on this machine [default: one per core that no device has]
    #[arg(long, value_name = "N")]
    pub builders: Option<usize>,
    /// Builders from the tracker, where they register under the key arco-builder [default: 0]
    #[arg(long, value_name = "N")]
    pub remote_builders: Option<usize>,
    /// Compiler that links for a device of another kind, such as aarch64-linux-gnu-g++; without one the device links
    #[arg(long, value_name = "COMPILER")]
    pub cross_cc: Option<String>,
    /// Longest build of a candidate, in seconds [default: 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub build_timeout: Option<f64>,
    /// Longest run of a candidate, in seconds [default: 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub run_timeout: Option<f64>,
}

/// `arco-tvm tune`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm tune resnet-18 --target 'llvm -mcpu=native' --trials 768 -o resnet-18.log
  arco-tvm tune model.onnx -t 'llvm -mcpu=native' --trials-per-task 128 -o model.log --seed 7
  arco-tvm tune resnet-34 -t 'llvm -mcpu=native' --warm-start resnet-18.log -o resnet-34.log
  arco-tvm tune mobilenet -t 'llvm -mtriple=aarch64-linux-gnu' --tracker 10.0.0.2:9190 --key pi -o pi.log

The same command again goes on where the log ends: what it holds counts as trials and is not measured again.
Ctrl-C once ends the run after the batch in flight, twice at once; the log keeps every finished measurement.")]
pub struct TuneArgs {
    /// Which model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The AutoTVM log to append to
    #[arg(short, long, value_name = "LOG")]
    pub output: PathBuf,
    /// Trials in all, spent where the network's time still falls [default: 64 for each task]
    #[arg(long, value_name = "N", conflicts_with = "trials_per_task")]
    pub trials: Option<usize>,
    /// Trials for each task
    #[arg(long, value_name = "N")]
    pub trials_per_task: Option<usize>,
    /// End the run after so many minutes
    #[arg(long, value_name = "MINUTES")]
    pub time: Option<f64>,
    /// End a task after so many trials without anything better
    #[arg(long, value_name = "N")]
    pub early_stopping: Option<usize>,
    /// Ask for more while at most so many trials are in flight [default: 8]
    #[arg(long, value_name = "N")]
    pub lookahead: Option<usize>,
    /// Write JSON lines about the run on standard output, in place of progress and table
    #[arg(long)]
    pub json_progress: bool,
    /// Who chooses: arco, random, grid, gbt-16 (boosted trees, refitted every 16 trials), AutoTVM's ga, sa-gbt and
    /// droplet, or ml2 and chameleon, re-implemented from their papers; arco-... are ablations [default: arco]
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<StrategyKind>,
    /// Seed of all random draws [default: 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Logs of earlier runs, of this network or another: tasks begin with what was learnt from tasks of their templates
    #[arg(long, value_name = "LOG", num_args = 1..)]
    pub warm_start: Vec<PathBuf>,
    /// How to measure.
    #[command(flatten)]
    pub measure: MeasureArgs,
    /// Which TVM.
    #[command(flatten)]
    pub host: HostArgs,
    /// Only this task, and as much of it as `record` asks for.
    #[arg(skip)]
    pub recording: Option<Recording>,
}

/// `arco-tvm verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  arco-tvm verify resnet-18 --target 'llvm -mcpu=native' --log resnet-18.log

Untuned means TVM's fallback schedules for the same target string; no downloaded schedules (TopHub) are used.")]
pub struct VerifyArgs {
    /// Which model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The AutoTVM log to compile with
    #[arg(short, long, value_name = "LOG")]
    pub log: PathBuf,
    /// Compare the whole network only, not each task
    #[arg(long)]
    pub network_only: bool,
    /// Measurements of each variant of the network
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub network_repeat: u32,
    /// How to measure the tasks.
    #[command(flatten)]
    pub measure: MeasureArgs,
    /// Which TVM.
    #[command(flatten)]
    pub host: HostArgs,
}

/// `arco-tvm tasks`.
#[derive(Debug, Args)]
#[command(after_help = "\
Networks by name: resnet-18, resnet-34, vgg-11, vgg-13, vgg-16, vgg-19, mobilenet, squeezenet, alexnet, and the
small resnet-8 and mlp. No device is needed, for any target.

Examples:
  arco-tvm tasks resnet-18 --target llvm
  arco-tvm tasks vgg-16 --target cuda --knobs
  arco-tvm tasks model.onnx --target 'opencl -device=mali' --json")]
pub struct TasksArgs {
    /// Which model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Show each task's knobs
    #[arg(long)]
    pub knobs: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "knobs")]
    pub json: bool,
    /// Which TVM.
    #[command(flatten)]
    pub host: HostArgs,
}

/// `arco-tvm doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm doctor
  arco-tvm doctor --tracker 10.0.0.2:9190 --key pi --target 'llvm -mtriple=aarch64-linux-gnu'")]
pub struct DoctorArgs {
    /// Look at this TVM tracker, too
    #[arg(long, value_name = "HOST:PORT", env = "ARCO_TRACKER")]
    pub tracker: Option<TrackerAddress>,
    /// Ask for a device with this key
    #[arg(long, env = "ARCO_KEY")]
    pub key: Option<String>,
    /// What the device runs: a kernel for it is measured 20 times [default: this machine's CPU, without a tracker]
    #[arg(short, long, env = "ARCO_TARGET")]
    pub target: Option<String>,
    /// Which TVM.
    #[command(flatten)]
    pub host: HostArgs,
}

/// `arco-tvm asktell`.
#[derive(Debug, Args)]
#[command(after_help = "\
One JSON object a line: the program describes its space, is asked for configurations, and tells what came of them.
docs/reference/asktell.md has the protocol; docs/guide/ask_tell.py tunes a program with it.")]
pub struct AskTellArgs {
    /// Who chooses, by name [default: as for tune]
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<StrategyKind>,
    /// Seed of all random draws [default: the one that the program names, or 0]
    #[arg(long)]
    pub seed: Option<u64>,
}
