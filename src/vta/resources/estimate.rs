//! The formulas.

use crate::vta::config::{Geometry, Mem};
use serde::Serialize;

/// Widest memory bank in bits: the HLS flow caps its buses at 1024 (spec section 7, "SRAM banks").
const MAX_BANK_BITS: u64 = 1024;
/// Shape of a block RAM used as simple dual-port memory, 72 bits by 512 words; 36 by 1024 where that needs fewer
/// (spec section 7, "BRAM36 estimate per bank"). Bits of both shapes are 36 Kbit.
const BRAM36_SHAPES: [(u64, u64); 2] = [(72, 512), (36, 1024)];
/// Entries of each of the three command queues, 128 bits each (spec section 7, "Queues").
const QUEUE_ENTRIES: u64 = 512;
/// Bits of an instruction.
const INSN_BITS: u64 = 128;
/// Bits of the four dependency queues: 1024 entries of a byte (spec section 7, "Queues").
const TOKEN_BITS: u64 = 4 * 1024 * 8;

/// How multipliers are mapped to DSP blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mapping {
    /// One DSP per multiplier of up to 18 x 25 bits (spec section 7, "MAC array").
    Single,
    /// Two 8-bit multipliers that share an operand in one DSP; wider ones as [`Mapping::Single`].
    Packed,
    /// Look-up tables only (the HLS switch NO_DSP).
    Lut,
}

/// One on-chip buffer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BufferCost {
    /// Which.
    pub mem: Mem,
    /// Capacity in bytes.
    pub bytes: u64,
    /// Elements.
    pub depth: u64,
    /// Bits of an element.
    pub elem_bits: u64,
    /// Parallel banks: `ceil(elem_bits / 1024)` (spec section 7).
    pub banks: u64,
    /// Bits of a bank's word: `min(elem_bits, 1024)`.
    pub bank_bits: u64,
    /// Words of a bank: the buffer's depth.
    pub bank_depth: u64,
    /// Bank width over bus width; the HLS flow needs at least one (spec section 7, "axi ratio").
    pub bus_ratio: f64,
    /// Estimate of 36 Kbit block RAMs: per bank the better of `ceil(width/72) * ceil(depth/512)` and
    /// `ceil(width/36) * ceil(depth/1024)`.
    pub bram36_estimate: u64,
}

/// Everything a geometry needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resources {
    /// Geometry's name.
    pub geometry: String,
    /// Uop, weight, input, accumulator and output buffer.
    pub buffers: Vec<BufferCost>,
    /// Bits of all buffers: `8 * (2^uop + 2^inp + 2^wgt + 2^acc + 2^out)` (spec section 7).
    pub buffer_bits: u64,
    /// Bits of command and dependency queues.
    pub queue_bits: u64,
    /// Multiply-accumulate units: `BATCH * BLOCK_IN * BLOCK_OUT`.
    pub macs: u64,
    /// Levels of each adder tree: `log2(BLOCK_IN)`.
    pub adder_tree_depth: u32,
    /// ALU lanes of ACC bits: `BATCH * BLOCK_OUT`.
    pub alu_lanes: u64,
    /// Cycles between two ALU operations with an immediate, and with two tensors (spec section 7, "ALU").
    pub alu_initiation_interval: (u32, u32),
    /// How multipliers are mapped.
    pub mapping: Mapping,
    /// Estimate of DSP blocks of the MAC array; the ALU's multiplier is not in the RTL and not counted.
    pub dsp_estimate: u64,
    /// Estimate of six-input look-up tables of the MAC array: adder trees, and multipliers where they use no DSP.
    pub mac_lut_estimate: u64,
    /// Estimate of 36 Kbit block RAMs: buffers and command queues.
    pub bram36_estimate: u64,
    /// Multiply-accumulates per second at the geometry's clock, in units of 10^9.
    pub peak_gmacs: f64,
    /// Bytes per second over the memory bus at the geometry's clock, in units of 10^9.
    pub bus_gbytes: f64,
}

/// Counts and estimates for a geometry.
pub fn resources(geometry: &Geometry, mapping: Mapping) -> Resources {
    let buffers: Vec<BufferCost> = [Mem::Uop, Mem::Wgt, Mem::Inp, Mem::Acc, Mem::Out]
        .into_iter()
        .map(|mem| buffer(geometry, mem))
        .collect();
    let macs = geometry.macs() as u64;
    let queue_words = bram36(INSN_BITS, QUEUE_ENTRIES);
    let clock = f64::from(geometry.clock_mhz()) / 1e3;
    Resources {
        geometry: geometry.name(),
        buffer_bits: buffers.iter().map(|buffer| buffer.bytes * 8).sum(),
        queue_bits: 3 * QUEUE_ENTRIES * INSN_BITS + TOKEN_BITS,
        macs,
        adder_tree_depth: geometry.log_block_in(),
        alu_lanes: alu_lanes(geometry),
        alu_initiation_interval: (1, 2),
        mapping,
        dsp_estimate: dsp(geometry, mapping),
        mac_lut_estimate: mac_luts(geometry, mapping),
        bram36_estimate: buffers
            .iter()
            .map(|buffer| buffer.bram36_estimate)
            .sum::<u64>()
            + 3 * queue_words,
        peak_gmacs: macs as f64 * clock,
        bus_gbytes: f64::from(geometry.axi_bits()) / 8.0 * clock,
        buffers,
    }
}

fn buffer(geometry: &Geometry, mem: Mem) -> BufferCost {
    let elem_bits = geometry.elem_bytes(mem) as u64 * 8;
    let bank_bits = elem_bits.min(MAX_BANK_BITS);
    let banks = elem_bits.div_ceil(MAX_BANK_BITS);
    let depth = geometry.depth(mem) as u64;
    BufferCost {
        mem,
        bytes: geometry.buffer_bytes(mem) as u64,
        depth,
        elem_bits,
        banks,
        bank_bits,
        bank_depth: depth,
        bus_ratio: bank_bits as f64 / f64::from(geometry.axi_bits()),
        bram36_estimate: banks * bram36(bank_bits, depth),
    }
}

/// Block RAMs of a memory of that width and depth.
fn bram36(width: u64, depth: u64) -> u64 {
    BRAM36_SHAPES
        .into_iter()
        .map(|(bits, words)| width.div_ceil(bits) * depth.div_ceil(words))
        .fold(u64::MAX, u64::min)
}

/// DSPs of the multipliers. One takes 18 x 25 bits (spec section 7 counts one per 8 x 8); wider products need several.
fn dsp(geometry: &Geometry, mapping: Mapping) -> u64 {
    let (inp, wgt) = (
        u64::from(geometry.inp_bits()),
        u64::from(geometry.wgt_bits()),
    );
    let (narrow, wide) = (inp.min(wgt), inp.max(wgt));
    let macs = geometry.macs() as u64;
    match mapping {
        Mapping::Lut => 0,
        // Both products of a pair share the 18-bit port's operand: possible up to 8 bits each.
        Mapping::Packed if wide <= 8 => macs.div_ceil(2),
        Mapping::Single | Mapping::Packed => macs * narrow.div_ceil(18) * wide.div_ceil(25),
    }
}

/// Look-up tables of the MAC array: an adder of n bits takes n, an array multiplier of n x m bits about n * m (estimates).
fn mac_luts(geometry: &Geometry, mapping: Mapping) -> u64 {
    let (inp, wgt) = (
        u64::from(geometry.inp_bits()),
        u64::from(geometry.wgt_bits()),
    );
    let trees = alu_lanes(geometry);
    // Level l of a tree has block_in / 2^(l+1) adders of product width + l bits; then the accumulator's.
    let tree: u64 = (0..geometry.log_block_in())
        .map(|level| {
            (geometry.block_in() as u64 >> (level + 1)) * (inp + wgt + u64::from(level) + 1)
        })
        .sum();
    let accumulator = u64::from(geometry.acc_bits());
    let multipliers = if mapping == Mapping::Lut {
        geometry.macs() as u64 * inp * wgt
    } else {
        0
    };
    trees * (tree + accumulator) + multipliers
}

fn alu_lanes(geometry: &Geometry) -> u64 {
    (geometry.batch() * geometry.block_out()) as u64
}
