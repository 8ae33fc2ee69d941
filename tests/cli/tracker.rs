//! Trackers that are not there, or are something else.

use std::net::TcpListener;

use snapbox::str;

use crate::scene::Scene;

/// A port of this machine on which nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn nobody_listens_at_the_tracker() {
    let scene = Scene::new();
    let tracker = format!("127.0.0.1:{}", closed_port());
    let mut command = scene.arco_tvm(&[
        "tune",
        "mlp",
        "--target",
        "llvm",
        "-o",
        "mlp.log",
        "--key",
        "pi",
        "--tracker",
        &tracker,
    ]);
    scene.says(&mut command, str![[r#"
exit code: 7
--- standard output
--- standard error
error: no tracker at 127.0.0.1:[PORT]: Connection refused (os error 111)
  hint: start one with `python -m tvm.exec.rpc_tracker --host 0.0.0.0 --port 9190`, or mend --tracker

"#]]);
    assert!(!scene.path("mlp.log").exists());
}

#[test]
fn something_else_listens_at_the_tracker() {
    let scene = Scene::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tracker = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 4]).unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
    });
    let mut command = scene.arco_tvm(&[
        "verify",
        "mlp",
        "--target",
        "llvm",
        "--log",
        "mlp.log",
        "--key",
        "pi",
        "--tracker",
        &tracker,
    ]);
    scene.write("mlp.log", "");
    scene.says(&mut command, str![[r#"
exit code: 7
--- standard output
--- standard error
error: 127.0.0.1:[PORT] is no TVM tracker (it greets with 0x50545448)
  hint: start one with `python -m tvm.exec.rpc_tracker --host 0.0.0.0 --port 9190`, or mend --tracker

"#]]);
    server.join().unwrap();
}

#[test]
fn doctor_finds_no_tracker() {
    let scene = Scene::new();
    let tracker = format!("127.0.0.1:{}", closed_port());
    let mut command = scene.arco_tvm(&["doctor", "--tracker", &tracker, "--key", "pi"]);
    scene.says(&mut command, str![[r#"
exit code: 7
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
[FAIL] tracker: no tracker at 127.0.0.1:[PORT]: Connection refused (os error 111)
       start one with `python -m tvm.exec.rpc_tracker --host 0.0.0.0 --port 9190`, or mend --tracker
--- standard error

"#]]);
}

#[test]
fn a_tracker_without_a_key() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&[
        "tune",
        "mlp",
        "--target",
        "llvm",
        "-o",
        "mlp.log",
        "--tracker",
        "127.0.0.1:9190",
    ]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: --tracker is given without --key
  hint: a device at a tracker needs --tracker HOST:PORT and --key KEY

"#]],
    );
}

#[test]
fn a_key_without_a_tracker() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["doctor", "--key", "pi"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: --key is given without --tracker
  hint: a device at a tracker needs --tracker HOST:PORT and --key KEY

"#]],
    );
}

#[test]
fn a_tracker_that_is_no_address() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["doctor", "--tracker", "localhost"]);
    scene.says(&mut command, str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid value 'localhost' for '--tracker <HOST:PORT>': `localhost` is no HOST:PORT (for example 127.0.0.1:[PORT])

For more information, try '--help'.

"#]]);
}
