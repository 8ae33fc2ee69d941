//! The validity rules of spec section 1: what the instruction and micro-operation words can hold.

use super::Geometry;

/// A rule that a configuration violates, with the numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleViolation {
    /// A log2 field beyond what any machine has.
    #[error("range: {field} is {value}, at most {limit} makes sense")]
    Range {
        /// Field name.
        field: &'static str,
        /// Its value.
        value: u32,
        /// Largest accepted value.
        limit: u32,
    },
    /// Arithmetic is defined for 32-bit accumulators only.
    #[error("accumulator width: LOG_ACC_WIDTH is {log_acc_width} but arithmetic is 32-bit; use 5")]
    AccWidth {
        /// What was asked for.
        log_acc_width: u32,
    },
    /// An element narrower than a byte cannot be addressed.
    #[error("whole bytes: a {buffer} element has {bits} bits; at least 8 are needed")]
    ElementBits {
        /// Buffer name.
        buffer: &'static str,
        /// Bits of its element.
        bits: u64,
    },
    /// An element must fit in a page.
    #[error("page: a {buffer} element has {bytes} bytes; at most 4096 (one page) are allowed")]
    ElementPage {
        /// Buffer name.
        buffer: &'static str,
        /// Bytes of its element.
        bytes: u64,
    },
    /// A buffer smaller than one element.
    #[error(
        "depth: the {buffer} buffer of 2^{log_bytes} bytes is smaller than its element of {bits} bits"
    )]
    Depth {
        /// Buffer name.
        buffer: &'static str,
        /// log2 of the buffer's bytes.
        log_bytes: u32,
        /// Bits of its element.
        bits: u64,
    },
    /// `LA + max(LA, LI) + LW <= 32`.
    #[error(
        "uop word: LA + max(LA, LI) + LW = {la} + {} + {lw} = {} exceeds 32 bits; shrink a buffer or grow its block",
        (*la).max(*li),
        la + la.max(li) + lw
    )]
    UopWord {
        /// log2 accumulator depth.
        la: u32,
        /// log2 input depth.
        li: u32,
        /// log2 weight depth.
        lw: u32,
    },
    /// `3 + 4 + 1 + LU + (LU + 1) + 14 + 14 <= 64`.
    #[error("GEMM/ALU low word: 3+4+1 + LU + (LU+1) + 14+14 = {} exceeds 64 bits; LU is {lu}, at most 13", 37 + 2 * lu)]
    LoopWordLow {
        /// log2 micro-operation depth.
        lu: u32,
    },
    /// `2 * (LA + LI + LW) <= 64`.
    #[error("GEMM high word: 2*(LA + LI + LW) = 2*({la} + {li} + {lw}) = {} exceeds 64 bits", 2 * (la + li + lw))]
    GemmWordHigh {
        /// log2 accumulator depth.
        la: u32,
        /// log2 input depth.
        li: u32,
        /// log2 weight depth.
        lw: u32,
    },
    /// `4 * LA + 3 + 1 + 16 <= 64`.
    #[error("ALU high word: 4*LA + 3+1+16 = {} exceeds 64 bits; LA is {la}, at most 11", 4 * la + 20)]
    AluWordHigh {
        /// log2 accumulator depth.
        la: u32,
    },
    /// `sram_base` has 16 bits.
    #[error(
        "sram_base: the {buffer} buffer has 2^{log_depth} elements; its 16-bit address reaches 2^16"
    )]
    SramBase {
        /// Buffer name.
        buffer: &'static str,
        /// log2 of its depth.
        log_depth: u32,
    },
    /// An output value cannot be wider than the accumulator it is cut from.
    #[error(
        "output width: OUT (= INP) has {out_bits} bits, more than the accumulator's {acc_bits}"
    )]
    OutWidth {
        /// Bits of an output value.
        out_bits: u32,
        /// Bits of an accumulator value.
        acc_bits: u32,
    },
    /// The bus must be a power of two of at least a byte.
    #[error("bus: AXI_BITS is {axi_bits}; use a power of two from 8 to 4096")]
    Bus {
        /// What was asked for.
        axi_bits: u32,
    },
    /// Bursts must be a power of two that holds an instruction.
    #[error(
        "burst: MAX_BURST is {max_burst} beats of {axi_bits} bits; use a power of two from 2 to 256 beats"
    )]
    Burst {
        /// What was asked for.
        max_burst: u32,
        /// Bits of a beat.
        axi_bits: u32,
    },
    /// A clock that stands still.
    #[error("clock: CLOCK_MHZ is 0")]
    Clock,
}

/// Bits of a DRAM page's worth of bytes: 4 KiB (spec section 3).
const PAGE_BYTES: u64 = 4096;

/// Every violated rule, the most basic first; later rules are skipped where earlier ones make them meaningless.
pub(super) fn check(g: &Geometry) -> Vec<RuleViolation> {
    let mut out = ranges(g);
    if !out.is_empty() {
        return out;
    }
    out = elements(g);
    if !out.is_empty() {
        return out;
    }
    words(g, &mut out);
    bus(g, &mut out);
    out
}

fn ranges(g: &Geometry) -> Vec<RuleViolation> {
    let fields = [
        ("LOG_INP_WIDTH", g.log_inp_width, 5),
        ("LOG_WGT_WIDTH", g.log_wgt_width, 5),
        ("LOG_ACC_WIDTH", g.log_acc_width, 5),
        ("LOG_BATCH", g.log_batch, 12),
        ("LOG_BLOCK", g.log_block, 12),
        ("LOG_BLOCK_IN", g.log_block_in, 12),
        ("LOG_BLOCK_OUT", g.log_block_out, 12),
        ("LOG_UOP_BUFF_SIZE", g.log_uop_buff, 30),
        ("LOG_INP_BUFF_SIZE", g.log_inp_buff, 30),
        ("LOG_WGT_BUFF_SIZE", g.log_wgt_buff, 30),
        ("LOG_ACC_BUFF_SIZE", g.log_acc_buff, 30),
    ];
    let mut out: Vec<_> = fields
        .into_iter()
        .filter(|&(_, value, limit)| value > limit)
        .map(|(field, value, limit)| RuleViolation::Range {
            field,
            value,
            limit,
        })
        .collect();
    if g.log_acc_width != 5 {
        out.push(RuleViolation::AccWidth {
            log_acc_width: g.log_acc_width,
        });
    }
    out
}

/// Rules about single elements; the log2 depths exist only when these hold.
fn elements(g: &Geometry) -> Vec<RuleViolation> {
    let mut out = Vec::new();
    if g.log_inp_width > g.log_acc_width {
        out.push(RuleViolation::OutWidth {
            out_bits: g.out_bits(),
            acc_bits: g.acc_bits(),
        });
    }
    let inp = g.log_batch + g.log_block_in + g.log_inp_width;
    let wgt = g.log_block_out + g.log_block_in + g.log_wgt_width;
    let acc = g.log_batch + g.log_block_out + g.log_acc_width;
    let out_elem = g.log_batch + g.log_block_out + g.log_inp_width;
    let buffers = [
        ("uop", 5, Some(g.log_uop_buff)),
        ("inp", inp, Some(g.log_inp_buff)),
        ("wgt", wgt, Some(g.log_wgt_buff)),
        ("acc", acc, Some(g.log_acc_buff)),
        // The output buffer's size follows from the accumulator's.
        ("out", out_elem, None),
    ];
    for (buffer, log_bits, log_bytes) in buffers {
        let bits = 1u64 << log_bits;
        if bits < 8 {
            out.push(RuleViolation::ElementBits { buffer, bits });
        }
        if bits / 8 > PAGE_BYTES {
            out.push(RuleViolation::ElementPage {
                buffer,
                bytes: bits / 8,
            });
        }
        if let Some(log_bytes) = log_bytes.filter(|&b| b + 3 < log_bits) {
            out.push(RuleViolation::Depth {
                buffer,
                log_bytes,
                bits,
            });
        }
    }
    out
}

fn words(g: &Geometry, out: &mut Vec<RuleViolation>) {
    let (lu, li, lw, la) = (g.lu(), g.li(), g.lw(), g.la());
    if la + la.max(li) + lw > 32 {
        out.push(RuleViolation::UopWord { la, li, lw });
    }
    if 3 + 4 + 1 + lu + (lu + 1) + 14 + 14 > 64 {
        out.push(RuleViolation::LoopWordLow { lu });
    }
    if 2 * (la + li + lw) > 64 {
        out.push(RuleViolation::GemmWordHigh { la, li, lw });
    }
    if 4 * la + 3 + 1 + 16 > 64 {
        out.push(RuleViolation::AluWordHigh { la });
    }
    for (buffer, log_depth) in [("uop", lu), ("inp", li), ("wgt", lw), ("acc", la)] {
        if log_depth > 16 {
            out.push(RuleViolation::SramBase { buffer, log_depth });
        }
    }
}

fn bus(g: &Geometry, out: &mut Vec<RuleViolation>) {
    if !g.axi_bits.is_power_of_two() || !(8..=4096).contains(&g.axi_bits) {
        out.push(RuleViolation::Bus {
            axi_bits: g.axi_bits,
        });
    }
    if !g.max_burst.is_power_of_two() || !(2..=256).contains(&g.max_burst) {
        out.push(RuleViolation::Burst {
            max_burst: g.max_burst,
            axi_bits: g.axi_bits,
        });
    }
    if g.clock_mhz == 0 {
        out.push(RuleViolation::Clock);
    }
}
