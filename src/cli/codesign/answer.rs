//! `--evaluate`: another program's search asks, the draft model answers.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::printer::Printer;
use crate::codesign::{Evaluator, Ledger, Point, Problem, schedules, tile_numbers};
use crate::vta::config::Geometry;
use crate::vta::packed_conv::{PackedConv, PackedTiles};

use super::args::CodesignArgs;
use super::compare::{Remembering, front_json};

/// A question of another program's search.
#[derive(Deserialize)]
#[serde(untagged)]
enum Question {
    /// Which geometries does none beat, by these schedules?
    Front { front: Vec<Asked> },
    /// What does a schedule take, or, without tiles: which are there?
    Schedule(Asked),
}

#[derive(Deserialize)]
struct Asked {
    layer: usize,
    geometry: String,
    /// Rows, columns, blocks of input and output channels, virtual threads along output channels and rows.
    tiles: Option<[usize; 6]>,
}

/// What another program asked makes no sense.
fn wrong(error: impl ToString) -> CliError {
    let hint = r#"one object a line, such as {"layer": 0, "geometry": "1x16_...", "tiles": [7, 14, 1, 2, 2, 1]}"#;
    CliError::new(ExitCode::Usage, error.to_string(), hint)
}

impl Asked {
    /// The geometry, and the convolution as it is packed there.
    fn conv(&self, problem: &Problem) -> Result<(Geometry, PackedConv), CliError> {
        let geometry = Geometry::from_name(&self.geometry).map_err(wrong)?;
        let layers = problem.network.layers();
        let layer = layers.get(self.layer).ok_or_else(|| {
            wrong(format!(
                "there is no layer {}, only {}",
                self.layer,
                layers.len()
            ))
        })?;
        Ok((geometry, layer.convolution.packed(&geometry)))
    }

    /// The schedule on its geometry; none where the geometry cannot run it.
    fn point(&self, problem: &Problem, numbers: [usize; 6]) -> Result<Option<Point>, CliError> {
        let (geometry, conv) = self.conv(problem)?;
        if numbers.contains(&0) {
            return Err(wrong("a tile has no elements"));
        }
        let [h, w, ci, co, oc_threads, h_threads] = numbers;
        let tiles = PackedTiles {
            h,
            w,
            ci,
            co,
            oc_threads,
            h_threads,
        };
        let runs = conv.refusal(&geometry, &tiles).is_none();
        Ok(runs.then_some(Point {
            layer: self.layer,
            geometry,
            tiles,
        }))
    }
}

/// Answers questions on standard input, one JSON object a line, by the draft model: a line with the cycles, or null for a
/// schedule that the geometry cannot run. Without tiles the answer is every schedule that it can run; to a list of schedules
/// under `front`, what no geometry beats that can run them: score, multipliers, buffer bits.
///
/// # Errors
/// When standard input cannot be read or a line is no question.
pub(super) fn answer(
    args: &CodesignArgs,
    problem: &Problem,
    printer: Printer,
) -> Result<ExitCode, CliError> {
    let mut evaluator = Remembering::open(args, problem)?;
    let mut cycles = |point: &Point| {
        let cycles = evaluator.cycles(&problem.network, point);
        cycles.map_err(|error| CliError::new(ExitCode::Failure, error, ""))
    };
    for line in std::io::stdin().lines() {
        let line = line.map_err(wrong)?;
        let answer = match serde_json::from_str(&line).map_err(wrong)? {
            Question::Front { front } => {
                let mut ledger = Ledger::default();
                for asked in front {
                    let tiles = asked.tiles.ok_or_else(|| wrong("tiles are missing"))?;
                    if let Some(point) = asked.point(problem, tiles)? {
                        ledger.add(&point, cycles(&point)?);
                    }
                }
                json!(front_json(problem, &ledger))
            }
            Question::Schedule(asked) => match asked.tiles {
                Some(tiles) => match asked.point(problem, tiles)? {
                    Some(point) => json!(cycles(&point)?),
                    None => Value::Null,
                },
                None => {
                    let (geometry, conv) = asked.conv(problem)?;
                    let all = schedules(&conv, &geometry);
                    json!(all.iter().map(tile_numbers).collect::<Vec<_>>())
                }
            },
        };
        printer.result(answer.to_string());
    }
    Ok(ExitCode::Success)
}
