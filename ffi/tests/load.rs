//! Finding TVM at run time, and refusing what is none. Each case has a process of its own, for a process has one TVM.

mod support;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tvm_rt::{Error, Function, Tvm};

const SCENARIO: &str = "TVM_RT_TEST_SCENARIO";

/// Runs `body` in a process that does nothing else: this binary again, asked for that one test.
fn in_own_process(test: &str, body: impl FnOnce()) {
    if env::var(SCENARIO).is_ok_and(|scenario| scenario == test) {
        return body();
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(SCENARIO, test)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
    assert!(
        text.contains("1 passed"),
        "the scenario did not run:\n{text}"
    );
}

/// Compiles a shared library from C.
fn library(folder: &Path, source: &str) -> PathBuf {
    let (code, library) = (folder.join("library.c"), folder.join("library.so"));
    fs::write(&code, source).unwrap();
    let compiled = Command::new("cc")
        .args(["-w", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&code)
        .status()
        .unwrap();
    assert!(compiled.success());
    library
}

#[test]
fn before_tvm_is_loaded_everything_says_so() {
    in_own_process("before_tvm_is_loaded_everything_says_so", || {
        assert!(matches!(Tvm::get(), Err(Error::NotLoaded)));
        assert!(matches!(Tvm::in_process(), Err(Error::NotInProcess)));
        let error = Function::get("rpc.Connect").unwrap_err();
        assert!(error.to_string().contains("call `Tvm::load`"), "{error}");
        assert!(Function::from_fn(|_| Ok(1.into())).is_err());
        assert_eq!(tvm_rt::c_entry(|| Err(Error::NotLoaded)), -1);
    });
}

#[test]
fn what_is_no_tvm_is_refused_and_the_right_one_still_loads() {
    in_own_process(
        "what_is_no_tvm_is_refused_and_the_right_one_still_loads",
        || {
            let folder = tempfile::tempdir().unwrap();
            let missing = folder.path().join("libtvm.so");
            let error = Tvm::load(&missing).unwrap_err();
            assert!(
                matches!(&error, Error::NoLibrary { path, .. } if *path == missing),
                "{error:?}"
            );

            fs::write(&missing, "no library").unwrap();
            let error = Tvm::load(&missing).unwrap_err();
            assert!(
                matches!(error, Error::Unloadable { .. })
                    && error.to_string().contains("libtvm.so"),
                "{error}"
            );

            let other = library(folder.path(), "int forty_two(void) { return 42; }");
            let error = Tvm::load(&other).unwrap_err();
            assert!(matches!(error, Error::NotTvm { .. }), "{error:?}");
            assert!(
                error.to_string().contains("undefined symbol: TVM"),
                "{error}"
            );

            assert_eq!(Tvm::load(&support::libtvm()).unwrap().version(), "0.19.0");
        },
    );
}

#[test]
fn another_version_of_tvm_is_named_and_refused() {
    in_own_process("another_version_of_tvm_is_named_and_refused", || {
        // All symbols of the C API, and a version that is told the way TVM tells its own.
        let mut source = String::from(
            "int TVMFuncGetGlobal(const char* name, void** out) { *out = (void*)1; return 0; }\n\
             int TVMFuncCall(void* f, void* v, int* c, int n, const char** value, int* code) {\n\
               *value = \"{\\\"root\\\": 0, \\\"attrs\\\": {\\\"tvm_version\\\": \\\"0.18.0\\\"}}\"; *code = 11; return 0; }\n",
        );
        let bindings = include_str!("../src/bindings.rs");
        let names = bindings
            .split("get(b\"")
            .skip(1)
            .filter_map(|rest| rest.split_once("\\0").map(|(name, _)| name));
        for name in names.filter(|name| !["TVMFuncGetGlobal", "TVMFuncCall"].contains(name)) {
            writeln!(source, "int {name}(void) {{ return 0; }}").unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let error = Tvm::load(&library(folder.path(), &source)).unwrap_err();
        assert!(
            matches!(&error, Error::Version { found, .. } if found == "0.18.0"),
            "{error:?}"
        );
        assert!(error.to_string().contains("0.19"), "{error}");
        assert!(Tvm::get().is_err());
    });
}

#[test]
fn a_runtime_only_library_is_refused_because_it_tells_no_version() {
    in_own_process(
        "a_runtime_only_library_is_refused_because_it_tells_no_version",
        || {
            let error = Tvm::load(&support::tvm_package().join("libtvm_runtime.so")).unwrap_err();
            assert!(matches!(error, Error::Version { .. }), "{error:?}");
            assert!(error.to_string().contains("does not tell"), "{error}");
        },
    );
}

#[test]
fn the_same_file_loads_twice_and_another_does_not() {
    in_own_process("the_same_file_loads_twice_and_another_does_not", || {
        let tvm = Tvm::load(&support::libtvm()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("linked.so");
        std::os::unix::fs::symlink(support::libtvm(), &link).unwrap();
        assert!(std::ptr::eq(Tvm::load(&link).unwrap(), tvm));
        assert!(std::ptr::eq(Tvm::in_process().unwrap(), tvm));

        let runtime = support::tvm_package().join("libtvm_runtime.so");
        let error = Tvm::load(&runtime).unwrap_err();
        assert!(matches!(error, Error::AlreadyLoaded { .. }), "{error:?}");
    });
}
