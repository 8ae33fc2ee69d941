//! A quantised network for the simulated accelerator: tuned, and compared with the CPU. Real TVM, real RPC, real
//! simulator.

mod support;

use std::path::Path;
use std::process::{Command, Output};

use arco_tvm::record::read_log;

/// Residual, with convolutions after the first on the accelerator.
const NETWORK: &str = "resnet-8";

fn arco_tvm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = support::arco_tvm(folder);
    command
        .args(arguments)
        .env("ARCO_PYTHON", support::python());
    command
}

fn succeed(command: &mut Command) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(status.success(), "{stdout}{stderr}");
    (stdout, stderr)
}

fn tune(folder: &Path, log: &str) -> (String, String) {
    let trials = [
        "--trials-per-task",
        "3",
        "--strategy",
        "random",
        "--seed",
        "5",
    ];
    succeed(&mut arco_tvm(
        folder,
        &[
            &["tune", NETWORK, "--target", "vta", "-o", log],
            &trials[..],
        ]
        .concat(),
    ))
}

/// Index, error and costs of each record.
fn measured(folder: &Path, log: &str) -> Vec<(String, u64, u32, Vec<f64>)> {
    let log = read_log(&folder.join(log)).unwrap();
    let mut found: Vec<_> = log
        .records
        .into_iter()
        .map(|(_, record)| {
            (
                record.workload.args.to_string(),
                record.config.index.0,
                record.result.error_no as u32,
                record.result.costs.clone(),
            )
        })
        .collect();
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    found
}

#[test]
fn a_network_is_tuned_on_the_accelerator_and_equals_the_cpu_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tune(folder, "net.log");
    let first = measured(folder, "net.log");
    assert!(first.len() >= 12, "{first:?}");
    for (_, index, error, costs) in &first {
        // What the rules of the hardware refuse was never proposed.
        assert_eq!(*error, 0, "configuration {index} failed");
        // Whole cycles of 10 ns.
        let cycles = costs[0] * 1e8;
        assert!(
            costs.len() == 1 && (cycles - cycles.round()).abs() < 1e-3,
            "{costs:?}"
        );
    }
    let (stdout, _) = succeed(&mut arco_tvm(
        folder,
        &[
            "verify",
            NETWORK,
            "--target",
            "vta",
            "--log",
            "net.log",
            "--network-only",
        ],
    ));
    assert!(
        stdout.contains("outputs agree: largest difference of an output 0.00e0"),
        "{stdout}"
    );
}
