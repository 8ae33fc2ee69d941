//! A timeline as one SVG file, with no script and no font of its own.
//!
//! Above, the whole run: for each module, the share of each slice of time that went to each kind of work and of
//! waiting. Below, a window of it cycle by cycle: instructions, waits, memory, and the tokens in the four queues.
//! Every shape has a tooltip.

mod canvas;
mod detail;
mod overview;
mod palette;

use super::record::Recorder;
use canvas::Canvas;
use std::ops::Range;

/// How to draw.
#[derive(Clone, Debug)]
pub struct SvgOptions {
    /// Cycles to draw in detail; if not given, a window in the middle of the run.
    pub window: Option<Range<u64>>,
    /// Width of the picture in pixels, at least 400.
    pub width: u32,
    /// Title above the picture.
    pub title: String,
}

impl Default for SvgOptions {
    fn default() -> Self {
        SvgOptions {
            window: None,
            width: 1400,
            title: String::new(),
        }
    }
}

/// Instructions of the busiest module that a window shows if none is given.
const WINDOW_INSNS: usize = 40;

/// Draws a run.
pub fn render(recorder: &Recorder, options: &SvgOptions) -> String {
    let end = recorder.end().max(1);
    let window = match &options.window {
        Some(window) => {
            let from = window.start.min(end - 1);
            from..window.end.clamp(from + 1, end)
        }
        None => middle(recorder, end),
    };
    let mut canvas = Canvas::new(options.width.max(400));
    canvas.title(&options.title, end, recorder.dropped());
    overview::draw(recorder, end, &window, &mut canvas);
    detail::draw(recorder, &window, &mut canvas);
    palette::legend(recorder, &mut canvas);
    canvas.finish()
}

/// A window around the middle of the run in which the module of most instructions executes [`WINDOW_INSNS`].
fn middle(recorder: &Recorder, end: u64) -> Range<u64> {
    let spans = recorder.spans();
    if spans.len() <= 3 * WINDOW_INSNS {
        return 0..end;
    }
    let first = spans.len() / 2;
    let last = (first + 3 * WINDOW_INSNS).min(spans.len() - 1);
    let from = spans[first].end.saturating_sub(1);
    from..spans[last].end.clamp(from + 1, end)
}
