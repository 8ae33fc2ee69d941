//! The whole run: shares of slices of time.

use super::canvas::{Canvas, Rect};
use super::palette;
use crate::vta::isa::{Module, Token};
use crate::vta::timing::{InsnClass, WaitReason};
use crate::vta::trace::record::Recorder;
use std::ops::Range;

const LANE: f64 = 44.0;
/// Slices of time, if there are that many cycles.
const SLICES: u64 = 300;

/// One kind of work or waiting.
struct Kind {
    name: String,
    colour: &'static str,
    waiting: bool,
}

/// Every kind, work first, so that waiting lies on top.
fn kinds() -> Vec<Kind> {
    let work = InsnClass::ALL.map(|class| Kind {
        name: class.name().to_owned(),
        colour: palette::class(class),
        waiting: false,
    });
    let reasons = [WaitReason::Fetch]
        .into_iter()
        .chain(Token::ALL.map(WaitReason::Token));
    let waiting = reasons.map(|reason| Kind {
        name: palette::wait_name(reason),
        colour: palette::wait(reason),
        waiting: true,
    });
    work.into_iter().chain(waiting).collect()
}

fn class_kind(class: InsnClass) -> usize {
    class as usize
}

fn wait_kind(reason: WaitReason) -> usize {
    InsnClass::ALL.len()
        + match reason {
            WaitReason::Fetch => 0,
            WaitReason::Token(token) => 1 + token.index(),
        }
}

pub(super) fn draw(recorder: &Recorder, end: u64, window: &Range<u64>, canvas: &mut Canvas) {
    canvas.heading("Whole run: shares of time (the window below is framed)");
    let top = canvas.y;
    let slices = SLICES.min(end);
    let kinds = kinds();
    for module in Module::ALL {
        let mut cycles = vec![vec![0u64; kinds.len()]; slices as usize];
        let mut add = |from: u64, to: u64, kind: usize| {
            // Slice n is from n * end / slices on.
            let mut at = from;
            while at < to {
                let slice = (u128::from(at) * u128::from(slices) / u128::from(end)) as u64;
                let slice = slice.min(slices - 1);
                let next = (u128::from(slice + 1) * u128::from(end)).div_ceil(slices.into()) as u64;
                let stop = next.clamp(at + 1, to.max(at + 1)).min(to);
                cycles[slice as usize][kind] += stop - at;
                at = stop;
            }
        };
        for span in recorder.spans().iter().filter(|s| s.module == module) {
            add(span.start, span.end, class_kind(span.class()));
        }
        for wait in recorder.waits().iter().filter(|w| w.module == module) {
            add(wait.start, wait.end, wait_kind(wait.reason));
        }
        canvas.lane(module.name(), LANE);
        let width = canvas.span() / slices as f64;
        let length = end as f64 / slices as f64;
        for (number, slice) in cycles.iter().enumerate() {
            let mut y = canvas.y + LANE;
            for (kind, &cycles) in kinds.iter().zip(slice) {
                if cycles == 0 {
                    continue;
                }
                let share = (cycles as f64 / length).min(1.0);
                y -= share * LANE;
                let at = Rect {
                    x: number as f64 * width,
                    y,
                    w: width,
                    h: share * LANE,
                };
                let tooltip = format!("{}: {:.0} %", kind.name, share * 100.0);
                canvas.rect(at, kind.colour, kind.waiting, &tooltip);
            }
        }
        canvas.below(LANE);
    }
    let scale = canvas.span() / end as f64;
    let (left, right) = (window.start as f64 * scale, window.end as f64 * scale);
    let bottom = canvas.y - 4.0;
    let frame = [
        (left, top - 3.0),
        (right, top - 3.0),
        (right, bottom),
        (left, bottom),
        (left, top - 3.0),
    ];
    canvas.line(&frame, "#000");
    canvas.axis(0, end);
}
