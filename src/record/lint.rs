//! What is wrong with a log: what TVM's own reader stops at, and what it would apply without a word.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use crate::task::Workload;

use super::lines::{LineContent, LogLine, LogLines};
use super::measurement::{ErrorNo, MeasureResult, Record};
use super::merge::Merged;
use super::reader::SkipReason;
use super::target::TargetName;

/// From here on a cost is AutoTVM's mark of a failure, not a time.
const FAILURE_COST: f64 = 1e9;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// TVM works with the log, and may do what nobody wants.
    Warning,
    /// TVM's own reader stops there with an error, or compiled code would damage what it runs on.
    Error,
}

/// Something wrong with a log.
#[derive(Debug)]
pub enum Finding<'a> {
    /// A line is no record.
    NoRecord {
        /// Line number.
        line: usize,
        /// Why.
        reason: &'a SkipReason,
    },
    /// The last line has no line break, so the next record would be glued to it.
    NoLineBreak {
        /// Line number.
        line: usize,
    },
    /// TVM 0.19 has no such target.
    UnknownTarget {
        /// First line with it.
        line: usize,
        /// Its text.
        target: &'a str,
    },
    /// Two targets whose records TVM does not tell apart.
    MixedTargets {
        /// First line of the second.
        line: usize,
        /// The targets.
        targets: [&'a str; 2],
    },
    /// A configuration was measured more than once.
    Duplicate {
        /// Lines, in file order.
        lines: Vec<usize>,
        /// What was measured.
        record: &'a Record,
    },
    /// Every record of a workload is a failure.
    AllFailed {
        /// The workload.
        workload: &'a Workload,
        /// How often, by error.
        errors: BTreeMap<ErrorNo, usize>,
    },
    /// A record without error has a cost that is no time.
    BadCost {
        /// Line number.
        line: usize,
        /// The cost; `None` when there is none at all.
        cost: Option<f64>,
    },
    /// Records of the same configuration have different indexes.
    IndexDisagrees {
        /// Lines of the two.
        lines: [usize; 2],
        /// Their indexes.
        indexes: [u64; 2],
    },
    /// Records with the same index have different configurations.
    EntitiesDisagree {
        /// Lines of the two.
        lines: [usize; 2],
        /// Their index.
        index: u64,
    },
}

impl Finding<'_> {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        let fatal = match self {
            Self::NoRecord { reason, .. } => reason.stops_tvm(),
            Self::UnknownTarget { .. } => true,
            Self::MixedTargets { targets, .. } => targets
                .iter()
                .all(|target| TargetName::parse(target).is_vta()),
            _ => false,
        };
        if fatal {
            Severity::Error
        } else {
            Severity::Warning
        }
    }

    /// Findings of the same sort have the same name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoRecord { .. } => "no-record",
            Self::NoLineBreak { .. } => "no-line-break",
            Self::UnknownTarget { .. } => "unknown-target",
            Self::MixedTargets { .. } => "mixed-targets",
            Self::Duplicate { .. } => "duplicate",
            Self::AllFailed { .. } => "all-failed",
            Self::BadCost { .. } => "bad-cost",
            Self::IndexDisagrees { .. } => "index-disagrees",
            Self::EntitiesDisagree { .. } => "entities-disagree",
        }
    }

    /// The line that it is about.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::NoRecord { line, .. }
            | Self::NoLineBreak { line }
            | Self::UnknownTarget { line, .. }
            | Self::MixedTargets { line, .. }
            | Self::BadCost { line, .. } => Some(*line),
            Self::Duplicate { lines, .. } => lines.get(1).copied(),
            Self::IndexDisagrees { lines, .. } | Self::EntitiesDisagree { lines, .. } => {
                Some(lines[1])
            }
            Self::AllFailed { .. } => None,
        }
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord { reason, .. } if reason.stops_tvm() => {
                write!(f, "{reason}; TVM's reader stops here with an error")
            }
            Self::NoRecord { reason, .. } => write!(f, "{reason}; TVM passes over it"),
            Self::NoLineBreak { .. } => {
                f.write_str("no line break at the end: the next record would be glued to this one")
            }
            Self::UnknownTarget { target, .. } => {
                write!(f, "TVM 0.19 knows no target `{target}` and stops here")
            }
            Self::MixedTargets { targets, .. } => {
                let [a, b] = targets.map(TargetName::parse);
                let keys: Vec<&String> = a.keys.iter().filter(|key| b.keys.contains(key)).collect();
                let keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
                let differ: Vec<String> = a
                    .differences(&b)
                    .into_iter()
                    .map(|(name, a, b)| format!("{name} {a} and {b}"))
                    .collect();
                write!(
                    f,
                    "records of two targets that TVM does not tell apart (it looks at the key `{}` alone): `{}` and `{}`{}{}",
                    keys.join(","),
                    targets[0],
                    targets[1],
                    if differ.is_empty() {
                        ""
                    } else {
                        ", which differ in "
                    },
                    differ.join(", ")
                )?;
                if self.severity() == Severity::Error {
                    f.write_str("; those of one geometry overflow the other's buffers")?;
                }
                Ok(())
            }
            Self::Duplicate { lines, record } => {
                let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
                write!(
                    f,
                    "configuration {} of {} was measured {} times (lines {})",
                    record.config.index,
                    record.workload.label(),
                    lines.len(),
                    lines.join(", ")
                )
            }
            Self::AllFailed { workload, errors } => {
                let errors: Vec<String> = errors
                    .iter()
                    .map(|(error, count)| format!("{count} x {}", error.name()))
                    .collect();
                write!(
                    f,
                    "{}: every record is a failure ({}), so TVM falls back to its untuned schedule",
                    workload.label(),
                    errors.join(", ")
                )
            }
            Self::BadCost { cost: None, .. } => f.write_str("no error and no cost"),
            Self::BadCost {
                cost: Some(cost), ..
            } if *cost >= FAILURE_COST => write!(
                f,
                "no error and a cost of {cost:e} s, which is AutoTVM's mark of a failure"
            ),
            Self::BadCost {
                cost: Some(cost), ..
            } => write!(f, "no error and a cost of {cost} s, which is no time"),
            Self::IndexDisagrees { lines, indexes } => write!(
                f,
                "the configuration of line {} has index {} there and {} here: they come of different spaces",
                lines[0], indexes[0], indexes[1]
            ),
            Self::EntitiesDisagree { lines, index } => write!(
                f,
                "index {index} is another configuration in line {}: they come of different spaces",
                lines[0]
            ),
        }
    }
}

/// A log, looked through.
#[derive(Debug)]
pub struct Lint<'a> {
    /// Records.
    pub records: usize,
    /// Records that are failures.
    pub failed: usize,
    /// Distinct workloads.
    pub workloads: usize,
    /// Distinct targets, in order of appearance.
    pub targets: Vec<&'a str>,
    /// What is wrong, errors first, then in file order.
    pub findings: Vec<Finding<'a>>,
}

impl<'a> Lint<'a> {
    /// Looks through a log.
    pub fn of(log: &'a LogLines) -> Self {
        let mut findings = Vec::new();
        for line in &log.lines {
            match &line.content {
                LineContent::Skipped(reason) => findings.push(Finding::NoRecord {
                    line: line.number,
                    reason,
                }),
                LineContent::Record(record) => findings.extend(bad_cost(line, &record.result)),
                LineContent::Comment => {}
            }
        }
        let last_is_whole = log
            .lines
            .last()
            .filter(|last| !matches!(last.content, LineContent::Skipped(_)));
        if let (false, Some(last)) = (log.ends_in_line_break, last_is_whole) {
            findings.push(Finding::NoLineBreak { line: last.number });
        }
        let targets = look_at_targets(log, &mut findings);
        look_for_duplicates(log, &mut findings);
        let workloads = look_at_workloads(log, &mut findings);
        look_at_indexes(log, &mut findings);
        findings.sort_by_key(|finding| {
            (
                std::cmp::Reverse(finding.severity()),
                finding.line().unwrap_or(usize::MAX),
            )
        });
        let failed = |record: &Record| record.result.error_no != ErrorNo::NoError;
        Self {
            records: log.records().count(),
            failed: log.records().filter(|(_, record)| failed(record)).count(),
            workloads,
            targets,
            findings,
        }
    }

    /// Findings of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        let of_it = |finding: &&Finding<'_>| finding.severity() == severity;
        self.findings.iter().filter(of_it).count()
    }

    /// The lines of a log that a clean copy has: no line that is no record, no cost that is no time, no target that
    /// TVM does not know, and every configuration once.
    pub fn clean(log: &LogLines) -> Vec<&LogLine> {
        let known = |record: &Record| TargetName::parse(&record.workload.target).is_known();
        let mut lines = Merged::of(std::slice::from_ref(log)).lines;
        lines.retain(|line| {
            line.record()
                .is_none_or(|record| bad_cost(line, &record.result).is_none() && known(record))
        });
        lines
    }
}

fn bad_cost<'a>(line: &LogLine, result: &MeasureResult) -> Option<Finding<'a>> {
    if result.error_no != ErrorNo::NoError {
        return None;
    }
    let is_time = |cost: f64| cost > 0.0 && cost < FAILURE_COST;
    let cost = match result.costs.iter().find(|&&cost| !is_time(cost)) {
        None if result.costs.is_empty() => None,
        None => return None,
        Some(&cost) => Some(cost),
    };
    Some(Finding::BadCost {
        line: line.number,
        cost,
    })
}

fn look_at_targets<'a>(log: &'a LogLines, findings: &mut Vec<Finding<'a>>) -> Vec<&'a str> {
    let mut seen: Vec<(&str, TargetName)> = Vec::new();
    for (line, record) in log.records() {
        let target = record.workload.target.as_str();
        if seen.iter().any(|(known, _)| *known == target) {
            continue;
        }
        let name = TargetName::parse(target);
        let line = line.number;
        if !name.is_known() {
            findings.push(Finding::UnknownTarget { line, target });
        }
        if let Some((other, _)) = seen
            .iter()
            .find(|(_, other)| name.shares_records_with(other))
        {
            findings.push(Finding::MixedTargets {
                line,
                targets: [other, target],
            });
        }
        seen.push((target, name));
    }
    seen.into_iter().map(|(target, _)| target).collect()
}

fn look_for_duplicates<'a>(log: &'a LogLines, findings: &mut Vec<Finding<'a>>) {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut groups: BTreeMap<usize, (Vec<usize>, &Record)> = BTreeMap::new();
    for (line, record) in log.records() {
        let first = *first.entry(record.key()).or_insert(line.number);
        let group = groups.entry(first).or_insert((Vec::new(), record));
        group.0.push(line.number);
    }
    for (lines, record) in groups.into_values() {
        if lines.len() > 1 {
            findings.push(Finding::Duplicate { lines, record });
        }
    }
}

/// Returns the number of workloads.
fn look_at_workloads<'a>(log: &'a LogLines, findings: &mut Vec<Finding<'a>>) -> usize {
    let mut order: Vec<(&Workload, BTreeMap<ErrorNo, usize>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (_, record) in log.records() {
        let place = *places.entry(record.workload.key()).or_insert(order.len());
        if place == order.len() {
            order.push((&record.workload, BTreeMap::new()));
        }
        *order[place].1.entry(record.result.error_no).or_default() += 1;
    }
    let workloads = order.len();
    for (workload, errors) in order {
        if !errors.contains_key(&ErrorNo::NoError) {
            findings.push(Finding::AllFailed { workload, errors });
        }
    }
    workloads
}

fn look_at_indexes<'a>(log: &'a LogLines, findings: &mut Vec<Finding<'a>>) {
    let mut by_entities: HashMap<(String, String), (usize, u64)> = HashMap::new();
    let mut by_index: HashMap<(String, u64), (usize, String)> = HashMap::new();
    // One finding of each sort for a workload: when a space has changed, every index has.
    let mut said: HashSet<(String, bool)> = HashSet::new();
    for (line, record) in log.records() {
        let (workload, entities) = (record.workload.key(), record.config.entities_key());
        let (index, line) = (record.config.index.0, line.number);
        let known = *by_entities
            .entry((workload.clone(), entities.clone()))
            .or_insert((line, index));
        if known.1 != index && said.insert((workload.clone(), true)) {
            findings.push(Finding::IndexDisagrees {
                lines: [known.0, line],
                indexes: [known.1, index],
            });
        }
        let known = by_index
            .entry((workload.clone(), index))
            .or_insert((line, entities.clone()));
        if known.1 != entities && said.insert((workload, false)) {
            findings.push(Finding::EntitiesDisagree {
                lines: [known.0, line],
                index,
            });
        }
    }
}
