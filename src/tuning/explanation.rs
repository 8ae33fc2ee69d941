//! Why a record won: what lost against it, who chose it, what failed and where the time went.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use crate::record::{ErrorNo, LogLines, Record};
use crate::task::Workload;

use super::journal::Event;
use super::stop::StopReason;

/// One workload of a log.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The task in short.
    pub label: String,
    /// Target, template and arguments.
    pub workload: WorkloadName,
    /// Records of it.
    pub trials: usize,
    /// The best record; none when every one failed.
    pub winner: Option<Placed>,
    /// The next ones, best first.
    pub runners_up: Vec<Placed>,
    /// The knobs in which the winner and the runners-up are not the same.
    pub differences: Vec<KnobDifference>,
    /// Mean seconds of TVM's untuned schedule, where the journal has it.
    pub untuned_s: Option<f64>,
    /// Every record that was the best so far: the trial's number and its mean seconds.
    pub improvements: Vec<(usize, f64)>,
    /// Failures by reason, most frequent first.
    pub failures: Vec<FailureGroup>,
    /// Where the time went.
    pub time: TimeSplit,
    /// Why no more was measured, where the journal has it.
    pub stop: Option<StopReason>,
}

/// A workload as the log names it.
#[derive(Debug, Serialize)]
pub struct WorkloadName {
    /// Target.
    pub target: String,
    /// Template.
    pub name: String,
    /// The template's arguments.
    pub args: Value,
}

/// A record without error and its place among the others of its workload.
#[derive(Clone, Debug, Serialize)]
pub struct Placed {
    /// Line of the log.
    pub line: usize,
    /// Its number among the workload's records, from 1.
    pub trial: usize,
    /// AutoTVM's number of the configuration.
    pub index: u64,
    /// Mean seconds of one run.
    pub cost_s: f64,
    /// Seconds of one run, one per repeat.
    pub costs_s: Vec<f64>,
    /// How much slower than the winner: 0.05 is five in a hundred.
    pub slower_by: f64,
    /// Why it was chosen, where the journal has it.
    pub why: Option<String>,
    /// Names and values of its knobs.
    pub knobs: Vec<(String, Value)>,
}

/// A knob and its values: the winner's, then each runner-up's.
#[derive(Debug, Serialize)]
pub struct KnobDifference {
    /// Its name.
    pub knob: String,
    /// Null where a record has no such knob.
    pub values: Vec<Value>,
}

/// Records that failed for one reason.
#[derive(Debug, Serialize)]
pub struct FailureGroup {
    /// AutoTVM's name of the error.
    pub error: &'static str,
    /// On one line; empty when there is no journal.
    pub reason: String,
    /// How many.
    pub count: usize,
    /// The whole text of the first of them.
    pub text: String,
}

/// Seconds spent on a workload.
#[derive(Debug, Default, Serialize)]
pub struct TimeSplit {
    /// Building, of the records that the journal knows.
    pub build_s: f64,
    /// Of that, by stage.
    pub stages_s: BTreeMap<String, f64>,
    /// Running, of the records that the journal knows.
    pub run_s: f64,
    /// Both together, of every record.
    pub all_s: f64,
    /// How many records the journal knows.
    pub journalled: usize,
}

/// What the journal knows of a record.
struct Trial<'a> {
    why: &'a str,
    reason: Option<&'a str>,
    error: Option<&'a str>,
    build_s: f64,
    stages: &'a BTreeMap<String, f64>,
    run_s: f64,
}

/// How the journal's readers see a record that no strategy chose.
const UNTUNED: &str = "untuned";

/// The journal, by record and by workload.
#[derive(Default)]
struct Known<'a> {
    trials: HashMap<&'a str, Trial<'a>>,
    /// Mean seconds of TVM's untuned schedule; none when it failed.
    untuned: HashMap<String, Option<f64>>,
    stops: HashMap<String, StopReason>,
}

impl<'a> Known<'a> {
    fn of(events: &'a [Event]) -> Self {
        let mut known = Self::default();
        // Runs number their tasks anew, and an event names only the number: a run's trials tell what it means.
        for run in events.chunk_by(|_, next| !matches!(next, Event::Run { .. })) {
            let mut workloads: HashMap<usize, String> = HashMap::new();
            for event in run {
                if let Event::Trial { task, record, .. } = event
                    && !workloads.contains_key(task)
                    && let Ok(record) = Record::from_line(record)
                {
                    workloads.insert(*task, record.workload.key());
                }
            }
            for event in run {
                known.take_in(event, &workloads);
            }
        }
        known
    }

    fn take_in(&mut self, event: &'a Event, workloads: &HashMap<usize, String>) {
        match event {
            Event::Trial {
                why,
                record,
                reason,
                error,
                build_s,
                stages,
                run_s,
                ..
            } => {
                let trial = Trial {
                    why,
                    reason: reason.as_deref(),
                    error: error.as_deref(),
                    build_s: *build_s,
                    stages,
                    run_s: *run_s,
                };
                self.trials.insert(record, trial);
            }
            Event::Untuned { task, cost, .. } => {
                if let Some(workload) = workloads.get(task) {
                    self.untuned.insert(workload.clone(), *cost);
                }
            }
            Event::Stop { task, reason, .. } => {
                if let Some(workload) = workloads.get(task) {
                    self.stops.insert(workload.clone(), *reason);
                }
            }
            _ => {}
        }
    }
}

/// Explains every workload of a log whose label or template contains `filter`, in order of appearance; `runners_up`
/// is the most of them.
pub fn explain(
    log: &LogLines,
    events: &[Event],
    filter: &str,
    runners_up: usize,
) -> Vec<Explanation> {
    let known = Known::of(events);
    let mut order: Vec<Vec<Entry<'_>>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (line, record) in log.records() {
        let workload = record.workload.key();
        let place = *places.entry(workload).or_insert(order.len());
        if place == order.len() {
            order.push(Vec::new());
        }
        let text = std::str::from_utf8(&line.bytes).unwrap_or_default();
        let trial = known.trials.get(text.trim_end());
        let untuned = known.untuned.get(&record.workload.key());
        let entries = &mut order[place];
        entries.push(Entry {
            line: line.number,
            number: entries.len() + 1,
            record,
            trial,
            // The journal has TVM's own schedule as a time, not as a trial.
            is_untuned: trial.is_none()
                && untuned.is_some_and(|&cost| cost == record.result.mean_cost()),
        });
    }
    order
        .iter()
        .filter(|entries| entries[0].record.workload.label().contains(filter))
        .map(|entries| explain_one(entries, &known, runners_up))
        .collect()
}

/// A record of one workload.
struct Entry<'a> {
    line: usize,
    number: usize,
    record: &'a Record,
    trial: Option<&'a Trial<'a>>,
    /// Whether it is TVM's own schedule, which every run measures first.
    is_untuned: bool,
}

impl Entry<'_> {
    fn cost(&self) -> Option<f64> {
        self.record.result.mean_cost().filter(|cost| !cost.is_nan())
    }

    fn placed(&self, best: f64) -> Option<Placed> {
        let (config, cost_s) = (&self.record.config, self.cost()?);
        Some(Placed {
            line: self.line,
            trial: self.number,
            index: config.index.0,
            cost_s,
            costs_s: self.record.result.costs.clone(),
            slower_by: cost_s / best - 1.0,
            why: match self.trial {
                _ if self.is_untuned => Some(UNTUNED.to_owned()),
                trial => trial.map(|trial| trial.why.to_owned()),
            },
            knobs: config
                .entities
                .iter()
                .map(|(name, entity)| (name.clone(), entity.to_json()))
                .collect(),
        })
    }
}

fn explain_one(entries: &[Entry<'_>], known: &Known<'_>, runners_up: usize) -> Explanation {
    let Workload { target, name, args } = &entries[0].record.workload;
    let workload = entries[0].record.workload.key();
    let mut ranked: Vec<&Entry<'_>> = entries.iter().filter(|e| e.cost().is_some()).collect();
    // Stable: of equal ones the first wins, as in AutoTVM.
    ranked.sort_by(|a, b| f64::total_cmp(&cost_of(a), &cost_of(b)));
    // A configuration that was measured again is no runner-up of its own.
    let mut seen: HashSet<String> = HashSet::new();
    ranked.retain(|entry| seen.insert(entry.record.config.entities_key()));
    let best = ranked.first().map_or(f64::NAN, |entry| cost_of(entry));
    let mut placed = ranked.iter().filter_map(|entry| entry.placed(best));
    let winner = placed.next();
    let runners_up: Vec<Placed> = placed.take(runners_up).collect();
    Explanation {
        label: entries[0].record.workload.label(),
        workload: WorkloadName {
            target: target.clone(),
            name: name.clone(),
            args: args.clone(),
        },
        trials: entries.len(),
        differences: winner
            .as_ref()
            .map_or_else(Vec::new, |winner| differences(winner, &runners_up)),
        winner,
        runners_up,
        untuned_s: known.untuned.get(&workload).copied().flatten(),
        improvements: improvements(entries),
        failures: failures(entries),
        time: time_split(entries),
        stop: known.stops.get(&workload).copied(),
    }
}

fn cost_of(entry: &Entry<'_>) -> f64 {
    entry.cost().unwrap_or(f64::INFINITY)
}

fn improvements(entries: &[Entry<'_>]) -> Vec<(usize, f64)> {
    let mut best = f64::INFINITY;
    let mut improvements = Vec::new();
    for entry in entries {
        if let Some(cost) = entry.cost().filter(|&cost| cost < best) {
            best = cost;
            improvements.push((entry.number, cost));
        }
    }
    improvements
}

fn differences(winner: &Placed, runners_up: &[Placed]) -> Vec<KnobDifference> {
    let value = |placed: &Placed, name: &str| {
        let found = placed.knobs.iter().find(|(knob, _)| knob == name);
        found.map_or(Value::Null, |(_, value)| value.clone())
    };
    winner
        .knobs
        .iter()
        .map(|(knob, _)| KnobDifference {
            knob: knob.clone(),
            values: std::iter::once(winner)
                .chain(runners_up)
                .map(|placed| value(placed, knob))
                .collect(),
        })
        .filter(|difference| difference.values.iter().any(|v| *v != difference.values[0]))
        .collect()
}

fn failures(entries: &[Entry<'_>]) -> Vec<FailureGroup> {
    let mut groups: Vec<FailureGroup> = Vec::new();
    for entry in entries {
        let error_no = entry.record.result.error_no;
        if error_no == ErrorNo::NoError {
            continue;
        }
        let reason = match entry.trial {
            None if entry.is_untuned => "TVM's untuned schedule",
            trial => trial.and_then(|trial| trial.reason).unwrap_or_default(),
        };
        let same =
            |group: &&mut FailureGroup| group.error == error_no.name() && group.reason == reason;
        if let Some(group) = groups.iter_mut().find(same) {
            group.count += 1;
            continue;
        }
        let text = entry.trial.and_then(|trial| trial.error);
        groups.push(FailureGroup {
            error: error_no.name(),
            reason: reason.to_owned(),
            count: 1,
            text: text.unwrap_or_default().to_owned(),
        });
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

fn time_split(entries: &[Entry<'_>]) -> TimeSplit {
    let mut time = TimeSplit::default();
    for entry in entries {
        time.all_s += entry.record.result.all_cost;
        let Some(trial) = entry.trial else {
            continue;
        };
        time.journalled += 1;
        time.build_s += trial.build_s;
        time.run_s += trial.run_s;
        for (stage, seconds) in trial.stages {
            *time.stages_s.entry(stage.clone()).or_default() += seconds;
        }
    }
    time
}
