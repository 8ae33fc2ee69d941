//! Logs that cannot be written or read.

use std::fs::File;

use snapbox::str;

use crate::scene::Scene;

#[test]
fn a_log_that_is_a_folder() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("logs")).unwrap();
    let mut command = scene.arco_tvm(&["tune", "mlp", "--target", "llvm", "-o", "logs"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: cannot write logs: Is a directory (os error 21)
  hint: name a file that you may write with -o

"#]],
    );
}

#[test]
fn a_log_in_a_folder_that_is_not_there() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tune", "mlp", "--target", "llvm", "-o", "logs/mlp.log"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: cannot write logs/mlp.log: No such file or directory (os error 2)
  hint: name a file that you may write with -o

"#]],
    );
}

#[test]
fn a_log_that_another_run_writes() {
    let scene = Scene::new();
    let other = File::create(scene.path("mlp.log")).unwrap();
    other.lock().unwrap();
    let mut command = scene.arco_tvm(&["tune", "mlp", "--target", "llvm", "-o", "mlp.log"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: another run writes to mlp.log
  hint: wait for it to end, or name another log with -o

"#]],
    );
}

#[test]
fn verifying_with_a_log_that_is_not_there() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["verify", "mlp", "--target", "llvm", "--log", "mlp.log"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 6
--- standard output
--- standard error
error: cannot read the log mlp.log: No such file or directory (os error 2)
  hint: make one with `arco-tvm tune`

"#]],
    );
}
