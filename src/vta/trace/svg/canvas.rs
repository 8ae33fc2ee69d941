//! SVG text, lane by lane from top to bottom.

use std::fmt::Write;

/// Pixels left of the lanes, for their names.
pub(super) const LEFT: f64 = 120.0;
const RIGHT: f64 = 20.0;
const GAP: f64 = 8.0;

/// A picture under construction.
pub(super) struct Canvas {
    body: String,
    width: f64,
    /// Top of the next lane.
    pub(super) y: f64,
}

impl Canvas {
    pub(super) fn new(width: u32) -> Self {
        Canvas {
            body: String::new(),
            width: f64::from(width),
            y: 0.0,
        }
    }

    /// Pixels for time.
    pub(super) fn span(&self) -> f64 {
        self.width - LEFT - RIGHT
    }

    pub(super) fn title(&mut self, title: &str, cycles: u64, dropped: u64) {
        let left_out = if dropped == 0 {
            String::new()
        } else {
            format!("; {dropped} events left out")
        };
        let text = format!("{title}  {cycles} cycles{left_out}");
        self.text(8.0, 20.0, "t", text.trim());
        self.y = 32.0;
    }

    /// A heading of its own line.
    pub(super) fn heading(&mut self, text: &str) {
        self.y += 14.0;
        self.text(8.0, self.y, "h", text);
        self.y += 8.0;
    }

    /// The name of a lane of `height` at the current position.
    pub(super) fn lane(&mut self, name: &str, height: f64) {
        let (y, width) = (self.y, self.span());
        self.text(8.0, y + height / 2.0 + 4.0, "n", name);
        let _ = writeln!(
            self.body,
            r#"<rect class="l" x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        );
    }

    /// Moves below a lane.
    pub(super) fn below(&mut self, height: f64) {
        self.y += height + GAP;
    }

    /// A box with a tooltip; `hatched` for waiting. `x` counts from the left of the lanes.
    pub(super) fn rect(&mut self, at: Rect, colour: &str, hatched: bool, tooltip: &str) {
        let Rect { x, y, w, h } = at;
        let class = if hatched { r#" class="w""# } else { "" };
        let _ = write!(
            self.body,
            r#"<rect{class} x="{:.2}" y="{y:.1}" width="{:.2}" height="{h:.1}" fill="{colour}""#,
            LEFT + x,
            w.max(0.3)
        );
        if tooltip.is_empty() {
            self.body.push_str("/>\n");
        } else {
            let tooltip = escape(tooltip);
            let _ = writeln!(self.body, "><title>{tooltip}</title></rect>");
        }
    }

    /// A line through points; `x` counts from the left of the lanes.
    pub(super) fn line(&mut self, points: &[(f64, f64)], colour: &str) {
        let _ = write!(
            self.body,
            r#"<polyline fill="none" stroke="{colour}" points=""#
        );
        for (x, y) in points {
            let _ = write!(self.body, "{:.2},{y:.1} ", LEFT + x);
        }
        self.body.push_str("\"/>\n");
    }

    /// An axis of cycles below the lanes.
    pub(super) fn axis(&mut self, from: u64, to: u64) {
        let cycles = (to - from).max(1);
        let mut step = 10u64.pow(cycles.ilog10());
        if cycles / step < 4 {
            step = (step / 4).max(1);
        }
        let y = self.y;
        let mut tick = from.div_ceil(step) * step;
        while tick <= to {
            let x = (tick - from) as f64 / cycles as f64 * self.span();
            self.line(&[(x, y - GAP), (x, y - 2.0)], "#555");
            self.text(LEFT + x - 10.0, y + 9.0, "a", &tick.to_string());
            tick += step;
        }
        self.y += 16.0;
    }

    pub(super) fn legend(&mut self, entries: &[(&str, bool, String)]) {
        self.heading("Colours");
        let column = 170.0;
        let columns = ((self.width - LEFT) / column).max(1.0) as usize;
        for (number, (colour, hatched, name)) in entries.iter().enumerate() {
            let x = (number % columns) as f64 * column;
            let y = self.y + (number / columns) as f64 * 18.0;
            let at = Rect {
                x,
                y,
                w: 14.0,
                h: 12.0,
            };
            self.rect(at, colour, *hatched, "");
            self.text(LEFT + x + 19.0, y + 10.0, "n", name);
        }
        self.y += entries.len().div_ceil(columns) as f64 * 18.0 + 8.0;
    }

    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = escape(text);
        let _ = writeln!(
            self.body,
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{text}</text>"#
        );
    }

    pub(super) fn finish(self) -> String {
        let (width, height) = (self.width, self.y);
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="sans-serif">
<style>.t{{font-size:15px;font-weight:bold}}.h{{font-size:12px;font-weight:bold}}.n{{font-size:11px}}.a{{font-size:9px;fill:#555}}.l{{fill:#f4f4f4}}.w{{fill-opacity:.45;stroke:#777;stroke-width:.3;stroke-dasharray:2}}</style>
<rect width="100%" height="100%" fill="#fff"/>
{}</svg>
"##,
            self.body
        )
    }
}

/// A box.
#[derive(Clone, Copy)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
