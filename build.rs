//! Compiles the C++ of TVM's device `ext_dev` when it is given a TVM's headers: `ARCO_TVM_INCLUDE` is the folder that has
//! `tvm/runtime`. The result is embedded in the library, together with the key of those headers. Without them the library
//! embeds nothing and compiles the source when it is first needed.

#[path = "ffi/shim/plan.rs"]
mod plan;

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=ARCO_TVM_INCLUDE");
    println!("cargo::rerun-if-changed=ffi/shim");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let library = out.join("ext_dev.so");
    let include = std::env::var_os("ARCO_TVM_INCLUDE").filter(|include| !include.is_empty());
    let key = match &include {
        Some(include) => compile(Path::new(include), &library),
        None => {
            std::fs::write(&library, []).expect("OUT_DIR can be written");
            String::new()
        }
    };
    println!("cargo::rustc-env=ARCO_EXT_DEV_KEY={key}");
}

/// Compiles the shim to `library`, and returns the key of what it was compiled against.
fn compile(include: &Path, library: &Path) -> String {
    let headers = plan::Headers::of_include(include).unwrap_or_else(|| {
        panic!(
            "ARCO_TVM_INCLUDE={} does not name TVM's headers; it must have tvm/runtime, and ../3rdparty beside it",
            include.display()
        )
    });
    println!("cargo::rerun-if-changed={}", include.display());
    let mut command = cc::Build::new()
        .cpp(true)
        .cargo_warnings(false)
        .get_compiler()
        .to_command();
    command.args(plan::FLAGS).args(headers.arguments());
    command.arg("-o").arg(library).arg("ffi/shim/ext_dev.cc");
    let output = command.output().expect("the C++ compiler starts");
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    format!(
        "{:016x}",
        headers
            .key(plan::EXT_DEV, &[])
            .expect("the headers can be read")
    )
}
