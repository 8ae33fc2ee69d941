//! Program files of the schedules that were measured: `arco-tvm vta run` says how long each takes.

use serde_json::{Value, json};

use crate::cli::error::CliError;
use crate::cli::exit_code::ExitCode;
use crate::cli::printer::Printer;
use crate::cli::vta::files;
use crate::codesign::Network;
use crate::vta::draft::{Drafter, Epilogue};
use crate::vta::program::text;

use super::args::CodesignArgs;
use super::measured::MeasuredNetwork;

/// Folder of the files, in the output folder.
const FOLDER: &str = "programs";

/// Writes the program of each layer's best schedule, and returns for each layer the file's name and which of its launches
/// are the measured call; null where there is no program.
///
/// The programs are the draft model's, so where one does not take as long as TVM's did, that is said.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(
    args: &CodesignArgs,
    network: &Network,
    measured: &MeasuredNetwork,
    printer: Printer,
) -> Result<Vec<Value>, CliError> {
    let folder = args.output.join(FOLDER);
    let geometry = measured.geometry;
    std::fs::create_dir_all(&folder).map_err(|error| {
        let message = format!("cannot make the folder {}: {error}", folder.display());
        CliError::new(ExitCode::Failure, message, "is there room on the disk?")
    })?;
    let mut drafter = Drafter::new(&geometry);
    let mut described = Vec::new();
    for (position, (layer, own)) in network.layers().iter().zip(&measured.layers).enumerate() {
        let Some(best) = own.best else {
            described.push(Value::Null);
            continue;
        };
        let conv = layer.convolution.packed(&geometry);
        let name = format!("{}_{:02}", geometry.name(), position);
        let calls = drafter.two_calls(&name, &conv, &best.tiles, &Epilogue::default());
        let calls = match calls {
            Ok(calls) => calls,
            Err(error) => {
                printer.warning(format!("no program of {name} is written: {error}"));
                described.push(Value::Null);
                continue;
            }
        };
        if calls.cycles != best.cycles {
            let took = format!("{} cycles, measured {}", calls.cycles, best.cycles);
            printer.warning(format!(
                "the draft of {name} takes {took}: please report it"
            ));
        }
        let file = format!("{FOLDER}/{name}.vta.gz");
        let text = text::print(&calls.program);
        files::write(&args.output.join(&file), |out| {
            out.write_all(text.as_bytes())
        })?;
        described.push(json!({"file": file, "first_launch": calls.first}));
    }
    Ok(described)
}
