#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| arco_tvm::vta::fuzzing::files(data));
