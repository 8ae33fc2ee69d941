//! The exported C functions: what compiled kernels and TVM's device glue call (spec section 3).
//!
//! Thin: arguments become Rust values, the work is done in [`super::runtime`]. No panic leaves; errors wait in
//! [`super::runtime::global`].
#![allow(unsafe_code)]
#![allow(non_snake_case, reason = "the names are given")]
#![allow(
    missing_docs,
    reason = "the names and meanings are those of the specification"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "callers are compiled code; each block says what it relies on"
)]

use super::config::Geometry;
use super::lowered::{Lowered, Sites};
use super::runtime::global::{self, attempt};
use super::runtime::{
    BufferHandle, CallSite, DebugFlags, LoadArgs, RuntimeError, StoreArgs, UopCall, UopMode,
};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

/// Runs `f`; a panic becomes an error that waits.
fn guarded<R>(default: R, f: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("panic");
        global::fail(RuntimeError::Internal(text.to_owned()));
        default
    })
}

/// Runs `f` for its effect; its error waits.
fn call(f: impl FnOnce(&mut super::runtime::Runtime) -> Result<(), RuntimeError>) {
    // The error is kept for `arco_vta_take_error`; a void function has nobody to tell.
    guarded((), || drop(attempt(f)));
}

#[unsafe(no_mangle)]
pub extern "C" fn VTABufferAlloc(size: usize) -> *mut c_void {
    guarded(std::ptr::null_mut(), || {
        let handle = attempt(|runtime| runtime.memory().alloc(size));
        handle.map_or(std::ptr::null_mut(), |handle| {
            std::ptr::with_exposed_provenance_mut(handle.0)
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn VTABufferFree(buffer: *mut c_void) {
    // A buffer that outlives the runtime is freed after the runtime has dropped all: no error.
    guarded((), || {
        global::with(|runtime| drop(runtime.memory().free(BufferHandle(buffer.addr()))));
    });
}

/// `kind`: bit 1 says that `from` is a device buffer, bit 0 that `to` is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VTABufferCopy(
    from: *const c_void,
    from_offset: usize,
    to: *mut c_void,
    to_offset: usize,
    size: usize,
    kind: c_int,
) {
    call(|runtime| {
        if kind & 2 != 0 {
            runtime.memory().check(from.addr(), from_offset, size)?;
        }
        if kind & 1 != 0 {
            runtime.memory().check(to.addr(), to_offset, size)?;
        }
        // SAFETY: a device handle is the address of its memory, and the checks above (the lock is held) say that the range
        // lies in a live buffer; for host memory the caller vouches. `copy` allows overlap.
        unsafe {
            let from = from.cast::<u8>().add(from_offset);
            std::ptr::copy(from, to.cast::<u8>().add(to_offset), size);
        }
        Ok(())
    });
}

/// The handle means nothing: there is one queue. It is not null, because callers test that.
#[unsafe(no_mangle)]
pub extern "C" fn VTATLSCommandHandle() -> *mut c_void {
    std::ptr::dangling_mut()
}

#[unsafe(no_mangle)]
pub extern "C" fn VTARuntimeShutdown() {
    guarded((), || global::with(super::runtime::Runtime::shutdown));
}

/// A device handle is the address of its memory, and unknown pointers are returned unchanged: both are `buffer` itself.
#[unsafe(no_mangle)]
pub extern "C" fn VTABufferCPUPtr(_cmd: *mut c_void, buffer: *mut c_void) -> *mut c_void {
    buffer
}

/// Cache maintenance; nothing to do in a simulator.
#[unsafe(no_mangle)]
pub extern "C" fn VTAWriteBarrier(
    _cmd: *mut c_void,
    _buffer: *mut c_void,
    _elem_bits: u32,
    _start: u32,
    _extent: u32,
) {
}

/// Cache maintenance; nothing to do in a simulator.
#[unsafe(no_mangle)]
pub extern "C" fn VTAReadBarrier(
    _cmd: *mut c_void,
    _buffer: *mut c_void,
    _elem_bits: u32,
    _start: u32,
    _extent: u32,
) {
}

#[unsafe(no_mangle)]
pub extern "C" fn VTASetDebugMode(_cmd: *mut c_void, flags: c_int) {
    guarded((), || global::set_debug(DebugFlags(flags.cast_unsigned())));
}

#[unsafe(no_mangle)]
pub extern "C" fn VTALoadBuffer2D(
    _cmd: *mut c_void,
    src_dram_addr: *mut c_void,
    src_elem_offset: u32,
    x_size: u32,
    y_size: u32,
    x_stride: u32,
    x_pad_before: u32,
    y_pad_before: u32,
    x_pad_after: u32,
    y_pad_after: u32,
    dst_sram_index: u32,
    dst_memory_type: u32,
) {
    call(|runtime| {
        runtime.load_buffer_2d(&LoadArgs {
            src: BufferHandle(src_dram_addr.addr()),
            src_elem_offset,
            x_size,
            y_size,
            x_stride,
            pad: [x_pad_before, y_pad_before, x_pad_after, y_pad_after],
            dst_sram_index,
            mem_type: dst_memory_type,
        })
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn VTAStoreBuffer2D(
    _cmd: *mut c_void,
    src_sram_index: u32,
    src_memory_type: u32,
    dst_dram_addr: *mut c_void,
    dst_elem_offset: u32,
    x_size: u32,
    y_size: u32,
    x_stride: u32,
) {
    call(|runtime| {
        runtime.store_buffer_2d(&StoreArgs {
            src_sram_index,
            mem_type: src_memory_type,
            dst: BufferHandle(dst_dram_addr.addr()),
            dst_elem_offset,
            x_size,
            y_size,
            x_stride,
        })
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn VTAUopPush(
    mode: u32,
    reset_out: u32,
    dst_index: u32,
    src_index: u32,
    wgt_index: u32,
    opcode: u32,
    use_imm: u32,
    imm_val: i32,
) {
    let call = UopCall {
        mode,
        reset_out,
        dst_index,
        src_index,
        wgt_index,
        opcode,
        use_imm,
        imm_val,
    };
    guarded((), || drop(global::record_push(&call)));
}

#[unsafe(no_mangle)]
pub extern "C" fn VTAUopLoopBegin(extent: u32, dst_factor: u32, src_factor: u32, wgt_factor: u32) {
    guarded((), || {
        drop(global::record_loop_begin(
            extent, dst_factor, src_factor, wgt_factor,
        ));
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn VTAUopLoopEnd() {
    guarded((), || drop(global::record_loop_end()));
}

/// What compiled code passes to record a kernel: calls `VTAUopLoopBegin`, `VTAUopPush`, `VTAUopLoopEnd`; 0 is success.
type Record = Option<unsafe extern "C" fn(*mut c_void) -> c_int>;

/// Receives the text of an error.
type Report = unsafe extern "C" fn(*const c_char);

static REPORT: Mutex<Option<Report>> = Mutex::new(None);

/// Chooses who is told when `VTAPushGEMMOp` or `VTAPushALUOp` fails, instead of letting the error wait: TVM's
/// `TVMAPISetLastError` fits, because compiled code passes the failure on. Null lets errors wait again.
#[unsafe(no_mangle)]
pub extern "C" fn arco_vta_report_errors_to(report: Option<Report>) {
    *REPORT.lock().unwrap_or_else(PoisonError::into_inner) = report;
}

/// Tells the one who wants to be told about the error that waits.
fn report() {
    let report = *REPORT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((report, error)) = report.and_then(|report| Some((report, global::take_error()?))) {
        let text = CString::new(error.to_string().replace('\0', " ")).unwrap_or_default();
        // SAFETY: the text is terminated.
        unsafe { report(text.as_ptr()) };
    }
}

/// 0 if no error waits; else -1, and who wants to be told of errors is told. It has the signature of TVM's packed C
/// functions (its arguments mean nothing), so that compiled code can call it after `VTASynchronize`, which returns nothing,
/// and pass the failure on.
#[unsafe(no_mangle)]
pub extern "C" fn arco_vta_check(
    _args: *mut c_void,
    _type_codes: *mut c_int,
    _num_args: c_int,
    _out_value: *mut c_void,
    _out_type_code: *mut c_int,
    _resource: *mut c_void,
) -> c_int {
    guarded(-1, || {
        let waits = global::error_waits();
        if waits {
            report();
        }
        -c_int::from(waits)
    })
}

/// 0 on success; on failure -1, and the error waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VTAPushGEMMOp(
    uop_handle: *mut *mut c_void,
    finit: Record,
    signature: *mut c_void,
    nbytes: c_int,
) -> c_int {
    // SAFETY: passed on; the caller vouches for the same.
    unsafe { push(uop_handle, finit, signature, nbytes, UopMode::Gemm) }
}

/// 0 on success; on failure -1, and the error waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VTAPushALUOp(
    uop_handle: *mut *mut c_void,
    finit: Record,
    signature: *mut c_void,
    nbytes: c_int,
) -> c_int {
    // SAFETY: passed on; the caller vouches for the same.
    unsafe { push(uop_handle, finit, signature, nbytes, UopMode::Alu) }
}

/// # Safety
/// `uop_handle` must point to a static pointer that only this function writes, `signature` to `nbytes` bytes.
unsafe fn push(
    uop_handle: *mut *mut c_void,
    finit: Record,
    signature: *mut c_void,
    nbytes: c_int,
    mode: UopMode,
) -> c_int {
    guarded(-1, || {
        let result = (|| {
            let bytes: &[u8] = match usize::try_from(nbytes) {
                Ok(0) => &[],
                // SAFETY: the caller vouches for `nbytes` readable bytes that nobody writes now.
                Ok(bytes @ 1..=8) if !signature.is_null() => unsafe {
                    std::slice::from_raw_parts(signature.cast(), bytes)
                },
                _ => {
                    let bytes = usize::try_from(nbytes).unwrap_or(0);
                    return Err(RuntimeError::Closure { bytes, value: None });
                }
            };
            let closure = global::closure_key(bytes)?;
            let finit = finit.ok_or(RuntimeError::Protocol("no function to record the kernel"))?;
            // SAFETY: the caller vouches for a static, aligned pointer that is written here only.
            let site = call_site(unsafe { AtomicPtr::from_ptr(uop_handle) });
            global::push_kernel(site, closure, mode, || {
                // SAFETY: the generated function gets the closure that it was generated for.
                match unsafe { finit(signature) } {
                    0 => Ok(()),
                    code => Err(RuntimeError::Callback(code)),
                }
            })
        })();
        result.map_or_else(
            |error| {
                global::fail(error);
                report();
                -1
            },
            |()| 0,
        )
    })
}

/// The site behind a static pointer of compiled code; the first use of the pointer creates it.
fn call_site(pointer: &AtomicPtr<c_void>) -> CallSite {
    let known = pointer.load(Ordering::Acquire).addr();
    if known != 0 {
        return CallSite(known);
    }
    let new = global::with(super::runtime::Runtime::new_site);
    let marker = std::ptr::without_provenance_mut(new.0);
    match pointer.compare_exchange(
        std::ptr::null_mut(),
        marker,
        Ordering::AcqRel,
        Ordering::Acquire,
    ) {
        Ok(_) => new,
        Err(other) => CallSite(other.addr()),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn VTADepPush(_cmd: *mut c_void, from: c_int, to: c_int) -> c_int {
    guarded(-1, || status(attempt(|runtime| runtime.dep_push(from, to))))
}

#[unsafe(no_mangle)]
pub extern "C" fn VTADepPop(_cmd: *mut c_void, from: c_int, to: c_int) -> c_int {
    guarded(-1, || status(attempt(|runtime| runtime.dep_pop(from, to))))
}

fn status(result: Result<(), RuntimeError>) -> c_int {
    if result.is_ok() { 0 } else { -1 }
}

#[unsafe(no_mangle)]
pub extern "C" fn VTASynchronize(_cmd: *mut c_void, _wait_cycles: u32) {
    call(super::runtime::Runtime::synchronize);
}

/// A kernel that is walked ([`Lowered`]), and what it recorded.
struct OpenKernel {
    kernel: Lowered,
    sites: Sites,
}

/// Reads a kernel as [`Lowered::to_bytes`] wrote it; null if that fails, and the error waits.
///
/// # Safety
/// `path` must be a terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_open_kernel(path: *const c_char) -> *mut c_void {
    guarded(std::ptr::null_mut(), || {
        // SAFETY: the caller vouches for a terminated string.
        let path = unsafe { CStr::from_ptr(path) }.to_string_lossy();
        let read = std::fs::read(&*path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Lowered::from_bytes(&bytes).map_err(|error| error.to_string()));
        match read {
            Ok(kernel) => {
                let sites = Sites::default();
                Box::into_raw(Box::new(OpenKernel { kernel, sites })).cast()
            }
            Err(error) => {
                global::fail(RuntimeError::Unreadable(format!("{path}: {error}")));
                std::ptr::null_mut()
            }
        }
    })
}

/// Runs a kernel on so many device buffers; 0 on success, else -1, and the error waits.
///
/// # Safety
/// `kernel` must come from [`arco_vta_open_kernel`] and not be closed or in use by another thread, `buffers` must point to
/// `count` handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_run_kernel(
    kernel: *mut c_void,
    buffers: *const *mut c_void,
    count: usize,
) -> c_int {
    guarded(-1, || {
        // SAFETY: the caller vouches for a kernel that is open and that nobody else uses.
        let open = unsafe { &mut *kernel.cast::<OpenKernel>() };
        let handles: Vec<BufferHandle> = (0..count)
            // SAFETY: the caller vouches for `count` handles.
            .map(|index| BufferHandle(unsafe { *buffers.add(index) }.addr()))
            .collect();
        status(attempt(|runtime| {
            open.kernel.run(runtime, &mut open.sites, &handles)
        }))
    })
}

/// Frees a kernel.
///
/// # Safety
/// `kernel` must come from [`arco_vta_open_kernel`], and is not to be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_close_kernel(kernel: *mut c_void) {
    guarded((), || {
        // SAFETY: the caller vouches that it was made by `Box::into_raw` there, and gives it up.
        let open = unsafe { Box::from_raw(kernel.cast::<OpenKernel>()) };
        global::with(|runtime| open.sites.forget(runtime));
    });
}

/// Takes the error that waits: writes its text, cut to `capacity` and always terminated, and returns its whole length; 0 if
/// there is none.
///
/// # Safety
/// `out` must have `capacity` writable bytes, or be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_take_error(out: *mut c_char, capacity: usize) -> usize {
    guarded(0, || {
        let text = global::take_error()
            .map(|error| error.to_string())
            .unwrap_or_default();
        // SAFETY: the caller vouches for `out`.
        unsafe { write_text(&text, out, capacity) }
    })
}

/// Puts a device of another geometry in place: `config` is the text of a vta_config.json, a preset's or a geometry's name. 0 on
/// success; on failure -1, and the error waits.
///
/// # Safety
/// `config` must be a terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_set_config(config: *const c_char) -> c_int {
    guarded(-1, || {
        // SAFETY: the caller vouches for a terminated string.
        let text = unsafe { CStr::from_ptr(config) }.to_string_lossy();
        let result = text
            .parse::<Geometry>()
            .map_err(RuntimeError::from)
            .and_then(global::set_geometry);
        status(result.inspect_err(|error| global::fail(error.clone())))
    })
}

/// Writes the counters, and `cycle_count` where time is kept, as a JSON object, as [`arco_vta_take_error`] writes its text.
///
/// # Safety
/// `out` must have `capacity` writable bytes, or be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_profiler_status(out: *mut c_char, capacity: usize) -> usize {
    guarded(0, || {
        // SAFETY: the caller vouches for `out`.
        unsafe { write_text(&global::status_json(), out, capacity) }
    })
}

/// Clears the counters, cycles included.
#[unsafe(no_mangle)]
pub extern "C" fn arco_vta_profiler_clear() {
    guarded((), global::clear_counters);
}

/// Simulated seconds since the counters were cleared: cycles by the geometry's clock; negative if the device keeps no time.
#[unsafe(no_mangle)]
pub extern "C" fn arco_vta_simulated_seconds() -> f64 {
    guarded(-1.0, || {
        global::with(|runtime| {
            let hertz = f64::from(runtime.geometry().clock_mhz()) * 1e6;
            runtime
                .device()
                .cycles()
                .map_or(-1.0, |cycles| cycles as f64 / hertz)
        })
    })
}

/// Simulated cycles since the process began, whatever was cleared or replaced; negative if the device keeps no time.
#[unsafe(no_mangle)]
pub extern "C" fn arco_vta_total_cycles() -> i64 {
    guarded(-1, || {
        let cycles = global::total_cycles();
        cycles.map_or(-1, |cycles| i64::try_from(cycles).unwrap_or(i64::MAX))
    })
}

/// The accelerator's clock.
#[unsafe(no_mangle)]
pub extern "C" fn arco_vta_clock_mhz() -> u32 {
    guarded(0, || global::with(|runtime| runtime.geometry().clock_mhz()))
}

/// Writes the geometry's name, as [`arco_vta_take_error`] writes its text.
///
/// # Safety
/// `out` must have `capacity` writable bytes, or be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_geometry(out: *mut c_char, capacity: usize) -> usize {
    guarded(0, || {
        let name = global::with(|runtime| runtime.geometry().name());
        // SAFETY: the caller vouches for `out`.
        unsafe { write_text(&name, out, capacity) }
    })
}

/// # Safety
/// `out` must have `capacity` writable bytes, or be null.
unsafe fn write_text(text: &str, out: *mut c_char, capacity: usize) -> usize {
    if let Some(room) = capacity.checked_sub(1).filter(|_| !out.is_null()) {
        let bytes = text.len().min(room);
        // SAFETY: bytes + 1 <= capacity.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), out.cast(), bytes);
            out.add(bytes).write(0);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
