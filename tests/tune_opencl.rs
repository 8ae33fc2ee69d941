//! A network tuned for OpenCL with a TVM that was built without it, and held against the CPU. Real TVM, real RPC, a real
//! OpenCL implementation: PoCL, which runs on the CPU and shows that what is computed is right, not how fast a GPU is.

mod support;

use arco_tvm::record::read_log;

use support::{arco_tvm_with_tvm, succeed};

/// Convolutions, residual additions, a dense layer.
const NETWORK: &str = "resnet-8";

/// Whether an OpenCL driver is here. Without one these tests show nothing and fail, unless they are told that it may be so;
/// `make test` tells them, and says at its end what was not tested.
fn opencl_is_here() -> bool {
    let drivers = std::fs::read_dir("/etc/OpenCL/vendors").map_or(0, Iterator::count);
    let here = drivers > 0 && tvm_rt::can_open("libOpenCL.so.1");
    assert!(
        here || std::env::var_os("ARCO_TEST_WITHOUT_OPENCL").is_some(),
        "there is no OpenCL here, and these tests need it (Debian: apt install pocl-opencl-icd ocl-icd-libopencl1); set \
         ARCO_TEST_WITHOUT_OPENCL=1 to go without them"
    );
    here
}

#[test]
fn a_network_is_tuned_for_opencl_and_agrees_with_the_cpu() {
    if !opencl_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (_, said) = succeed(&mut arco_tvm_with_tvm(
        folder,
        &[
            "tune",
            NETWORK,
            "--target",
            "opencl",
            "-o",
            "net.log",
            "--trials-per-task",
            "2",
            "--cooldown",
            "0",
            "--number",
            "1",
            "--repeat",
            "1",
        ],
    ));
    assert!(said.contains("shared memory in a block"), "{said}");
    let log = read_log(&folder.join("net.log")).unwrap();
    let measured = log
        .records
        .iter()
        .filter(|(_, record)| record.result.mean_cost().is_some())
        .count();
    assert!(
        2 * measured > log.records.len(),
        "{measured} of {} candidates ran",
        log.records.len()
    );
    let (stdout, _) = succeed(&mut arco_tvm_with_tvm(
        folder,
        &[
            "verify",
            NETWORK,
            "--target",
            "opencl",
            "--log",
            "net.log",
            "--network-only",
            "--network-repeat",
            "1",
        ],
    ));
    assert!(stdout.contains("outputs agree"), "{stdout}");
    assert!(!stdout.contains("records applied to 0"), "{stdout}");
}
