//! A window of the run, cycle by cycle.

use super::canvas::{Canvas, Rect};
use super::palette;
use crate::vta::isa::{Module, Token};
use crate::vta::timing::InsnClass;
use crate::vta::trace::record::Recorder;
use std::ops::Range;

const LANE: f64 = 30.0;
const THIN: f64 = 14.0;
const TOKENS: f64 = 24.0;

/// Maps cycles of the window to pixels.
struct Scale<'a> {
    window: &'a Range<u64>,
    pixels: f64,
}

impl Scale<'_> {
    fn x(&self, cycle: u64) -> f64 {
        let cycle = cycle.clamp(self.window.start, self.window.end) - self.window.start;
        cycle as f64 * self.pixels
    }

    /// The part of a range that lies in the window, as a box of a lane.
    fn part(&self, from: u64, to: u64, y: f64, h: f64) -> Option<Rect> {
        let inside = from < self.window.end && to > self.window.start;
        inside.then(|| Rect {
            x: self.x(from),
            y,
            w: self.x(to) - self.x(from),
            h,
        })
    }
}

pub(super) fn draw(recorder: &Recorder, window: &Range<u64>, canvas: &mut Canvas) {
    let Range { start, end } = window;
    canvas.heading(&format!("Cycles {start} to {end}"));
    let scale = Scale {
        window,
        pixels: canvas.span() / (end - start) as f64,
    };
    for module in Module::ALL {
        lane(recorder, module, &scale, canvas);
    }
    memory(recorder, &scale, canvas);
    for token in Token::ALL {
        tokens(recorder, token, &scale, canvas);
    }
    canvas.axis(*start, *end);
}

/// Instructions and waits of a module.
fn lane(recorder: &Recorder, module: Module, scale: &Scale<'_>, canvas: &mut Canvas) {
    canvas.lane(module.name(), LANE);
    let y = canvas.y;
    for wait in recorder.waits().iter().filter(|w| w.module == module) {
        if let Some(at) = scale.part(wait.start, wait.end, y + 6.0, LANE - 12.0) {
            let name = palette::wait_name(wait.reason);
            let (index, cycles) = (wait.index, wait.end - wait.start);
            let tooltip = format!("{name} before {index}: {cycles} cycles from {}", wait.start);
            canvas.rect(at, palette::wait(wait.reason), true, &tooltip);
        }
    }
    for span in recorder.spans().iter().filter(|s| s.module == module) {
        if let Some(at) = scale.part(span.start, span.end, y, LANE) {
            let (index, cycles) = (span.index, span.end - span.start);
            let tooltip = format!("{index} {}: {cycles} cycles from {}", span.insn, span.start);
            canvas.rect(at, palette::class(span.class()), false, &tooltip);
        }
    }
    canvas.below(LANE);
}

/// The two channels of memory.
fn memory(recorder: &Recorder, scale: &Scale<'_>, canvas: &mut Canvas) {
    canvas.lane("reads", THIN);
    let reads = recorder.reads().iter().map(|read| Traffic {
        name: read.client.name(),
        colour: palette::client(read.client),
        start: read.start,
        end: read.last,
        requests: 1,
        beats: read.burst.beats.into(),
    });
    traffic(reads, scale, canvas);
    canvas.lane("writes", THIN);
    let writes = recorder.writes().iter().map(|write| Traffic {
        name: "store",
        colour: palette::class(InsnClass::Store),
        start: write.start,
        end: write.end,
        requests: 1,
        beats: write.burst.beats.into(),
    });
    traffic(writes, scale, canvas);
}

/// Requests of one client without a visible gap between them.
struct Traffic {
    name: &'static str,
    colour: &'static str,
    start: u64,
    end: u64,
    requests: u64,
    beats: u64,
}

fn traffic(all: impl Iterator<Item = Traffic>, scale: &Scale<'_>, canvas: &mut Canvas) {
    let inside = all.filter(|t| t.start < scale.window.end && t.end > scale.window.start);
    let mut open: Option<Traffic> = None;
    for next in inside {
        match &mut open {
            Some(run) if run.name == next.name && scale.x(next.start) - scale.x(run.end) < 0.5 => {
                run.end = next.end;
                run.requests += 1;
                run.beats += next.beats;
            }
            _ => {
                let done = open.replace(next);
                done.into_iter()
                    .for_each(|t| draw_traffic(&t, scale, canvas));
            }
        }
    }
    open.into_iter()
        .for_each(|t| draw_traffic(&t, scale, canvas));
    canvas.below(THIN);
}

fn draw_traffic(run: &Traffic, scale: &Scale<'_>, canvas: &mut Canvas) {
    let Traffic {
        name,
        start,
        end,
        requests,
        beats,
        ..
    } = run;
    if let Some(at) = scale.part(*start, *end, canvas.y, THIN) {
        let tooltip =
            format!("{name}: {requests} requests, {beats} beats, cycles {start} to {end}");
        canvas.rect(at, run.colour, false, &tooltip);
    }
}

/// Tokens in a queue, as steps.
fn tokens(recorder: &Recorder, token: Token, scale: &Scale<'_>, canvas: &mut Canvas) {
    let changes: Vec<_> = recorder
        .tokens()
        .iter()
        .filter(|change| change.token == token)
        .collect();
    let inside = |cycle: u64| scale.window.contains(&cycle);
    let before = changes
        .iter()
        .rev()
        .find(|change| change.cycle < scale.window.start);
    let mut count = before.map_or(0, |change| change.count);
    let shown = changes.iter().filter(|change| inside(change.cycle));
    let most = shown.clone().map(|change| change.count).chain([count, 1]);
    let most = f64::from(most.max().unwrap_or(1));
    canvas.lane(&format!("{token} ({most:.0})"), TOKENS);
    let y = |count: u8| canvas.y + TOKENS - 2.0 - f64::from(count) / most * (TOKENS - 4.0);
    let mut points = vec![(0.0, y(count))];
    for change in shown {
        let x = scale.x(change.cycle);
        points.push((x, y(count)));
        count = change.count;
        points.push((x, y(count)));
    }
    points.push((scale.x(scale.window.end), y(count)));
    canvas.line(&points, palette::token(token));
    canvas.below(TOKENS);
}
