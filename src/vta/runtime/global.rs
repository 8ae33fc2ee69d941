//! The one runtime of a process, as compiled code sees it.
//!
//! Compiled code passes no context that could carry an error, and most of its calls return nothing: a failed call leaves
//! its error here, drops the stream that it belongs to, and makes every later call fail with it until somebody takes it
//! ([`take_error`]). Recording a kernel calls back into compiled code, so the lock is not held then; what is recorded
//! belongs to the thread.

use super::{
    CallSite, DebugFlags, KernelBuilder, Runtime, RuntimeError, SimulatedDevice, SimulationMode,
    UopCall, UopMode,
};
use crate::vta::config::Geometry;
use crate::vta::timing::TimingReport;
use std::cell::RefCell;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Global {
    runtime: Runtime,
    mode: SimulationMode,
    error: Option<RuntimeError>,
    /// Cycles of devices that are gone, and of this one before its counters were cleared.
    cycles_before: u64,
}

static GLOBAL: Mutex<Option<Global>> = Mutex::new(None);

thread_local! {
    static RECORDER: RefCell<Option<KernelBuilder>> = const { RefCell::new(None) };
}

/// The lock; a panic of another thread must not take the accelerator away from this one.
fn lock() -> MutexGuard<'static, Option<Global>> {
    GLOBAL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Global {
    fn new() -> Self {
        let (geometry, mode) = (Geometry::default(), SimulationMode::default());
        Global {
            runtime: Runtime::on(Box::new(SimulatedDevice::new(geometry, mode))),
            mode,
            error: None,
            cycles_before: 0,
        }
    }

    fn replace_device(
        &mut self,
        geometry: Geometry,
        mode: SimulationMode,
    ) -> Result<(), RuntimeError> {
        let passed = self.runtime.device().cycles().unwrap_or(0);
        self.runtime
            .replace_device(Box::new(SimulatedDevice::new(geometry, mode)))?;
        self.mode = mode;
        self.cycles_before += passed;
        Ok(())
    }
}

fn with_global<R>(f: impl FnOnce(&mut Global) -> R) -> R {
    let mut guard = lock();
    f(guard.get_or_insert_with(Global::new))
}

/// Calls `f` with the process's runtime, which starts on both models with the default geometry.
pub fn with<R>(f: impl FnOnce(&mut Runtime) -> R) -> R {
    with_global(|global| f(&mut global.runtime))
}

/// Calls `f` unless an error waits; its own error waits from then on.
///
/// # Errors
/// The error of `f`, or the one that waits.
pub fn attempt<R>(
    f: impl FnOnce(&mut Runtime) -> Result<R, RuntimeError>,
) -> Result<R, RuntimeError> {
    with_global(|global| {
        if let Some(error) = &global.error {
            return Err(error.clone());
        }
        f(&mut global.runtime).inspect_err(|error| {
            global.runtime.abandon();
            global.error = Some(error.clone());
        })
    })
}

/// Leaves an error that no call of the runtime made.
pub fn fail(error: RuntimeError) {
    with_global(|global| {
        global.runtime.abandon();
        global.error.get_or_insert(error);
    });
}

/// True if an error waits.
pub fn error_waits() -> bool {
    with_global(|global| global.error.is_some())
}

/// The error that waits, if one does; calls work again after it is taken.
pub fn take_error() -> Option<RuntimeError> {
    with_global(|global| global.error.take())
}

/// Puts a device of another geometry in place; buffers and kernels stay, tokens and on-chip buffers are new.
///
/// # Errors
/// [`RuntimeError::Busy`] while instructions are queued.
pub fn set_geometry(geometry: Geometry) -> Result<(), RuntimeError> {
    with_global(|global| global.replace_device(geometry, global.mode))
}

/// Chooses what executes launches from now on, beginning with a device of the present geometry.
///
/// # Errors
/// [`RuntimeError::Busy`] while instructions are queued.
pub fn set_mode(mode: SimulationMode) -> Result<(), RuntimeError> {
    with_global(|global| global.replace_device(global.runtime.geometry(), mode))
}

/// `VTASetDebugMode`; what flags 2 and 4 dump goes to standard error.
pub fn set_debug(flags: DebugFlags) {
    with(|runtime| {
        runtime.set_dump(|text| {
            // Whoever asks for a dump gets it where C programs write theirs; a closed stream is no reason to stop.
            drop(std::io::stderr().write_all(text.as_bytes()));
        });
        runtime.set_debug(flags);
    });
}

/// What executes launches.
pub fn mode() -> SimulationMode {
    with_global(|global| global.mode)
}

/// Simulated cycles since the process began, whatever was cleared or replaced in between; none if no time is kept now.
pub fn total_cycles() -> Option<u64> {
    with_global(|global| {
        let cycles = global.runtime.device().cycles()?;
        Some(global.cycles_before + cycles)
    })
}

/// Clears the statistics, cycles included.
pub fn clear_counters() {
    with_global(|global| {
        let device = global.runtime.device();
        let passed = device.cycles().unwrap_or(0);
        device.clear_counters();
        global.cycles_before += passed;
    });
}

/// The statistics as a JSON object: the counters, and `cycle_count` where time is kept.
pub fn status_json() -> String {
    let (counters, cycles) = with_global(|global| {
        let device = global.runtime.device();
        (device.counters(), device.cycles())
    });
    let entries = counters.entries().into_iter();
    let entries = entries.chain(cycles.map(|cycles| ("cycle_count", cycles)));
    let object: serde_json::Map<String, serde_json::Value> = entries
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    serde_json::Value::Object(object).to_string()
}

/// Where the cycles since the counters were cleared went; none if no time is kept.
pub fn time_report() -> Option<TimingReport> {
    with_global(|global| global.runtime.device().time_report())
}

/// Pushes the kernel of a call site, recording it by `record` if this is its first use with this closure. `record` runs
/// without the lock and calls [`record_loop_begin`], [`record_loop_end`] and [`record_push`].
///
/// # Errors
/// [`RuntimeError`] of recording or of [`Runtime::push_kernel`].
pub fn push_kernel(
    site: CallSite,
    closure: u32,
    mode: UopMode,
    record: impl FnOnce() -> Result<(), RuntimeError>,
) -> Result<(), RuntimeError> {
    if !attempt(|runtime| Ok(runtime.has_kernel(site, closure)))? {
        let recorded = record_kernel(record);
        attempt(|runtime| {
            runtime.add_kernel(site, closure, recorded?);
            Ok(())
        })?;
    }
    attempt(|runtime| runtime.push_kernel(site, closure, mode))
}

fn record_kernel(
    record: impl FnOnce() -> Result<(), RuntimeError>,
) -> Result<super::UopKernel, RuntimeError> {
    let nested = RECORDER.with_borrow_mut(|recorder| {
        let nested = recorder.is_some();
        recorder.get_or_insert_default();
        nested
    });
    if nested {
        return Err(RuntimeError::Protocol(
            "a kernel is pushed while another is recorded",
        ));
    }
    let result = record();
    let builder = RECORDER.take().unwrap_or_default();
    // An error of one of the calls explains more than the callback's return value.
    if let Some(error) = with_global(|global| global.error.clone()) {
        return Err(error);
    }
    result?;
    Ok(builder.finish()?)
}

fn with_recorder(
    f: impl FnOnce(&mut KernelBuilder) -> Result<(), super::KernelError>,
) -> Result<(), RuntimeError> {
    let result = RECORDER.with_borrow_mut(|recorder| match recorder {
        Some(builder) => f(builder).map_err(RuntimeError::from),
        None => Err(RuntimeError::Protocol(
            "micro-operations and loops exist only while a kernel is recorded",
        )),
    });
    result.inspect_err(|error| fail(error.clone()))
}

/// `VTAUopLoopBegin`.
///
/// # Errors
/// [`RuntimeError::Kernel`], [`RuntimeError::Protocol`] outside of recording.
pub fn record_loop_begin(extent: u32, dst: u32, src: u32, wgt: u32) -> Result<(), RuntimeError> {
    with_recorder(|builder| builder.loop_begin(extent, dst, src, wgt))
}

/// `VTAUopLoopEnd`.
///
/// # Errors
/// [`RuntimeError::Kernel`], [`RuntimeError::Protocol`] outside of recording.
pub fn record_loop_end() -> Result<(), RuntimeError> {
    with_recorder(KernelBuilder::loop_end)
}

/// `VTAUopPush`.
///
/// # Errors
/// [`RuntimeError::Kernel`], [`RuntimeError::Protocol`] outside of recording.
pub fn record_push(call: &UopCall) -> Result<(), RuntimeError> {
    with_recorder(|builder| builder.push(call))
}

/// The key of a call site's closure: 0 for none, value + 1 for an int32 in 0..=98 (spec section 3).
///
/// # Errors
/// [`RuntimeError::Closure`] for anything else.
pub fn closure_key(bytes: &[u8]) -> Result<u32, RuntimeError> {
    let value = bytes.try_into().ok().map(i32::from_le_bytes);
    match (bytes, value) {
        ([], _) => Ok(0),
        (_, Some(value @ 0..=98)) => Ok(value.cast_unsigned() + 1),
        _ => Err(RuntimeError::Closure {
            bytes: bytes.len(),
            value,
        }),
    }
}
