//! Functions: TVM's own, and Rust closures that TVM calls.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tvm_rt::{
    ArgValue, Error, Function, RetValue, list_global_names, register_global, remove_global,
};

#[test]
fn a_closure_is_called_through_tvm_with_its_arguments() {
    support::tvm();
    let add =
        Function::from_fn(|args| Ok((args.get::<i64>(0)? + args.get::<i64>(1)?).into())).unwrap();
    let sum: i64 = add
        .call(&[40.into(), 2.into()])
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(sum, 42);
}

#[test]
fn a_registered_closure_is_found_by_its_name_until_it_is_removed() {
    support::tvm();
    let name = "tvm_rt.test.registered";
    assert!(
        matches!(Function::get(name), Err(Error::NoSuchFunction { name: asked }) if asked == name)
    );

    let one = Function::from_fn(|_| Ok(1.into())).unwrap();
    register_global(name, &one, false).unwrap();
    assert!(
        list_global_names()
            .unwrap()
            .iter()
            .any(|known| known == name)
    );
    let taken = register_global(name, &one, false).unwrap_err();
    assert!(taken.to_string().contains("already registered"), "{taken}");

    let two = Function::from_fn(|_| Ok(2.into())).unwrap();
    register_global(name, &two, true).unwrap();
    let returned: i64 = Function::get(name)
        .unwrap()
        .call(&[])
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(returned, 2);

    remove_global(name).unwrap();
    assert!(Function::find(name).unwrap().is_none());
}

#[test]
fn what_a_closure_holds_is_freed_with_the_last_handle() {
    support::tvm();
    let held = Arc::new(());
    let function = {
        let held = Arc::clone(&held);
        Function::from_fn(move |_| Ok(i64::try_from(Arc::strong_count(&held)).unwrap().into()))
            .unwrap()
    };
    let clone = function.clone();
    drop(function);
    assert_eq!(i64::try_from(clone.call(&[]).unwrap()).unwrap(), 2);
    drop(clone);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_panic_in_a_closure_is_an_error_of_the_call() {
    support::tvm();
    let function = Function::from_fn(|args| {
        let empty: Vec<i64> = Vec::new();
        Ok(empty[args.len()].into())
    })
    .unwrap();
    let error = function.call(&[1.into()]).unwrap_err();
    assert!(matches!(error, Error::Tvm(_)));
    let text = error.to_string();
    assert!(
        text.contains("a Rust function panicked: index out of bounds"),
        "{text}"
    );
}

#[test]
fn a_panic_while_a_closure_is_freed_stays_in_rust() {
    struct Grumpy(Arc<AtomicUsize>);
    impl Drop for Grumpy {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic!("I do not want to go");
        }
    }
    support::tvm();
    let dropped = Arc::new(AtomicUsize::new(0));
    let grumpy = Grumpy(Arc::clone(&dropped));
    drop(
        Function::from_fn(move |_| {
            let _ = &grumpy;
            Ok(RetValue::Null)
        })
        .unwrap(),
    );
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn an_argument_of_the_wrong_type_is_named_with_both_types() {
    support::tvm();
    let function = Function::from_fn(|args| args.get::<String>(1).map(RetValue::from)).unwrap();
    let wrong = function
        .call(&[1.into(), 2.5.into()])
        .unwrap_err()
        .to_string();
    assert!(
        wrong.contains("TypeError: argument 1: expected str, found float"),
        "{wrong}"
    );
    let missing = function.call(&[1.into()]).unwrap_err().to_string();
    assert!(
        missing.contains("argument 1 is missing: the call has 1"),
        "{missing}"
    );
}

#[test]
fn an_error_of_tvm_keeps_its_message_and_its_stack_trace() {
    support::tvm();
    let error = Function::get("runtime.ModuleLoadFromFile")
        .unwrap()
        .call(&["/nowhere/at/all.so".into(), "".into()])
        .unwrap_err();
    let Error::Tvm(error) = error else {
        panic!("{error:?}")
    };
    assert!(
        error.message().contains("/nowhere/at/all.so"),
        "{}",
        error.message()
    );
    assert!(
        !error.message().contains("Stack trace"),
        "{}",
        error.message()
    );
    assert!(error.traceback().starts_with(error.message()));
    assert!(
        error.traceback().len() > error.message().len(),
        "{}",
        error.traceback()
    );
}

#[test]
fn an_error_passes_through_two_closures_with_its_message() {
    support::tvm();
    let inner = Function::from_fn(|_| Err(Error::raise("ValueError", "no such knob"))).unwrap();
    let outer = Function::from_fn(|args| args.get::<&Function>(0)?.call(&[])).unwrap();
    let error = outer.call(&[(&inner).into()]).unwrap_err();
    assert_eq!(error.to_string(), "ValueError: no such knob");
}

#[test]
fn threads_call_one_closure_at_once() {
    support::tvm();
    let calls = Arc::new(AtomicUsize::new(0));
    let function = {
        let calls = Arc::clone(&calls);
        Function::from_fn(move |args| {
            calls.fetch_add(1, Ordering::Relaxed);
            args.get::<i64>(0).map(|value| (value * value).into())
        })
        .unwrap()
    };
    std::thread::scope(|scope| {
        for value in 0..8_i64 {
            let function = &function;
            scope.spawn(move || {
                for _ in 0..500 {
                    let square: i64 = function
                        .call(&[ArgValue::Int(value)])
                        .unwrap()
                        .try_into()
                        .unwrap();
                    assert_eq!(square, value * value);
                }
            });
        }
    });
    assert_eq!(calls.load(Ordering::Relaxed), 4000);
}
