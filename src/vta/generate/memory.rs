//! Random LOAD and STORE instructions.

use super::{Builder, Choices, INPUT_ADDR, INPUT_BYTES, OUTPUT_ADDR, OUTPUT_BYTES};
use crate::vta::config::Mem;
use crate::vta::isa::{Deps, Insn, MemInsn};
use std::ops::Range;

impl<C: Choices> Builder<'_, C> {
    /// A LOAD into `region`, with paddings where they fit; now and then a NOP.
    pub(super) fn load(&mut self, mem: Mem, region: Range<u64>) {
        let mut m = MemInsn::nop(mem, Deps::default());
        let room = region.end - region.start;
        if !self.choices.once_in(16) {
            let pad = |builder: &mut Self, room: u64| {
                let room = room.min(15);
                if builder.choices.once_in(2) {
                    builder.choices.within(0, room)
                } else {
                    0
                }
            };
            // Columns first, then as many rows as fit; input memory bounds both.
            let elements = INPUT_BYTES / self.geometry.elem_bytes(mem) as u64;
            let x = self.choices.within(1, room.min(elements).min(40));
            let left = pad(self, room - x);
            let right = pad(self, room - x - left);
            let rows = room / (x + left + right);
            let y = self.choices.within(0, rows.min(elements / x).min(12));
            let top = pad(self, rows - y);
            let bottom = pad(self, rows - y - top);
            let used = (y + top + bottom) * (x + left + right);
            (m.x_size, m.y_size) = (x as u16, y as u16);
            (m.x_pad_0, m.x_pad_1) = (left as u8, right as u8);
            (m.y_pad_0, m.y_pad_1) = (top as u8, bottom as u8);
            m.sram_base = (region.start + self.choices.within(0, room - used)) as u16;
            self.place(&mut m, INPUT_ADDR, INPUT_BYTES);
        }
        self.insns.push(Insn::Load(m));
    }

    /// A STORE from `region`; now and then a NOP.
    pub(super) fn store(&mut self, region: Range<u64>) {
        if self.choices.once_in(16) {
            self.nop(crate::vta::isa::Module::Store, Deps::default());
            return;
        }
        let mut m = MemInsn::nop(Mem::Out, Deps::default());
        let elements = OUTPUT_BYTES / self.geometry.elem_bytes(Mem::Out) as u64;
        let room = region.end - region.start;
        let x = self.choices.within(1, room.min(elements).min(40));
        let y = self.choices.within(0, (room / x).min(elements / x).min(12));
        (m.x_size, m.y_size) = (x as u16, y as u16);
        m.sram_base = (region.start + self.choices.within(0, room - x * y)) as u16;
        self.place(&mut m, OUTPUT_ADDR, OUTPUT_BYTES);
        self.insns.push(Insn::Store(m));
    }

    /// Chooses stride and base so that all rows lie in an area.
    fn place(&mut self, m: &mut MemInsn, addr: u64, bytes: u64) {
        let log = self.geometry.log_elem_bytes(m.mem);
        let elements = bytes >> log;
        let (x, steps) = (u64::from(m.x_size), u64::from(m.y_size).saturating_sub(1));
        let stride = (elements - x)
            .checked_div(steps)
            .unwrap_or(0)
            .min(u64::from(u16::MAX));
        let stride = self.choices.within(0, stride);
        // Rows of a STORE must not overlap where another order of stores could show; stores are in order, so they may.
        m.x_stride = stride as u16;
        m.dram_base =
            ((addr >> log) + self.choices.within(0, elements - x - steps * stride)) as u32;
    }
}
