//! What the device's limits rule out before anything is built.

use std::sync::Arc;

use crate::frontend::ExtractedTasks;
use crate::measure::Pipeline;

use super::super::printer::Printer;

/// Asks the devices what they allow, and masks what they cannot run in the spaces of all tasks whose templates are known.
pub(super) async fn mask(
    extracted: &mut ExtractedTasks,
    pipeline: &mut Pipeline,
    printer: Printer,
) {
    let limits = match pipeline.gpu_limits().await {
        Ok(Some(limits)) => limits,
        Ok(None) => return,
        Err(error) => {
            // Candidates that need too much then fail when they are run.
            printer.warning(format!(
                "the device does not say what it allows, so nothing is masked: {error}"
            ));
            return;
        }
    };
    for task in &mut extracted.tasks {
        *task = Arc::new(task.within(limits));
    }
    let tasks = extracted.tasks.iter();
    let known = tasks.filter(|task| task.space.is_filtered()).count();
    printer.note(format!(
        "the device allows {} threads and {} kB of shared memory in a block; what needs more is not tried in {known} of {} \
         tasks",
        limits.max_threads_per_block,
        limits.max_shared_memory_per_block / 1024,
        extracted.tasks.len()
    ));
}
