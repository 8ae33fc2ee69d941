//! The tuning loop with a stand-in for builders and devices: order, budgets, resumption, determinism.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arco_tvm::measure::{Candidate, Failure, Measurement, PeerError, TrialId};
use arco_tvm::record::{ErrorNo, Record, read_log};
use arco_tvm::seed::Seed;
use arco_tvm::strategy::StrategyKind;
use arco_tvm::task::{
    ConfigEntity, ConfigIndex, ConfigSpace, Entity, Knob, KnobKind, Task, Workload,
};
use arco_tvm::transfer::Knowledge;
use arco_tvm::tuning::{
    CancelToken, Event, Measurer, Output, Progress, Quotas, Spread, StopReason, TaskRun, TuneError,
    TuneObserver, TuneOptions, TuneSummary, missing_from_log, read_journal, tune,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Finishes candidates in a random order, as builders of different speed do. A candidate's cost depends on nothing but
/// its task and index.
struct Dummy {
    waiting: Vec<(TrialId, Candidate)>,
    order: ChaCha8Rng,
    fails: fn(u64) -> bool,
    measured: usize,
    /// Ends the run with an error after so many candidates.
    breaks_after: Option<usize>,
    /// Removes a file after so many candidates.
    removes: Option<(usize, PathBuf)>,
    /// What TVM falls back to, in every task; nothing that could be measured by default.
    fallback: Option<ConfigEntity>,
}

impl Dummy {
    fn new(order: u64) -> Self {
        Self {
            waiting: Vec::new(),
            order: ChaCha8Rng::seed_from_u64(order),
            fails: |_| false,
            measured: 0,
            breaks_after: None,
            removes: None,
            fallback: None,
        }
    }
}

impl Measurer for Dummy {
    fn submit(&mut self, id: TrialId, candidate: Candidate) {
        self.waiting.push((id, candidate));
    }

    async fn next(&mut self) -> Result<Option<(TrialId, Measurement)>, PeerError> {
        if self.breaks_after == Some(self.measured) {
            return Err(PeerError::Silent {
                place: "the test's device".to_owned(),
            });
        }
        if self.waiting.is_empty() {
            return Ok(None);
        }
        self.measured += 1;
        if let Some((after, path)) = &self.removes
            && *after == self.measured
        {
            std::fs::remove_file(path).unwrap();
        }
        let place = self.order.random_range(0..self.waiting.len());
        let (id, candidate) = self.waiting.swap_remove(place);
        let fallback = self
            .fallback
            .as_ref()
            .filter(|_| candidate.config.is_none());
        let config = candidate.config.as_ref().or(fallback);
        let index = config.map(|config| config.index.0);
        let flop = candidate.task.flop.unwrap_or(1.0);
        let outcome = match index {
            Some(index) if (self.fails)(index) => Err(Failure::new(
                ErrorNo::CompileHost,
                format!("index {index} is odd"),
            )),
            Some(index) => Ok(vec![flop * 1e-9 * (1.0 + ((index * 37) % 101) as f64)]),
            None => Err(Failure::new(ErrorNo::Unknown, "no fallback here")),
        };
        let measurement = Measurement {
            outcome,
            fallback: fallback.map(|config| config.to_json()["entity"].take()),
            build: Duration::from_millis(5),
            stages: BTreeMap::new(),
            run: Duration::from_millis(1),
            at: SystemTime::UNIX_EPOCH,
        };
        Ok(Some((id, measurement)))
    }
}

#[derive(Default)]
struct Watcher {
    all_failed: Vec<usize>,
    stopped: BTreeMap<usize, StopReason>,
    finished: usize,
    cancel_after: Option<(usize, CancelToken)>,
}

impl TuneObserver for Watcher {
    fn finished(&mut self, progress: &Progress<'_>) {
        self.finished += 1;
        assert!(progress.done <= progress.planned);
        if let Some((after, cancel)) = &self.cancel_after
            && self.finished == *after
        {
            cancel.cancel();
        }
    }

    fn all_failed(&mut self, position: usize, _: &TaskRun) {
        self.all_failed.push(position);
    }

    fn stopped(&mut self, position: usize, task: &TaskRun) {
        self.stopped.insert(position, task.stop().unwrap());
    }
}

/// A task with `size` configurations in two knobs; `flop` scales its cost.
fn task(name: &str, size: (u32, u32), flop: f64, weight: u32) -> Arc<Task> {
    let knob = |name: &str, n: u32| {
        let values = (0..n).map(|v| Entity::Split(vec![-1, 1 << v])).collect();
        Knob::new(name, KnobKind::Split, values).unwrap()
    };
    Arc::new(Task {
        workload: Workload {
            target: "llvm -keys=cpu".to_owned(),
            name: name.to_owned(),
            args: serde_json::json!([["TENSOR", [1, 64], "float32"]]),
        },
        host: None,
        flop: Some(flop),
        weight,
        group: name.len(),
        space: ConfigSpace::new(vec![knob("tile_x", size.0), knob("tile_y", size.1)]).unwrap(),
    })
}

fn options(spread: Spread) -> TuneOptions {
    TuneOptions {
        strategy: StrategyKind::Gbt16,
        seed: Seed(11),
        spread,
        early_stopping: None,
        time: None,
        lookahead: 16,
        knowledge: Knowledge::default(),
        first: Vec::new(),
    }
}

fn run(
    tasks: &[Arc<Task>],
    options: &TuneOptions,
    log: &Path,
    dummy: &mut Dummy,
    watcher: &mut Watcher,
) -> Result<TuneSummary, TuneError> {
    let (mut output, _) = Output::open(log).unwrap();
    let mut records: Vec<Record> = records(log);
    let recovered = missing_from_log(&read_journal(log).unwrap(), &records);
    for record in &recovered {
        output.record(record).unwrap();
    }
    records.extend(recovered);
    let cancel = watcher
        .cancel_after
        .as_ref()
        .map(|(_, cancel)| cancel.clone())
        .unwrap_or_default();
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(tune(
            tasks,
            options,
            &records,
            dummy,
            &mut output,
            watcher,
            &cancel,
        ))
}

fn records(log: &Path) -> Vec<Record> {
    let log = read_log(log).unwrap();
    assert!(log.skipped.is_empty());
    log.records.into_iter().map(|(_, record)| record).collect()
}

fn distinct(records: &[Record]) -> usize {
    let keys: HashSet<(String, u64)> = records
        .iter()
        .map(|record| (record.workload.name.clone(), record.config.index.0))
        .collect();
    keys.len()
}

#[test]
fn the_same_seed_writes_the_same_log_whatever_order_candidates_are_finished_in() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = [
        task("a", (8, 9), 1e6, 1),
        task("bb", (12, 12), 3e6, 2),
        task("ccc", (5, 5), 1e5, 1),
    ];
    for spread in [
        Spread::WhereItFalls { total: 150 },
        Spread::Even(Quotas::shared(150, 3)),
    ] {
        let logs: Vec<Vec<u8>> = (0..5)
            .map(|order| {
                let log = folder
                    .path()
                    .join(format!("{order}-{}.log", spread.total()));
                let _ = std::fs::remove_file(&log);
                let _ =
                    std::fs::remove_file(folder.path().join(format!("{order}-150.log.journal")));
                let mut watcher = Watcher::default();
                run(
                    &tasks,
                    &options(spread.clone()),
                    &log,
                    &mut Dummy::new(order),
                    &mut watcher,
                )
                .unwrap();
                std::fs::read(&log).unwrap()
            })
            .collect();
        assert_eq!(logs[0].iter().filter(|&&b| b == b'\n').count(), 150);
        assert!(logs.iter().all(|log| *log == logs[0]));
    }
}

#[test]
fn what_a_run_is_to_begin_with_is_measured_first_and_once_by_this_run_or_by_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    // The whole space is spent, so a strategy that is not told would come by what was given.
    let tasks = [task("a", (4, 4), 1e6, 1), task("bb", (2, 2), 3e6, 2)];
    let given = [(1, 3), (0, 11)];
    let first = given.map(|(task, index)| {
        let config = tasks[task].space.get(ConfigIndex(index)).unwrap();
        (task, config)
    });
    for trials in [8, 20] {
        let options = TuneOptions {
            first: first.to_vec(),
            ..options(Spread::Even(Quotas::shared(trials, 2)))
        };
        let (mut dummy, mut watcher) = (Dummy::new(1), Watcher::default());
        run(&tasks, &options, &log, &mut dummy, &mut watcher).unwrap();
        let records = records(&log);
        assert_eq!((records.len(), distinct(&records)), (trials, trials));
        for (record, (task, index)) in records.iter().zip(given) {
            assert_eq!(record.workload, tasks[task].workload);
            assert_eq!(record.config.index.0, index);
        }
    }
}

#[test]
fn tvms_fallback_is_in_the_log_once_though_a_strategy_asked_for_it_before_it_was_known() {
    let folder = tempfile::tempdir().unwrap();
    // While the fallback is on its way, the whole space is asked for.
    let tasks = [task("a", (2, 2), 1e6, 1)];
    let space = &tasks[0].space;
    for index in 0..4 {
        let log = folder.path().join(format!("{index}.log"));
        let mut dummy = Dummy::new(index);
        dummy.fallback = Some(space.get(ConfigIndex(index)).unwrap());
        let options = options(Spread::Even(Quotas::shared(5, 1)));
        let mut watcher = Watcher::default();
        let summary = run(&tasks, &options, &log, &mut dummy, &mut watcher).unwrap();
        let records = records(&log);
        assert_eq!((records.len(), distinct(&records)), (4, 4));
        assert_eq!(summary.tasks[0].trials(), 4);
        assert!(summary.tasks[0].untuned_cost().is_some());
    }
}

#[test]
fn every_trial_is_spent_and_no_configuration_measured_twice() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    let tasks = [task("a", (8, 9), 1e6, 1), task("bb", (2, 2), 3e6, 2)];
    let spread = Spread::Even(Quotas::shared(60, 2));
    let mut watcher = Watcher::default();
    let summary = run(
        &tasks,
        &options(spread),
        &log,
        &mut Dummy::new(1),
        &mut watcher,
    )
    .unwrap();
    let records = records(&log);
    assert_eq!(records.len(), 60);
    assert_eq!(distinct(&records), 60);
    assert_eq!(
        summary.tasks[1].trials(),
        4,
        "the space of `bb` has four configurations"
    );
    assert_eq!(watcher.stopped[&1], StopReason::SpaceExhausted);
    assert_eq!(watcher.stopped[&0], StopReason::Trials);
}

#[test]
fn trials_go_where_the_networks_time_still_falls() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    // `slow` takes a thousand times as long and occurs ten times as often.
    let tasks = [
        task("quick", (12, 12), 1e3, 1),
        task("slower", (12, 12), 1e6, 10),
    ];
    let mut watcher = Watcher::default();
    let spread = Spread::WhereItFalls { total: 120 };
    let summary = run(
        &tasks,
        &options(spread),
        &log,
        &mut Dummy::new(1),
        &mut watcher,
    )
    .unwrap();
    let (quick, slow) = (summary.tasks[0].trials(), summary.tasks[1].trials());
    assert_eq!(quick + slow, 120);
    assert!(quick >= 16 && slow > 3 * quick, "{quick} and {slow}");
}

#[test]
fn the_same_command_goes_on_where_a_broken_run_ended_and_measures_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = [task("a", (8, 9), 1e6, 1), task("bb", (12, 12), 3e6, 2)];
    let options = options(Spread::WhereItFalls { total: 100 });
    for breaks_after in [0, 1, 17, 40, 77] {
        let log = folder.path().join(format!("{breaks_after}.log"));
        let mut dummy = Dummy::new(3);
        dummy.breaks_after = Some(breaks_after);
        run(&tasks, &options, &log, &mut dummy, &mut Watcher::default()).unwrap_err();
        let finished = dummy.measured;
        let mut dummy = Dummy::new(4);
        run(&tasks, &options, &log, &mut dummy, &mut Watcher::default()).unwrap();
        let records = records(&log);
        assert_eq!((records.len(), distinct(&records)), (100, 100));
        // The two fallbacks are no configurations of the spaces, and are no trials.
        assert!(
            finished + dummy.measured <= 104,
            "{finished} + {}",
            dummy.measured
        );
        let mut dummy = Dummy::new(5);
        run(&tasks, &options, &log, &mut dummy, &mut Watcher::default()).unwrap();
        assert_eq!(dummy.measured, 0, "a finished run has nothing left to do");
    }
}

#[test]
fn a_task_whose_first_sixteen_candidates_fail_is_reported_at_once_and_failures_are_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    let tasks = [task("a", (8, 9), 1e6, 1)];
    let mut dummy = Dummy::new(1);
    dummy.fails = |_| true;
    let mut watcher = Watcher::default();
    let spread = Spread::Even(Quotas::shared(40, 1));
    let summary = run(&tasks, &options(spread), &log, &mut dummy, &mut watcher).unwrap();
    assert_eq!(watcher.all_failed, [0]);
    assert_eq!(summary.tasks[0].failures().total(), 40);
    assert!(summary.tasks[0].best_cost().is_none());
    let records = records(&log);
    assert!(
        records
            .iter()
            .all(|r| r.result.error_no == ErrorNo::CompileHost)
    );
    let texts = read_journal(&log).unwrap().into_iter().filter(
        |event| matches!(event, Event::Trial { error: Some(text), .. } if text.contains("is odd")),
    );
    assert_eq!(
        texts.count(),
        40,
        "the journal keeps the text that the log drops"
    );
    let untuned = read_journal(&log)
        .unwrap()
        .into_iter()
        .find_map(|event| match event {
            Event::Untuned { cost, error, .. } => Some((cost, error)),
            _ => None,
        });
    assert_eq!(
        untuned,
        Some((None, Some("no fallback here".to_owned()))),
        "and why TVM's own schedule has no time"
    );
}

#[test]
fn early_stopping_ends_a_task_that_brings_nothing_better() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    let tasks = [task("a", (12, 12), 1e6, 1)];
    let mut options = options(Spread::Even(Quotas::shared(144, 1)));
    options.early_stopping = Some(32);
    let mut watcher = Watcher::default();
    let summary = run(&tasks, &options, &log, &mut Dummy::new(1), &mut watcher).unwrap();
    assert_eq!(watcher.stopped[&0], StopReason::EarlyStopping);
    assert!(summary.tasks[0].trials() < 144);
    assert!(summary.tasks[0].trials_since_best() >= 32);
}

#[test]
fn an_interrupted_run_finishes_what_is_in_flight_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    let tasks = [task("a", (12, 12), 1e6, 1)];
    let mut watcher = Watcher {
        cancel_after: Some((20, CancelToken::default())),
        ..Watcher::default()
    };
    let mut dummy = Dummy::new(1);
    let spread = Spread::Even(Quotas::shared(144, 1));
    run(&tasks, &options(spread), &log, &mut dummy, &mut watcher).unwrap();
    assert_eq!(watcher.stopped[&0], StopReason::Interrupted);
    assert_eq!(
        records(&log).len(),
        dummy.measured - 1,
        "all but the fallback"
    );
    assert!(dummy.measured < 144);
}

#[test]
fn two_runs_on_one_log_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    let (_first, _) = Output::open(&log).unwrap();
    let second = Output::open(&log).unwrap_err().to_string();
    assert!(second.contains("another run writes to"), "{second}");
}

#[test]
fn a_log_that_is_removed_under_a_run_is_noticed_and_written_anew_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    let tasks = [task("a", (12, 12), 1e6, 1)];
    let options = options(Spread::Even(Quotas::shared(64, 1)));
    {
        let (mut output, _) = Output::open(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        let error = output.sync().unwrap_err().to_string();
        assert!(error.contains("removed or replaced"), "{error}");
    }
    run(
        &tasks,
        &options,
        &log,
        &mut Dummy::new(1),
        &mut Watcher::default(),
    )
    .unwrap();
    let before = std::fs::read(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    let mut dummy = Dummy::new(2);
    run(&tasks, &options, &log, &mut dummy, &mut Watcher::default()).unwrap();
    assert_eq!(dummy.measured, 0);
    let sorted = |bytes: &[u8]| {
        let mut lines: Vec<Vec<u8>> = bytes.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&std::fs::read(&log).unwrap()), sorted(&before));
}

#[test]
fn a_log_that_is_removed_while_a_run_writes_to_it_ends_the_run_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("t.log");
    let tasks = [task("a", (12, 12), 1e6, 1)];
    let options = options(Spread::Even(Quotas::shared(100, 1)));
    let mut dummy = Dummy::new(1);
    dummy.removes = Some((10, log.clone()));
    let error = run(&tasks, &options, &log, &mut dummy, &mut Watcher::default()).unwrap_err();
    assert!(error.to_string().contains("removed or replaced"), "{error}");
    assert!(dummy.measured < 100, "it is noticed while the run goes on");
    let first = dummy.measured;
    let mut dummy = Dummy::new(2);
    run(&tasks, &options, &log, &mut dummy, &mut Watcher::default()).unwrap();
    let records = records(&log);
    assert_eq!((records.len(), distinct(&records)), (100, 100));
    // Every run measures TVM's own schedule, which is no trial, unless there are trials already.
    assert_eq!(first - 1 + dummy.measured, 100, "nothing is measured twice");
}
