//! The runtime builds the streams that the original built, and refuses what it cannot carry out.

mod vta_common;

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::func::{Counters, Dram, FuncError, Machine};
use arco_tvm::vta::isa::{AluOp, Deps, Insn, MemInsn, Module, Operand, Uop, UopFields};
use arco_tvm::vta::program::Program;
use arco_tvm::vta::runtime::{
    BufferHandle, CallSite, DebugFlags, Device, KernelBuilder, KernelError, KernelOp, LoadArgs,
    MemoryManager, PAGE_BYTES, Runtime, RuntimeError, StoreArgs, UOP_BASE, UopCall, UopKernel,
    UopLoop, UopMode,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use vta_common::{golden, golden_programs};

/// The functional model, with a copy of every stream that it launches.
struct Recorder {
    machine: Machine,
    launches: Arc<Mutex<Vec<Vec<Insn>>>>,
}

impl Device for Recorder {
    fn geometry(&self) -> &Geometry {
        self.machine.geometry()
    }
    fn launch(&mut self, insns: &[Insn], dram: &mut dyn Dram) -> Result<(), FuncError> {
        self.launches.lock().unwrap().push(insns.to_vec());
        self.machine.launch(insns, dram).map(|_| ())
    }
    fn counters(&self) -> Counters {
        self.machine.counters()
    }
    fn clear_counters(&mut self) {
        self.machine.clear_counters();
    }
    fn set_skip_execution(&mut self, skip: bool) {
        self.machine.set_skip_execution(skip);
    }
}

type Launches = Arc<Mutex<Vec<Vec<Insn>>>>;

fn recording(geometry: Geometry) -> (Runtime, Launches) {
    let launches = Launches::default();
    let device = Recorder {
        machine: Machine::new(geometry),
        launches: Arc::clone(&launches),
    };
    (Runtime::on(Box::new(device)), launches)
}

/// Plays a golden stream's calls: what compiled code must have asked for to get it.
struct Replay<'a> {
    runtime: &'a mut Runtime,
    buffer: BufferHandle,
    /// Micro-operation buffer: where each word came from in DRAM, and the word.
    uops: Vec<(u32, u32)>,
    words: BTreeMap<u32, u32>,
    sites: BTreeMap<u32, CallSite>,
}

const STAGES: [i32; 3] = [1, 2, 3];

impl Replay<'_> {
    fn pops(&mut self, module: Module, deps: Deps) {
        let me = STAGES[module.index()];
        if deps.pop_prev {
            self.runtime.dep_pop(me - 1, me).unwrap();
        }
        if deps.pop_next {
            self.runtime.dep_pop(me + 1, me).unwrap();
        }
    }

    fn pushes(&mut self, module: Module, deps: Deps) {
        let me = STAGES[module.index()];
        if deps.push_prev {
            self.runtime.dep_push(me, me - 1).unwrap();
        }
        if deps.push_next {
            self.runtime.dep_push(me, me + 1).unwrap();
        }
    }

    fn insn(&mut self, insn: &Insn, deps: Deps) {
        self.pops(insn.module(), deps);
        let g = self.runtime.geometry();
        match insn {
            Insn::Load(m) if m.is_nop() => {}
            Insn::Store(m) if m.is_nop() => {}
            Insn::Load(m) if m.mem == Mem::Uop => {
                for i in 0..u32::from(m.x_size) {
                    let from = m.dram_base + i;
                    self.uops[usize::from(m.sram_base) + i as usize] = (from, self.words[&from]);
                }
            }
            Insn::Load(m) => self
                .runtime
                .load_buffer_2d(&LoadArgs {
                    src: self.buffer,
                    src_elem_offset: m.dram_base - (PAGE_BYTES / g.elem_bytes(m.mem)) as u32,
                    x_size: m.x_size.into(),
                    y_size: m.y_size.into(),
                    x_stride: m.x_stride.into(),
                    pad: [m.x_pad_0, m.y_pad_0, m.x_pad_1, m.y_pad_1].map(u32::from),
                    dst_sram_index: m.sram_base.into(),
                    mem_type: m.mem.id().into(),
                })
                .unwrap(),
            Insn::Store(m) => self
                .runtime
                .store_buffer_2d(&StoreArgs {
                    src_sram_index: m.sram_base.into(),
                    mem_type: m.mem.id().into(),
                    dst: self.buffer,
                    dst_elem_offset: m.dram_base - (PAGE_BYTES / g.elem_bytes(m.mem)) as u32,
                    x_size: m.x_size.into(),
                    y_size: m.y_size.into(),
                    x_stride: m.x_stride.into(),
                })
                .unwrap(),
            Insn::Gemm(gemm) => {
                let op = KernelOp::Gemm { reset: gemm.reset };
                let outer = [gemm.iter_out, gemm.dst_out, gemm.src_out, gemm.wgt_out];
                let inner = [gemm.iter_in, gemm.dst_in, gemm.src_in, gemm.wgt_in];
                self.kernel(
                    op,
                    UopMode::Gemm,
                    [outer, inner],
                    gemm.uop_bgn..gemm.uop_end,
                );
            }
            Insn::Alu(alu) => {
                let (use_imm, imm) = (alu.operand.is_imm(), alu.operand.imm());
                let op = KernelOp::Alu {
                    op: alu.op,
                    use_imm,
                    imm,
                };
                let outer = [alu.iter_out, alu.dst_out, alu.src_out, 0];
                let inner = [alu.iter_in, alu.dst_in, alu.src_in, 0];
                self.kernel(op, UopMode::Alu, [outer, inner], alu.uop_bgn..alu.uop_end);
            }
            Insn::Finish(_) => self.runtime.synchronize().unwrap(),
        }
        self.pushes(insn.module(), deps);
    }

    fn kernel(
        &mut self,
        op: KernelOp,
        mode: UopMode,
        loops: [[u16; 4]; 2],
        range: std::ops::Range<u16>,
    ) {
        let fields = UopFields::new(&self.runtime.geometry());
        let (origin, _) = self.uops[usize::from(range.start)];
        let site = match self.sites.get(&origin) {
            Some(&site) => site,
            None => {
                let site = self.runtime.new_site();
                self.sites.insert(origin, site);
                let uops: Vec<Uop> = range
                    .map(|at| fields.decode(self.uops[usize::from(at)].1))
                    .collect();
                let [outer, inner] = loops.map(|[extent, dst, src, wgt]| UopLoop {
                    extent,
                    dst,
                    src,
                    wgt,
                });
                let once = UopLoop {
                    extent: 1,
                    dst: 0,
                    src: 0,
                    wgt: 0,
                };
                // As the compiler would have it: loops that do nothing are not declared.
                let loops = match (mode, outer == once, inner == once) {
                    (_, true, true) => vec![],
                    (UopMode::Alu, true, false) => vec![inner],
                    (UopMode::Gemm, false, true) => vec![outer],
                    _ => vec![outer, inner],
                };
                self.runtime
                    .add_kernel(site, 0, UopKernel { op, loops, uops });
                site
            }
        };
        self.runtime.push_kernel(site, 0, mode).unwrap();
    }
}

/// Replays a golden program through a runtime; returns the stream that came out.
fn replay(program: &Program, flags: u32) -> (Vec<Insn>, Runtime, BufferHandle) {
    let g = program.geometry;
    let (mut runtime, launches) = recording(g);
    runtime.set_debug(DebugFlags(flags));
    let buffer = runtime.memory().alloc(4 << 20).unwrap();
    assert_eq!(
        runtime.memory().phys_addr(buffer.0).unwrap(),
        PAGE_BYTES as u64
    );
    let mut words = BTreeMap::new();
    for row in &program.launches[0].dram_in {
        if row.mem == Some(Mem::Uop) {
            for (at, word) in (row.addr as u32 / 4..).zip(row.bytes.as_chunks().0) {
                words.insert(at, u32::from_le_bytes(*word));
            }
        } else {
            let offset = row.addr as usize - PAGE_BYTES;
            runtime
                .memory()
                .write_buffer(buffer, offset, &row.bytes)
                .unwrap();
        }
    }
    let insns = program.decode(0).unwrap();
    // The four dependencies that Synchronize adds by itself are the last of their kind; all others were asked for.
    let mut deps: Vec<Deps> = insns.iter().map(Insn::deps).collect();
    let last = |module: Module, bit: fn(&Deps) -> bool| {
        insns
            .iter()
            .rposition(|insn| insn.module() == module && bit(&insn.deps()))
            .unwrap()
    };
    let store_push = last(Module::Store, |d| d.push_prev);
    let load_push = last(Module::Load, |d| d.push_next);
    let pop_store = last(Module::Compute, |d| d.pop_next);
    let pop_load = last(Module::Compute, |d| d.pop_prev);
    deps[store_push].push_prev = false;
    deps[load_push].push_next = false;
    deps[pop_store].pop_next = false;
    deps[pop_load].pop_prev = false;

    let uops = vec![(0, 0); g.depth(Mem::Uop)];
    let mut replay = Replay {
        runtime: &mut runtime,
        buffer,
        uops,
        words,
        sites: BTreeMap::new(),
    };
    for at in 0..insns.len() {
        let (insn, module) = (insns[at], insns[at].module());
        replay.insn(&insn, deps[at]);
        // A NOP with pops stands where a second pop of its kind arrived; that one belongs to the stage's next instruction.
        // (Or where a push did: then the next instruction is the NOP that carries the push.)
        if insn.is_nop() && insn.pops() != [None, None] {
            let next = (at + 1..insns.len()).find(|&i| insns[i].module() == module);
            if let Some(next) =
                next.filter(|&i| !(insns[i].is_nop() && insns[i].pops() == [None, None]))
            {
                let asked = Deps {
                    pop_prev: insn.deps().pop_prev && deps[next].pop_prev,
                    pop_next: insn.deps().pop_next && deps[next].pop_next,
                    ..Deps::default()
                };
                replay.pops(module, asked);
                deps[next].pop_prev &= !asked.pop_prev;
                deps[next].pop_next &= !asked.pop_next;
            }
        }
    }
    let mut launches = launches.lock().unwrap();
    assert_eq!(launches.len(), 1);
    (launches.remove(0), runtime, buffer)
}

/// The same with micro-operations addressed from the first that is loaded.
fn relative(insns: &[Insn]) -> Vec<Insn> {
    let is_uop_load =
        |insn: &&Insn| matches!(insn, Insn::Load(m) if m.mem == Mem::Uop && !m.is_nop());
    let first = insns.iter().find(is_uop_load).map_or(0, |insn| match insn {
        Insn::Load(m) => m.dram_base,
        _ => 0,
    });
    insns
        .iter()
        .map(|insn| match insn {
            Insn::Load(m) if m.mem == Mem::Uop && !m.is_nop() => Insn::Load(MemInsn {
                dram_base: m.dram_base - first,
                ..*m
            }),
            other => *other,
        })
        .collect()
}

#[test]
fn the_calls_behind_every_golden_program_give_its_stream_memory_and_counters_again() {
    for (name, program) in golden_programs("programs") {
        let (stream, mut runtime, buffer) = replay(&program, 0);
        let golden = relative(&program.decode(0).unwrap());
        let ours = relative(&stream);
        for (at, (ours, golden)) in ours.iter().zip(&golden).enumerate() {
            assert_eq!(
                ours, golden,
                "{name} at {at}: `{ours}` instead of `{golden}`"
            );
        }
        assert_eq!(ours.len(), golden.len(), "{name}");
        assert_eq!(
            Some(runtime.device().counters()),
            program.expected.counters,
            "{name}"
        );
        check_memory(&name, &program, &mut runtime, buffer);
    }
}

fn check_memory(name: &str, program: &Program, runtime: &mut Runtime, buffer: BufferHandle) {
    for row in &program.launches[0].dram_out {
        let mut found = vec![0; row.bytes.len()];
        let offset = row.addr as usize - PAGE_BYTES;
        runtime
            .memory()
            .read_buffer(buffer, offset, &mut found)
            .unwrap();
        assert!(found == row.bytes, "{name} at {:#x}", row.addr);
    }
}

#[test]
fn the_calls_behind_timing_only_programs_give_their_streams_again() {
    for (name, program) in golden_programs("rtl") {
        let (stream, ..) = replay(&program, 0);
        assert!(
            relative(&stream) == relative(&program.decode(0).unwrap()),
            "{name}"
        );
    }
}

#[test]
fn serial_execution_gives_the_golden_memory_one_module_at_a_time() {
    for name in ["conv_tiny_hvt", "conv_1x1_s2", "C8_h14w14c2_ovt2"] {
        let path = golden(&format!("programs/{name}.json.gz"));
        let program = arco_tvm::vta::program::load(path).unwrap();
        let (stream, mut runtime, buffer) = replay(&program, DebugFlags::FORCE_SERIAL);
        check_memory(name, &program, &mut runtime, buffer);
        for pair in stream.windows(2) {
            let given: Vec<_> = pair[0].pushes().into_iter().flatten().collect();
            let taken: Vec<_> = pair[1].pops().into_iter().flatten().collect();
            assert_eq!(given, taken, "{name}: `{}` then `{}`", pair[0], pair[1]);
            assert_eq!(
                given.len(),
                usize::from(pair[0].module() != pair[1].module())
            );
        }
    }
}

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
