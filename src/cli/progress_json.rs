//! A run as JSON lines on standard output, for machines that watch it (`--json-progress`).

use serde_json::json;

use crate::tuning::{Progress, TaskRun, TuneObserver};

use super::printer::Printer;

/// Writes an object for each finished trial and each finished task.
#[derive(Debug)]
pub struct JsonProgress {
    printer: Printer,
}

impl JsonProgress {
    /// Writes to the printer's standard output.
    pub const fn new(printer: Printer) -> Self {
        Self { printer }
    }
}

impl TuneObserver for JsonProgress {
    fn finished(&mut self, progress: &Progress<'_>) {
        let outcome = &progress.measurement.outcome;
        self.printer.result(
            json!({
                "event": "trial",
                "task": progress.position,
                "name": progress.task.task().workload.name,
                "index": progress.config.index,
                "costs": outcome.as_ref().ok(),
                "error": outcome.as_ref().err().map(|failure| json!({
                    "number": failure.error_no as u8,
                    "reason": failure.kind,
                })),
                "best": progress.task.best_cost(),
                "done": progress.done,
                "planned": progress.planned,
                "tuned_operators": progress.network,
            })
            .to_string(),
        );
    }

    fn all_failed(&mut self, position: usize, task: &TaskRun) {
        let reasons = task.failures().most_frequent(3);
        self.printer.result(
            json!({"event": "all-failed", "task": position, "reasons": reasons}).to_string(),
        );
    }

    fn stopped(&mut self, position: usize, task: &TaskRun) {
        self.printer.result(
            json!({
                "event": "stop",
                "task": position,
                "reason": task.stop(),
                "trials": task.trials(),
                "best": task.best_cost(),
                "untuned": task.untuned_cost(),
            })
            .to_string(),
        );
    }
}
