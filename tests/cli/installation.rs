//! No TVM, another TVM, half an installation.

use std::process::Command;

use snapbox::str;

use crate::scene::{Scene, tvm_folder};
use crate::support;

/// A Python in the scene's folder that has no package at all.
fn bare_python(scene: &Scene) {
    let made = Command::new(support::python())
        .args(["-m", "venv", "--without-pip"])
        .arg(scene.path("bare"))
        .status()
        .unwrap();
    assert!(made.success());
}

/// `arco-tvm` with that Python, and only the scene's folder `packages` to import from.
fn with_bare_python(scene: &Scene, arguments: &[&str]) -> Command {
    bare_python(scene);
    let mut command = scene.arco_tvm(arguments);
    command
        .args(["--python", "bare/bin/python"])
        .env("PYTHONPATH", scene.path("packages"));
    command
}

#[test]
fn a_python_without_tvm() {
    let scene = Scene::new();
    let mut command = with_bare_python(&scene, &["tasks", "mlp", "--target", "llvm"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 3
--- standard output
--- standard error
error: the Python bare/bin/python (--python, ARCO_PYTHON or arco.toml) has no TVM
  hint: run `make venv` in a checkout of arco-tvm, or name a Python that has TVM 0.19 with --python

"#]],
    );
}

#[test]
fn a_tvm_of_another_version() {
    let scene = Scene::new();
    scene.write("packages/tvm/__init__.py", "").write(
        "packages/tvm/_ffi/libinfo.py",
        "__version__ = '0.18.0'\ndef find_lib_path(): return ['/usr/lib/libtvm.so']\n",
    );
    let mut command = with_bare_python(&scene, &["tasks", "mlp", "--target", "llvm"]);
    scene.says(&mut command, str![[r#"
exit code: 3
--- standard output
--- standard error
error: the Python bare/bin/python (--python, ARCO_PYTHON or arco.toml) has TVM 0.18.0, and arco-tvm works with TVM 0.19
  hint: run `make venv` in a checkout of arco-tvm, or name a Python that has TVM 0.19 with --python

"#]]);
}

#[test]
fn a_tvm_without_its_library() {
    let scene = Scene::new();
    scene.write("packages/tvm/__init__.py", "").write(
        "packages/tvm/_ffi/libinfo.py",
        "__version__ = '0.19.0'\ndef find_lib_path(): raise RuntimeError('Cannot find libraries: libtvm.so')\n",
    );
    let mut command = with_bare_python(&scene, &["doctor"]);
    scene.says(&mut command, str![[r#"
exit code: 3
--- standard output
[FAIL] Python: the Python bare/bin/python (--python, ARCO_PYTHON or arco.toml) has TVM's package without its library: RuntimeError: Cannot find libraries: libtvm.so
       set TVM_LIBRARY_PATH to the folder of libtvm.so, or reinstall TVM
--- standard error

"#]]);
}

#[test]
fn a_tvm_without_our_package() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("packages")).unwrap();
    std::os::unix::fs::symlink(tvm_folder(), scene.path("packages/tvm")).unwrap();
    let mut command = with_bare_python(&scene, &["tasks", "mlp", "--target", "llvm"]);
    scene.says(&mut command, str![[r#"
exit code: 3
--- standard output
--- standard error
error: the Python bare/bin/python (--python, ARCO_PYTHON or arco.toml) has TVM 0.19.0 but not the package arco_tvm
  hint: run `pip install ./tvm-patches` with that Python in a checkout of arco-tvm

"#]]);
}

#[test]
fn a_python_that_is_not_there() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["doctor", "--python", "nowhere/python"]);
    scene.says(&mut command, str![[r#"
exit code: 3
--- standard output
[FAIL] Python: cannot start the Python nowhere/python (--python, ARCO_PYTHON or arco.toml): No such file or directory (os error 2)
       name a working Python 3.10 to 3.12 with --python, or run `make venv` in a checkout of arco-tvm
--- standard error

"#]]);
}

#[test]
fn a_python_that_is_none() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["doctor", "--python", "/bin/true"]);
    scene.says(&mut command, str![[r#"
exit code: 3
--- standard output
[FAIL] Python: /bin/true (--python, ARCO_PYTHON or arco.toml) does not work as a Python: it printed nothing
       name a working Python 3.10 to 3.12 with --python, or run `make venv` in a checkout of arco-tvm
--- standard error

"#]]);
}

#[test]
fn the_virtual_environment_in_this_folder_is_used() {
    let scene = Scene::new();
    let environment = support::python();
    let environment = environment.parent().unwrap().parent().unwrap();
    std::os::unix::fs::symlink(environment, scene.path(".venv")).unwrap();
    let mut command = scene.arco_tvm(&["doctor"]);
    command.env_remove("ARCO_PYTHON");
    scene.says(&mut command, str![[r#"
exit code: 0
--- standard output
[ ok ] Python: .venv/bin/python (./.venv)
[ ok ] TVM: 0.19.0, [TVM]/libtvm.so
[ ok ] package arco_tvm: 0.1.0 on Python [VERSION]
[ ok ] LLVM: 22.1.8, which calls this CPU [CPU]
[ ok ] code generators: aocl, aocl_sw_emu, c, hexagon, llvm, metal, nvptx, opencl, rocm, sdaccel, stackvm, webgpu
[ ok ] device runtimes: cpu, rpc
[ ok ] cores: [CORES]
[ ok ] linker: [PATH]
[ ok ] local device: a server on this machine answers in [TIME]
[NOISE]
--- standard error

"#]]);
}

#[test]
fn no_compiler_to_link_with() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&[
        "tune",
        "mlp",
        "--target",
        "llvm -mcpu=native",
        "-o",
        "mlp.log",
        "--builders",
        "1",
    ]);
    command.env("PATH", scene.path("empty"));
    scene.says(&mut command, str![[r#"
exit code: 7
--- standard output
--- standard error
importing mlp and extracting its tasks
warning: -mcpu=native is [CPU]
mlp: 6 tasks with 1,031 configurations for llvm -keys=cpu -mcpu=[CPU]
arco, seed 0, 384 trials; 1 builder, measured on this machine; nothing builds while it measures
error: the builder server ended before it was ready: [DATE] INFO arco_tvm.server: ending: there is no C++ compiler on PATH to link candidates with; install one (Debian: apt install g++)
  hint: `arco-tvm doctor` looks at the installation

"#]]);
    let mut command = scene.arco_tvm(&["doctor"]);
    command.env("PATH", scene.path("empty"));
    scene.says(&mut command, str![[r#"
exit code: 7
--- standard output
[ ok ] Python: [PYTHON] (--python, ARCO_PYTHON or arco.toml)
[ ok ] TVM: 0.19.0, [TVM]/libtvm.so
[ ok ] package arco_tvm: 0.1.0 on Python [VERSION]
[ ok ] LLVM: 22.1.8, which calls this CPU [CPU]
[ ok ] code generators: aocl, aocl_sw_emu, c, hexagon, llvm, metal, nvptx, opencl, rocm, sdaccel, stackvm, webgpu
[ ok ] device runtimes: cpu, rpc
[ ok ] cores: [CORES]
[FAIL] linker: no g++ on PATH, and builders link candidates with it
       install it (Debian: apt install g++)
[ ok ] local device: a server on this machine answers in [TIME]
--- standard error

"#]]);
}
