//! The device of a process in its three modes.

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::func::Counters;
use arco_tvm::vta::runtime::{
    BufferHandle, DebugFlags, LoadArgs, Runtime, SimulatedDevice, SimulationMode,
};

/// One element.
fn row(src: BufferHandle) -> LoadArgs {
    LoadArgs {
        src,
        src_elem_offset: 0,
        x_size: 1,
        y_size: 1,
        x_stride: 1,
        pad: [0; 4],
        dst_sram_index: 0,
        mem_type: Mem::Inp.id().into(),
    }
}

/// A runtime on the default geometry, and a buffer of it.
fn simulated(mode: SimulationMode) -> (Runtime, BufferHandle) {
    let mut runtime = Runtime::on(Box::new(SimulatedDevice::new(Geometry::default(), mode)));
    let buffer = runtime.memory().alloc(4096).unwrap();
    (runtime, buffer)
}

#[test]
fn all_modes_count_the_same_and_those_with_time_agree_on_it() {
    let mut counters = Vec::new();
    let mut cycles = Vec::new();
    for mode in SimulationMode::ALL {
        let (mut runtime, buffer) = simulated(mode);
        for launches in 1..=3u64 {
            runtime.load_buffer_2d(&row(buffer)).unwrap();
            runtime.synchronize().unwrap();
            assert_eq!(runtime.device().counters().inp_load_nbytes, 16 * launches);
        }
        counters.push(runtime.device().counters());
        cycles.push(runtime.device().cycles());
        runtime.device().clear_counters();
        assert_eq!(runtime.device().counters(), Counters::default());
        assert_eq!(runtime.device().cycles(), cycles.last().unwrap().map(|_| 0));
    }
    assert_eq!(counters[0], counters[1]);
    assert_eq!(counters[0], counters[2]);
    let [full, timing, functional] = cycles[..] else {
        panic!("three modes")
    };
    assert!(full.unwrap() > 0);
    assert_eq!((full, functional), (timing, None));
}

#[test]
fn a_token_left_over_serves_the_next_launch_and_survives_clearing_the_counters() {
    for mode in SimulationMode::ALL {
        let (mut runtime, _) = simulated(mode);
        runtime.dep_push(3, 2).unwrap();
        runtime.synchronize().unwrap();
        runtime.device().clear_counters();
        runtime.dep_pop(3, 2).unwrap();
        runtime
            .synchronize()
            .unwrap_or_else(|e| panic!("{mode}: {e}"));
    }
}

#[test]
fn a_launch_that_fails_leaves_no_token_behind() {
    for mode in SimulationMode::ALL {
        let (mut runtime, buffer) = simulated(mode);
        runtime.set_debug(DebugFlags(DebugFlags::SKIP_EXECUTION));
        // Load gives a token before compute waits for one of store that never comes.
        runtime.load_buffer_2d(&row(buffer)).unwrap();
        runtime.dep_push(1, 2).unwrap();
        runtime.dep_pop(3, 2).unwrap();
        let error = runtime.synchronize().unwrap_err().to_string();
        assert!(error.contains("store->compute"), "{mode}: {error}");
        runtime.dep_pop(1, 2).unwrap();
        let error = runtime.synchronize().unwrap_err().to_string();
        assert!(error.contains("load->compute"), "{mode}: {error}");
        runtime.load_buffer_2d(&row(buffer)).unwrap();
        runtime.synchronize().unwrap();
    }
}
