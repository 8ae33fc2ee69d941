//! Who says how long a schedule takes on a geometry.

use super::ledger::Point;
use super::network::Network;

/// Answers points: a model, or builders and devices.
pub trait Evaluator {
    /// What it is, for reports: whose cycles these are.
    fn name(&self) -> &'static str;

    /// Cycles of one launch of each point, in the order asked; none for a schedule that fails.
    ///
    /// # Errors
    /// When nothing can be evaluated any more; the text says why.
    fn evaluate(
        &mut self,
        network: &Network,
        points: &[Point],
    ) -> impl Future<Output = Result<Vec<Option<u64>>, String>>;
}
