//! Spaces that are computed rather than recorded: a file names a layer, and the draft model says what each configuration costs.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::codesign::{ComputedLayer, ComputedLayerError};
use crate::measure::recorded::{RecordedError, RecordedSpace, short_name};
use crate::record::loads;
use crate::task::{TargetKind, TaskContext};

use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::printer::Printer;

/// The key that tells such a file from a record.
const KEY: &str = "computed_layer";

/// The space of the layer that a file names; `None` where the file is anything else.
pub(super) fn space(
    path: &Path,
    bytes: &[u8],
    masks: bool,
    printer: Printer,
) -> Result<Option<RecordedSpace>, CliError> {
    // What is wrong with other files the reader of records says.
    let Some(layer) = layer_in(bytes) else {
        return Ok(None);
    };
    let layer = ComputedLayer::deserialize(layer).map_err(|error| {
        CliError::from(RecordedError::Format {
            path: path.to_owned(),
            reason: format!("`{KEY}`: {error}"),
        })
    })?;
    let name = short_name(path);
    printer.note(format!("computing every schedule of {name}"));
    let (space, costs) = layer
        .compute()
        .map_err(|error| refused(path, layer, &error))?;
    if !masks {
        return Err(CliError::from(RecordedError::TooLarge {
            name,
            configurations: space.range_length(),
        }));
    }
    let context = TaskContext::bare(TargetKind::Vta);
    let space = RecordedSpace::computed(name, space, context, costs);
    Ok(Some(space))
}

fn layer_in(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    // Records can be long: only a file that says so is parsed twice.
    if !text.contains(KEY) {
        return None;
    }
    let mut file = loads(text).ok()?;
    let layer = file.get_mut(KEY)?;
    Some(layer.take())
}

fn refused(path: &Path, layer: ComputedLayer, error: &ComputedLayerError) -> CliError {
    let hint = match error {
        ComputedLayerError::NoOutput => {
            "sizes are positive, and the kernel fits into the padded input"
        }
        ComputedLayerError::NoGeometry { .. } => "name more with `max_macs` and `max_sram_kib`",
        ComputedLayerError::Space(_) | ComputedLayerError::Timing(_) => "",
    };
    let label = layer.convolution.label();
    CliError::new(
        ExitCode::Log,
        format!("{}: {label}: {error}", path.display()),
        hint,
    )
}
