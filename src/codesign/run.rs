//! The loop: ask, recall or evaluate, tell.

use crate::record::AppendError;
use crate::strategy::StrategyError;

use super::evaluator::Evaluator;
use super::journal::{Event, Recalled, SearchJournal};
use super::ledger::Point;
use super::search::{Problem, Search};

/// Why a search broke off. What was evaluated is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The search cannot go on.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// Nothing can be evaluated any more.
    #[error("schedules cannot be evaluated: {0}")]
    Evaluator(String),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] AppendError),
}

/// Runs a search until its budget is spent or nothing is left.
///
/// After each point, recalled or evaluated, `progress` hears how many the search has not been told of yet, and others have their
/// turn. To drop the future there loses nothing: what was evaluated is in the journal.
///
/// # Errors
/// When the search, the evaluator or the journal fails for good.
pub async fn run<E: Evaluator>(
    problem: &Problem,
    search: &mut Search,
    evaluator: &mut E,
    recalled: &Recalled,
    mut journal: Option<&mut SearchJournal>,
    mut progress: impl FnMut(&Search, usize),
) -> Result<(), SearchError> {
    loop {
        let points = search.ask()?;
        if points.is_empty() {
            return Ok(());
        }
        let mut told: Vec<(Point, Option<u64>)> = Vec::with_capacity(points.len());
        for point in points {
            let cycles = match recalled.find(&point) {
                Some(cycles) => cycles,
                None => {
                    let cycles = evaluator
                        .cycles(&problem.network, &point)
                        .map_err(SearchError::Evaluator)?;
                    if let Some(journal) = &mut journal {
                        journal.write(&Event::evaluation(&point, cycles))?;
                    }
                    cycles
                }
            };
            told.push((point, cycles));
            progress(search, told.len());
            // The draft model never waits for anything, and a draft can take seconds: Ctrl-C must be heard.
            tokio::task::yield_now().await;
        }
        search.tell(&told);
        progress(search, 0);
    }
}
