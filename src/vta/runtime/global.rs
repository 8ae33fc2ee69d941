//! The one runtime of a process, as compiled code sees it.
//!
//! Compiled code passes no context that could carry an error, and most of its calls return nothing: a failed call leaves
//! its error here, drops the stream that it belongs to, and makes every later call fail with it until somebody takes it
//! ([`take_error`]). Recording a kernel calls back into compiled code, so the lock is not held then; what is recorded
//! belongs to the thread.

use super::device::{Device, FuncDevice};
use super::{CallSite, KernelBuilder, Runtime, RuntimeError, UopCall, UopMode};
use crate::vta::config::Geometry;
use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Makes a device of a geometry.
pub type DeviceFactory = fn(Geometry) -> Box<dyn Device>;

struct Global {
    runtime: Runtime,
    factory: DeviceFactory,
    error: Option<RuntimeError>,
}

static GLOBAL: Mutex<Option<Global>> = Mutex::new(None);

thread_local! {
    static RECORDER: RefCell<Option<KernelBuilder>> = const { RefCell::new(None) };
}

/// The lock; a panic of another thread must not take the accelerator away from this one.
fn lock() -> MutexGuard<'static, Option<Global>> {
    GLOBAL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn functional(geometry: Geometry) -> Box<dyn Device> {
    Box::new(FuncDevice::new(geometry))
}

fn with_global<R>(f: impl FnOnce(&mut Global) -> R) -> R {
    let mut guard = lock();
    f(guard.get_or_insert_with(|| Global {
        runtime: Runtime::new(Geometry::default()),
        factory: functional,
        error: None,
    }))
}

/// Calls `f` with the process's runtime, which starts on the functional model with the default geometry.
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

/// The error that waits, if one does; calls work again after it is taken.
pub fn take_error() -> Option<RuntimeError> {
    with_global(|global| global.error.take())
}

/// Puts a device of another geometry in place; buffers and kernels stay.
///
/// # Errors
/// [`RuntimeError::Busy`] while instructions are queued.
pub fn set_geometry(geometry: Geometry) -> Result<(), RuntimeError> {
    with_global(|global| {
        let device = (global.factory)(geometry);
        global.runtime.replace_device(device)
    })
}

/// Chooses what executes launches from now on, beginning with a device of the present geometry.
///
/// # Errors
/// [`RuntimeError::Busy`] while instructions are queued.
pub fn set_device_factory(factory: DeviceFactory) -> Result<(), RuntimeError> {
    with_global(|global| {
        let device = factory(global.runtime.geometry());
        global.runtime.replace_device(device)?;
        global.factory = factory;
        Ok(())
    })
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
