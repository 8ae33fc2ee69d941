//! Who says how long a schedule takes on a geometry.

use super::ledger::Point;
use super::network::Network;

/// Answers points.
pub trait Evaluator {
    /// What it is, for reports: whose cycles these are.
    fn name(&self) -> &'static str;

    /// Cycles of one launch of a point; none for a schedule that fails.
    ///
    /// # Errors
    /// When nothing can be evaluated any more; the text says why.
    fn cycles(&mut self, network: &Network, point: &Point) -> Result<Option<u64>, String>;
}
