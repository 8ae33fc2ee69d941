//! The calls that led to a golden stream, made again, lead to that stream again.

mod vta_common;

use arco_tvm::vta::config::Mem;
use arco_tvm::vta::isa::{Deps, Insn, MemInsn, Module, Uop, UopFields};
use arco_tvm::vta::program::Program;
use arco_tvm::vta::runtime::{
    BufferHandle, CallSite, DebugFlags, KernelOp, LoadArgs, PAGE_BYTES, Runtime, StoreArgs,
    UopKernel, UopLoop, UopMode,
};
use std::collections::BTreeMap;
use vta_common::recording::recording;
use vta_common::{golden, golden_programs};

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
