//! A library that Python loads: Rust functions that call Python functions through TVM. `tests/python.rs` drives it.

use std::error::Error as StdError;
use std::ffi::c_int;
use std::fmt;
use std::sync::Mutex;

use tvm_rt::{
    ArgValue, Args, Error, Function, Object, Result, RetValue, Tensor, Tvm, c_entry,
    register_global,
};

type Body = fn(&Args<'_>) -> Result<RetValue>;

/// Registers the functions below under `fixture.*`, in the TVM that Python has loaded.
#[unsafe(no_mangle)]
pub extern "C" fn fixture_register() -> c_int {
    c_entry(|| {
        Tvm::in_process()?;
        let functions: [(&str, Body); 10] = [
            ("fixture.apply", apply),
            ("fixture.apply_in_own_error", apply_in_own_error),
            ("fixture.apply_and_fail_again", apply_and_fail_again),
            ("fixture.apply_on_another_thread", apply_on_another_thread),
            ("fixture.say_what_it_raises", say_what_it_raises),
            ("fixture.type_name", |args| {
                Ok(args.get::<RetValue>(0)?.type_name().into())
            }),
            ("fixture.echo", |args| args.get(0)),
            ("fixture.length", |args| {
                let items = args.get::<&Object>(0)?.to_vec()?;
                Ok(RetValue::Int(items.len().try_into().map_err(Error::other)?))
            }),
            ("fixture.sum", |args| {
                let values = args.get::<&Tensor>(0)?.to_vec::<f32>()?;
                Ok(values.iter().sum::<f32>().into())
            }),
            ("fixture.panic", |args| panic!("said {}", args.len())),
        ];
        for (name, function) in functions {
            register_global(name, &Function::from_fn(function)?, true)?;
        }
        Ok(())
    })
}

/// Fails as a C function of TVM's own API does.
#[unsafe(no_mangle)]
pub extern "C" fn fixture_fail() -> c_int {
    c_entry(|| Err(Error::raise("ValueError", "a C function failed")))
}

/// Panics.
#[unsafe(no_mangle)]
pub extern "C" fn fixture_panic() -> c_int {
    c_entry(|| panic!("a C function panicked"))
}

/// Asks for a TVM that this process does not have.
#[unsafe(no_mangle)]
pub extern "C" fn fixture_load_a_second_tvm() -> c_int {
    c_entry(|| Tvm::load(&Tvm::get()?.path().with_file_name("libtvm_runtime.so")).map(drop))
}

fn call_first(args: &Args<'_>) -> Result<RetValue> {
    args.get::<&Function>(0)?.call(&args[1..])
}

fn apply(args: &Args<'_>) -> Result<RetValue> {
    call_first(args)
}

#[derive(Debug)]
struct Own(Error);

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the callback failed")
    }
}

impl StdError for Own {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn apply_in_own_error(args: &Args<'_>) -> Result<RetValue> {
    call_first(args).map_err(|error| Error::other(Own(error)))
}

/// Between the exception and the return another call fails, and overwrites the error that TVM keeps.
fn apply_and_fail_again(args: &Args<'_>) -> Result<RetValue> {
    let outcome = call_first(args);
    let other =
        Function::get("runtime.ModuleLoadFromFile")?.call(&["missing.so".into(), "".into()]);
    assert!(matches!(other, Err(Error::Tvm(_))), "{other:?}");
    outcome
}

/// The error that TVM keeps is one of the thread, and the exception comes from another.
fn apply_on_another_thread(args: &Args<'_>) -> Result<RetValue> {
    let function = args.get::<Function>(0)?;
    let outcome = Mutex::new(Ok(RetValue::Null));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if let Ok(mut outcome) = outcome.lock() {
                *outcome = function.call(&[]);
            }
        });
    });
    outcome
        .into_inner()
        .map_err(|_| Error::raise("RuntimeError", "the thread panicked"))?
}

fn say_what_it_raises(args: &Args<'_>) -> Result<RetValue> {
    match call_first(args) {
        Ok(value) => Ok(format!("nothing: {:?}", ArgValue::from(&value)).into()),
        Err(Error::Python(error)) => Ok(error.to_string().into()),
        Err(other) => Err(other),
    }
}
