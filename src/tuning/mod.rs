//! The loop: a strategy for each task, trials shared among them, every result in the log at once.

mod delivery;
mod explanation;
mod failures;
mod journal;
mod network_choice;
mod observer;
mod output;
mod quota;
mod run;
mod scheduler;
mod stop;
mod task_run;

pub use explanation::{
    Explanation, FailureGroup, KnobDifference, Placed, TimeSplit, WorkloadName, explain,
};
pub use failures::FailureCounts;
pub use journal::{Event, Journal, SCHEMA, missing_from_log, now, read_journal};
pub use network_choice::choose_for_network;
pub use observer::{Progress, TuneObserver};
pub use output::Output;
pub use quota::Quotas;
pub use run::{DEFAULT_LOOKAHEAD, Measurer, TuneError, TuneOptions, TuneSummary, tune};
pub use scheduler::Spread;
pub use stop::{CancelToken, StopReason};
pub use task_run::TaskRun;
