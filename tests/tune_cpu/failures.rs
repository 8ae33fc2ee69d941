//! Every candidate fails: that is said at once and in the end.

use std::fs;

use crate::session;
use crate::tuned::{clean_log, tune};

#[test]
fn when_all_candidates_fail_the_reasons_are_named_and_the_log_has_them_as_failures() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing on this machine builds anything in a tenth of a millisecond.
    let output = session::run(&tune(
        folder.path(),
        "mlp",
        "net.log",
        &["--trials-per-task", "2", "--build-timeout", "0.0001"],
    ));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(
        said.contains("the first 2 candidates have all failed:\n  2 x BUILD_TIMEOUT"),
        "{said}"
    );
    assert!(
        said.contains("error: every candidate of every task failed"),
        "{said}"
    );
    assert!(said.contains("\n  hint: "), "{said}");
    let records = clean_log(&folder.path().join("net.log")).records;
    assert_eq!(records.len(), 12);
    assert!(
        records
            .iter()
            .all(|(_, record)| record.result.error_no as u8 == 6)
    );
    // As AutoTVM writes failures.
    let text = fs::read_to_string(folder.path().join("net.log")).unwrap();
    assert!(
        text.lines()
            .all(|line| line.contains("\"result\": [[1000000000.0], 6, "))
    );
}
