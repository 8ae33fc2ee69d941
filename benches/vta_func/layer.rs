//! A 3x3 convolution as a program, for the layer that the golden data lacks.

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::isa::{
    AluInsn, AluOp, Deps, GemmInsn, Insn, MemInsn, Module, Operand, Uop, UopFields,
};
use arco_tvm::vta::program::{DramRow, Expected, Launch, Program};

const INP: u64 = 0x10_0000;
const WGT: u64 = 0x100_0000;
const OUT: u64 = 0x200_0000;
const UOPS: u64 = 0x300_0000;

/// `size` x `size` pixels, `channels` in and out, padded by one: whole images, `tile_co` blocks of output channels at a
/// time, input channel blocks one after the other; then shift by 8 and clip to 0..=127.
pub fn conv3x3(geometry: &Geometry, size: u16, channels: u16, tile_co: u16) -> Program {
    let blocks = channels / geometry.block_out() as u16;
    let pixels = size * size;
    let fields = UopFields::new(geometry);
    // dst [co][row][column], src [row + 2][column + 2], wgt [co][3][3]; columns and kernel columns are the loops.
    let mut uops = Vec::new();
    for kernel_row in 0..3 {
        for co in 0..tile_co {
            for row in 0..size {
                uops.push(Uop {
                    dst: co * pixels + row * size,
                    src: (row + kernel_row) * (size + 2),
                    wgt: co * 9 + kernel_row * 3,
                });
            }
        }
    }
    let count = uops.len() as u16;
    let words: Vec<u8> = uops
        .iter()
        .flat_map(|&uop| fields.encode(uop).expect("tile fits").to_le_bytes())
        .collect();

    let base = |addr: u64, mem| (addr >> geometry.log_elem_bytes(mem)) as u32;
    let load = |mem, dram_base, y_size, x_size, deps| MemInsn {
        dram_base,
        y_size,
        x_size,
        x_stride: x_size,
        ..MemInsn::nop(mem, deps)
    };
    let none = Deps::default();
    let mut insns = vec![
        Insn::nop(
            Module::Compute,
            Deps {
                push_prev: true,
                ..none
            },
        ),
        Insn::nop(
            Module::Store,
            Deps {
                push_prev: true,
                ..none
            },
        ),
        Insn::Load(load(Mem::Uop, base(UOPS, Mem::Uop), 1, count, none)),
    ];
    for tile in 0..blocks / tile_co {
        insns.push(Insn::Gemm(GemmInsn {
            deps: Deps {
                pop_next: true,
                ..none
            },
            reset: true,
            uop_bgn: 0,
            uop_end: 1,
            iter_out: tile_co,
            iter_in: pixels,
            dst_out: pixels,
            dst_in: 1,
            src_out: 0,
            src_in: 0,
            wgt_out: 0,
            wgt_in: 0,
        }));
        for ci in 0..blocks {
            let inp = base(INP, Mem::Inp) + u32::from(ci) * u32::from(pixels);
            insns.push(Insn::Load(MemInsn {
                y_pad_0: 1,
                y_pad_1: 1,
                x_pad_0: 1,
                x_pad_1: 1,
                ..load(
                    Mem::Inp,
                    inp,
                    size,
                    size,
                    Deps {
                        pop_next: true,
                        ..none
                    },
                )
            }));
            let first = u32::from(tile) * u32::from(tile_co) * u32::from(blocks) + u32::from(ci);
            insns.push(Insn::Load(MemInsn {
                x_stride: 9 * blocks,
                ..load(
                    Mem::Wgt,
                    base(WGT, Mem::Wgt) + first * 9,
                    tile_co,
                    9,
                    Deps {
                        push_next: true,
                        ..none
                    },
                )
            }));
            insns.push(Insn::Gemm(GemmInsn {
                deps: Deps {
                    pop_prev: true,
                    push_prev: true,
                    ..none
                },
                reset: false,
                uop_bgn: 0,
                uop_end: count,
                iter_out: size,
                iter_in: 3,
                dst_out: 1,
                dst_in: 0,
                src_out: 1,
                src_in: 1,
                wgt_out: 0,
                wgt_in: 1,
            }));
        }
        for (op, imm, last) in [
            (AluOp::Shr, 8, false),
            (AluOp::Min, 127, false),
            (AluOp::Max, 0, true),
        ] {
            insns.push(Insn::Alu(AluInsn {
                deps: Deps {
                    push_next: last,
                    ..none
                },
                reset: false,
                uop_bgn: 0,
                uop_end: 1,
                iter_out: 1,
                iter_in: tile_co * pixels,
                dst_out: 0,
                dst_in: 1,
                src_out: 0,
                src_in: 1,
                op,
                operand: Operand::Imm(imm),
            }));
        }
        let out = base(OUT, Mem::Out) + u32::from(tile) * u32::from(tile_co) * u32::from(pixels);
        let deps = Deps {
            pop_prev: true,
            push_prev: true,
            ..none
        };
        insns.push(Insn::Store(load(Mem::Out, out, 1, tile_co * pixels, deps)));
    }
    insns.push(Insn::nop(
        Module::Compute,
        Deps {
            pop_next: true,
            ..none
        },
    ));
    insns.push(Insn::Finish(none));

    let noise = |bytes: usize| {
        (0..bytes as u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect()
    };
    let image = usize::from(pixels) * usize::from(channels);
    let row = |addr, mem, bytes| DramRow {
        addr,
        mem: Some(mem),
        bytes,
    };
    let dram_in = vec![
        row(INP, Mem::Inp, noise(image)),
        row(
            WGT,
            Mem::Wgt,
            noise(usize::from(channels) * usize::from(channels) * 9),
        ),
        row(OUT, Mem::Out, vec![0; image]),
        row(UOPS, Mem::Uop, words),
    ];
    let insns = insns
        .iter()
        .map(|insn| insn.encode(geometry).expect("tile fits"))
        .collect();
    Program {
        name: format!("{size}x{size} {channels}->{channels}"),
        geometry: *geometry,
        launches: vec![Launch {
            insns,
            dram_in,
            dram_out: Vec::new(),
        }],
        timing_only: false,
        expected: Expected::default(),
    }
}
