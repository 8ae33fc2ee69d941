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

use super::config::{Geometry, VtaConfig};
use super::runtime::global::{self, attempt};
use super::runtime::{
    BufferHandle, CallSite, DebugFlags, LoadArgs, RuntimeError, StoreArgs, UopCall, UopMode,
};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io::Write;
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
    guarded((), || {
        global::with(|runtime| {
            runtime.set_dump(|text| {
                // Whoever asks for a dump gets it where C programs write theirs; a closed stream is no reason to stop.
                drop(std::io::stderr().write_all(text.as_bytes()));
            });
            runtime.set_debug(DebugFlags(flags.cast_unsigned()));
        });
    });
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
type Report = extern "C" fn(*const c_char);

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
        report(text.as_ptr());
    }
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

/// Puts a device of another geometry in place: `config` is the text of a vta_config.json, or a geometry's name. 0 on
/// success; on failure -1, and the error waits.
///
/// # Safety
/// `config` must be a terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_set_config(config: *const c_char) -> c_int {
    guarded(-1, || {
        // SAFETY: the caller vouches for a terminated string.
        let text = unsafe { CStr::from_ptr(config) }.to_string_lossy();
        let geometry = if text.trim_start().starts_with('{') {
            VtaConfig::from_json(&text).and_then(|config| config.geometry())
        } else {
            Geometry::from_name(text.trim())
        };
        let result = geometry
            .map_err(RuntimeError::from)
            .and_then(global::set_geometry);
        status(result.inspect_err(|error| global::fail(error.clone())))
    })
}

/// Writes the counters as a JSON object, as [`arco_vta_take_error`] writes its text.
///
/// # Safety
/// `out` must have `capacity` writable bytes, or be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arco_vta_profiler_status(out: *mut c_char, capacity: usize) -> usize {
    guarded(0, || {
        let counters = global::with(|runtime| runtime.device().counters());
        let text = serde_json::to_string(&counters).unwrap_or_default();
        // SAFETY: the caller vouches for `out`.
        unsafe { write_text(&text, out, capacity) }
    })
}

/// Clears the counters.
#[unsafe(no_mangle)]
pub extern "C" fn arco_vta_profiler_clear() {
    guarded((), || {
        global::with(|runtime| runtime.device().clear_counters())
    });
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
mod tests {
    //! The C functions as compiled code calls them. One test: there is one runtime in a process.
    use super::*;

    /// `acc[0..4] = 7 * i` by ALU: micro-operations add the immediate 7 to growing ranges.
    extern "C" fn record_add(_: *mut c_void) -> c_int {
        VTAUopLoopBegin(1, 0, 0, 0);
        for dst in 0..4 {
            VTAUopPush(1, 0, dst, dst, 0, 2, 1, 7);
        }
        VTAUopLoopEnd();
        0
    }

    extern "C" fn record_conflict(_: *mut c_void) -> c_int {
        VTAUopPush(0, 1, 5, 0, 0, 0, 0, 0);
        VTAUopPush(0, 1, 5, 0, 0, 0, 0, 0);
        0
    }

    extern "C" fn record_failure(_: *mut c_void) -> c_int {
        3
    }

    fn last_error() -> String {
        let mut text = [0u8; 256];
        // SAFETY: the buffer has 256 bytes.
        let length = unsafe { arco_vta_take_error(text.as_mut_ptr().cast(), text.len()) };
        String::from_utf8_lossy(&text[..length.min(255)]).into_owned()
    }

    fn push_alu(site: &mut *mut c_void, record: Record) -> c_int {
        // SAFETY: the site is a pointer of ours, there is no closure.
        unsafe { VTAPushALUOp(site, record, std::ptr::null_mut(), 0) }
    }

    fn copy(from: *const u8, to: *mut c_void, bytes: usize, kind: c_int) {
        // SAFETY: host memory is ours and big enough, device ranges are checked.
        unsafe { VTABufferCopy(from.cast(), 0, to, 0, bytes, kind) };
    }

    #[test]
    fn compiled_code_s_calls_compute_report_errors_and_recover() {
        let cmd = VTATLSCommandHandle();
        assert!(!cmd.is_null());
        let (input, output) = (VTABufferAlloc(256), VTABufferAlloc(64));
        let values: Vec<u8> = (0..64i32).flat_map(|i| (i / 16).to_le_bytes()).collect();
        copy(values.as_ptr(), input, 256, 1);
        assert_eq!(VTABufferCPUPtr(cmd, input), input);

        let mut site = std::ptr::null_mut();
        VTALoadBuffer2D(cmd, input, 0, 4, 1, 4, 0, 0, 0, 0, 0, 3);
        assert_eq!(push_alu(&mut site, Some(record_add)), 0);
        assert!(!site.is_null());
        assert_eq!(VTADepPush(cmd, 2, 3), 0);
        assert_eq!(VTADepPop(cmd, 2, 3), 0);
        VTAStoreBuffer2D(cmd, 0, 4, output, 0, 4, 1, 4);
        VTASynchronize(cmd, u32::MAX);
        let mut found = [0u8; 64];
        copy(output.cast(), found.as_mut_ptr().cast(), 64, 2);
        let expected: Vec<u8> = (0..64).map(|i| i / 16 + 7).collect();
        assert_eq!((&found[..], last_error()), (&expected[..], String::new()));

        // An error waits until it is taken; then calls work again.
        let mut other = std::ptr::null_mut();
        assert_eq!(push_alu(&mut other, Some(record_conflict)), -1);
        assert_eq!(push_alu(&mut site, Some(record_add)), -1);
        assert!(last_error().contains("writes dst 5"));
        assert_eq!(push_alu(&mut other, Some(record_failure)), -1);
        assert!(last_error().contains("returned 3"));
        assert_eq!(push_alu(&mut other, None), -1);
        assert!(last_error().contains("no function"));
        VTAUopPush(0, 0, 0, 0, 0, 0, 0, 0);
        assert!(last_error().contains("only while a kernel is recorded"));
        copy(values.as_ptr(), output, 65, 1);
        assert!(last_error().contains("leave the device buffer of 64"));
        let mut closure = 99i32;
        // SAFETY: site and closure are ours.
        let code = unsafe {
            VTAPushALUOp(
                &raw mut site,
                Some(record_add),
                (&raw mut closure).cast(),
                4,
            )
        };
        assert_eq!(code, -1);
        assert!(last_error().contains("Some(99)"));
        assert_eq!(VTADepPush(cmd, 1, 3), -1);
        assert!(last_error().contains("no token can go"));
        assert_eq!(push_alu(&mut site, Some(record_add)), 0);
        VTASynchronize(cmd, 1);
        assert_eq!(last_error(), "");

        // A listener gets the error instead.
        extern "C" fn listen(text: *const c_char) {
            // SAFETY: the text is terminated.
            let text = unsafe { CStr::from_ptr(text) }
                .to_string_lossy()
                .into_owned();
            HEARD
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&text);
        }
        static HEARD: Mutex<String> = Mutex::new(String::new());
        arco_vta_report_errors_to(Some(listen));
        assert_eq!(push_alu(&mut other, Some(record_failure)), -1);
        arco_vta_report_errors_to(None);
        assert_eq!(last_error(), "");
        assert!(
            HEARD
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains("returned 3")
        );

        // Another geometry in the same process, by name and by file.
        for config in [
            c"1x8_i8w8a32_15_14_16_16",
            c"{\"LOG_BLOCK\": 4}",
            c"1x16_i8w8a32_15_15_18_17",
        ] {
            // SAFETY: the strings are terminated.
            let code = unsafe { arco_vta_set_config(config.as_ptr()) };
            let bad = config.to_bytes().starts_with(b"{");
            assert_eq!(
                (code, last_error().contains("missing field")),
                (-c_int::from(bad), bad)
            );
        }
        let mut text = [0u8; 512];
        VTALoadBuffer2D(cmd, input, 0, 4, 1, 4, 0, 0, 0, 0, 0, 3);
        VTASynchronize(cmd, 1);
        // SAFETY: the buffer has 512 bytes.
        let length = unsafe { arco_vta_profiler_status(text.as_mut_ptr().cast(), 512) };
        assert!(String::from_utf8_lossy(&text[..length]).contains("\"acc_load_nbytes\":256"));
        assert!(arco_vta_simulated_seconds() < 0.0);

        // Threads share memory and stream without tearing either.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let buffer = VTABufferAlloc(5000);
                        VTADepPush(std::ptr::null_mut(), 2, 1);
                        VTADepPop(std::ptr::null_mut(), 2, 1);
                        let mut bytes = [9u8; 5000];
                        copy([7u8; 5000].as_ptr(), buffer, 5000, 1);
                        copy(buffer.cast(), bytes.as_mut_ptr().cast(), 5000, 2);
                        assert_eq!(bytes, [7; 5000]);
                        VTABufferFree(buffer);
                    }
                });
            }
        });
        VTASynchronize(cmd, 1);
        assert_eq!(last_error(), "");
        VTARuntimeShutdown();
        VTABufferFree(input);
        VTABufferFree(output);
        assert_eq!(last_error(), "");
    }
}
