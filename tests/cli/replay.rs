//! `arco-tvm replay`, `record` and `asktell`, when something is missing or wrong. None of it needs Python.

use std::process::Command;

use snapbox::str;

use crate::scene::Scene;

/// A Kernel Tuner cache of one parameter, with these entries of `time`.
fn cache(times: &[&str]) -> String {
    let values: Vec<String> = (1..=times.len()).map(|x| x.to_string()).collect();
    let entries = times
        .iter()
        .zip(1..)
        .map(|(time, x)| format!("\"{x}\": {{\"x\": {x}, \"time\": {time}}}"));
    let entries: Vec<String> = entries.collect();
    let (values, entries) = (values.join(", "), entries.join(", "));
    format!("{{\"tune_params\": {{\"x\": [{values}]}}, \"cache\": {{{entries}}}}}")
}

fn replay(scene: &Scene, arguments: &[&str]) -> Command {
    let mut command = scene.arco_tvm(&[&["replay"][..], arguments].concat());
    command.env("ARCO_PYTHON", "/nowhere").env("PATH", "");
    command
}

#[test]
fn a_space_that_is_not_there() {
    let scene = Scene::new();
    let mut command = replay(&scene, &["conv.log", "--strategy", "random"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: cannot read conv.log: No such file or directory (os error 2)
  hint: check the path

"#]],
    );
}

#[test]
fn a_file_of_conditions_in_the_place_of_a_space() {
    let scene = Scene::new();
    scene.write(
        "T1.json",
        "{\"ConfigurationSpace\": {\"TuningParameters\": []}}",
    );
    let mut command = replay(&scene, &["T1.json", "--strategy", "random"]);
    scene.says(&mut command, str![[r#"
exit code: 6
--- standard output
--- standard error
error: T1.json is no recorded space: it is a T1 file: give it with --conditions, beside the file with the results
  hint: AutoTVM logs, Kernel Tuner caches, T4 files, VTA landscapes and layers to compute are read, gzipped or not

"#]]);
}

#[test]
fn a_condition_that_cannot_be_parsed() {
    let scene = Scene::new();
    scene.write("cache.json", cache(&["1.0"])).write(
        "T1.json",
        "{\"ConfigurationSpace\": {\"TuningParameters\": [{\"Name\": \"x\", \"Values\": \"[1]\"}], \
         \"Conditions\": [{\"Expression\": \"x < y\"}]}}",
    );
    let arguments = [
        "cache.json",
        "--strategy",
        "random",
        "--conditions",
        "T1.json",
    ];
    scene.says(&mut replay(&scene, &arguments), str![[r#"
exit code: 6
--- standard output
--- standard error
error: T1.json has no conditions that can be used: condition `x < y`: there is no parameter `y` (there are: x)
  hint: a T1 file of the FAIR Benchmark Hub has them, beside the parameters

"#]]);
}

#[test]
fn a_space_in_which_everything_fails() {
    let scene = Scene::new();
    scene.write("cache.json", cache(&["\"RuntimeFailedConfig\"", "NaN"]));
    let mut command = replay(
        &scene,
        &["cache.json", "--strategy", "random", "--seeds", "2"],
    );
    scene.says(
        &mut command,
        str![[r#"
exit code: 8
--- standard output
--- standard error
warning: cache: 1 costs are no times (NaN, infinite or not positive) and count as failures
error: cache: every recorded configuration failed; there is no optimum to look for

"#]],
    );
}

#[test]
fn a_space_with_one_configuration_and_a_budget_of_one() {
    let scene = Scene::new();
    scene.write("cache.json", cache(&["1.5"]));
    let arguments = [
        "cache.json",
        "--strategy",
        "grid,random",
        "--budget",
        "1",
        "--seeds",
        "2",
    ];
    let output = replay(&scene, &arguments).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    let expected = "cache: 1 configurations, 1 run, the best in 1.500 ms; 1 reach 95 %, 1 reach 99 %; no score\n";
    assert!(table.starts_with(expected), "{table}");
}

#[test]
fn no_budget_and_no_such_strategy() {
    let scene = Scene::new();
    let mut command = replay(&scene, &["a.log", "--strategy", "random", "--budget", "0"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid value '0' for '--budget <N>': it must be 1 at least

For more information, try '--help'.

"#]],
    );
    let output = replay(&scene, &["a.log", "--strategy", "guess"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no strategy `guess`"), "{said}");
}

#[test]
fn two_files_of_one_name() {
    let scene = Scene::new();
    scene
        .write("a/cache.json", cache(&["1.0"]))
        .write("b/cache.json", cache(&["2.0"]));
    let mut command = replay(
        &scene,
        &["a/cache.json", "b/cache.json", "--strategy", "random"],
    );
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: two spaces are called cache
  hint: results are told apart by the file's name: rename one of the files

"#]],
    );
}

#[test]
fn runs_in_the_file_are_not_run_again_and_those_of_another_space_are() {
    let scene = Scene::new();
    scene.write("cache.json", cache(&["3.0", "1.0", "2.0"]));
    let arguments = [
        "cache.json",
        "--strategy",
        "grid,random",
        "--seeds",
        "2",
        "--json",
        "runs.jsonl",
        "--resume",
    ];
    let said = || {
        let output = replay(&scene, &arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let runs = || std::fs::read_to_string(scene.path("runs.jsonl")).unwrap();
    assert_eq!(said(), "");
    let first = runs();
    assert_eq!(first.lines().count(), 4);
    let line: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(line["space"], "cache");
    assert_eq!(line["strategy"], "grid");
    assert_eq!(line["indices"], serde_json::json!([0, 1, 2]));
    assert_eq!(line["costs"], serde_json::json!([0.003, 0.001, 0.002]));

    // A killed run leaves half a line, which is run again.
    std::fs::write(scene.path("runs.jsonl"), &first[..first.len() - 20]).unwrap();
    assert_eq!(said(), "3 of 4 runs are there already\n");
    let whole = |text: &str| -> Vec<serde_json::Value> {
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    };
    assert_eq!(whole(&runs()).len(), 4);
    assert_eq!(said(), "4 of 4 runs are there already\n");

    scene.write("cache.json", cache(&["3.0", "1.0", "9.0"]));
    let warning =
        "warning: 4 runs of the file have other costs than the space has now; they are run again\n";
    assert_eq!(said(), warning);
}

#[test]
fn a_message_that_is_none() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["asktell"]);
    scene.write("input", "hello\n");
    command.stdin(std::fs::File::open(scene.path("input")).unwrap());
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: line 1 is no message of the protocol: expected value at line 1 column 1
  hint: docs/reference/asktell.md has the protocol, and a program that speaks it

"#]],
    );
}

/// A convolution that is small enough to be computed at once.
const LAYER: &str = r#"{"computed_layer": {
    "convolution": {"input_channels": 8, "output_channels": 8, "height": 4, "width": 4, "kernel_height": 3,
                    "kernel_width": 3, "stride": 1, "padding": 1},
    "max_macs": 64, "max_sram_kib": 64}}"#;

#[test]
fn a_layer_with_its_accelerator_is_computed_where_nothing_is_recorded() {
    let scene = Scene::new();
    scene.write("layer.json", LAYER);
    let arguments = ["layer.json", "--strategy", "random", "--seeds", "2"];
    let output = replay(&scene, &arguments).output().unwrap();
    let (said, noted) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{noted}");
    assert!(said.starts_with("layer: "), "{said}");
    assert!(said.contains(" more are refused), "), "{said}");
    assert_eq!(noted, "computing every schedule of layer\n");
}

#[test]
fn a_layer_that_cannot_be_computed() {
    let scene = Scene::new();
    scene.write(
        "kernel.json",
        LAYER.replace("\"kernel_height\": 3", "\"kernel_height\": 9"),
    );
    scene.write("macs.json", LAYER.replace("64, ", "0, "));
    scene.write("typo.json", LAYER.replace("max_macs", "most_macs"));
    scene.write("layer.json", LAYER);
    let random = ["--strategy", "random"];
    let says = |arguments: &[&str], expected| {
        let arguments = [arguments, &random, &["--quiet"]].concat();
        scene.says(&mut replay(&scene, &arguments), expected);
    };
    says(
        &["kernel.json"],
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: kernel.json: 8 > 8, 4x4, 9x3 / 1: the convolution has no output
  hint: sizes are positive, and the kernel fits into the padded input

"#]],
    );
    says(
        &["macs.json"],
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: macs.json: 8 > 8, 4x4, 3x3 / 1: no geometry has at most 0 multipliers and 64 KiB of buffers
  hint: name more with `max_macs` and `max_sram_kib`

"#]],
    );
    says(
        &["typo.json"],
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: typo.json is no recorded space: `computed_layer`: unknown field `most_macs`, expected one of `convolution`, `max_macs`, `max_sram_kib`
  hint: AutoTVM logs, Kernel Tuner caches, T4 files, VTA landscapes and layers to compute are read, gzipped or not

"#]],
    );
    says(
        &["layer.json", "--no-masks"],
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: layer: without masks the space has 314928 configurations, too many to count the refused ones
  hint: leave --no-masks out

"#]],
    );
}
