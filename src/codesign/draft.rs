//! The draft model as an evaluator: cycles without TVM.

use std::collections::HashMap;

use crate::vta::config::Geometry;
use crate::vta::draft::{DraftError, Drafter, Epilogue};

use super::evaluator::Evaluator;
use super::ledger::Point;
use super::network::Network;

/// Drafts the program of each point and times it.
#[derive(Default)]
pub struct DraftEvaluator {
    drafters: HashMap<Geometry, Drafter>,
    epilogue: Epilogue,
}

impl Evaluator for DraftEvaluator {
    fn name(&self) -> &'static str {
        "draft model"
    }

    /// Fails when the timing model cannot say how long a program takes.
    fn cycles(&mut self, network: &Network, point: &Point) -> Result<Option<u64>, String> {
        let conv = network.packed(point);
        let drafter = self
            .drafters
            .entry(point.geometry)
            .or_insert_with(|| Drafter::new(&point.geometry));
        let drafted = drafter.draft(&conv, &point.tiles, &self.epilogue);
        match drafted.and_then(|mut draft| draft.cycles()) {
            Ok(cycles) => Ok(Some(cycles)),
            Err(DraftError::Refused(_) | DraftError::Runtime(_)) => Ok(None),
            Err(error @ DraftError::Timing(_)) => Err(format!("{point:?}: {error}")),
        }
    }
}
