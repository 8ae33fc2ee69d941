//! LOAD and STORE.

use super::{Dram, ExecError, Machine};
use crate::vta::isa::{Mem, MemInsn, UOP_BYTES};

impl Machine {
    /// `y_pad_0` zero rows, then each row between its zero elements, then `y_pad_1` zero rows.
    pub(super) fn load<D: Dram + ?Sized>(
        &mut self,
        m: &MemInsn,
        dram: &mut D,
    ) -> Result<(), ExecError> {
        if m.is_nop() {
            return Ok(());
        }
        // ACC_8BIT counts what it writes, not what it reads.
        let counted = if m.mem == Mem::Acc8 { Mem::Acc } else { m.mem };
        let bytes = m.elements() * self.geometry.elem_bytes(counted) as u64;
        match m.mem {
            Mem::Uop => self.counters.uop_load_nbytes += bytes,
            Mem::Wgt => self.counters.wgt_load_nbytes += bytes,
            Mem::Inp => self.counters.inp_load_nbytes += bytes,
            Mem::Acc | Mem::Acc8 => self.counters.acc_load_nbytes += bytes,
            Mem::Out => return Err(ExecError::LoadMem(m.mem)),
        }
        if self.skip_execution && m.mem != Mem::Uop {
            return Ok(());
        }
        self.check_sram(m, m.sram_elements())?;
        let width = m.padded_row() as usize;
        let mut at = usize::from(m.sram_base);
        self.zero(m.mem, at, usize::from(m.y_pad_0) * width);
        at += usize::from(m.y_pad_0) * width;
        for y in 0..u32::from(m.y_size) {
            self.zero(m.mem, at, m.x_pad_0.into());
            at += usize::from(m.x_pad_0);
            self.load_row(m, y, at, dram)?;
            at += usize::from(m.x_size);
            self.zero(m.mem, at, m.x_pad_1.into());
            at += usize::from(m.x_pad_1);
        }
        self.zero(m.mem, at, usize::from(m.y_pad_1) * width);
        Ok(())
    }

    fn load_row<D: Dram + ?Sized>(
        &mut self,
        m: &MemInsn,
        y: u32,
        at: usize,
        dram: &mut D,
    ) -> Result<(), ExecError> {
        let count = usize::from(m.x_size);
        let row = &mut self.row[..count * self.geometry.elem_bytes(m.mem)];
        dram.read(m.dram_addr(&self.geometry, y), row)
            .map_err(|source| ExecError::Dram { row: y, source })?;
        let lanes = self.geometry.batch() * self.geometry.block_out();
        match m.mem {
            Mem::Uop => {
                let (words, _) = row.as_chunks::<UOP_BYTES>();
                for (uop, word) in self.uops[at..at + count].iter_mut().zip(words) {
                    *uop = self.uop_fields.decode(u32::from_le_bytes(*word));
                }
            }
            Mem::Wgt => self.operands.write_wgt(at, row),
            Mem::Inp => self.operands.write_inp(at, row),
            Mem::Acc => {
                let (words, _) = row.as_chunks::<4>();
                for (acc, word) in self.acc[at * lanes..].iter_mut().zip(words) {
                    *acc = i32::from_le_bytes(*word);
                }
            }
            Mem::Acc8 => {
                for (acc, byte) in self.acc[at * lanes..].iter_mut().zip(row) {
                    *acc = i32::from(byte.cast_signed());
                }
            }
            Mem::Out => {}
        }
        Ok(())
    }

    fn zero(&mut self, mem: Mem, at: usize, count: usize) {
        if count == 0 {
            return;
        }
        let lanes = self.geometry.batch() * self.geometry.block_out();
        match mem {
            Mem::Uop => self.uops[at..at + count].fill(self.uop_fields.decode(0)),
            Mem::Wgt => self.operands.zero_wgt(at, count),
            Mem::Inp => self.operands.zero_inp(at, count),
            Mem::Acc | Mem::Acc8 | Mem::Out => self.acc[at * lanes..(at + count) * lanes].fill(0),
        }
    }

    /// Rows that lie dense in the accumulators, each value cut to its low OUT bits.
    pub(super) fn store<D: Dram + ?Sized>(
        &mut self,
        m: &MemInsn,
        dram: &mut D,
    ) -> Result<(), ExecError> {
        if m.is_nop() {
            return Ok(());
        }
        if m.mem != Mem::Out {
            return Err(ExecError::StoreMem(m.mem));
        }
        let elem_bytes = self.geometry.elem_bytes(Mem::Out);
        self.counters.out_store_nbytes += m.elements() * elem_bytes as u64;
        if self.skip_execution {
            return Ok(());
        }
        self.check_sram(m, m.elements())?;
        let lanes = self.geometry.batch() * self.geometry.block_out();
        let width = usize::from(m.x_size);
        for y in 0..u32::from(m.y_size) {
            let at = usize::from(m.sram_base) + y as usize * width;
            let values = &self.acc[at * lanes..(at + width) * lanes];
            let row = &mut self.row[..width * elem_bytes];
            truncate(values, self.geometry.out_bits(), row);
            dram.write(m.dram_addr(&self.geometry, y), row)
                .map_err(|source| ExecError::Dram { row: y, source })?;
        }
        Ok(())
    }

    fn check_sram(&self, m: &MemInsn, count: u64) -> Result<(), ExecError> {
        let depth = self.geometry.depth(m.mem);
        let first = u64::from(m.sram_base);
        if first + count > depth as u64 {
            return Err(ExecError::SramRange {
                mem: m.mem,
                first,
                count,
                depth,
            });
        }
        Ok(())
    }
}

/// Keeps the low `bits` of each value; below 8 bits several values share a byte, the first lowest.
fn truncate(values: &[i32], bits: u32, out: &mut [u8]) {
    match bits {
        8 => out
            .iter_mut()
            .zip(values)
            .for_each(|(out, &value)| *out = value as u8),
        16 => {
            for (out, &value) in out.as_chunks_mut::<2>().0.iter_mut().zip(values) {
                *out = (value as u16).to_le_bytes();
            }
        }
        32 => {
            for (out, &value) in out.as_chunks_mut::<4>().0.iter_mut().zip(values) {
                *out = value.to_le_bytes();
            }
        }
        _ => {
            let per_byte = 8 / bits as usize;
            let mask = (1u8 << bits) - 1;
            for (out, values) in out.iter_mut().zip(values.chunks(per_byte)) {
                *out = values
                    .iter()
                    .rev()
                    .fold(0, |byte, &value| byte << bits | (value as u8 & mask));
            }
        }
    }
}
