//! Sessions on a real TVM RPC server.

mod support;

use std::time::{Duration, Instant};

use support::matmul::matmul_library;
use support::rpc_server::RpcServer;
use tvm_rt::rpc::{Session, TimeEvaluator, TimeOptions};
use tvm_rt::{DataType, Device, Error, Function, NDArray};

const LIFETIME: Option<Duration> = Some(Duration::from_secs(60));

#[test]
fn a_kernel_is_uploaded_run_checked_and_timed_on_the_remote_device() {
    support::tvm();
    let server = RpcServer::start();
    let session = Session::connect("127.0.0.1", server.port, "", LIFETIME).unwrap();
    session.upload("matmul.so", matmul_library()).unwrap();
    assert_eq!(session.download("matmul.so").unwrap(), matmul_library());
    let module = session.load_module("matmul.so").unwrap();
    assert_eq!(module.type_key().unwrap(), "rpc");

    let device = session.device(Device::cpu(0));
    assert_eq!(device.session(), Some(session.index()));
    let n = 64;
    let fill = |f: &dyn Fn(usize) -> f32| {
        let array = NDArray::empty(&[64, 64], DataType::FLOAT32, device).unwrap();
        array
            .copy_from_slice(&(0..n * n).map(f).collect::<Vec<_>>())
            .unwrap();
        array
    };
    // Small whole numbers, so that every order of adding gives the same floats.
    let (f, g) = (|i| (i % 7) as f32 - 3.0, |i| (i % 5) as f32);
    let (a, b, c) = (fill(&f), fill(&g), fill(&|_| -1.0));
    assert_eq!((c.device(), c.byte_size()), (device, 4 * n * n));

    let matmul = module.get_function("matmul", false).unwrap();
    matmul
        .call(&[(&a).into(), (&b).into(), (&c).into()])
        .unwrap();
    let found = c.to_vec::<f32>().unwrap();
    for i in 0..n {
        for j in 0..n {
            let expected: f32 = (0..n).map(|k| f(i * n + k) * g(k * n + j)).sum();
            assert_eq!(found[i * n + j], expected, "c[{i}][{j}]");
        }
    }

    let options = TimeOptions {
        number: 3,
        repeat: 5,
        ..TimeOptions::default()
    };
    let timer = TimeEvaluator::new(&module, "matmul", device, &options).unwrap();
    let seconds = timer.run(&[(&a).into(), (&b).into(), (&c).into()]).unwrap();
    assert_eq!(seconds.len(), 5);
    // 2 * 64^3 operations: no machine needs less than 100 ns or more than a second.
    assert!(
        seconds.iter().all(|second| (1e-7..1.0).contains(second)),
        "{seconds:?}"
    );
}

#[test]
fn the_time_evaluator_honours_its_options() {
    support::tvm();
    let server = RpcServer::start();
    let session = Session::connect("127.0.0.1", server.port, "", LIFETIME).unwrap();
    session.upload("matmul.so", matmul_library()).unwrap();
    let module = session.load_module("matmul.so").unwrap();
    let device = session.device(Device::cpu(0));
    let arrays = [(); 3].map(|()| NDArray::empty(&[64, 64], DataType::FLOAT32, device).unwrap());
    for array in &arrays {
        array.copy_from_slice(&[1.0_f32; 64 * 64]).unwrap();
    }
    let args = arrays.each_ref().map(Into::into);

    let options = TimeOptions {
        repeat: 2,
        min_repeat_ms: 60,
        cooldown_interval_ms: 100,
        f_preproc: "cache_flush_cpu_non_first_arg".to_owned(),
        ..TimeOptions::default()
    };
    let start = Instant::now();
    TimeEvaluator::new(&module, "matmul", device, &options)
        .unwrap()
        .run(&args)
        .unwrap();
    // Two measurements of at least 60 ms, with pauses of 100 ms between them.
    assert!(
        start.elapsed() >= Duration::from_millis(220),
        "{:?}",
        start.elapsed()
    );

    let options = TimeOptions {
        f_preproc: "no.such.function".to_owned(),
        ..TimeOptions::default()
    };
    let error = TimeEvaluator::new(&module, "matmul", device, &options).unwrap_err();
    assert!(error.to_string().contains("no.such.function"), "{error}");
}

#[test]
fn ten_thousand_functions_dropped_leave_the_session_closable() {
    support::tvm();
    let server = RpcServer::start();
    let session =
        Session::connect("127.0.0.1", server.port, "", Some(Duration::from_secs(90))).unwrap();
    for _ in 0..10_000 {
        let function = session.get_function("tvm.rpc.server.upload").unwrap();
        let clone = function.clone();
        drop((function, clone));
    }
    let array = NDArray::empty(&[4], DataType::INT8, session.device(Device::cpu(0))).unwrap();
    drop(session);
    drop(array);

    // The server serves one session at a time: a second one answers at once only if the first is closed.
    let start = Instant::now();
    let second = Session::connect("127.0.0.1", server.port, "", LIFETIME).unwrap();
    assert!(second.get_function("tvm.rpc.server.upload").is_ok());
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_function_that_is_kept_keeps_its_session_until_its_lifetime_ends() {
    support::tvm();
    let server = RpcServer::start();
    let lifetime = Duration::from_secs(3);
    let session = Session::connect("127.0.0.1", server.port, "", Some(lifetime)).unwrap();
    let kept = session.get_function("tvm.rpc.server.upload").unwrap();
    drop(session);

    let start = Instant::now();
    let second = Session::connect("127.0.0.1", server.port, "", LIFETIME).unwrap();
    assert!(
        start.elapsed() > Duration::from_secs(1),
        "the kept function did not hold its session"
    );
    drop(second);
    let error = kept
        .call(&["name".into(), b"contents".as_slice().into()])
        .unwrap_err();
    assert!(matches!(error, Error::Tvm(_)), "{error:?}");
}

#[test]
fn what_goes_wrong_is_an_error_and_leaves_the_session_usable() {
    support::tvm();
    let server = RpcServer::start();
    let session = Session::connect("127.0.0.1", server.port, "", LIFETIME).unwrap();

    let missing = session.get_function("no.such.function").unwrap_err();
    assert!(
        matches!(&missing, Error::NoSuchModuleFunction { module, name } if module == "rpc" && name == "no.such.function"),
        "{missing:?}"
    );
    let no_file = session.load_module("missing.so").unwrap_err();
    assert!(!no_file.to_string().is_empty());
    let no_device = session.device(Device::new(tvm_rt::DeviceType::CUDA, 0));
    assert!(NDArray::empty(&[1], DataType::INT8, no_device).is_err());

    session.upload("still.there", b"yes").unwrap();
    assert_eq!(session.download("still.there").unwrap(), b"yes");
    session.remove("still.there").unwrap();
    assert!(session.download("still.there").is_err());
}

#[test]
fn nobody_listening_is_an_error_that_names_the_address() {
    support::tvm();
    let error = Session::connect("127.0.0.1", 1, "", LIFETIME).unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[test]
fn sessions_of_two_threads_do_not_disturb_each_other() {
    support::tvm();
    std::thread::scope(|scope| {
        for id in 0..2_u8 {
            scope.spawn(move || {
                let server = RpcServer::start();
                let session = Session::connect("127.0.0.1", server.port, "", LIFETIME).unwrap();
                let array = NDArray::empty(&[100], DataType::UINT8, session.device(Device::cpu(0)))
                    .unwrap();
                for round in 0..50 {
                    array.copy_from_slice(&[id + round; 100]).unwrap();
                    assert_eq!(array.to_vec::<u8>().unwrap(), [id + round; 100]);
                }
            });
        }
    });
    assert!(Function::get("rpc.Connect").is_ok());
}
