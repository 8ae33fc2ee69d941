//! Modules of this process.

mod support;

use std::fs;
use std::path::Path;

use support::matmul::matmul_library;
use tvm_rt::rpc::{TimeEvaluator, TimeOptions};
use tvm_rt::{Device, Error, Function, Module, NDArray};

#[test]
fn a_library_is_loaded_run_and_timed() {
    support::tvm();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matmul.so");
    fs::write(&path, matmul_library()).unwrap();
    let module = Module::load(&path).unwrap();
    assert_eq!(module.type_key().unwrap(), "library");
    assert_eq!(module.imports().unwrap().len(), 0);

    let ones = NDArray::from_slice(&[64, 64], &[1.0_f32; 64 * 64]).unwrap();
    let result = NDArray::from_slice(&[64, 64], &[0.0_f32; 64 * 64]).unwrap();
    let args = [(&ones).into(), (&ones).into(), (&result).into()];
    module
        .get_function("matmul", false)
        .unwrap()
        .call(&args)
        .unwrap();
    assert_eq!(result.to_vec::<f32>().unwrap(), [64.0; 64 * 64]);

    let options = TimeOptions {
        repeat: 2,
        ..TimeOptions::default()
    };
    let seconds = TimeEvaluator::new(&module, "matmul", Device::cpu(0), &options)
        .unwrap()
        .run(&args)
        .unwrap();
    assert_eq!(seconds.len(), 2);

    let error = module.get_function("no_such_kernel", true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the library module has no function `no_such_kernel`"
    );
    assert!(
        module
            .find_function("no_such_kernel", true)
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_kernel_called_with_the_wrong_arrays_is_an_error() {
    support::tvm();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matmul.so");
    fs::write(&path, matmul_library()).unwrap();
    let matmul = Module::load(&path)
        .unwrap()
        .get_function("matmul", false)
        .unwrap();
    let small = NDArray::from_slice(&[2], &[1.0_f32; 2]).unwrap();
    let error = matmul
        .call(&[(&small).into(), (&small).into(), (&small).into()])
        .unwrap_err();
    assert!(error.to_string().contains("ndim"), "{error}");
    assert!(matches!(matmul.call(&[]), Err(Error::Tvm(_))));
}

#[test]
fn modules_import_each_other() {
    support::tvm();
    let create = Function::get("runtime.CSourceModuleCreate").unwrap();
    let names = Function::get("runtime.Array").unwrap();
    let source = |code: &str, function: &str| -> Module {
        let names = names.call(&[function.into()]).unwrap();
        create
            .call(&[code.into(), "c".into(), (&names).into(), ().into()])
            .unwrap()
            .try_into()
            .unwrap()
    };
    let mut outer = source("int outer;", "outer");
    let inner = source("int inner;", "inner");
    assert_eq!(outer.type_key().unwrap(), "c");
    assert_eq!(outer.source("").unwrap(), "int outer;");

    outer.import(&inner).unwrap();
    let imports = outer.imports().unwrap();
    assert_eq!(imports.len(), 1);
    assert!(imports[0].as_object().same_as(inner.as_object()));
    let mut inner = inner;
    assert!(matches!(inner.import(&outer), Err(Error::Tvm(_))));
}

#[test]
fn a_file_that_is_no_module_is_an_error() {
    support::tvm();
    assert!(matches!(
        Module::load(Path::new("/no/such/file.so")),
        Err(Error::Tvm(_))
    ));
    let error = Module::load_from_file(Path::new("/no/such/file"), "martian").unwrap_err();
    assert!(error.to_string().contains("martian"), "{error}");
}
