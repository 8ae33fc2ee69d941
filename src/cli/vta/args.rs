//! What `arco-tvm vta` takes.

use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The commands of `arco-tvm vta`.
#[derive(Debug, Subcommand)]
pub enum VtaCommand {
    /// Run a program: compare memory and counters with the file, and say how long it takes
    Run(RunArgs),
    /// Draw where a program's cycles go
    Trace(TraceArgs),
    /// Print a program as text
    Disasm(DisasmArgs),
    /// Make a program file of text
    Asm(AsmArgs),
    /// Show what follows from a geometry: elements, depths, resources
    Info(InfoArgs),
}

/// Which memory and clock.
#[derive(Clone, Debug, Args)]
pub struct MachineArgs {
    /// Longest burst of the memory, in beats: 16 (de10nano) or 256 (pynq) [default: the program's geometry]
    #[arg(long, value_name = "BEATS")]
    pub burst: Option<u32>,
    /// Clock in MHz [default: the program's geometry]
    #[arg(long, value_name = "MHZ")]
    pub clock: Option<u32>,
    /// Times the whole program is run; tokens and buffers persist
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub launches: u32,
}

/// `arco-tvm vta run`.
#[derive(Debug, Args)]
#[command(after_help = "\
PROGRAM is JSON with memory, JSON for timing only, or text (docs/guide/vta-programs.md), plain or gzipped. Memory, \
counters, tokens and cycles are compared with what the file says, as far as it does; what differs makes the exit code 9.

Examples:
  arco-tvm vta run conv2d.json.gz
  arco-tvm vta run conv2d.json.gz --timing-only --burst 256
  arco-tvm vta run by_hand.vta --launches 2 --json | jq .cycles")]
pub struct RunArgs {
    /// The program
    pub program: PathBuf,
    /// Which machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Time alone: memory is not touched, and addresses are not checked
    #[arg(long)]
    pub timing_only: bool,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `arco-tvm vta trace`.
#[derive(Debug, Args)]
#[command(after_help = "\
A file that ends in .svg is a picture: above the whole run, below a window of it with every instruction, wait and token; \
it opens in a browser. Any other is a trace for https://ui.perfetto.dev or chrome://tracing, in which 1 us is 1 cycle; \
it is gzipped if its name ends in .gz.

Examples:
  arco-tvm vta trace conv2d.json.gz -o conv2d.svg
  arco-tvm vta trace conv2d.json.gz -o conv2d.svg --window 12000..14000
  arco-tvm vta trace conv2d.json.gz -o conv2d.trace.json.gz --burst 256")]
pub struct TraceArgs {
    /// The program
    pub program: PathBuf,
    /// Where to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Cycles that a picture shows in detail [default: some in the middle]
    #[arg(long, value_name = "FROM..TO", value_parser = window)]
    pub window: Option<Range<u64>>,
    /// Width of a picture in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 1400)]
    pub width: u32,
    /// Which machine.
    #[command(flatten)]
    pub machine: MachineArgs,
}

/// `arco-tvm vta disasm`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --code the text holds the whole program, and `arco-tvm vta asm` makes the same program of it.

Examples:
  arco-tvm vta disasm conv2d.json.gz --code | less
  arco-tvm vta disasm conv2d.json.gz -o conv2d.vta")]
pub struct DisasmArgs {
    /// The program
    pub program: PathBuf,
    /// Instructions alone, with their numbers
    #[arg(long)]
    pub code: bool,
    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `arco-tvm vta asm`.
#[derive(Debug, Args)]
#[command(after_help = "\
The JSON has the form with memory, or the timing-only form if the text says .timing_only; it is gzipped if FILE ends in \
.gz. Expected cycles and errors have no place in either, expected tokens only in the second.

Examples:
  arco-tvm vta asm by_hand.vta -o by_hand.json.gz
  arco-tvm vta asm by_hand.vta | jq .runs[0].insns")]
pub struct AsmArgs {
    /// The text
    pub program: PathBuf,
    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `arco-tvm vta info`.
#[derive(Debug, Args)]
#[command(after_help = "\
Boards: pynq, ultra96, zcu104, de10nano. What a geometry needs of one is an estimate; nothing is synthesised.

Examples:
  arco-tvm vta info pynq
  arco-tvm vta info 1x32_i8w8a32_15_16_19_18 --json
  arco-tvm vta info vta_config.json")]
pub struct InfoArgs {
    /// A preset (sim, pynq, ultra96, zcu104, de10nano), a geometry's name, or a vta_config.json
    #[arg(default_value = "sim")]
    pub geometry: String,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

fn window(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("give it as FROM..TO")?;
    let cycle = |text: &str| {
        text.parse::<u64>()
            .map_err(|error| format!("`{text}`: {error}"))
    };
    let window = cycle(from)?..cycle(to)?;
    if window.is_empty() {
        return Err("it must end after it begins".to_owned());
    }
    Ok(window)
}
