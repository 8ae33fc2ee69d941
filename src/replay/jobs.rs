//! Many runs at once; the results come in the order of the jobs, whatever the number of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::measure::recorded::RecordedSpace;
use crate::strategy::StrategyKind;

use super::cpu::CpuClock;
use super::run::{History, ReplayError, replay};

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// On this space.
    pub space: &'a RecordedSpace,
    /// By this strategy.
    pub strategy: StrategyKind,
    /// With this seed.
    pub seed: u64,
    /// With at most so many evaluations.
    pub budget: usize,
    /// It is asked for more while at most so many are in flight.
    pub lookahead: usize,
    /// What the strategy has learnt from before.
    pub before: Before<'a>,
}

/// Spaces that were searched before a run, by the same strategy, which keeps what it learnt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before<'a> {
    /// All spaces; that of the run is passed over.
    pub spaces: &'a [RecordedSpace],
    /// Evaluations of each: 0 leaves them out.
    pub budget: usize,
}

/// Runs all jobs on `threads` threads and hands each history to `done`, in the order of the jobs.
///
/// CPU time of a search is that of all threads if there is one search at a time, and that of its own thread otherwise.
///
/// # Errors
/// The first error of a run or of `done`; jobs that have not begun then never do.
pub fn run_all<E: From<ReplayError>>(
    jobs: &[Job<'_>],
    threads: usize,
    mut done: impl FnMut(usize, History) -> Result<(), E>,
) -> Result<(), E> {
    let clock = match threads {
        0 | 1 => CpuClock::Process,
        _ => CpuClock::Thread,
    };
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((position, job)) = take(jobs, next) {
                    let history = replay(job, clock);
                    // Nobody listens any more once a run has failed.
                    if sender.send((position, history)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut turn = 0;
        let result = receiver.iter().try_for_each(|(position, history)| {
            early.insert(position, history?);
            while let Some(history) = early.remove(&turn) {
                done(turn, history)?;
                turn += 1;
            }
            Ok(())
        });
        if result.is_err() {
            next.store(jobs.len(), Ordering::Relaxed);
        }
        result
    })
}

fn take<'a, 'b>(jobs: &'a [Job<'b>], next: &AtomicUsize) -> Option<(usize, &'a Job<'b>)> {
    let position = next.fetch_add(1, Ordering::Relaxed);
    Some((position, jobs.get(position)?))
}
