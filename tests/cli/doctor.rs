//! `doctor` and devices at a real tracker. What it says of a broken installation or of no tracker is in the files for
//! those.

use std::time::Duration;

use snapbox::str;

use crate::fleet::{DeviceServers, Fleet, TrackerServer, turn, wait_until};
use crate::scene::Scene;
use crate::support;

/// Waits until so many devices have registered, as `doctor` counts them.
fn wait_for_devices(scene: &Scene, tracker: &str, count: &str) {
    let registered = || {
        let mut command = scene.arco_tvm(&["doctor", "--tracker", tracker, "--python", "nowhere"]);
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains(count)
    };
    assert!(wait_until(Duration::from_secs(30), registered));
}

#[test]
fn devices_of_a_tracker_are_counted_by_key_asked_and_measured() {
    let _turn = turn();
    let scene = Scene::new();
    let fleet = Fleet::new(Duration::ZERO);
    let tracker = TrackerServer::start();
    let _boards = DeviceServers::start(&fleet, &tracker, "board", 2);
    let address = tracker.address.to_string();
    wait_for_devices(&scene, &address, "`board`: 2 devices, 2 free");
    let arguments = ["doctor", "--tracker", &address, "--key", "board"];
    let mut command = scene.arco_tvm(&arguments);
    scene.says(
        command.args(["--target", "llvm"]),
        str![[r#"
exit code: 0
--- standard output
[ ok ] Python: [PYTHON] (--python, ARCO_PYTHON or arco.toml)
[ ok ] TVM: 0.19.0, [TVM]/libtvm.so
[ ok ] package arco_tvm: 0.1.0 on Python [VERSION]
[ ok ] LLVM: 22.1.8, which calls this CPU [CPU]
[ ok ] code generators: aocl, aocl_sw_emu, c, hexagon, llvm, metal, nvptx, opencl, rocm, sdaccel, stackvm, webgpu
[ ok ] device runtimes: cpu, rpc
[ ok ] cores: [CORES]
[ ok ] linker: [PATH]
[ ok ] local device: a server on this machine answers in [TIME]
[NOISE]
[ ok ] tracker: 127.0.0.1:[PORT], `board`: 2 devices, 2 free, 0 waiting
[ ok ] reach: the tracker listens on the loopback address only, and so do its 2 devices
[ ok ] tracked device: `board` answers in [TIME], connecting included
[NOISE]
--- standard error

"#]],
    );
    let mut command = scene.arco_tvm(&arguments);
    command.args(["--target", "ext_dev"]);
    let said = support::succeeded(command.output().unwrap());
    let skipped = "[skip] noise of `board`: no kernel to try for the target `ext_dev`";
    assert!(said.contains(skipped), "{said}");
}

#[test]
fn a_tracker_that_others_can_reach_is_warned_of() {
    let _turn = turn();
    let scene = Scene::new();
    let tracker = TrackerServer::start_open();
    let address = tracker.address.to_string();
    let mut command = scene.arco_tvm(&["doctor", "--tracker", &address]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 0
--- standard output
[ ok ] Python: [PYTHON] (--python, ARCO_PYTHON or arco.toml)
[ ok ] TVM: 0.19.0, [TVM]/libtvm.so
[ ok ] package arco_tvm: 0.1.0 on Python [VERSION]
[ ok ] LLVM: 22.1.8, which calls this CPU [CPU]
[ ok ] code generators: aocl, aocl_sw_emu, c, hexagon, llvm, metal, nvptx, opencl, rocm, sdaccel, stackvm, webgpu
[ ok ] device runtimes: cpu, rpc
[ ok ] cores: [CORES]
[ ok ] linker: [PATH]
[ ok ] local device: a server on this machine answers in [TIME]
[NOISE]
[ ok ] tracker: 127.0.0.1:[PORT], no device has registered
[warn] reach: the tracker listens on 0.0.0.0
       whoever reaches it can register devices of his own there, and is then sent your kernels: start it with --host 127.0.0.1, or let only a network that you trust reach it
--- standard error

"#]],
    );
}
