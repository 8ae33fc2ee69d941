//! The C functions as compiled code calls them. One test: there is one runtime in a process.
use super::*;
use crate::vta::runtime::SimulationMode;

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
    assert!(String::from_utf8_lossy(&text[..length]).contains("\"cycle_count\":"));

    // Time goes on, whatever is cleared or replaced; without the timing model there is none.
    let (seconds, cycles) = (arco_vta_simulated_seconds(), arco_vta_total_cycles());
    assert_eq!(arco_vta_clock_mhz(), 100);
    assert!(seconds > 0.0 && cycles > 0);
    arco_vta_profiler_clear();
    assert_eq!(
        (arco_vta_simulated_seconds(), arco_vta_total_cycles()),
        (0.0, cycles)
    );
    global::set_mode(SimulationMode::Functional).unwrap();
    assert!(arco_vta_simulated_seconds() < 0.0 && arco_vta_total_cycles() < 0);
    global::set_mode(SimulationMode::Full).unwrap();
    assert_eq!(arco_vta_total_cycles(), cycles);

    // A deadlock: compiled code that looks gets it, and the device is usable afterwards.
    let check = || {
        let null = std::ptr::null_mut();
        arco_vta_check(null, null.cast(), 0, null, null.cast(), null)
    };
    assert_eq!(check(), 0);
    for _ in 0..2 {
        VTADepPop(cmd, 3, 2);
        VTASynchronize(cmd, 1);
        assert_eq!(check(), -1);
        assert!(last_error().contains("waits for store->compute"));
        assert_eq!(check(), 0);
        VTADepPush(cmd, 2, 3);
        VTADepPop(cmd, 2, 3);
        VTASynchronize(cmd, 1);
        assert_eq!(last_error(), "");
    }

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
