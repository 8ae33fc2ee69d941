//! `simd.rs` a second time, on a model of the 512-bit instructions: its layouts and loops are tested on every machine.
#![allow(
    unsafe_code,
    reason = "the model has the signatures of what it stands for"
)]

mod arch512;

use super::{alu, kernel};
use crate::vta::func::kernel::{Run, Shape, scalar_run};
use proptest::prelude::*;

/// Plain functions: the processor may not have the instructions.
macro_rules! on_avx512 {
    ($item:item) => {
        $item
    };
}

#[path = "../simd.rs"]
#[allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "the 512-bit part is tested twice by design"
)]
mod simd;

/// A first element and steps of any size that keep `n` steps of each round within `depth`.
fn walk(depth: usize, n: usize, rounds: usize) -> impl Strategy<Value = (usize, usize, usize)> {
    let step = |room: usize, n: usize| if n == 1 { 0..=0 } else { 0..=room / (n - 1) };
    step(depth - 1, n).prop_flat_map(move |by| {
        let room = depth - 1 - by * (n - 1);
        step(room, rounds).prop_flat_map(move |round| {
            let last = room - round * (rounds - 1);
            (0..=last, Just(by), Just(round))
        })
    })
}

/// A shape, a run within it, and the seed of its contents.
fn case() -> impl Strategy<Value = (Shape, Run, u64)> {
    let blocks = prop::sample::select(vec![4usize, 8, 16, 32, 64]);
    let outs = prop::sample::select(vec![16usize, 32, 64]);
    let counts = (1usize..20, 1usize..4);
    (1usize..=2, blocks, outs, counts).prop_flat_map(|(batch, block_in, block_out, (n, rounds))| {
        let shape = Shape {
            batch,
            block_in,
            block_out,
            inp_depth: DEPTH,
            wgt_depth: DEPTH,
        };
        let operand = || walk(DEPTH, n, rounds);
        let run = (walk(DEPTH, n, 1), operand(), operand()).prop_map(move |(acc, inp, wgt)| Run {
            n,
            acc: acc.0,
            acc_step: acc.1,
            inp: inp.0,
            inp_step: inp.1,
            wgt: wgt.0,
            wgt_step: wgt.1,
            rounds,
            inp_round: inp.2,
            wgt_round: wgt.2,
        });
        (Just(shape), run, any::<u64>())
    })
}

/// Elements of each buffer.
const DEPTH: usize = 24;

/// Bytes of a seed, a quarter of them extremes: there products and offsets go wrong.
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let step = |state: &u64| Some(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
    std::iter::successors(Some(seed), step)
        .skip(1)
        .map(|state| match state >> 59 {
            0..4 => 0x80,
            4..8 => 0x7f,
            _ => (state >> 50) as u8,
        })
        .take(count)
        .collect()
}

fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|byte| byte.cast_signed()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_512_bit_code_gives_the_scalar_path_s_bits((shape, run, seed) in case(), zeroed in 0..DEPTH) {
        let (inp_size, wgt_size) = (shape.batch * shape.block_in, shape.block_in * shape.block_out);
        let mut inp = bytes(seed, DEPTH * inp_size);
        let mut wgt = bytes(!seed, DEPTH * wgt_size);
        let mut expected: Vec<i32> = bytes(seed ^ 1, DEPTH * shape.batch * shape.block_out * 4)
            .as_chunks()
            .0
            .iter()
            .map(|&word| i32::from_le_bytes(word))
            .collect();
        let mut found = expected.clone();
        let mut vnni = simd::Vnni::new(shape).unwrap();
        vnni.write_inp(0, &inp);
        vnni.write_wgt(0, &wgt[..wgt_size]);
        vnni.write_wgt(1, &wgt[wgt_size..]);
        vnni.zero_inp(zeroed * inp_size..(zeroed + 1) * inp_size);
        vnni.zero_wgt(zeroed, 1);
        inp[zeroed * inp_size..(zeroed + 1) * inp_size].fill(0);
        wgt[zeroed * wgt_size..(zeroed + 1) * wgt_size].fill(0);
        scalar_run(&shape, &mut expected, &signed(&inp), &signed(&wgt), &run);
        vnni.run(&mut found, &run);
        prop_assert!(found == expected, "{shape:?} {run:?}");
    }
}
