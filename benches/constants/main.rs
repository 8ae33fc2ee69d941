//! Constants of `arco` chosen by leaving one space out: would those that do best on all other spaces have done as well
//! on this one, and how far is the default from the best?
//!
//!     cargo bench --bench constants                      # 20 seeds on the recorded spaces of the test data
//!     cargo bench --bench constants -- --seeds 5 --spaces my/records
//!
//! Every setting differs from the default in one constant, or in the two that matter most. The first table has the mean
//! score of each over all spaces, each counting the same, and its lead over the default with a 95 % interval over seeds.
//! The second leaves each space out in turn: which setting is the best on the others, and what it comes to here.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod settings;
mod spaces;

use std::path::PathBuf;
use std::sync::Arc;

use arco_tvm::measure::recorded::RecordedSpace;
use arco_tvm::replay::{CpuClock, History, Yardstick, mean, pooled, replay_with};
use arco_tvm::seed::Seed;
use arco_tvm::strategy::{Arco, StrategyKind};
use arco_tvm::transfer::Knowledge;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use settings::{Setting, settings};

/// Constants of `arco` on recorded spaces, one space left out in turn.
#[derive(Parser)]
struct Options {
    /// Runs of each setting on each space
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// Evaluations of a run
    #[arg(long, default_value_t = 256)]
    budget: usize,
    /// A folder with more recorded spaces
    #[arg(long)]
    spaces: Vec<PathBuf>,
    /// What cargo passes
    #[arg(long, hide = true)]
    bench: bool,
}

/// A space on which runs are scored, and by what.
type Judged = (RecordedSpace, Yardstick);
/// `scores[space][setting][seed]`.
type Scores = Vec<Vec<Vec<f64>>>;

fn main() {
    let mut options = Options::parse();
    let mut settings = settings();
    let mut spaces = spaces::read(&options.spaces);
    if !options.bench {
        // Under `cargo test --benches` a run only proves that it works.
        (options.seeds, options.budget) = (1, 24);
        settings.truncate(2);
        spaces.truncate(2);
    }
    let judged: Vec<Judged> = spaces
        .into_iter()
        .filter_map(|space| {
            let yardstick = Yardstick::new(&space, options.budget)?;
            (!yardstick.scored().is_empty()).then_some((space, yardstick))
        })
        .collect();
    let scores = scores(&options, &settings, &judged);
    println!(
        "{} spaces with a score, {} seeds, {} evaluations",
        judged.len(),
        options.seeds,
        options.budget
    );
    print_settings(&settings, &scores);
    let names: Vec<&str> = judged
        .iter()
        .map(|(space, _)| space.name.as_str())
        .collect();
    print_left_out(&names, &settings, &scores);
}

/// Runs every setting with every seed on every space.
fn scores(options: &Options, settings: &[Setting], spaces: &[Judged]) -> Scores {
    let seeds = options.seeds as usize;
    let each = settings.len() * seeds;
    let progress = ProgressBar::new((spaces.len() * each) as u64).with_style(
        ProgressStyle::with_template("{pos}/{len} runs [{elapsed_precise} of {duration_precise}]")
            .expect("the template has no mistake"),
    );
    let flat: Vec<f64> = (0..spaces.len() * each)
        .into_par_iter()
        .map(|run| {
            let (space, yardstick) = &spaces[run / each];
            let (setting, seed) = (run % each / seeds, run % seeds);
            let history = search(space, &settings[setting], seed as u64, options.budget);
            progress.inc(1);
            yardstick
                .score(&yardstick.curve(&history))
                .expect("only spaces with a score are searched")
        })
        .collect();
    progress.finish_and_clear();
    flat.chunks(each)
        .map(|space| space.chunks(seeds).map(<[f64]>::to_vec).collect())
        .collect()
}

fn search(recorded: &RecordedSpace, setting: &Setting, seed: u64, budget: usize) -> History {
    let mut arco = Arco::new(
        StrategyKind::Arco,
        Arc::clone(&recorded.space),
        &recorded.context,
        Seed(seed),
        &Knowledge::default(),
        setting.constants,
    );
    replay_with(recorded, &mut arco, budget, 0, CpuClock::Thread)
        .unwrap_or_else(|error| panic!("{} with {}: {error}", recorded.name, setting.name))
}

fn print_settings(settings: &[Setting], scores: &Scores) {
    println!(
        "\n{:<34} {:>7}  {:>7}  {:>16}",
        "", "score", "lead", "95 % interval"
    );
    let of = |setting: usize| -> Vec<Vec<f64>> {
        scores.iter().map(|space| space[setting].clone()).collect()
    };
    for (s, setting) in settings.iter().enumerate() {
        let runs = of(s);
        let score = mean(&runs.iter().map(|runs| mean(runs)).collect::<Vec<_>>());
        print!("{:<34} {score:>7.3}", setting.name);
        match pooled(&runs, &of(0)).filter(|_| s > 0) {
            Some(lead) => println!(
                "  {:>+7.3}  {:+.3} to {:+.3}",
                lead.difference, lead.low, lead.high
            ),
            None => println!(),
        }
    }
}

fn print_left_out(names: &[&str], settings: &[Setting], scores: &Scores) {
    println!(
        "\n{:<32} {:<34} {:>7} {:>7} {:>7}",
        "left out", "best on the others", "it here", "default", "best"
    );
    let means: Vec<Vec<f64>> = scores
        .iter()
        .map(|space| space.iter().map(|runs| mean(runs)).collect())
        .collect();
    let mut sums = [0.0; 3];
    for (left_out, name) in names.iter().enumerate() {
        let elsewhere = |setting: usize| -> f64 {
            let others = means.iter().enumerate().filter(|(s, _)| *s != left_out);
            others.map(|(_, space)| space[setting]).sum()
        };
        let here = &means[left_out];
        let chosen = (0..settings.len())
            .max_by(|&a, &b| elsewhere(a).total_cmp(&elsewhere(b)).then(b.cmp(&a)))
            .expect("the default is a setting");
        let best = here.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let row = [here[chosen], here[0], best];
        println!(
            "{name:<32} {:<34} {:>7.3} {:>7.3} {:>7.3}",
            settings[chosen].name, row[0], row[1], row[2]
        );
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value);
    }
    let n = names.len() as f64;
    println!(
        "{:<32} {:<34} {:>7.3} {:>7.3} {:>7.3}",
        "mean",
        "",
        sums[0] / n,
        sums[1] / n,
        sums[2] / n
    );
}
