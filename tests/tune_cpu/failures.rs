//! Every candidate fails: that is said at once and in the end.

use std::fs;

use crate::session;
use crate::support;
use crate::tuned::{clean_log, tune};

/// One convolution: one task.
const MODEL: &str = "
import sys, onnx
from onnx import TensorProto, helper
image = helper.make_tensor_value_info('image', TensorProto.FLOAT, [1, 16, 14, 14])
out = helper.make_tensor_value_info('out', TensorProto.FLOAT, None)
weight = helper.make_tensor('weight', TensorProto.FLOAT, [16, 16, 1, 1], [0.1] * 256)
graph = helper.make_graph([helper.make_node('Conv', ['image', 'weight'], ['out'])], 'net', [image], [out], [weight])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8), sys.argv[1])
";

#[test]
fn when_the_first_16_candidates_fail_the_reasons_are_named_at_once_and_the_log_has_them_as_failures()
 {
    let folder = tempfile::tempdir().unwrap();
    support::run_python(MODEL, &[&folder.path().join("net.onnx")]);
    // Nothing on this machine builds anything in a tenth of a millisecond.
    let output = session::run(&tune(
        folder.path(),
        "net.onnx",
        "net.log",
        &["--trials", "17", "--build-timeout", "0.0001"],
    ));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(
        said.contains("the first 16 candidates have all failed:\n  16 x BUILD_TIMEOUT"),
        "{said}"
    );
    assert!(
        said.contains("error: every candidate of every task failed"),
        "{said}"
    );
    assert!(said.contains("\n  hint: "), "{said}");
    let log = folder.path().join("net.log");
    let records = clean_log(&log).records;
    assert_eq!(records.len(), 17);
    assert!(
        records
            .iter()
            .all(|(_, record)| record.result.error_no as u8 == 6)
    );
    // As AutoTVM writes failures.
    let text = fs::read_to_string(log).unwrap();
    assert!(
        text.lines()
            .all(|line| line.contains("\"result\": [[1000000000.0], 6, "))
    );
}
