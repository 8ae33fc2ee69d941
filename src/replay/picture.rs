//! A picture of convergence: the share of the optimum over evaluations, with a band over seeds.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::statistics::{mean, quantile};

/// Width of a panel in pixels.
const WIDTH: u32 = 720;
/// Height of a panel in pixels.
const HEIGHT: u32 = 420;
/// Shares of the runs that lie below and above the band.
const BAND: [f64; 2] = [0.1, 0.9];

/// The axis reaches down to what is found after so many evaluations.
const SHOWN_FROM: usize = 4;

/// Okabe and Ito's colours, which people with any colour vision can tell apart; further strategies repeat them.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(100, 100, 100),
];

/// What is drawn of one space.
#[derive(Clone, Debug)]
pub struct Curves {
    /// The panel's title.
    pub title: String,
    /// Random search's expectation after 1, 2, ... evaluations.
    pub expectation: Vec<f64>,
    /// For each strategy its name, and for each seed the share of the optimum after 1, 2, ... evaluations.
    pub strategies: Vec<(String, Vec<Vec<f64>>)>,
}

/// An SVG picture with a panel for each space.
///
/// Lines are means over seeds; bands hold the middle 80 % of the runs.
///
/// # Errors
/// When the picture cannot be drawn; the text says why.
pub fn draw(panels: &[Curves]) -> Result<String, String> {
    let mut svg = String::new();
    {
        let rows = panels.len().max(1) as u32;
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT * rows)).into_drawing_area();
        root.fill(&WHITE).map_err(|e| e.to_string())?;
        let areas = root.split_evenly((rows as usize, 1));
        for (panel, area) in panels.iter().zip(&areas) {
            draw_panel(panel, area).map_err(|error| error.to_string())?;
        }
        root.present().map_err(|error| error.to_string())?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawError<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

fn draw_panel<'a>(panel: &Curves, area: &Area<'a>) -> Result<(), DrawError<'a>> {
    let budget = panel.expectation.len().max(1);
    let lines = panel.strategies.iter().map(|(_, runs)| band(runs, BAND[0]));
    let lowest = lines
        .chain([panel.expectation.clone()])
        // The first few evaluations would take most of the height, and say least.
        .flat_map(|line| line.into_iter().skip(SHOWN_FROM))
        .fold(1.0, f64::min);
    // Room below the lowest, down to a round tenth.
    let bottom = ((lowest * 10.0).floor() / 10.0).clamp(0.0, 0.9);
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(1.0..budget.max(2) as f64, bottom..1.0)?;
    chart
        .configure_mesh()
        .x_desc("evaluations")
        .y_desc("optimum / best so far")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.2}"))
        .light_line_style(WHITE)
        .draw()?;
    let points = |values: Vec<f64>| {
        let numbered = values.into_iter().enumerate();
        numbered.map(move |(i, share)| (i as f64 + 1.0, share.max(bottom)))
    };
    for (s, (name, runs)) in panel.strategies.iter().enumerate() {
        let colour = COLOURS[s % COLOURS.len()];
        let outline: Vec<(f64, f64)> = points(band(runs, BAND[1]))
            .chain(
                points(band(runs, BAND[0]))
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev(),
            )
            .collect();
        chart.draw_series([Polygon::new(outline, colour.mix(0.15).filled())])?;
        let line = points(over_runs(runs, mean));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    let dashed = BLACK.stroke_width(1);
    chart
        .draw_series(DashedLineSeries::new(
            points(panel.expectation.clone()),
            6,
            4,
            dashed,
        ))?
        .label("random search, expected")
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], dashed));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .draw()
}

fn band(runs: &[Vec<f64>], share: f64) -> Vec<f64> {
    over_runs(runs, |values| quantile(values, share))
}

/// A statistic of all runs after each number of evaluations.
fn over_runs(runs: &[Vec<f64>], statistic: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let length = runs.iter().map(Vec::len).min().unwrap_or(0);
    (0..length)
        .map(|i| statistic(&runs.iter().map(|run| run[i]).collect::<Vec<_>>()))
        .collect()
}
