//! What AutoTVM's log drops: why a configuration was chosen, the text of an error, where the time went, why a run ended.
//!
//! It stands beside the log as `<log>.journal`, one JSON object a line. A trial is in it as soon as it is measured,
//! with its log line, even while an older trial holds up its turn in the log: a killed run loses nothing that was
//! finished.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::measure::Measurement;
use crate::record::{AppendError, AppendFile, Mended, Record, read_bytes};

use super::stop::StopReason;

/// The version of the format; readers pass over what they do not know.
pub const SCHEMA: u32 = 1;

/// One line of a journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run begins.
    Run {
        /// Version of the format.
        schema: u32,
        /// Version of this program.
        version: String,
        /// The model as the user named it.
        model: String,
        /// The target as TVM normalises it.
        target: String,
        /// Who chooses.
        strategy: String,
        /// Seed of all draws.
        seed: u64,
        /// Trials in all.
        trials: usize,
        /// How builders and devices share cores.
        sharing: String,
        /// Seconds since 1970.
        at: f64,
    },
    /// A trial is measured.
    Trial {
        /// The task's position.
        task: usize,
        /// Why it was chosen.
        why: String,
        /// Its line in the log.
        record: String,
        /// Why it failed, on one line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// All that is known of why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// Seconds of building.
        build_s: f64,
        /// Seconds of the build by stage.
        #[serde(default)]
        stages: BTreeMap<String, f64>,
        /// Seconds of running, the cooldown included.
        run_s: f64,
    },
    /// TVM's fallback schedule of a task is measured.
    Untuned {
        /// The task's position.
        task: usize,
        /// Mean seconds of one run; null when it failed.
        cost: Option<f64>,
        /// Why it failed, on one line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// All that is known of why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// No more configurations of a task are measured.
    Stop {
        /// The task's position.
        task: usize,
        /// Why.
        reason: StopReason,
        /// Its trials.
        trials: usize,
        /// Mean seconds of its best.
        best: Option<f64>,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// A measured trial.
    pub fn trial(task: usize, why: &str, record: &Record, measurement: &Measurement) -> Self {
        let failure = measurement.outcome.as_ref().err();
        Self::Trial {
            task,
            why: why.to_owned(),
            record: record.to_line(),
            reason: failure.map(|failure| failure.kind.clone()),
            error: failure.map(|failure| failure.text.clone()),
            build_s: measurement.build.as_secs_f64(),
            stages: measurement.stages.clone(),
            run_s: measurement.run.as_secs_f64(),
        }
    }

    /// The measured schedule that TVM falls back to.
    pub fn untuned(task: usize, measurement: &Measurement) -> Self {
        let failure = measurement.outcome.as_ref().err();
        Self::Untuned {
            task,
            cost: measurement.to_result().mean_cost(),
            reason: failure.map(|failure| failure.kind.clone()),
            error: failure.map(|failure| failure.text.clone()),
        }
    }
}

/// Seconds since 1970.
pub fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: AppendFile,
}

impl Journal {
    /// Where the journal of a log is.
    pub fn path_of(log: &Path) -> PathBuf {
        let mut path = log.as_os_str().to_owned();
        path.push(".journal");
        path.into()
    }

    /// Opens the journal of a log and makes it when it isn't there.
    ///
    /// # Errors
    /// When it cannot be written, or another run has it open.
    pub fn open(log: &Path) -> Result<(Self, Option<Mended>), AppendError> {
        let (file, mended) = AppendFile::open(&Self::path_of(log))?;
        Ok((Self { file }, mended))
    }

    /// Writes an event.
    ///
    /// # Errors
    /// When the system refuses the write.
    pub fn write(&mut self, event: &Event) -> Result<(), AppendError> {
        // An event has string keys only, so it has a JSON form.
        let line = serde_json::to_string(event).unwrap_or_default();
        self.file.append(&line)
    }

    /// Waits until every event is on the disk.
    ///
    /// # Errors
    /// When the system cannot say so.
    pub fn sync(&self) -> Result<(), AppendError> {
        self.file.sync()
    }
}

/// The events of a log's journal; lines that are none are passed over.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read_journal(log: &Path) -> std::io::Result<Vec<Event>> {
    match read_bytes(&Journal::path_of(log)) {
        Ok(bytes) => Ok(bytes
            .split(|&b| b == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Records of trials that are in the journal and not in the log: they were measured, and the run was killed before
/// their turn came.
pub fn missing_from_log(events: &[Event], log: &[Record]) -> Vec<Record> {
    // A record's line without its time stamps would do; the whole line is stricter and as good.
    let mut known: HashSet<String> = log.iter().map(Record::to_line).collect();
    events
        .iter()
        .filter_map(|event| match event {
            Event::Trial { record, .. } => Some(record),
            _ => None,
        })
        .filter_map(|line| Record::from_line(line).ok())
        .filter(|record| known.insert(record.to_line()))
        .collect()
}
