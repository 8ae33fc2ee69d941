//! Options and settings that make no sense.

use snapbox::str;

use crate::scene::Scene;

#[test]
fn an_unknown_strategy() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&[
        "tune",
        "mlp",
        "--target",
        "llvm",
        "-o",
        "mlp.log",
        "--strategy",
        "annealing",
    ]);
    scene.says(&mut command, str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid value 'annealing' for '--strategy <NAME>': no strategy `annealing` (there are: arco, random, grid, gbt-16, ga, sa-gbt, droplet, ml2, chameleon, arco-no-hardware, arco-own-critics, arco-top-k, arco-no-agents, arco-no-learning, arco-no-validity, arco-validity-trees, arco-one-agent)

For more information, try '--help'.

"#]]);
}

#[test]
fn an_unknown_key_in_the_settings_file() {
    let scene = Scene::new();
    scene.write("arco.toml", "target = \"llvm\"\ntrails-per-task = 64\n");
    let mut command = scene.arco_tvm(&["tune", "mlp", "-o", "mlp.log"]);
    scene.says(&mut command, str![[r#"
exit code: 2
--- standard output
--- standard error
error: settings file arco.toml: TOML parse error at line 2, column 1
  |
2 | trails-per-task = 64
  | ^^^^^^^^^^^^^^^
unknown field `trails-per-task`, expected one of `python`, `target`, `strategy`, `seed`, `trials-per-task`, `early-stopping`, `tracker`, `key`, `number`, `repeat`, `min-repeat-ms`, `cooldown`, `flush-cpu-cache`, `builders`, `remote-builders`, `devices`, `device-cores`, `cross-cc`, `time`, `build-timeout`, `run-timeout`
  hint: its keys are the long options without the dashes, such as `python` or `min-repeat-ms`

"#]]);
}

#[test]
fn a_settings_file_that_is_no_toml() {
    let scene = Scene::new();
    scene.write("mine.toml", "target llvm\n");
    let mut command = scene.arco_tvm(&["tasks", "mlp", "--config", "mine.toml"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: settings file mine.toml: TOML parse error at line 1, column 8
  |
1 | target llvm
  |        ^
key with no value, expected `=`
  hint: its keys are the long options without the dashes, such as `python` or `min-repeat-ms`

"#]],
    );
}

#[test]
fn a_settings_file_that_is_not_there() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tasks", "mlp", "--config", "mine.toml"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: cannot read the settings file mine.toml: No such file or directory (os error 2)
  hint: name a file that is there with --config, or leave it out: all settings have defaults

"#]],
    );
}

#[test]
fn an_unknown_strategy_in_the_settings_file() {
    let scene = Scene::new();
    scene.write("arco.toml", "target = \"llvm\"\nstrategy = \"annealing\"\n");
    let mut command = scene.arco_tvm(&["tune", "mlp", "-o", "mlp.log"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: settings file: no strategy `annealing` (there are: arco, random, grid, gbt-16, ga, sa-gbt, droplet, ml2, chameleon, arco-no-hardware, arco-own-critics, arco-top-k, arco-no-agents, arco-no-learning, arco-no-validity, arco-validity-trees, arco-one-agent)
  hint: name one of these with `strategy`, or with --strategy

"#]],
    );
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_settings_file() {
    let scene = Scene::new();
    scene.write("arco.toml", "target = \"from-the-file\"\n");
    let mut command = scene.arco_tvm(&["tasks", "mlp", "--target", "from-the-command-line"]);
    command.env("ARCO_TARGET", "from-the-environment");
    scene.says(
        &mut command,
        str![[r#"
exit code: 5
--- standard output
--- standard error
error: unknown target 'from-the-command-line'
  hint: known: llvm, cuda, opencl, ext_dev, c, metal, vulkan, rocm, nvptx, hexagon

"#]],
    );
    let mut command = scene.arco_tvm(&["tasks", "mlp"]);
    command.env("ARCO_TARGET", "from-the-environment");
    scene.says(
        &mut command,
        str![[r#"
exit code: 5
--- standard output
--- standard error
error: unknown target 'from-the-environment'
  hint: known: llvm, cuda, opencl, ext_dev, c, metal, vulkan, rocm, nvptx, hexagon

"#]],
    );
    let mut command = scene.arco_tvm(&["tasks", "mlp"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 5
--- standard output
--- standard error
error: unknown target 'from-the-file'
  hint: known: llvm, cuda, opencl, ext_dev, c, metal, vulkan, rocm, nvptx, hexagon

"#]],
    );
}

#[test]
fn numbers_that_make_no_sense() {
    let scene = Scene::new();
    let tune = ["tune", "mlp", "--target", "llvm", "-o", "mlp.log"];
    let mut command = scene.arco_tvm(&[&tune[..], &["--repeat", "0"]].concat());
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: --repeat must be at least 1

"#]],
    );
    let mut command = scene.arco_tvm(&[&tune[..], &["--cooldown", "-1"]].concat());
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: --cooldown must be a number of seconds, not -1

"#]],
    );
    let mut command = scene.arco_tvm(&[&tune[..], &["--trials", "many"]].concat());
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid value 'many' for '--trials <N>': invalid digit found in string

For more information, try '--help'.

"#]],
    );
    let mut command =
        scene.arco_tvm(&[&tune[..], &["--trials", "64", "--trials-per-task", "8"]].concat());
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: the argument '--trials <N>' cannot be used with '--trials-per-task <N>'

Usage: arco-tvm tune --output <LOG> --target <TARGET> --trials <N> --python <PYTHON> <MODEL>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn no_log_to_write_to() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tune", "mlp", "--target", "llvm"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: the following required arguments were not provided:
  --output <LOG>

Usage: arco-tvm tune --output <LOG> --target <TARGET> --python <PYTHON> <MODEL>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn more_builders_and_devices_than_a_run_can_hold() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tune", "mlp", "--target", "llvm", "-o", "mlp.log"]);
    command.args(["--tracker", "127.0.0.1:9190", "--key", "pi"]);
    command.args(["--devices", "20", "--builders", "9"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: 9 builders and 20 devices are more than a run can hold: TVM has room for 32 sessions, of which 28 are for them
  hint: share the tasks or the devices among several runs with logs of their own, and put those together with `arco-tvm log merge`

"#]],
    );
}
