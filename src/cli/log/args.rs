//! The command line of `arco-tvm log`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `arco-tvm log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// What to do with the log.
    #[command(subcommand)]
    pub command: LogCommand,
}

/// The commands on logs.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Say what is wrong with logs; write a clean copy
    Lint(LintArgs),
    /// Write several logs into one, every configuration once
    Merge(MergeArgs),
    /// Pick the best record of each task, as AutoTVM's pick_best does
    Best(BestArgs),
    /// Say why a record won, what lost, what failed and where the time went
    Explain(ExplainArgs),
    /// Turn a log into a table for spreadsheets, or such a table into a log
    Convert(ConvertArgs),
}

/// `arco-tvm log lint`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm log lint resnet-18.log
  arco-tvm log lint old.log.gz --fix -o clean.log

Errors are what TVM's own reader stops at (exit code 6); warnings are what it would apply without a word (exit code 0).
The clean copy has no line that is no record, no cost that is no time, and every configuration once, the fastest.")]
pub struct LintArgs {
    /// AutoTVM logs, gzipped or not
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// Write a clean copy of the log to -o
    #[arg(long, requires = "output")]
    pub fix: bool,
    /// Where the clean copy goes; a name that ends in .gz gets a gzip file
    #[arg(short, long, value_name = "OUT", requires = "fix")]
    pub output: Option<PathBuf>,
    /// Show every finding, not just the first few of each sort
    #[arg(long)]
    pub all: bool,
}

/// `arco-tvm log merge`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  arco-tvm log merge monday.log tuesday.log.gz -o week.log

Lines are copied byte for byte, in the order of the logs. Of a configuration that was measured more than once the
fastest record stays.")]
pub struct MergeArgs {
    /// AutoTVM logs, gzipped or not
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// Where the merged log goes; none of the inputs
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
}

/// `arco-tvm log best`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm log best resnet-18.log
  arco-tvm log best resnet-18.log -o resnet-18.best.log")]
pub struct BestArgs {
    /// AutoTVM logs, gzipped or not
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// Write the records to this log instead of showing a table
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
}

/// `arco-tvm log explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm log explain resnet-18.log
  arco-tvm log explain resnet-18.log --task 1x64x56x56 --top 5

Why a configuration was chosen, the text of errors and the time by stage come from LOG.journal, which `tune` writes
beside the log; a log of AutoTVM's own has none.")]
pub struct ExplainArgs {
    /// An AutoTVM log, gzipped or not
    #[arg(value_name = "LOG")]
    pub log: PathBuf,
    /// Only tasks whose name and shapes contain this text
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub task: String,
    /// Runners-up to show
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub top: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `arco-tvm log convert`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm log convert resnet-18.log -o resnet-18.csv
  arco-tvm log convert resnet-18.csv -o again.log

One row for each record: task, configuration, error, costs, and a column for each knob with its value as JSON.
Formats are known by the file's name: .csv, .jsonl or .ndjson (one JSON object a line), and anything else is an AutoTVM
log. Nothing that TVM uses is lost on the way there and back.")]
pub struct ConvertArgs {
    /// An AutoTVM log or a table, gzipped or not
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// What to write; a name that ends in .gz gets a gzip file
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// Format of the input, whatever its name
    #[arg(long, value_name = "FORMAT")]
    pub from: Option<Format>,
    /// Format of the output, whatever its name
    #[arg(long, value_name = "FORMAT")]
    pub to: Option<Format>,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// AutoTVM's log.
    Log,
    /// A table of comma-separated values.
    Csv,
    /// A table with one JSON object a line.
    Jsonl,
}
