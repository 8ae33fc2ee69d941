//! `--help`: docs/reference/cli.md is made of it.

use std::collections::BTreeSet;
use std::fmt::Write;

use regex::Regex;
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

/// Appends the help of a command and of every command below it.
fn append(page: &mut String, scene: &Scene, command: &[&str]) {
    let help = printed(scene, &[command, &["--help"]].concat());
    let heading = [&["arco-tvm"], command].concat().join(" ");
    write!(
        page,
        "\n## {heading}\n\n```text\n{}\n```\n",
        help.trim_end()
    )
    .unwrap();
    let listed = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    // A description that goes on in the next line stands further to the right.
    for line in listed.filter(|line| !line.starts_with("   ")) {
        match line.split_whitespace().next() {
            None | Some("help") => {}
            Some(name) => append(page, scene, &[command, &[name]].concat()),
        }
    }
}

#[test]
fn the_reference_page_is_what_help_says() {
    let mut page = "# Command line\n\n\
        What `arco-tvm --help` says. `make bless` writes this page.\n"
        .to_owned();
    append(&mut page, &Scene::new(), &[]);
    Assert::new()
        .action_env("SNAPSHOTS")
        .eq(page, file!["../../docs/reference/cli.md"].raw());
}

/// What the pattern's first group matches.
fn all(pattern: &str, text: &str) -> BTreeSet<String> {
    let found = Regex::new(pattern).unwrap();
    let found = found.captures_iter(text).map(|found| found[1].to_owned());
    found.collect()
}

#[test]
fn the_page_of_exit_codes_has_those_that_help_lists() {
    let help = printed(&Scene::new(), &["--help"]);
    let (_, listed) = help.split_once("Exit codes: ").unwrap();
    let page = include_str!("../../docs/reference/exit-codes.md");
    assert_eq!(
        all(r"(?m)^\| ([0-9]+) \|", page),
        all(r"([0-9]+) [a-z]", listed)
    );
}

#[test]
fn the_page_of_settings_has_every_key() {
    let scene = Scene::new();
    scene.write("arco.toml", "nonsense = 1\n");
    let output = scene.arco_tvm(&["doctor"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, known) = said.split_once("expected one of ").unwrap();
    let known = known.lines().next().unwrap();
    let page = include_str!("../../docs/reference/settings.md");
    assert_eq!(
        all(r"(?m)^\| `([a-z-]+)` \|", page),
        all("`([a-z-]+)`", known)
    );
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
