//! What the tests of the timing model share: golden records, and instructions for small programs.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod stepped;

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::isa::{
    AluInsn, AluOp, Deps, GemmInsn, Insn, MemInsn, Module, Operand, RawInsn, decode_program,
};
use arco_tvm::vta::program::{self, Program};
use arco_tvm::vta::timing::{TimingError, TimingModel, TimingOptions};
use serde_json::Value;
use std::path::PathBuf;

/// A file of the golden data.
pub fn golden(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/data/vta", path]
        .iter()
        .collect()
}

/// Lines of a JSON lines file of the golden data.
pub fn golden_lines(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(golden(path)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A program that ran on the RTL, and what was measured.
pub struct RtlRecord {
    pub name: String,
    pub rtl: String,
    pub program: Program,
    pub cycles: u64,
    pub read_requests: u64,
    pub read_beats: u64,
    pub write_requests: u64,
    pub write_beats: u64,
}

impl RtlRecord {
    /// The longest burst of the shell that it ran in.
    pub fn options(&self) -> TimingOptions {
        let max_burst = Some(if self.rtl == "pynq" { 256 } else { 16 });
        TimingOptions {
            max_burst,
            ..TimingOptions::default()
        }
    }
}

/// Every RTL record of the golden data.
pub fn rtl_records() -> Vec<RtlRecord> {
    golden_lines("rtl_cycles.jsonl")
        .into_iter()
        .map(|record| {
            let name = record["program"].as_str().unwrap().to_owned();
            let measured = |key: &str| record["tsim"][key].as_u64().unwrap();
            RtlRecord {
                program: program::load(golden(&name)).unwrap(),
                rtl: record["rtl"].as_str().unwrap().to_owned(),
                cycles: measured("cycles"),
                read_requests: measured("rd_reqs"),
                read_beats: measured("rd_beats"),
                write_requests: measured("wr_reqs"),
                write_beats: measured("wr_beats"),
                name,
            }
        })
        .collect()
}

/// A micro-benchmark of `micro_de10.jsonl`: name, instructions, cycles.
pub fn micro_benchmarks() -> Vec<(String, Vec<Insn>, u64)> {
    golden_lines("micro_de10.jsonl")
        .into_iter()
        .map(|record| {
            let raw: Vec<RawInsn> = record["insns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|text| {
                    let mut word = u128::from_str_radix(text.as_str().unwrap(), 16).unwrap();
                    // The hex string lists bytes in memory order.
                    word = word.swap_bytes();
                    RawInsn(word)
                })
                .collect();
            (
                record["name"].as_str().unwrap().to_owned(),
                decode_program(&raw, &Geometry::default()).unwrap(),
                record["cycles_de10"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// Cycles of one launch at the default geometry with that longest burst.
pub fn cycles(insns: &[Insn], max_burst: u32) -> Result<u64, TimingError> {
    let geometry = Geometry::default().with_max_burst(max_burst).unwrap();
    Ok(TimingModel::new(&geometry).launch(insns)?.cycles)
}

/// Dependency bits by letter: `p`op and p`u`sh, of the previous (`<`) or next (`>`) module: `p<`, `p>`, `u<`, `u>`.
pub fn deps(bits: &str) -> Deps {
    Deps {
        pop_prev: bits.contains("p<"),
        pop_next: bits.contains("p>"),
        push_prev: bits.contains("u<"),
        push_next: bits.contains("u>"),
    }
}

/// A copy of `y` rows of `x` elements, without padding.
pub fn rows(mem: Mem, y: u16, x: u16, stride: u16, bits: &str) -> MemInsn {
    MemInsn {
        dram_base: 0x2_0000 >> Geometry::default().log_elem_bytes(mem),
        y_size: y,
        x_size: x,
        x_stride: stride,
        ..MemInsn::nop(mem, deps(bits))
    }
}

pub fn load(mem: Mem, y: u16, x: u16, stride: u16, bits: &str) -> Insn {
    Insn::Load(rows(mem, y, x, stride, bits))
}

pub fn store(y: u16, x: u16, stride: u16, bits: &str) -> Insn {
    Insn::Store(rows(Mem::Out, y, x, stride, bits))
}

pub fn nop(module: Module, bits: &str) -> Insn {
    Insn::nop(module, deps(bits))
}

pub fn finish() -> Insn {
    Insn::Finish(Deps::default())
}

pub fn gemm(uops: u16, outer: u16, inner: u16, reset: bool, bits: &str) -> Insn {
    Insn::Gemm(GemmInsn {
        deps: deps(bits),
        reset,
        uop_bgn: 0,
        uop_end: uops,
        iter_out: outer,
        iter_in: inner,
        dst_out: 0,
        dst_in: 0,
        src_out: 0,
        src_in: 0,
        wgt_out: 0,
        wgt_in: 0,
    })
}

pub fn alu(iterations: u16, immediate: bool) -> Insn {
    let imm = 1;
    Insn::Alu(AluInsn {
        deps: Deps::default(),
        reset: false,
        uop_bgn: 0,
        uop_end: 1,
        iter_out: 1,
        iter_in: iterations,
        dst_out: 0,
        dst_in: 0,
        src_out: 0,
        src_in: 0,
        op: AluOp::Add,
        operand: if immediate {
            Operand::Imm(imm)
        } else {
            Operand::Tensor { imm }
        },
    })
}
