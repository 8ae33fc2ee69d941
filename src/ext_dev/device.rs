//! The functions behind TVM's C++ device.

use tvm_rt::ExtDev;

use crate::vta::c_api;

/// What the C++ device calls.
pub(super) const FUNCTIONS: ExtDev = ExtDev {
    alloc: c_api::VTABufferAlloc,
    free: c_api::VTABufferFree,
    copy: c_api::VTABufferCopy,
    take_error: c_api::arco_vta_take_error,
    total_cycles: c_api::arco_vta_total_cycles,
    clock_mhz: c_api::arco_vta_clock_mhz,
    geometry: c_api::arco_vta_geometry,
    open_kernel: c_api::arco_vta_open_kernel,
    run_kernel: c_api::arco_vta_run_kernel,
    close_kernel: c_api::arco_vta_close_kernel,
};
