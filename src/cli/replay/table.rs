//! What the runs came to, as tables.

use crate::measure::recorded::RecordedSpace;
use crate::replay::{Curves, History, Paired, Yardstick, mean, median, standard_deviation};
use crate::strategy::StrategyKind;

use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::format;
use super::args::ReplayArgs;

/// Evaluations after which shares are shown.
const SHOWN: [usize; 5] = [16, 32, 64, 128, 256];
/// Shares of the optimum to which evaluations are counted.
const TARGETS: [f64; 2] = [0.95, 0.99];

/// All runs on one space.
pub(super) struct SpaceRuns<'a> {
    recorded: &'a RecordedSpace,
    yardstick: Yardstick,
    budget: usize,
    strategies: Vec<StrategyRuns>,
}

/// All runs of one strategy on one space, in the order of seeds.
struct StrategyRuns {
    strategy: StrategyKind,
    curves: Vec<Vec<f64>>,
    /// `None` where nothing is scored.
    scores: Option<Vec<f64>>,
    /// Hours of recorded measurements and search; `None` where the record has no times.
    hours: Option<f64>,
    /// CPU milliseconds of the search for each evaluation.
    search_ms: f64,
}

impl StrategyRuns {
    fn new(strategy: StrategyKind, histories: &[History], yardstick: &Yardstick) -> Self {
        let curves: Vec<Vec<f64>> = histories
            .iter()
            .map(|history| yardstick.curve(history))
            .collect();
        let searching = |history: &History| history.search_cpu.as_secs_f64();
        let hours: Option<Vec<f64>> = histories
            .iter()
            .map(|history| Some((history.measuring_seconds()? + searching(history)) / 3600.0))
            .collect();
        let evaluations: usize = histories.iter().map(|h| h.evaluations.len()).sum();
        let search_s: f64 = histories.iter().map(searching).sum();
        Self {
            strategy,
            scores: curves.iter().map(|curve| yardstick.score(curve)).collect(),
            hours: hours.map(|hours| mean(&hours)),
            search_ms: 1e3 * search_s / evaluations.max(1) as f64,
            curves,
        }
    }
}

impl<'a> SpaceRuns<'a> {
    /// The runs of all strategies on a space, in the order of the command line.
    ///
    /// # Errors
    /// When every configuration of the space fails.
    pub(super) fn new(
        recorded: &'a RecordedSpace,
        histories: Vec<Vec<History>>,
        args: &ReplayArgs,
    ) -> Result<Self, CliError> {
        let yardstick = Yardstick::new(recorded, args.budget).ok_or_else(|| {
            CliError::new(
                ExitCode::NothingFound,
                format!(
                    "{}: every recorded configuration failed; there is no optimum to look for",
                    recorded.name
                ),
                "",
            )
        })?;
        let strategies = args
            .strategies()
            .into_iter()
            .zip(histories)
            .map(|(strategy, histories)| StrategyRuns::new(strategy, &histories, &yardstick))
            .collect();
        Ok(Self {
            recorded,
            yardstick,
            budget: args.budget,
            strategies,
        })
    }

    /// A line about the space.
    pub(super) fn headline(&self) -> String {
        let Self {
            recorded,
            yardstick,
            ..
        } = self;
        let [near, nearest] = TARGETS.map(|share| yardstick.reaching(share));
        let refused = recorded.space.range_length() - recorded.configurations();
        let refused = match refused {
            0 => String::new(),
            n => format!(" ({} more are refused)", format::count(n)),
        };
        let scored = yardstick.scored();
        let scored = match scored.is_empty() {
            true => "no score".to_owned(),
            false => format!("score from {} to {}", scored.start + 1, scored.end),
        };
        format!(
            "{}: {} configurations{refused}, {} run, the best in {}; {near} reach 95 %, {nearest} reach 99 %; {scored}",
            recorded.name,
            format::count(recorded.configurations()),
            format::count(recorded.valid() as u64),
            format::seconds(yardstick.optimum),
        )
    }

    /// A row for each strategy, below one for random search's expectation.
    pub(super) fn table(&self) -> String {
        let shown: Vec<usize> = SHOWN.into_iter().filter(|&n| n <= self.budget).collect();
        let minus = format!("{} minus it", self.strategies[0].strategy);
        let mut head = vec!["".to_owned()];
        head.extend(shown.iter().map(|n| format!("@{n}")));
        head.extend(TARGETS.map(|share| format!("{:.0} %", 100.0 * share)));
        head.extend(
            [
                "score",
                "sd",
                &minus,
                "95 % interval",
                "p",
                "hours",
                "CPU ms",
            ]
            .map(str::to_owned),
        );
        let mut expected = vec!["random, expected".to_owned()];
        expected.extend(
            shown
                .iter()
                .map(|n| share(self.yardstick.expectation[n - 1])),
        );
        expected.extend(TARGETS.map(|_| "-".to_owned()));
        expected.push(
            self.strategies[0]
                .scores
                .as_ref()
                .map_or("-", |_| "0.000")
                .to_owned(),
        );
        expected.resize(head.len(), "-".to_owned());
        let mut rows = vec![expected];
        rows.extend(self.strategies.iter().map(|runs| self.row(runs, &shown)));
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        format::table(&head, 1, rows)
    }

    fn row(&self, runs: &StrategyRuns, shown: &[usize]) -> Vec<String> {
        let mut row = vec![runs.strategy.to_string()];
        row.extend(shown.iter().map(|&n| {
            let reached: Vec<f64> = runs.curves.iter().map(|curve| curve[n - 1]).collect();
            share(mean(&reached))
        }));
        row.extend(TARGETS.map(|target| self.evaluations_to(runs, target)));
        match &runs.scores {
            Some(scores) => {
                row.push(signed(mean(scores)));
                row.push(share(standard_deviation(scores)));
            }
            None => row.extend(["-", "-"].map(str::to_owned)),
        }
        row.extend(comparison(self.lead(runs)));
        row.push(
            runs.hours
                .map_or("-".to_owned(), |hours| format!("{hours:.2}")),
        );
        row.push(format!("{:.2}", runs.search_ms));
        row
    }

    /// The first strategy's lead over another one.
    fn lead(&self, runs: &StrategyRuns) -> Option<Paired> {
        match (&self.strategies[0].scores, &runs.scores) {
            (Some(first), Some(scores)) if !std::ptr::eq(first, scores) => {
                Paired::new(first, scores)
            }
            _ => None,
        }
    }

    /// Scores of each strategy in the order of the command line; `None` where nothing is scored.
    pub(super) fn scores(&self) -> Option<Vec<&[f64]>> {
        let runs = self.strategies.iter();
        runs.map(|runs| runs.scores.as_deref()).collect()
    }

    /// Those strategies to which the first one loses by more than this: the interval of its lead lies below.
    pub(super) fn loses_to(&self, least: f64) -> Vec<String> {
        let name = &self.recorded.name;
        self.strategies
            .iter()
            .filter_map(|runs| Some((runs.strategy, self.lead(runs)?)))
            .filter(|(_, lead)| lead.high < least)
            .map(|(strategy, _)| format!("{strategy} on {name}"))
            .collect()
    }

    /// The median over seeds; runs that do not get there count as the budget.
    fn evaluations_to(&self, runs: &StrategyRuns, target: f64) -> String {
        let found: Vec<Option<usize>> = runs
            .curves
            .iter()
            .map(|curve| self.yardstick.evaluations_to(curve, target))
            .collect();
        let counted: Vec<f64> = found
            .iter()
            .map(|found| found.unwrap_or(self.budget) as f64)
            .collect();
        let missed = found.iter().filter(|found| found.is_none()).count();
        match 2 * missed > found.len() {
            true => format!(">{}", self.budget),
            false => format!("{:.0}", median(&counted)),
        }
    }

    /// What is drawn.
    pub(super) fn curves(&self) -> Curves {
        Curves {
            title: self.recorded.name.clone(),
            expectation: self.yardstick.expectation.clone(),
            strategies: self
                .strategies
                .iter()
                .map(|runs| (runs.strategy.to_string(), runs.curves.clone()))
                .collect(),
        }
    }
}

fn share(value: f64) -> String {
    format!("{value:.3}")
}

pub(super) fn signed(value: f64) -> String {
    format!("{value:+.3}")
}

/// Difference, interval and p-value.
pub(super) fn comparison(compared: Option<Paired>) -> [String; 3] {
    match compared {
        Some(paired) => [
            signed(paired.difference),
            format!("{} to {}", signed(paired.low), signed(paired.high)),
            p_value(paired.p),
        ],
        None => ["-", "-", "-"].map(str::to_owned),
    }
}

fn p_value(p: f64) -> String {
    if p < 0.001 {
        "<0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}
