//! A device from TVM's own tracker, served by `python -m arco_tvm.serve device`.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};

use nix::sys::signal::Signal;

use crate::session::{self, Session, wait_until};
use crate::support;
use crate::tuned::{TARGET, arco_tvm, clean_log, tune};

/// TVM's tracker and a device with the key `test`, each in a session of its own.
struct Park {
    address: String,
    tracker: Session,
    device: Session,
}

impl Park {
    fn open() -> Self {
        // The port of a listener that is gone again: nobody else is given it so soon.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let mut command = support::command(support::python());
        command.args(["-m", "tvm.exec.rpc_tracker", "--host", "127.0.0.1"]);
        // TVM's tracker takes the first free port from `--port` up to `--port-end`, which is 9199 unless said.
        command.args([
            "--port",
            &port.to_string(),
            "--port-end",
            &(port + 1).to_string(),
        ]);
        let tracker = Session::start(&command);
        let address = format!("127.0.0.1:{port}");
        wait_until("the tracker listens", || {
            TcpStream::connect(&address).is_ok()
        });
        let mut command = support::command(support::python());
        command.args([
            "-m",
            "arco_tvm.serve",
            "device",
            "--tracker",
            &address,
            "--key",
            "test",
        ]);
        let mut device = Session::start(&command);
        let mut ready = String::new();
        BufReader::new(device.stdout())
            .read_line(&mut ready)
            .unwrap();
        assert!(ready.starts_with('{'), "the device says {ready:?}");
        Self {
            address,
            tracker,
            device,
        }
    }

    /// Ends both; nothing of them may be left.
    fn close(self) {
        self.device.signal(Signal::SIGTERM);
        self.device.finish();
        self.tracker.signal(Signal::SIGINT);
        self.tracker.finish();
        assert!(
            TcpStream::connect(&self.address).is_err(),
            "the port is free again"
        );
    }
}

#[test]
fn a_network_is_tuned_and_verified_on_a_device_from_the_tracker() {
    let park = Park::open();
    let folder = tempfile::tempdir().unwrap();
    let at_the_tracker = ["--tracker", &park.address, "--key", "test"];

    let output = session::run(&arco_tvm(
        folder.path(),
        &[&["doctor"], &at_the_tracker[..]].concat(),
    ));
    let printed = support::succeeded(output);
    assert!(
        printed.contains("`test`: 1 device, 1 free, 0 waiting"),
        "{printed}"
    );
    assert!(
        printed.contains("[ ok ] tracked device: `test` answers in"),
        "{printed}"
    );

    let arguments = [&["--trials-per-task", "2"], &at_the_tracker[..]].concat();
    let output = session::run(&tune(folder.path(), "mlp", "net.log", &arguments));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(&format!("`test` from the tracker {}", park.address)),
        "{said}"
    );
    let records = clean_log(&folder.path().join("net.log")).records;
    assert_eq!(records.len(), 12);
    assert!(
        records
            .iter()
            .any(|(_, record)| record.result.mean_cost().is_some())
    );

    let verify = [
        "verify",
        "mlp",
        "--target",
        TARGET,
        "--log",
        "net.log",
        "--network-repeat",
        "1",
    ];
    let output = session::run(&arco_tvm(
        folder.path(),
        &[&verify[..], &at_the_tracker].concat(),
    ));
    let printed = support::succeeded(output);
    assert!(
        printed.contains("whole network on test at tracker"),
        "{printed}"
    );
    assert!(printed.contains("\noutputs agree"), "{printed}");
    park.close();
}

#[test]
fn a_key_that_no_device_has_is_not_waited_for_in_silence() {
    let park = Park::open();
    let folder = tempfile::tempdir().unwrap();
    let output = session::run(&arco_tvm(
        folder.path(),
        &["doctor", "--tracker", &park.address, "--key", "pi"],
    ));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(7), "{printed}");
    assert!(
        printed.contains("[FAIL] tracked device: no device with the key `pi` became free"),
        "{printed}"
    );
    park.close();
}
