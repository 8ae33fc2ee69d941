//! A run as it goes on: a line for each active task and one for the whole, or plain lines where nothing redraws.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::tuning::{Progress, StopReason, TaskRun, TuneObserver};

use super::format;
use super::printer::Printer;

/// How often a line is written where it cannot redraw itself.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// After so much silence a plain run says that it still works.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Shows a run on standard error.
#[derive(Debug)]
pub struct ProgressLines {
    printer: Printer,
    lines: MultiProgress,
    total: ProgressBar,
    /// One for each task with candidates in flight, by position.
    active: BTreeMap<usize, Active>,
    tasks: usize,
    started: Instant,
    /// Candidates finished by this run.
    finished: usize,
    failed: usize,
    last_said: Arc<Mutex<Instant>>,
}

#[derive(Debug)]
struct Active {
    line: ProgressBar,
    in_flight: usize,
}

impl ProgressLines {
    /// Lines for a run over so many tasks.
    pub fn new(printer: Printer, tasks: usize) -> Self {
        let target = if printer.is_live() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let lines = MultiProgress::with_draw_target(target);
        let total = lines.add(ProgressBar::new(0));
        styled(&total, "{spinner} [{elapsed}] {pos}/{len} trials{wide_msg}");
        // The spinner and the clock go on while a long build or run says nothing.
        total.enable_steady_tick(Duration::from_millis(250));
        let long_ago = Instant::now().checked_sub(PLAIN_EVERY);
        Self {
            printer,
            lines,
            total,
            active: BTreeMap::new(),
            tasks,
            started: Instant::now(),
            finished: 0,
            failed: 0,
            last_said: Arc::new(Mutex::new(long_ago.unwrap_or_else(Instant::now))),
        }
    }

    /// Says that a plain run still works when it has said nothing for a while. It never returns.
    pub fn heartbeat(&self) -> impl Future<Output = ()> + use<> {
        let (printer, last_said, started) =
            (self.printer, Arc::clone(&self.last_said), self.started);
        async move {
            loop {
                tokio::time::sleep(HEARTBEAT / 6).await;
                let mut last = last_said.lock().unwrap_or_else(PoisonError::into_inner);
                if !printer.is_live() && last.elapsed() >= HEARTBEAT {
                    *last = Instant::now();
                    let elapsed = format::duration(started.elapsed());
                    printer.note(format!(
                        "still working after {elapsed}; nothing finished lately"
                    ));
                }
            }
        }
    }

    fn say(&self, line: &str) {
        *self
            .last_said
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.lines.suspend(|| self.printer.note(line));
    }

    fn is_due(&self) -> bool {
        let last = self
            .last_said
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        !self.printer.is_live() && last.elapsed() >= PLAIN_EVERY
    }

    fn time_left(&self, trials_left: usize) -> String {
        if self.finished == 0 {
            return String::new();
        }
        let each = self.started.elapsed().as_secs_f64() / self.finished as f64;
        let left = Duration::from_secs_f64(each * trials_left as f64);
        format!(", {} left", format::duration(left))
    }

    fn task_text(&self, position: usize, task: &TaskRun) -> String {
        let best = match (task.best_cost(), task.best_flops()) {
            (Some(cost), Some(flops)) => {
                format!("best {} ({})", format::seconds(cost), format::flops(flops))
            }
            (Some(cost), None) => format!("best {}", format::seconds(cost)),
            (None, _) => "nothing valid yet".to_owned(),
        };
        let failures = match task.failures().most_frequent(1).first() {
            Some((reason, _)) => {
                let reason: String = reason.chars().take(60).collect();
                format!(", {} failed (mostly {reason})", task.failures().total())
            }
            None => String::new(),
        };
        let label = task.task().workload.label();
        format!(
            "task {}/{} {label}: {best}{failures}",
            position + 1,
            self.tasks
        )
    }

    fn total_text(&self, progress: &Progress<'_>) -> String {
        let failed = match self.failed {
            0 => String::new(),
            n => format!(", {n} failed"),
        };
        let network = progress.network.map_or(String::new(), |s| {
            format!(", tuned operators {}", format::seconds(s))
        });
        let left = self.time_left(progress.planned.saturating_sub(progress.done));
        format!("{failed}{network}{left}")
    }
}

fn styled(line: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        line.set_style(style);
    }
}

impl TuneObserver for ProgressLines {
    fn asked(&mut self, position: usize, task: &TaskRun, candidates: usize) {
        let text = self.task_text(position, task);
        let active = self.active.entry(position).or_insert_with(|| {
            let line = self
                .lines
                .insert_before(&self.total, ProgressBar::new_spinner());
            styled(&line, "  {wide_msg}");
            Active { line, in_flight: 0 }
        });
        active.in_flight += candidates;
        active.line.set_message(text);
    }

    fn measured(&mut self, position: usize) {
        if let Some(active) = self.active.get_mut(&position) {
            active.in_flight -= 1;
            if active.in_flight == 0 {
                active.line.finish_and_clear();
                self.lines.remove(&active.line);
                self.active.remove(&position);
            }
        }
    }

    fn finished(&mut self, progress: &Progress<'_>) {
        self.finished += 1;
        self.failed += usize::from(progress.measurement.outcome.is_err());
        let task = self.task_text(progress.position, progress.task);
        let total = self.total_text(progress);
        if self.is_due() {
            self.say(&format!(
                "[{}/{}] {task}{total}",
                progress.done, progress.planned
            ));
        }
        self.total.set_length(progress.planned as u64);
        self.total.set_position(progress.done as u64);
        self.total.set_message(total);
        if let Some(active) = self.active.get(&progress.position) {
            active.line.set_message(task);
        }
    }

    fn all_failed(&mut self, position: usize, task: &TaskRun) {
        let reasons: Vec<String> = task
            .failures()
            .most_frequent(3)
            .into_iter()
            .map(|(reason, times)| format!("\n  {times} x {reason}"))
            .collect();
        let line = format!(
            "task {}/{} {}: the first {} candidates have all failed:{}",
            position + 1,
            self.tasks,
            task.task().workload.label(),
            task.trials(),
            reasons.concat()
        );
        self.lines.suspend(|| self.printer.warning(line));
    }

    fn stopped(&mut self, position: usize, task: &TaskRun) {
        if task.stop() == Some(StopReason::Interrupted) {
            return;
        }
        let best = task.best_cost().map_or("nothing valid".to_owned(), |cost| {
            format!("best {}", format::seconds(cost))
        });
        let reason = task
            .stop()
            .map(|reason| reason.to_string())
            .unwrap_or_default();
        self.say(&format!(
            "task {}/{} {}: {best} after {} trials ({reason})",
            position + 1,
            self.tasks,
            task.task().workload.label(),
            task.trials(),
        ));
    }

    fn ended(&mut self) {
        let _ = self.lines.clear();
    }
}
