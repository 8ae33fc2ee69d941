//! What Python and RPC clients call: the device itself, its statistics, its geometry, what it simulates.

use tvm_rt::{Args, Error, Function, Result, RetValue, Tvm, register_global, set_last_error};

use super::{device, shim};
use crate::shim::ShimError;
use crate::vta::c_api::arco_vta_report_errors_to;
use crate::vta::config::{Geometry, VtaConfig};
use crate::vta::lowered::Lowered;
use crate::vta::runtime::{DebugFlags, SimulationMode, global};
use crate::vta::timing::Bound;

/// A packed function.
type Packed = fn(&Args<'_>) -> Result<RetValue>;

/// Names and functions, as docs/concepts/vta.md lists them.
const FUNCTIONS: [(&str, Packed); 14] = [
    ("device_api.ext_dev", device_api),
    ("vta.simulator.profiler_status", profiler_status),
    ("vta.simulator.profiler_clear", profiler_clear),
    ("vta.simulator.profiler_debug_mode", profiler_debug_mode),
    ("tvm.contrib.vta.reconfig_runtime", set_config),
    ("arco.vta.set_config", set_config),
    ("arco.vta.config", config),
    ("arco.vta.describe", describe),
    ("arco.vta.set_clock", set_clock),
    ("arco.vta.set_mode", set_mode),
    ("arco.vta.mode", mode),
    ("arco.vta.time", time),
    ("arco.vta.lowered", lowered),
    ("runtime.module.loadfile_vta", load_lowered),
];

/// Puts the functions into this process's TVM.
///
/// # Errors
/// When TVM refuses them.
pub(crate) fn register() -> Result<()> {
    for (name, function) in FUNCTIONS {
        register_global(name, &Function::from_fn(function)?, true)?;
    }
    // Compiled kernels pass the failure of `VTAPushGEMMOp` on; TVM then looks for the reason here.
    arco_vta_report_errors_to(Some(set_last_error));
    Ok(())
}

fn value_error(error: impl std::fmt::Display) -> Error {
    Error::raise("ValueError", error.to_string())
}

/// `device_api.ext_dev() -> DeviceAPI*`; TVM asks once.
fn device_api(_: &Args<'_>) -> Result<RetValue> {
    let tvm = Tvm::get()?;
    let device = shim::open(&device::FUNCTIONS, tvm.path()).map_err(|error| match error {
        ShimError::Load(error) => error,
        error => Error::raise("RuntimeError", error.to_string()),
    })?;
    Ok(RetValue::Handle(device))
}

/// `time() -> JSON object`: cycles since the counters were cleared, the share in which the MAC array multiplied
/// (`utilisation`), and what bounds the time (`bound_by`, null without cycles).
fn time(_: &Args<'_>) -> Result<RetValue> {
    let report = global::time_report().ok_or_else(|| value_error("this mode keeps no time"))?;
    let about = serde_json::json!({
        "cycles": report.cycles,
        "seconds": report.seconds,
        "utilisation": report.utilisation,
        "bound_by": report.bound_by().map(Bound::name),
    });
    Ok(about.to_string().into())
}

/// `lowered(JSON of a lowered module) -> bytes` of a kernel that runs without machine code; a ValueError says what of it
/// has to be compiled.
fn lowered(args: &Args<'_>) -> Result<RetValue> {
    let text: String = args.get(0)?;
    let lowered = Lowered::of_tvm_json(&text).map_err(value_error)?;
    Ok(RetValue::Bytes(lowered.to_bytes()))
}

/// `loadfile_vta(path, format) -> module` of what [`lowered`] made: TVM asks for it by the ending of the file's name.
fn load_lowered(args: &Args<'_>) -> Result<RetValue> {
    let path: String = args.get(0)?;
    // The class of the module is in the shim, which is opened with the device.
    device_api(args)?;
    Function::get("arco.vta.load_lowered")?.call(&[path.as_str().into()])
}

/// `profiler_status() -> JSON object` of the counters, and `cycle_count` where time is kept.
fn profiler_status(_: &Args<'_>) -> Result<RetValue> {
    Ok(global::status_json().into())
}

/// `profiler_clear()`
fn profiler_clear(_: &Args<'_>) -> Result<RetValue> {
    global::clear_counters();
    Ok(RetValue::Null)
}

/// `profiler_debug_mode(flags)`: 1 skips execution; the others are those of `VTASetDebugMode`.
fn profiler_debug_mode(args: &Args<'_>) -> Result<RetValue> {
    let flags: i64 = args.get(0)?;
    let flags = u32::try_from(flags)
        .map_err(|_| value_error(format_args!("debug flags {flags} are not in 0..=63")))?;
    global::set_debug(DebugFlags(flags));
    Ok(RetValue::Null)
}

/// `set_config(text) -> model`: the text of a vta_config.json, a preset's name, or a geometry's.
fn set_config(args: &Args<'_>) -> Result<RetValue> {
    let text: String = args.get(0)?;
    let geometry: Geometry = text.parse().map_err(value_error)?;
    global::set_geometry(geometry).map_err(value_error)?;
    Ok(geometry.model().into())
}

/// `config() -> JSON object`: the vta_config.json of the geometry, derived values included.
fn config(_: &Args<'_>) -> Result<RetValue> {
    let config = global::with(|runtime| runtime.geometry().to_config());
    let config = config.with_derived().map_err(value_error)?;
    Ok(config.to_json().into())
}

/// `describe(text) -> JSON object` of what `set_config` would set, and changes nothing: `config` as [`config`] gives it,
/// `name` of the geometry, `model` with the target in front.
fn describe(args: &Args<'_>) -> Result<RetValue> {
    let text: String = args.get(0)?;
    let geometry: Geometry = text.parse().map_err(value_error)?;
    let config = geometry.to_config().with_derived().map_err(value_error)?;
    let about = serde_json::json!({
        "config": config,
        "name": geometry.name(),
        "model": geometry.model(),
    });
    Ok(about.to_string().into())
}

/// `set_clock(MHz) -> model`
fn set_clock(args: &Args<'_>) -> Result<RetValue> {
    let mhz: i64 = args.get(0)?;
    let clock_mhz =
        u32::try_from(mhz).map_err(|_| value_error(format_args!("a clock of {mhz} MHz")))?;
    let config = VtaConfig {
        clock_mhz: Some(clock_mhz),
        ..global::with(|runtime| runtime.geometry().to_config())
    };
    let geometry = config.geometry().map_err(value_error)?;
    global::set_geometry(geometry).map_err(value_error)?;
    Ok(geometry.model().into())
}

/// `set_mode("full" | "timing" | "functional")`
fn set_mode(args: &Args<'_>) -> Result<RetValue> {
    let name: String = args.get(0)?;
    let mode: SimulationMode = name.parse().map_err(value_error)?;
    global::set_mode(mode).map_err(value_error)?;
    Ok(RetValue::Null)
}

/// `mode() -> str`
fn mode(_: &Args<'_>) -> Result<RetValue> {
    Ok(global::mode().name().to_owned().into())
}
