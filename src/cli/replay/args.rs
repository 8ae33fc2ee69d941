//! The command line of `arco-tvm replay`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::strategy::{StrategyKind, UnknownStrategy};

/// `arco-tvm replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arco-tvm replay conv.log --strategy arco,random --seeds 50
  arco-tvm replay conv_A100.json.gz --conditions conv_T1.json --strategy arco,gbt-16,random --svg conv.svg
  arco-tvm replay *.json.gz --strategy arco,random --json runs.jsonl --resume
  arco-tvm replay resnet-18-*.log --strategy arco,arco-no-agents --others 64

SPACE is an AutoTVM log (a space for each task in it), a Kernel Tuner cache, a T4 file or a VTA landscape, gzipped or not,
or names a layer of which the draft model computes every schedule on every accelerator (tests/data/landscapes/joint).
Columns: the mean share of the optimum (optimum / best so far) after so many evaluations; the median number of evaluations
to 95 % and 99 % of the optimum; the score (0 is random search's exact expectation, 1 the optimum from the start) and its
standard deviation over seeds; the first strategy's score minus this one's with a 95 % interval, and the p-value of a
signed-rank test; hours that the run would have taken; CPU milliseconds of the search for each evaluation.")]
pub struct ReplayArgs {
    /// Recorded spaces
    #[arg(required = true, value_name = "SPACE")]
    pub spaces: Vec<PathBuf>,
    /// Strategies by name, or `all`; the others are compared with the first
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', required = true)]
    pub strategy: Vec<Choice>,
    /// Evaluations of a run; failures count
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = at_least_one)]
    pub budget: usize,
    /// Runs of each strategy, with seeds 0, 1, 2, ...
    #[arg(long, value_name = "K", default_value_t = 20, value_parser = at_least_one)]
    pub seeds: usize,
    /// Runs at once [default: one for each core]; with 1, CPU time counts all threads of a search
    #[arg(long, value_name = "J", value_parser = at_least_one)]
    pub jobs: Option<usize>,
    /// T1 file with the conditions on a space's parameters; once for each kernel
    #[arg(long, value_name = "FILE")]
    pub conditions: Vec<PathBuf>,
    /// Before a space search each of the others with N evaluations; strategies that learn from other tasks may
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub others: usize,
    /// Ask for more while at most N evaluations are in flight; `tune` looks 8 ahead, so that its devices need not wait
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub lookahead: usize,
    /// Let strategies ask for what conditions and rules refuse; it fails, and uses budget
    #[arg(long)]
    pub no_masks: bool,
    /// Write every run as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Take runs that the file of --json has already from there
    #[arg(long, requires = "json")]
    pub resume: bool,
    /// Draw convergence, a panel for each space
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// A strategy, or all of them.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// Every strategy that is not named by itself.
    All,
    /// This one.
    One(StrategyKind),
}

impl FromStr for Choice {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "all" => Ok(Self::All),
            _ => name.parse().map(Self::One),
        }
    }
}

impl ReplayArgs {
    /// The strategies in the order named, each once; `all` stands for those that are not named, the default first.
    pub fn strategies(&self) -> Vec<StrategyKind> {
        let mut strategies = Vec::new();
        let mut add = |kind| {
            if !strategies.contains(&kind) {
                strategies.push(kind);
            }
        };
        for choice in &self.strategy {
            match choice {
                Choice::One(kind) => add(*kind),
                Choice::All => {
                    add(StrategyKind::default());
                    StrategyKind::ALL.into_iter().for_each(&mut add);
                }
            }
        }
        strategies
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be 1 at least".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("it is no whole number".to_owned()),
    }
}
