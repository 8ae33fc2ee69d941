//! Rust functions in a Python process: values, errors, and exceptions that keep their identity.

mod support;

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Builds `examples/python_callbacks.rs` beside this test, with the same profile.
fn library() -> PathBuf {
    let test = env::current_exe().expect("this test's own path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("target/<profile>/deps/<test>");
    let target = profile.parent().expect("target/<profile>");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "build",
            "--quiet",
            "--example",
            "python_callbacks",
            "--target-dir",
        ])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(
        cargo.status().expect("cargo starts").success(),
        "the example does not build"
    );
    let name = format!(
        "{}python_callbacks{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    profile.join("examples").join(name)
}

#[test]
fn python_and_rust_call_each_other_and_lose_neither_values_nor_exceptions() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python_callbacks.py");
    support::run_python(&[script, library().to_str().expect("a UTF-8 path")]);
}
