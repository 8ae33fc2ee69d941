//! What a call through TVM costs: `cargo run --release -p tvm-rt --example call_overhead -- path/to/libtvm.so`.
//!
//! Each row is the median of several rounds, in nanoseconds for one call of a Rust closure.
#![allow(clippy::print_stdout)] // a table is all that this program is for

use std::env;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use tvm_rt::{ArgValue, Function, RetValue, Tvm};

const ROUNDS: usize = 15;
const CALLS: u32 = 100_000;

/// Median nanoseconds of one `call`.
fn measure(mut call: impl FnMut() -> tvm_rt::Result<()>) -> tvm_rt::Result<f64> {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            call()?;
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    rounds.sort_by(f64::total_cmp);
    Ok(rounds[ROUNDS / 2])
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("give the path of libtvm.so")?;
    let start = Instant::now();
    let tvm = Tvm::load(Path::new(&path))?;
    println!(
        "TVM {}, loaded in {:.0} ms",
        tvm.version(),
        start.elapsed().as_secs_f64() * 1e3
    );

    let nothing = Function::from_fn(|_| Ok(RetValue::Null))?;
    let next = Function::from_fn(|args| Ok((args.get::<i64>(0)? + 1).into()))?;
    let echo = Function::from_fn(|args| args.get(0))?;
    let failing = Function::from_fn(|_| Err(tvm_rt::Error::raise("ValueError", "no")))?;
    let boxed: Box<dyn Fn(i64) -> i64> = Box::new(|value| black_box(value) + 1);
    let integers: Vec<ArgValue<'_>> = (0..8_i64).map(ArgValue::from).collect();

    let rows = [
        (
            "boxed closure, no TVM",
            measure(|| {
                black_box(boxed(black_box(1)));
                Ok(())
            })?,
        ),
        ("no arguments", measure(|| nothing.call(&[]).map(drop))?),
        (
            "an integer, and one back",
            measure(|| next.call(&[1.into()]).map(drop))?,
        ),
        ("8 integers", measure(|| nothing.call(&integers).map(drop))?),
        (
            "a string of 16 bytes, and back",
            measure(|| echo.call(&["sixteen letters.".into()]).map(drop))?,
        ),
        (
            "a function, and back",
            measure(|| echo.call(&[(&next).into()]).map(drop))?,
        ),
        (
            "looking a global function up",
            measure(|| Function::get("runtime.ModuleGetSource").map(drop))?,
        ),
    ];
    println!("{:<34}{:>8}", "Rust -> TVM -> Rust", "ns");
    for (name, nanoseconds) in rows {
        println!("{name:<34}{nanoseconds:>8.0}");
    }
    let start = Instant::now();
    for _ in 0..10 {
        failing.call(&[]).expect_err("it fails");
    }
    println!(
        "{:<34}{:>8.0}",
        "an error",
        start.elapsed().as_secs_f64() * 1e8
    );
    Ok(())
}
