//! The specification's section 2 written down as plainly as possible: no speed, no cleverness, one value at a time.

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::isa::{
    AluInsn, AluOp, GemmInsn, Insn, MemInsn, Module, Operand, Uop, UopFields,
};
use arco_tvm::vta::program::{Counters, Program};
use std::collections::VecDeque;

/// The accelerator and a flat memory. Any wrong index panics: it runs valid programs only.
pub struct Reference {
    g: Geometry,
    pub dram: Vec<u8>,
    uop: Vec<Uop>,
    inp: Vec<Vec<i32>>,
    wgt: Vec<Vec<i32>>,
    pub acc: Vec<Vec<i32>>,
    pub counters: Counters,
    load_to_compute: u64,
    compute_to_load: u64,
    compute_to_store: u64,
    store_to_compute: u64,
}

impl Reference {
    pub fn new(g: Geometry, dram_bytes: usize) -> Self {
        let element = |mem, values| vec![vec![0; values]; g.depth(mem)];
        Reference {
            g,
            dram: vec![0; dram_bytes],
            uop: vec![Uop::default(); g.depth(Mem::Uop)],
            inp: element(Mem::Inp, g.batch() * g.block_in()),
            wgt: element(Mem::Wgt, g.block_out() * g.block_in()),
            acc: element(Mem::Acc, g.batch() * g.block_out()),
            counters: Counters::default(),
            load_to_compute: 0,
            compute_to_load: 0,
            compute_to_store: 0,
            store_to_compute: 0,
        }
    }

    pub fn tokens(&self) -> [u64; 4] {
        [
            self.load_to_compute,
            self.compute_to_load,
            self.compute_to_store,
            self.store_to_compute,
        ]
    }

    /// Fills memory and runs every launch to FINISH.
    pub fn run(&mut self, program: &Program) {
        for (number, launch) in program.launches.iter().enumerate() {
            for row in &launch.dram_in {
                let at = row.addr as usize;
                self.dram[at..at + row.bytes.len()].copy_from_slice(&row.bytes);
            }
            self.launch(&program.decode(number).unwrap());
        }
    }

    fn launch(&mut self, insns: &[Insn]) {
        let queue = |module| {
            insns
                .iter()
                .filter(|i| i.module() == module)
                .collect::<VecDeque<_>>()
        };
        let (mut load, mut compute, mut store) = (
            queue(Module::Load),
            queue(Module::Compute),
            queue(Module::Store),
        );
        loop {
            if let Some(insn) = load.front()
                && (!insn.deps().pop_next || self.compute_to_load > 0)
            {
                self.compute_to_load -= u64::from(insn.deps().pop_next);
                self.execute(insn);
                self.load_to_compute += u64::from(insn.deps().push_next);
                load.pop_front();
            } else if let Some(insn) = compute.front()
                && (!insn.deps().pop_prev || self.load_to_compute > 0)
                && (!insn.deps().pop_next || self.store_to_compute > 0)
            {
                self.load_to_compute -= u64::from(insn.deps().pop_prev);
                self.store_to_compute -= u64::from(insn.deps().pop_next);
                self.execute(insn);
                self.compute_to_load += u64::from(insn.deps().push_prev);
                self.compute_to_store += u64::from(insn.deps().push_next);
                compute.pop_front();
            } else if let Some(insn) = store.front()
                && (!insn.deps().pop_prev || self.compute_to_store > 0)
            {
                self.compute_to_store -= u64::from(insn.deps().pop_prev);
                self.execute(insn);
                self.store_to_compute += u64::from(insn.deps().push_prev);
                store.pop_front();
            } else {
                assert!(
                    load.is_empty() && compute.is_empty() && store.is_empty(),
                    "deadlock"
                );
                return;
            }
        }
    }

    fn execute(&mut self, insn: &Insn) {
        match insn {
            Insn::Load(m) if m.x_size > 0 => self.load(m),
            Insn::Store(m) if m.x_size > 0 => self.store(m),
            Insn::Load(_) | Insn::Store(_) | Insn::Finish(_) => {}
            Insn::Gemm(g) => self.gemm(g),
            Insn::Alu(a) => self.alu(a),
        }
    }

    /// Value `index` of `bits` bits, counted from the byte at `addr`, sign-extended.
    fn value(&self, addr: usize, index: usize, bits: usize) -> i32 {
        let mut value: i64 = 0;
        for bit in 0..bits {
            let at = index * bits + bit;
            if self.dram[addr + at / 8] >> (at % 8) & 1 == 1 {
                value |= 1 << bit;
            }
        }
        if value >> (bits - 1) == 1 {
            value -= 1 << bits;
        }
        value as i32
    }

    fn load(&mut self, m: &MemInsn) {
        let moved = u64::from(m.x_size) * u64::from(m.y_size);
        let width = usize::from(m.x_pad_0) + usize::from(m.x_size) + usize::from(m.x_pad_1);
        let height = usize::from(m.y_pad_0) + usize::from(m.y_size) + usize::from(m.y_pad_1);
        for row in 0..height {
            for column in 0..width {
                let to = usize::from(m.sram_base) + row * width + column;
                let y = row
                    .checked_sub(m.y_pad_0.into())
                    .filter(|&y| y < m.y_size.into());
                let x = column
                    .checked_sub(m.x_pad_0.into())
                    .filter(|&x| x < m.x_size.into());
                let from = y.zip(x).map(|(y, x)| {
                    (m.dram_base as usize + y * usize::from(m.x_stride) + x)
                        * self.g.elem_bytes(m.mem)
                });
                self.load_element(m.mem, to, from);
            }
        }
        let count = |mem| moved * self.g.elem_bytes(mem) as u64;
        match m.mem {
            Mem::Uop => self.counters.uop_load_nbytes += count(Mem::Uop),
            Mem::Wgt => self.counters.wgt_load_nbytes += count(Mem::Wgt),
            Mem::Inp => self.counters.inp_load_nbytes += count(Mem::Inp),
            Mem::Acc | Mem::Acc8 => self.counters.acc_load_nbytes += count(Mem::Acc),
            Mem::Out => panic!("LOAD OUT"),
        }
    }

    fn load_element(&mut self, mem: Mem, to: usize, from: Option<usize>) {
        let values = |count: usize, bits: usize| -> Vec<i32> {
            (0..count)
                .map(|i| from.map_or(0, |addr| self.value(addr, i, bits)))
                .collect()
        };
        let g = self.g;
        match mem {
            Mem::Uop => {
                let word = values(1, 32)[0].cast_unsigned();
                self.uop[to] = UopFields::new(&g).decode(word);
            }
            Mem::Wgt => self.wgt[to] = values(g.block_out() * g.block_in(), g.wgt_bits() as usize),
            Mem::Inp => self.inp[to] = values(g.batch() * g.block_in(), g.inp_bits() as usize),
            Mem::Acc => self.acc[to] = values(g.batch() * g.block_out(), 32),
            Mem::Acc8 => self.acc[to] = values(g.batch() * g.block_out(), 8),
            Mem::Out => panic!("LOAD OUT"),
        }
    }

    fn store(&mut self, m: &MemInsn) {
        assert_eq!(m.mem, Mem::Out);
        let bits = self.g.out_bits() as usize;
        let elem_bytes = self.g.elem_bytes(Mem::Out);
        for y in 0..usize::from(m.y_size) {
            for x in 0..usize::from(m.x_size) {
                let from = usize::from(m.sram_base) + y * usize::from(m.x_size) + x;
                let to = (m.dram_base as usize + y * usize::from(m.x_stride) + x) * elem_bytes;
                for (i, value) in self.acc[from].iter().enumerate() {
                    for bit in 0..bits {
                        let at = i * bits + bit;
                        let byte = &mut self.dram[to + at / 8];
                        *byte &= !(1 << (at % 8));
                        *byte |= ((value >> bit & 1) as u8) << (at % 8);
                    }
                }
            }
        }
        self.counters.out_store_nbytes +=
            u64::from(m.x_size) * u64::from(m.y_size) * elem_bytes as u64;
    }

    fn gemm(&mut self, g: &GemmInsn) {
        for y in 0..usize::from(g.iter_out) {
            for x in 0..usize::from(g.iter_in) {
                for u in g.uop_bgn..g.uop_end {
                    let uop = self.uop[usize::from(u)];
                    let at = |first: u16, outer: u16, inner: u16| {
                        usize::from(first) + y * usize::from(outer) + x * usize::from(inner)
                    };
                    let dst = at(uop.dst, g.dst_out, g.dst_in);
                    if g.reset {
                        self.acc[dst].fill(0);
                        continue;
                    }
                    let src = at(uop.src, g.src_out, g.src_in);
                    let wgt = at(uop.wgt, g.wgt_out, g.wgt_in);
                    self.multiply(dst, src, wgt);
                    self.counters.gemm_counter += 1;
                }
            }
        }
    }

    fn multiply(&mut self, dst: usize, src: usize, wgt: usize) {
        let (block_in, block_out) = (self.g.block_in(), self.g.block_out());
        for i in 0..self.g.batch() {
            for j in 0..block_out {
                let mut sum = i128::from(self.acc[dst][i * block_out + j]);
                for k in 0..block_in {
                    sum += i128::from(self.inp[src][i * block_in + k])
                        * i128::from(self.wgt[wgt][j * block_in + k]);
                }
                self.acc[dst][i * block_out + j] = sum as i32;
            }
        }
    }

    fn alu(&mut self, a: &AluInsn) {
        for y in 0..usize::from(a.iter_out) {
            for x in 0..usize::from(a.iter_in) {
                for u in a.uop_bgn..a.uop_end {
                    let uop = self.uop[usize::from(u)];
                    let dst = usize::from(uop.dst)
                        + y * usize::from(a.dst_out)
                        + x * usize::from(a.dst_in);
                    let src = usize::from(uop.src)
                        + y * usize::from(a.src_out)
                        + x * usize::from(a.src_in);
                    for lane in 0..self.g.batch() * self.g.block_out() {
                        let left = self.acc[dst][lane];
                        let right = match a.operand {
                            Operand::Imm(imm) => i32::from(imm),
                            Operand::Tensor { .. } => self.acc[src][lane],
                        };
                        self.acc[dst][lane] = operate(a.op, left, right);
                    }
                    self.counters.alu_counter += 1;
                }
            }
        }
    }
}

fn operate(op: AluOp, a: i32, b: i32) -> i32 {
    let (wide_a, wide_b) = (i64::from(a), i64::from(b));
    match op {
        AluOp::Min => {
            if a < b {
                a
            } else {
                b
            }
        }
        AluOp::Max => {
            if a > b {
                a
            } else {
                b
            }
        }
        AluOp::Add => (wide_a + wide_b) as i32,
        AluOp::Mul => (wide_a * wide_b) as i32,
        // Amounts count modulo 32: the original leaves more undefined, the hardware has five bits.
        AluOp::Shr if b >= 0 => (wide_a >> (wide_b % 32)) as i32,
        AluOp::Shr => (wide_a << (-wide_b % 32)) as i32,
    }
}
