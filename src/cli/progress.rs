//! The live line of a run: best, trials, failures with their most frequent reason, time left.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::tuning::{Progress, StopReason, TaskRun, TuneObserver};

use super::format;
use super::printer::Printer;

/// How often a line is written where it cannot redraw itself.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Shows a run on standard error.
#[derive(Debug)]
pub struct ProgressLine {
    printer: Printer,
    bar: ProgressBar,
    tasks: usize,
    started: Instant,
    /// Candidates finished by this run.
    finished: usize,
    failed: usize,
    last_plain: Option<Instant>,
}

impl ProgressLine {
    /// A line for a run over so many tasks.
    pub fn new(printer: Printer, tasks: usize) -> Self {
        let target = if printer.is_live() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{spinner} [{elapsed}] {pos}/{len} {wide_msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        // The spinner and the clock go on while a long build or run says nothing.
        bar.enable_steady_tick(Duration::from_millis(250));
        Self {
            printer,
            bar,
            tasks,
            started: Instant::now(),
            finished: 0,
            failed: 0,
            last_plain: None,
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| self.printer.note(line));
    }

    fn time_left(&self, trials_left: usize) -> String {
        if self.finished == 0 {
            return String::new();
        }
        let each = self.started.elapsed().as_secs_f64() / self.finished as f64;
        let left = Duration::from_secs_f64(each * trials_left as f64);
        format!(", {} left", format::duration(left))
    }

    fn text(&self, progress: &Progress<'_>) -> String {
        let task = progress.task;
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
                format!(", {} failed (mostly {reason})", self.failed)
            }
            None if self.failed > 0 => format!(", {} failed", self.failed),
            None => String::new(),
        };
        let label = task.task().workload.label();
        let left = self.time_left(progress.planned.saturating_sub(progress.done));
        format!(
            "task {}/{} {label}: {best}{failures}{left}",
            progress.position + 1,
            self.tasks
        )
    }
}

impl TuneObserver for ProgressLine {
    fn finished(&mut self, progress: &Progress<'_>) {
        self.finished += 1;
        self.failed += usize::from(progress.measurement.outcome.is_err());
        let text = self.text(progress);
        self.bar.set_length(progress.planned as u64);
        self.bar.set_position(progress.done as u64);
        let due = self
            .last_plain
            .is_none_or(|last| last.elapsed() >= PLAIN_EVERY);
        if !self.printer.is_live() && due {
            self.last_plain = Some(Instant::now());
            self.say(&format!("[{}/{}] {text}", progress.done, progress.planned));
        }
        self.bar.set_message(text);
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
        self.bar.suspend(|| self.printer.warning(line));
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
}
