//! Landscapes of the VTA accelerator: one JSON object a line, with the factors of `conv2d_packed.vta` and cycles.
//!
//! They are of the default geometry and do not say which convolution they are of. Its shape follows from the knobs and
//! from what the valid programs count: see [`infer`].

use std::sync::Arc;

use serde_json::Value;

use crate::record::ErrorNo;
use crate::task::{
    Entity, Knob, KnobKind, LONGEST, PackedMask, TargetKind, TaskContext, workload_of,
};
use crate::vta::config::{Geometry, Mem, Preset};
use crate::vta::packed_conv::{PackedConv, PackedTiles};

use super::error::RecordedError;
use super::knobs::knobs_that_occur;
use super::space::{Draft, Evaluation};

/// Whether a line of the file looks like this format.
pub(super) fn is_line(line: &Value) -> bool {
    line["config"].is_object() && line.get("valid").is_some_and(Value::is_boolean)
}

/// The space of a landscape.
///
/// # Errors
/// When a line lacks a knob.
pub(super) fn draft(
    name: String,
    mut lines: Vec<Value>,
    wrong: impl Fn(String) -> RecordedError,
) -> Result<Draft, RecordedError> {
    // In index order the values of a knob appear in the knob's own order.
    lines.sort_by_key(|line| line["index"].as_u64());
    let geometry = Preset::De10nano.geometry();
    let names: Vec<String> = match lines[0]["config"].as_object() {
        Some(config) => config.keys().cloned().collect(),
        None => return Err(RecordedError::Empty { name }),
    };
    let rows = lines
        .iter()
        .map(|line| {
            names
                .iter()
                .map(|knob| entity(knob, &line["config"][knob]))
                .collect::<Option<Vec<Entity>>>()
                .ok_or_else(|| wrong(format!("index {}: a knob has no value", line["index"])))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let knobs = knobs_that_occur(&names, rows.iter().map(Vec::as_slice)).map_err(|source| {
        RecordedError::Knob {
            name: name.clone(),
            source,
        }
    })?;
    let evaluations = rows
        .iter()
        .zip(&lines)
        .map(|(row, line)| (digits(&knobs, row), evaluation(line, &geometry)))
        .collect();
    let conv = infer(&knobs, &lines, &geometry);
    let mask = conv.and_then(|conv| PackedMask::of_conv(conv, geometry, &knobs));
    let context = match conv {
        Some(conv) => TaskContext::of(&workload_of(&conv, &geometry)),
        None => TaskContext::bare(TargetKind::Vta),
    };
    Ok(Draft {
        name,
        knobs,
        context,
        evaluations,
        mask: mask.map(|mask| Arc::new(mask) as _),
    })
}

/// A factor as AutoTVM would hold it: tiles are splits.
fn entity(knob: &str, factor: &Value) -> Option<Entity> {
    let number = factor.as_i64()?;
    Some(if knob.starts_with("tile_") {
        Entity::Split(vec![-1, number])
    } else {
        Entity::Other(factor.clone())
    })
}

fn digits(knobs: &[Knob], row: &[Entity]) -> Vec<u32> {
    knobs
        .iter()
        .zip(row)
        .map(|(knob, value)| {
            let digit = knob.entities().iter().position(|known| known == value);
            digit.map_or(0, |digit| digit as u32)
        })
        .collect()
}

fn evaluation(line: &Value, geometry: &Geometry) -> Evaluation {
    let hertz = f64::from(geometry.clock_mhz()) * 1e6;
    let cost = match (line["valid"].as_bool(), line["cycles_de10"].as_f64()) {
        (Some(true), Some(cycles)) => Ok(cycles / hertz),
        (Some(true), None) => Err(ErrorNo::Unknown),
        _ if line["stage"] == "run" => Err(ErrorNo::RuntimeDevice),
        _ => Err(ErrorNo::Instantiation),
    };
    Evaluation {
        cost,
        seconds: None,
    }
}

/// Kernels up to this size are looked for.
const LARGEST_KERNEL: usize = 32;

/// The convolution whose programs load and multiply exactly as much as the valid lines say they did.
///
/// The knobs give the output and the channels (their largest tiles), the multiplications the size of the kernel, and the
/// bytes loaded for tiles of all sizes leave one stride and padding. `None` when no shape explains every valid line, or
/// the kernel isn't square.
fn infer(knobs: &[Knob], lines: &[Value], geometry: &Geometry) -> Option<PackedConv> {
    let largest = |name: &str| {
        let knob = knobs.iter().find(|knob| knob.name() == name)?;
        (knob.kind() == KnobKind::Split).then_some(())?;
        let sizes = knob.entities().iter().filter_map(|entity| match entity {
            Entity::Split(sizes) => usize::try_from(*sizes.last()?).ok(),
            _ => None,
        });
        sizes.max().filter(|size| (1..=LONGEST).contains(size))
    };
    let (out_h, out_w) = (largest("tile_h")?, largest("tile_w")?);
    let (ci, co) = (largest("tile_ci")?, largest("tile_co")?);
    let valid: Vec<Counted> = lines.iter().filter_map(Counted::of).collect();
    let products = valid.first()?.multiplications / (out_h * out_w * ci * co);
    let kernel = products.isqrt();
    if kernel * kernel != products || !(1..=LARGEST_KERNEL).contains(&kernel) {
        return None;
    }
    let mut found = None;
    for stride in 1..=4 {
        for padding in 0..kernel {
            // Rows that no tile reads may follow: the widest input that gives this output is taken.
            for spare in 0..stride {
                let side =
                    |out: usize| ((out - 1) * stride + kernel + spare).checked_sub(2 * padding);
                let conv = PackedConv {
                    batches: 1,
                    height: side(out_h)?,
                    width: side(out_w)?,
                    input_blocks: ci,
                    output_blocks: co,
                    kernel_height: kernel,
                    kernel_width: kernel,
                    stride,
                    padding,
                };
                if valid.iter().all(|line| line.fits(&conv, geometry)) {
                    found = Some(conv);
                }
            }
        }
    }
    found
}

/// A valid line: its tiles and what its program counted.
struct Counted {
    tiles: PackedTiles,
    multiplications: usize,
    input_bytes: usize,
}

impl Counted {
    fn of(line: &Value) -> Option<Self> {
        let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        let factor = |name: &str| {
            number(&line["config"][name]).filter(|factor| (1..=LONGEST).contains(factor))
        };
        (line["valid"] == true).then_some(())?;
        Some(Self {
            tiles: PackedTiles {
                h: factor("tile_h")?,
                w: factor("tile_w")?,
                ci: factor("tile_ci")?,
                co: factor("tile_co")?,
                oc_threads: factor("oc_nthread")?,
                h_threads: factor("h_nthread")?,
            },
            multiplications: number(&line["stats"]["gemm_counter"])?,
            input_bytes: number(&line["stats"]["inp_load_nbytes"])?,
        })
    }

    fn fits(&self, conv: &PackedConv, geometry: &Geometry) -> bool {
        let PackedTiles { h, w, co, .. } = self.tiles;
        let (out_h, out_w) = (conv.out_height(), conv.out_width());
        let products = conv.kernel_height * conv.kernel_width;
        let channels = conv.input_blocks * conv.output_blocks;
        // Every tile of output channels loads the whole input anew.
        let loaded = read(out_h, h, conv, conv.height)
            * read(out_w, w, conv, conv.width)
            * conv.input_blocks
            * (conv.output_blocks / co);
        self.multiplications == out_h * out_w * products * channels
            && self.input_bytes == loaded * geometry.elem_bytes(Mem::Inp)
    }
}

/// Rows (or columns) that the tiles of one axis read in all; those of the padding are not read.
fn read(out: usize, tile: usize, conv: &PackedConv, length: usize) -> usize {
    (0..out / tile)
        .map(|t| {
            let start = t * tile * conv.stride;
            let end = start + (tile - 1) * conv.stride + conv.kernel_height;
            let inside = |position: usize| position.saturating_sub(conv.padding).min(length);
            inside(end) - inside(start)
        })
        .sum()
}
