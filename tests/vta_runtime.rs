//! The runtime builds the streams that the original built, and refuses what it cannot carry out.

mod vta_common;

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::isa::{AluOp, Deps, Insn, Operand, Uop};
use arco_tvm::vta::runtime::{
    BufferHandle, CallSite, DebugFlags, KernelBuilder, KernelError, KernelOp, LoadArgs,
    MemoryManager, PAGE_BYTES, Runtime, RuntimeError, StoreArgs, UOP_BASE, UopCall, UopKernel,
    UopLoop, UopMode,
};
use std::sync::{Arc, Mutex};
use vta_common::recording::recording;

fn one_uop(op: KernelOp) -> UopKernel {
    UopKernel {
        op,
        loops: vec![],
        uops: vec![Uop::default()],
    }
}

fn row(src: BufferHandle, src_elem_offset: u32, mem: Mem) -> LoadArgs {
    LoadArgs {
        src,
        src_elem_offset,
        x_size: 1,
        y_size: 1,
        x_stride: 1,
        pad: [0; 4],
        dst_sram_index: 0,
        mem_type: mem.id().into(),
    }
}

fn store_row(dst: BufferHandle, dst_elem_offset: u32) -> StoreArgs {
    StoreArgs {
        src_sram_index: 0,
        mem_type: Mem::Out.id().into(),
        dst,
        dst_elem_offset,
        x_size: 1,
        y_size: 1,
        x_stride: 1,
    }
}

#[test]
fn a_pop_that_comes_after_the_launch_is_carried_by_the_next_one() {
    let (mut runtime, launches) = recording(Geometry::default());
    runtime.dep_push(3, 2).unwrap();
    runtime.synchronize().unwrap();
    runtime.dep_pop(3, 2).unwrap();
    let site = runtime.new_site();
    runtime.add_kernel(site, 0, one_uop(KernelOp::Gemm { reset: true }));
    runtime.push_kernel(site, 0, UopMode::Gemm).unwrap();
    runtime.synchronize().unwrap();
    let launches = launches.lock().unwrap();
    let Insn::Load(first) = launches[1][0] else {
        panic!("{}", launches[1][0])
    };
    assert_eq!(first.mem, Mem::Uop);
    assert!(first.deps.pop_next && !first.deps.pop_prev);
    assert!(matches!(launches[1][1], Insn::Gemm(g) if g.deps == Deps::default()));
}

#[test]
fn a_stream_about_to_overflow_launches_by_itself() {
    let (mut runtime, launches) = recording(Geometry::default());
    runtime.set_max_insns(20);
    let buffer = runtime.memory().alloc(4096).unwrap();
    for _ in 0..100 {
        runtime.load_buffer_2d(&row(buffer, 0, Mem::Inp)).unwrap();
    }
    runtime.synchronize().unwrap();
    let launches = launches.lock().unwrap();
    assert!(launches.len() > 5);
    assert!(launches.iter().all(|insns| insns.len() <= 20));
    let loads = launches
        .iter()
        .flatten()
        .filter(|i| matches!(i, Insn::Load(m) if !m.is_nop()));
    assert_eq!(loads.count(), 100);
}

#[test]
fn kernels_evict_one_another_and_are_loaded_again() {
    // A buffer of 8 micro-operations, kernels of 3: the third wraps to the start and evicts the first.
    let g = Geometry::from_name("1x16_i8w8a32_5_15_18_17").unwrap();
    let (mut runtime, launches) = recording(g);
    let uops: Vec<Uop> = (0..3)
        .map(|dst| Uop {
            dst,
            src: 0,
            wgt: 0,
        })
        .collect();
    let sites: Vec<CallSite> = (0..3)
        .map(|_| {
            let site = runtime.new_site();
            let op = KernelOp::Gemm { reset: true };
            runtime.add_kernel(
                site,
                0,
                UopKernel {
                    op,
                    loops: vec![],
                    uops: uops.clone(),
                },
            );
            site
        })
        .collect();
    for at in [0, 1, 0, 2, 1, 0] {
        runtime.push_kernel(sites[at], 0, UopMode::Gemm).unwrap();
    }
    runtime.synchronize().unwrap();
    let stream = &launches.lock().unwrap()[0];
    let loads: Vec<(u16, u32)> = stream
        .iter()
        .filter_map(|insn| match insn {
            Insn::Load(m) if !m.is_nop() => {
                Some((m.sram_base, m.dram_base - (UOP_BASE / 4) as u32))
            }
            _ => None,
        })
        .collect();
    assert_eq!(loads, [(0, 0), (3, 3), (0, 6), (3, 0)]);
    let ranges: Vec<u16> = stream
        .iter()
        .filter_map(|insn| {
            if let Insn::Gemm(g) = insn {
                Some(g.uop_bgn)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(ranges, [0, 3, 0, 0, 3, 3]);
}

#[test]
fn a_kernel_bigger_than_the_buffer_is_an_error() {
    let g = Geometry::from_name("1x16_i8w8a32_5_15_18_17").unwrap();
    let mut runtime = Runtime::new(g);
    let site = runtime.new_site();
    let uops = vec![Uop::default(); 9];
    let op = KernelOp::Gemm { reset: false };
    runtime.add_kernel(
        site,
        0,
        UopKernel {
            op,
            loops: vec![],
            uops,
        },
    );
    assert_eq!(
        runtime.push_kernel(site, 0, UopMode::Gemm),
        Err(RuntimeError::KernelSize { uops: 9, depth: 8 })
    );
}

fn uop_call(dst: u32) -> UopCall {
    UopCall {
        mode: 0,
        reset_out: 0,
        dst_index: dst,
        src_index: 0,
        wgt_index: 0,
        opcode: 0,
        use_imm: 0,
        imm_val: 0,
    }
}

#[test]
fn a_micro_operation_must_not_write_what_one_of_the_two_before_it_writes() {
    for (dsts, conflict) in [
        (&[0, 1, 2, 0][..], None),
        (&[0, 0], Some((1, 0))),
        (&[3, 4, 3], Some((2, 3))),
        (&[0, 1, 2, 3, 2], Some((4, 2))),
    ] {
        let mut builder = KernelBuilder::new();
        let result = dsts
            .iter()
            .try_for_each(|&dst| builder.push(&uop_call(dst)));
        let expected = conflict.map_or(Ok(()), |(index, dst)| {
            Err(KernelError::DstConflict { index, dst })
        });
        assert_eq!(result, expected, "{dsts:?}");
    }
}

#[test]
fn recording_refuses_what_one_instruction_cannot_hold() {
    let mut builder = KernelBuilder::new();
    builder.loop_begin(2, 1, 1, 1).unwrap();
    builder.loop_begin(3, 0, 0, 0).unwrap();
    assert_eq!(builder.loop_begin(4, 0, 0, 0), Err(KernelError::Loops));
    builder.push(&uop_call(0)).unwrap();
    assert_eq!(builder.loop_begin(4, 0, 0, 0), Err(KernelError::LateLoop));
    assert_eq!(
        builder.push(&UopCall {
            reset_out: 1,
            ..uop_call(1)
        }),
        Err(KernelError::Mixed { index: 1 })
    );
    builder.loop_end().unwrap();
    assert_eq!(
        builder.finish(),
        Err(KernelError::Unbalanced { begins: 2, ends: 1 })
    );
    assert_eq!(KernelBuilder::new().finish(), Err(KernelError::Empty));
    assert_eq!(
        KernelBuilder::new().loop_end(),
        Err(KernelError::Unbalanced { begins: 0, ends: 1 })
    );
    let alu = |opcode, imm_val| UopCall {
        mode: 1,
        opcode,
        use_imm: 1,
        imm_val,
        ..uop_call(0)
    };
    assert_eq!(
        KernelBuilder::new().push(&alu(5, 0)),
        Err(KernelError::AluOp(5))
    );
    assert!(KernelBuilder::new().push(&alu(2, 40_000)).is_err());
    assert_eq!(
        KernelBuilder::new().push(&UopCall {
            mode: 2,
            ..uop_call(0)
        }),
        Err(KernelError::Mode(2))
    );
}

#[test]
fn one_alu_loop_is_the_inner_one_and_one_gemm_loop_the_outer_one() {
    let (mut runtime, launches) = recording(Geometry::default());
    let single = UopLoop {
        extent: 5,
        dst: 1,
        src: 1,
        wgt: 0,
    };
    for (op, mode) in [
        (KernelOp::Gemm { reset: true }, UopMode::Gemm),
        (
            KernelOp::Alu {
                op: AluOp::Max,
                use_imm: false,
                imm: 0,
            },
            UopMode::Alu,
        ),
    ] {
        let site = runtime.new_site();
        runtime.add_kernel(
            site,
            0,
            UopKernel {
                loops: vec![single],
                ..one_uop(op)
            },
        );
        runtime.push_kernel(site, 0, mode).unwrap();
        let wrong = if mode == UopMode::Gemm {
            UopMode::Alu
        } else {
            UopMode::Gemm
        };
        assert!(matches!(
            runtime.push_kernel(site, 0, wrong),
            Err(RuntimeError::Kernel(KernelError::Push { .. }))
        ));
    }
    runtime.synchronize().unwrap();
    let stream = &launches.lock().unwrap()[0];
    let Insn::Gemm(gemm) = stream[1] else {
        panic!()
    };
    assert_eq!(
        (gemm.iter_out, gemm.iter_in, gemm.dst_out, gemm.dst_in),
        (5, 1, 1, 0)
    );
    let Insn::Alu(alu) = stream[3] else { panic!() };
    assert_eq!(
        (alu.iter_out, alu.iter_in, alu.dst_out, alu.dst_in),
        (1, 5, 0, 1)
    );
    assert_eq!(alu.operand, Operand::Tensor { imm: 0 });
}

#[test]
fn tokens_between_load_and_store_are_refused() {
    let mut runtime = Runtime::new(Geometry::default());
    for (from, to) in [(1, 3), (3, 1), (1, 1), (0, 1), (2, 4), (i32::MIN, i32::MAX)] {
        assert_eq!(
            runtime.dep_push(from, to),
            Err(RuntimeError::Token { from, to })
        );
        assert_eq!(
            runtime.dep_pop(from, to),
            Err(RuntimeError::Token { from, to })
        );
    }
}

#[test]
fn loads_and_stores_refuse_numbers_and_buffers_that_do_not_fit() {
    let mut runtime = Runtime::new(Geometry::default());
    let buffer = runtime.memory().alloc(100).unwrap();
    let good = row(buffer, 0, Mem::Inp);
    let unknown = LoadArgs {
        src: BufferHandle(8),
        ..good
    };
    assert_eq!(
        runtime.load_buffer_2d(&unknown),
        Err(RuntimeError::UnknownBuffer(8))
    );
    let inside = LoadArgs {
        src: BufferHandle(buffer.0 + 16),
        ..good
    };
    assert_eq!(runtime.load_buffer_2d(&inside), Ok(()));
    let odd = LoadArgs {
        src: BufferHandle(buffer.0 + 4),
        ..good
    };
    assert!(matches!(
        runtime.load_buffer_2d(&odd),
        Err(RuntimeError::Alignment { .. })
    ));
    for bad in [
        LoadArgs {
            x_size: 1 << 16,
            ..good
        },
        LoadArgs {
            pad: [0, 16, 0, 0],
            ..good
        },
        LoadArgs {
            dst_sram_index: 1 << 16,
            ..good
        },
        LoadArgs {
            src_elem_offset: u32::MAX,
            ..good
        },
    ] {
        assert!(
            matches!(
                runtime.load_buffer_2d(&bad),
                Err(RuntimeError::Field { .. })
            ),
            "{bad:?}"
        );
    }
    assert_eq!(
        runtime.load_buffer_2d(&LoadArgs {
            mem_type: 6,
            ..good
        }),
        Err(RuntimeError::Mem(6))
    );
}

#[test]
fn a_store_beyond_device_memory_fails_the_launch_and_the_next_one_works() {
    let mut runtime = Runtime::new(Geometry::default());
    let buffer = runtime.memory().alloc(4096).unwrap();
    runtime.store_buffer_2d(&store_row(buffer, 256)).unwrap();
    let error = runtime.synchronize().unwrap_err();
    assert!(error.to_string().contains("instruction #0"), "{error}");
    runtime.store_buffer_2d(&store_row(buffer, 255)).unwrap();
    runtime.synchronize().unwrap();
}

#[test]
fn memory_blocks_are_reused_whole_and_never_split() {
    let mut memory = MemoryManager::new();
    let big = memory.alloc(5 * PAGE_BYTES).unwrap();
    let small = memory.alloc(1).unwrap();
    let phys = |memory: &MemoryManager, handle: BufferHandle| memory.phys_addr(handle.0).unwrap();
    assert_eq!(phys(&memory, big), 0x1000);
    assert_eq!(phys(&memory, small), 0x6000);
    memory.free(big).unwrap();
    let medium = memory.alloc(2 * PAGE_BYTES).unwrap();
    assert_eq!(
        phys(&memory, medium),
        0x1000,
        "the whole block of five is taken"
    );
    let next = memory.alloc(PAGE_BYTES).unwrap();
    assert_eq!(
        phys(&memory, next),
        0x7000,
        "nothing is left of the block of five"
    );
    memory.free(small).unwrap();
    assert_eq!(
        memory.free(small),
        Err(RuntimeError::UnknownBuffer(small.0))
    );
    let again = memory.alloc(4).unwrap();
    assert_eq!(phys(&memory, again), 0x6000);
    assert_eq!(
        memory.write_buffer(again, 2, &[0; 3]),
        Err(RuntimeError::BufferRange {
            offset: 2,
            bytes: 3,
            size: 4
        })
    );
    assert!(memory.alloc(usize::MAX).is_err());
}

#[test]
fn several_geometries_follow_one_another_in_one_runtime() {
    let mut runtime = Runtime::new(Geometry::default());
    let buffer = runtime.memory().alloc(4096).unwrap();
    let site = runtime.new_site();
    let uops = vec![Uop {
        dst: 2000,
        src: 0,
        wgt: 0,
    }];
    let op = KernelOp::Gemm { reset: true };
    runtime.add_kernel(
        site,
        0,
        UopKernel {
            op,
            loops: vec![],
            uops,
        },
    );
    runtime.push_kernel(site, 0, UopMode::Gemm).unwrap();
    let small = Geometry::from_name("1x8_i8w8a32_15_14_16_12").unwrap();
    let device = || Box::new(arco_tvm::vta::runtime::FuncDevice::new(small));
    assert_eq!(
        runtime.replace_device(device()),
        Err(RuntimeError::Busy { insns: 2 })
    );
    runtime.synchronize().unwrap();
    runtime.replace_device(device()).unwrap();
    assert_eq!(runtime.geometry(), small);
    // 128 accumulators now: the kernel recorded for 2048 cannot be encoded.
    let error = runtime.push_kernel(site, 0, UopMode::Gemm).unwrap_err();
    assert!(error.to_string().contains("another geometry"), "{error}");
    runtime.load_buffer_2d(&row(buffer, 0, Mem::Inp)).unwrap();
    runtime.synchronize().unwrap();
    assert_eq!(runtime.device().counters().inp_load_nbytes, 8);
}

#[test]
fn dumps_show_the_launched_stream_and_micro_operations() {
    let mut runtime = Runtime::new(Geometry::default());
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    runtime.set_dump(move |dump| sink.lock().unwrap().push_str(dump));
    runtime.set_debug(DebugFlags(DebugFlags::DUMP_INSN | DebugFlags::DUMP_UOP));
    let site = runtime.new_site();
    runtime.add_kernel(site, 0, one_uop(KernelOp::Gemm { reset: true }));
    runtime.push_kernel(site, 0, UopMode::Gemm).unwrap();
    runtime.synchronize().unwrap();
    let text = text.lock().unwrap();
    assert!(
        text.contains("gemm.reset uops=0..1") && text.contains("dst=0 src=0 wgt=0"),
        "{text}"
    );
}
