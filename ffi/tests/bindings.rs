//! The checked-in bindings are those of the TVM that is installed.
//!
//! `BLESS=1 cargo test -p tvm-rt --test bindings` writes them anew; review the difference before you keep it.

mod support;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bindings.rs");

const HEADING: &str = "\
// Generated from TVM 0.19's tvm/runtime/c_runtime_api.h and dlpack/dlpack.h; do not edit.
// `BLESS=1 cargo test -p tvm-rt --test bindings` writes it anew.
";

/// Points bindgen at the libclang of PyPI's `libclang` wheel, unless the environment already names one.
fn find_libclang() {
    if env::var_os("LIBCLANG_PATH").is_none() {
        let script = "import importlib.util, os; spec = importlib.util.find_spec('clang'); \
                      print(os.path.join(list(spec.submodule_search_locations)[0], 'native') if spec else '', end='')";
        let native = support::run_python(&["-c", script]);
        if !native.is_empty() {
            // SAFETY: this binary has one test, so no other thread reads or writes the environment.
            unsafe { env::set_var("LIBCLANG_PATH", native) };
        }
    }
    if env::var_os("BINDGEN_EXTRA_CLANG_ARGS").is_none() {
        // The wheel has no headers of clang's own, and stops at <stddef.h> without somebody's.
        let gcc = Command::new("gcc")
            .arg("-print-file-name=include")
            .output()
            .expect("gcc is there for its stddef.h; or set BINDGEN_EXTRA_CLANG_ARGS");
        let include = String::from_utf8(gcc.stdout).expect("a UTF-8 path");
        // SAFETY: as above.
        unsafe { env::set_var("BINDGEN_EXTRA_CLANG_ARGS", format!("-I{}", include.trim())) };
    }
}

fn generate(tvm: &Path) -> String {
    let dlpack: PathBuf = [tvm.join("3rdparty/dlpack/include"), tvm.join("include")]
        .into_iter()
        .find(|folder| folder.join("dlpack/dlpack.h").exists())
        .expect("TVM comes with dlpack/dlpack.h");
    let header = tvm.join("include/tvm/runtime/c_runtime_api.h");
    let bindings = bindgen::Builder::default()
        .header(header.to_str().expect("a UTF-8 path"))
        .clang_arg(format!("-I{}", dlpack.display()))
        .allowlist_function("TVM.*")
        .allowlist_type("TVM.*|DL.*")
        .allowlist_var("TVM_VERSION")
        // It throws a C++ exception at its caller: nothing that Rust may ever call.
        .blocklist_function("TVMThrowLastError")
        .dynamic_library_name("TvmApi")
        .dynamic_link_require_all(true)
        .prepend_enum_name(false)
        .generate_comments(false)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .rust_target(bindgen::RustTarget::stable(88, 0).expect("a known Rust version"))
        .wrap_unsafe_ops(true)
        // Not rustfmt: its output depends on which one is installed, prettyplease's on Cargo.lock alone.
        .formatter(bindgen::Formatter::Prettyplease)
        .generate()
        .expect("bindgen reads TVM's header");
    let body = bindings.to_string();
    let body = body
        .split_once('\n')
        .expect("bindgen's own heading")
        .1
        .trim_start();
    format!("{HEADING}\n{body}")
}

#[test]
fn the_bindings_are_those_of_the_installed_tvm() {
    find_libclang();
    let generated = generate(support::tvm_package());
    if env::var_os("BLESS").is_some() {
        fs::write(CHECKED_IN, &generated).expect("src/bindings.rs can be written");
    }
    let checked_in = fs::read_to_string(CHECKED_IN).expect("src/bindings.rs is checked in");
    if let Some((number, (ours, theirs))) = (1..)
        .zip(checked_in.lines().zip(generated.lines()))
        .find(|(_, (ours, theirs))| ours != theirs)
    {
        panic!(
            "src/bindings.rs:{number} is\n  {ours}\nand bindgen now writes\n  {theirs}\nre-bless with BLESS=1"
        );
    }
    assert_eq!(
        checked_in.len(),
        generated.len(),
        "one is a beginning of the other; re-bless with BLESS=1"
    );
}
