//! `--help`: docs/reference/cli.md is made of it.

use std::fmt::Write;

use snapbox::{Assert, file};

use crate::scene::Scene;

/// What `arco-tvm` prints on standard output; it must succeed and say nothing else.
fn printed(scene: &Scene, arguments: &[&str]) -> String {
    let mut command = scene.arco_tvm(arguments);
    command.env_remove("ARCO_PYTHON");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_reference_page_is_what_help_says() {
    let scene = Scene::new();
    let mut page = "# Command line\n\n\
        What `arco-tvm --help` says. `make bless` writes this page.\n"
        .to_owned();
    for command in [
        "",
        "tune",
        "verify",
        "tasks",
        "vta",
        "vta run",
        "vta trace",
        "vta disasm",
        "vta asm",
        "vta info",
        "doctor",
    ] {
        let arguments: Vec<&str> = command.split_terminator(' ').chain(["--help"]).collect();
        let help = printed(&scene, &arguments);
        let heading = format!("arco-tvm {command}");
        write!(
            page,
            "\n## {}\n\n```text\n{}\n```\n",
            heading.trim(),
            help.trim_end()
        )
        .unwrap();
    }
    Assert::new()
        .action_env("SNAPSHOTS")
        .eq(page, file!["../../docs/reference/cli.md"].raw());
}

#[test]
fn help_needs_no_python() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tune", "--help"]);
    command.env("ARCO_PYTHON", "/nowhere").env("PATH", "");
    assert!(command.output().unwrap().status.success());
}

#[test]
fn the_version_is_the_packages() {
    let version = printed(&Scene::new(), &["--version"]);
    assert_eq!(version, format!("arco-tvm {}\n", env!("CARGO_PKG_VERSION")));
}
