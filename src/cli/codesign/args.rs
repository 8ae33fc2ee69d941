//! Arguments of `arco-tvm codesign`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::{HostArgs, MeasureArgs};
use crate::codesign::{Mode, Objective};
use crate::strategy::StrategyKind;

/// `arco-tvm codesign`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm codesign resnet-18 -o out                                  # as many MACs and buffer bits as the default geometry
  arco-tvm codesign resnet-18 --budget-fpga zcu104 -o out             # what fits a ZCU104
  arco-tvm codesign resnet-18 vgg-16 --max-macs 512 --max-sram 960 -o out
  arco-tvm codesign resnet-18 --objective throughput -o out           # BATCH images at once
  arco-tvm codesign resnet-18 --mode per-layer -o out                 # an upper bound, no accelerator

Schedules and geometries are ranked by a draft model, which runs no TVM; what is reported was lowered by TVM and timed by
the accelerator's timing model. The same command again goes on where it was stopped.")]
pub struct CodesignArgs {
    /// Networks by name, or files; one accelerator serves all of them
    #[arg(required = true, value_name = "MODEL")]
    pub models: Vec<String>,
    /// Folder for vta_config.json, logs, the front and the journal
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,
    /// What may change
    #[arg(long, value_enum, default_value_t)]
    pub mode: Mode,
    /// What is to be small
    #[arg(long, value_enum, default_value_t)]
    pub objective: Objective,
    /// Geometry to compare with, and the one of --mode fixed: widths, bus, burst and clock are its own
    /// [default: the preset of --budget-fpga, or sim]
    #[arg(long, value_name = "GEOMETRY")]
    pub geometry: Option<String>,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub search: SearchArgs,
    /// How to measure.
    #[command(flatten)]
    pub measure: MeasureArgs,
    /// Which TVM.
    #[command(flatten)]
    pub host: HostArgs,
}

/// What the accelerator may cost.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// FPGA in which it must fit by estimate: pynq, ultra96, zcu104, de10nano or the device's name
    #[arg(long, value_name = "NAME")]
    pub budget_fpga: Option<String>,
    /// Most multiply-accumulate units [default: those of --geometry, without --budget-fpga]
    #[arg(long, value_name = "N")]
    pub max_macs: Option<u64>,
    /// Most KiB of all buffers together [default: those of --geometry, without --budget-fpga]
    #[arg(long, value_name = "KIB")]
    pub max_sram: Option<u64>,
    /// Most images at once, with --objective throughput; up to 64 [default: 16]
    #[arg(long, value_name = "N")]
    pub max_batch: Option<u32>,
    /// Let BLOCK_IN and BLOCK_OUT differ: each layer's input is packed anew, which is charged; such a network cannot be
    /// compiled as a whole yet
    #[arg(long)]
    pub unequal_blocks: bool,
}

/// How to search.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search")]
pub struct SearchArgs {
    /// Schedules to evaluate on the draft model, over all geometries [default: 96 for each layer]
    #[arg(long, value_name = "N")]
    pub evaluations: Option<usize>,
    /// Trials for each layer on the real path, for the chosen and for the default geometry
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub trials_per_task: usize,
    /// Who chooses the trials of the real path
    #[arg(long, value_name = "NAME", default_value_t)]
    pub strategy: StrategyKind,
    /// Geometries of the front that are measured
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub front: usize,
    /// Seed of all random draws [default: 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Compare the search with its baselines on the draft model, with so many seeds, into compare.jsonl; measure nothing.
    /// What is searched is in problem.json, which is all that 0 seeds write
    #[arg(long, value_name = "SEEDS")]
    pub compare: Option<u64>,
    /// With --compare, evaluate every schedule that could be the best of any geometry, too (minutes to hours), into
    /// table.jsonl: then the distance to the best there is is known
    #[arg(long, requires = "compare")]
    pub exhaustive: bool,
    /// Answer another program's questions by the draft model: on standard input lines such as {"layer": 0, "geometry":
    /// NAME, "tiles": [7, 14, 1, 2, 2, 1]}, on standard output the cycles of each, or null; without tiles all that there are;
    /// to {"front": [such objects...]} the geometries that none beats by these schedules
    #[arg(long, conflicts_with = "compare")]
    pub evaluate: bool,
}
