//! Results in the order that they were asked for, whatever order they are finished in.

use std::collections::VecDeque;

use crate::measure::{Measurement, TrialId};

/// Trials that were asked for and not delivered yet, oldest first.
///
/// A strategy sees results in the order it asked, and the log gets them in that order, too: so a run on a
/// deterministic device repeats to the byte, however long its builds take.
#[derive(Debug)]
pub(super) struct Delivery<T> {
    next: u64,
    asked: VecDeque<Asked<T>>,
}

#[derive(Debug)]
struct Asked<T> {
    id: TrialId,
    what: T,
    result: Option<Measurement>,
}

impl<T> Delivery<T> {
    pub(super) const fn new() -> Self {
        Self {
            next: 0,
            asked: VecDeque::new(),
        }
    }

    /// Takes note of a trial that was asked for.
    pub(super) fn ask(&mut self, what: T) -> TrialId {
        let id = TrialId(self.next);
        self.next += 1;
        self.asked.push_back(Asked {
            id,
            what,
            result: None,
        });
        id
    }

    fn place(&self, id: TrialId) -> usize {
        self.asked
            .binary_search_by_key(&id, |asked| asked.id)
            .expect("a measurement of a trial that was asked for")
    }

    /// What was asked for under this number.
    ///
    /// # Panics
    /// When no such trial is outstanding.
    pub(super) fn asked_as(&self, id: TrialId) -> &T {
        &self.asked[self.place(id)].what
    }

    /// Takes in a finished trial.
    ///
    /// # Panics
    /// When no such trial is outstanding.
    pub(super) fn finish(&mut self, id: TrialId, result: Measurement) -> &T {
        let place = self.place(id);
        self.asked[place].result = Some(result);
        &self.asked[place].what
    }

    /// The oldest trial if it is finished.
    pub(super) fn deliver(&mut self) -> Option<(TrialId, T, Measurement)> {
        self.asked.front()?.result.as_ref()?;
        let Asked { id, what, result } = self.asked.pop_front()?;
        Some((id, what, result?))
    }

    /// Number of trials that were asked for and not delivered.
    pub(super) fn outstanding(&self) -> usize {
        self.asked.len()
    }

    /// What is outstanding, oldest first.
    pub(super) fn asked(&self) -> impl Iterator<Item = &T> {
        self.asked.iter().map(|asked| &asked.what)
    }
}
