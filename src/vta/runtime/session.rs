//! The runtime: what the calls of compiled code do.

use super::device::{Device, FuncDevice};
use super::kernel::{KernelOp, UopKernel, UopLoop, UopMode};
use super::queue::{InsnQueue, MAX_INSNS};
use super::serialize::serialize;
use super::uop_cache::{KernelId, UOP_BASE, UopCache};
use super::{BufferHandle, MemoryManager, RuntimeError};
use crate::vta::config::{Geometry, Mem};
use crate::vta::func::{Dram, DramError};
use crate::vta::isa::{AluInsn, Deps, GemmInsn, Insn, MemInsn, Operand};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The flags of `VTASetDebugMode`, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugFlags(pub u32);

impl DebugFlags {
    /// Count, but compute nothing.
    pub const SKIP_EXECUTION: u32 = 1;
    /// Write out each launch's instructions.
    pub const DUMP_INSN: u32 = 2;
    /// Write out each launch's micro-operations.
    pub const DUMP_UOP: u32 = 4;
    /// No read barriers; nothing to skip in a simulator.
    pub const SKIP_READ_BARRIER: u32 = 8;
    /// No write barriers; nothing to skip in a simulator.
    pub const SKIP_WRITE_BARRIER: u32 = 16;
    /// One module at a time.
    pub const FORCE_SERIAL: u32 = 32;

    fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
}

/// A place in compiled code that pushes kernels. Zero before its first use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallSite(pub usize);

/// The arguments of `VTALoadBuffer2D`, sizes in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadArgs {
    /// Device buffer.
    pub src: BufferHandle,
    /// First element in it.
    pub src_elem_offset: u32,
    /// Elements of a row.
    pub x_size: u32,
    /// Rows.
    pub y_size: u32,
    /// Distance of rows.
    pub x_stride: u32,
    /// Zeros before and after each row, zero rows before and after all: `x_before, y_before, x_after, y_after`.
    pub pad: [u32; 4],
    /// First element in the buffer.
    pub dst_sram_index: u32,
    /// Memory type's number.
    pub mem_type: u32,
}

/// The arguments of `VTAStoreBuffer2D`, sizes in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreArgs {
    /// First element in the buffer.
    pub src_sram_index: u32,
    /// Memory type's number.
    pub mem_type: u32,
    /// Device buffer.
    pub dst: BufferHandle,
    /// First element in it.
    pub dst_elem_offset: u32,
    /// Elements of a row.
    pub x_size: u32,
    /// Rows.
    pub y_size: u32,
    /// Distance of rows.
    pub x_stride: u32,
}

/// Where dumps of debug flags 2 and 4 go.
type DumpSink = Box<dyn FnMut(&str) + Send>;

/// One accelerator with its memory, kernels and instruction stream.
pub struct Runtime {
    device: Box<dyn Device>,
    memory: MemoryManager,
    queue: InsnQueue,
    cache: UopCache,
    /// Kernels by call site and closure.
    kernels: BTreeMap<(CallSite, u32), (KernelId, Arc<UopKernel>)>,
    last_site: usize,
    last_kernel: u64,
    flags: DebugFlags,
    dump: Option<DumpSink>,
    max_insns: usize,
}

impl Runtime {
    /// A runtime on the functional model.
    pub fn new(geometry: Geometry) -> Self {
        Runtime::on(Box::new(FuncDevice::new(geometry)))
    }

    /// A runtime on any device.
    pub fn on(device: Box<dyn Device>) -> Self {
        Runtime {
            device,
            memory: MemoryManager::new(),
            queue: InsnQueue::default(),
            cache: UopCache::default(),
            kernels: BTreeMap::new(),
            last_site: 0,
            last_kernel: 0,
            flags: DebugFlags::default(),
            dump: None,
            max_insns: MAX_INSNS,
        }
    }

    /// The accelerator's shape.
    pub fn geometry(&self) -> Geometry {
        *self.device.geometry()
    }

    /// The device, for its statistics.
    pub fn device(&mut self) -> &mut dyn Device {
        &mut *self.device
    }

    /// Device memory.
    pub fn memory(&mut self) -> &mut MemoryManager {
        &mut self.memory
    }

    /// The instruction stream under construction.
    pub fn queue(&self) -> &InsnQueue {
        &self.queue
    }

    /// Puts another device, usually of another geometry, in the place of this one. Buffers keep their contents and
    /// kernels their records; tokens and on-chip buffers are the new device's, pending pops are dropped.
    ///
    /// # Errors
    /// [`RuntimeError::Busy`] while instructions are queued.
    pub fn replace_device(&mut self, device: Box<dyn Device>) -> Result<(), RuntimeError> {
        let insns = self.queue.insns().len();
        if insns > 0 {
            return Err(RuntimeError::Busy { insns });
        }
        self.device = device;
        self.queue = InsnQueue::default();
        self.cache.clear();
        self.apply_flags();
        Ok(())
    }

    /// Forgets the stream, the kernels and all device memory.
    pub fn shutdown(&mut self) {
        self.queue = InsnQueue::default();
        self.cache.clear();
        self.kernels.clear();
        self.memory = MemoryManager::new();
    }

    /// Drops a stream that cannot be launched, with its pending pops.
    pub fn abandon(&mut self) {
        self.queue = InsnQueue::default();
        self.cache.clear();
    }

    /// Sets the limit of instructions before a launch happens by itself (default [`MAX_INSNS`]).
    pub fn set_max_insns(&mut self, limit: usize) {
        self.max_insns = limit;
    }

    /// `VTASetDebugMode`.
    pub fn set_debug(&mut self, flags: DebugFlags) {
        self.flags = flags;
        self.apply_flags();
    }

    /// Where the text of debug flags 2 and 4 goes.
    pub fn set_dump(&mut self, sink: impl FnMut(&str) + Send + 'static) {
        self.dump = Some(Box::new(sink));
    }

    fn apply_flags(&mut self) {
        self.device
            .set_skip_execution(self.flags.has(DebugFlags::SKIP_EXECUTION));
    }

    /// `VTALoadBuffer2D`.
    ///
    /// # Errors
    /// [`RuntimeError`] for unknown buffers and for numbers that the instruction cannot hold.
    pub fn load_buffer_2d(&mut self, args: &LoadArgs) -> Result<(), RuntimeError> {
        self.make_room(0)?;
        let mem = memory_type(args.mem_type)?;
        let [x_before, y_before, x_after, y_after] = args.pad;
        let insn = Insn::Load(MemInsn {
            deps: Deps::default(),
            mem,
            sram_base: field16("dst_sram_index", args.dst_sram_index)?,
            dram_base: self.dram_base(args.src, args.src_elem_offset, mem)?,
            y_size: field16("y_size", args.y_size)?,
            x_size: field16("x_size", args.x_size)?,
            x_stride: field16("x_stride", args.x_stride)?,
            y_pad_0: pad("y_pad_before", y_before)?,
            y_pad_1: pad("y_pad_after", y_after)?,
            x_pad_0: pad("x_pad_before", x_before)?,
            x_pad_1: pad("x_pad_after", x_after)?,
        });
        self.queue.push(insn);
        Ok(())
    }

    /// `VTAStoreBuffer2D`.
    ///
    /// # Errors
    /// [`RuntimeError`] for unknown buffers and for numbers that the instruction cannot hold.
    pub fn store_buffer_2d(&mut self, args: &StoreArgs) -> Result<(), RuntimeError> {
        self.make_room(0)?;
        let mem = memory_type(args.mem_type)?;
        let insn = Insn::Store(MemInsn {
            sram_base: field16("src_sram_index", args.src_sram_index)?,
            dram_base: self.dram_base(args.dst, args.dst_elem_offset, mem)?,
            y_size: field16("y_size", args.y_size)?,
            x_size: field16("x_size", args.x_size)?,
            x_stride: field16("x_stride", args.x_stride)?,
            ..MemInsn::nop(mem, Deps::default())
        });
        self.queue.push(insn);
        Ok(())
    }

    fn dram_base(&self, buffer: BufferHandle, offset: u32, mem: Mem) -> Result<u32, RuntimeError> {
        let addr = self.memory.phys_addr(buffer.0)?;
        let elem_bytes = self.device.geometry().elem_bytes(mem);
        if !addr.is_multiple_of(elem_bytes as u64) {
            return Err(RuntimeError::Alignment {
                addr,
                elem_bytes,
                mem,
            });
        }
        let base = addr / elem_bytes as u64 + u64::from(offset);
        u32::try_from(base).map_err(|_| RuntimeError::Field {
            what: "dram_base",
            value: base,
        })
    }

    /// A new call site.
    pub fn new_site(&mut self) -> CallSite {
        self.last_site += 1;
        CallSite(self.last_site)
    }

    /// True if a call site has recorded its kernel for a closure.
    pub fn has_kernel(&self, site: CallSite, closure: u32) -> bool {
        self.kernels.contains_key(&(site, closure))
    }

    /// Stores what a call site recorded.
    pub fn add_kernel(&mut self, site: CallSite, closure: u32, kernel: UopKernel) {
        self.last_kernel += 1;
        self.kernels.insert(
            (site, closure),
            (KernelId(self.last_kernel), Arc::new(kernel)),
        );
    }

    /// Drops what call sites recorded, which are not used again.
    pub fn forget_sites(&mut self, sites: &[CallSite]) {
        self.kernels.retain(|(site, _), _| !sites.contains(site));
    }

    /// `VTAPushGEMMOp` or `VTAPushALUOp` once the kernel is recorded: a LOAD UOP if it is not resident, and the instruction.
    ///
    /// # Errors
    /// [`RuntimeError`] for kernels that are not recorded, of the other mode, too big, or of another geometry.
    pub fn push_kernel(
        &mut self,
        site: CallSite,
        closure: u32,
        mode: UopMode,
    ) -> Result<(), RuntimeError> {
        let (id, kernel) = self
            .kernels
            .get(&(site, closure))
            .map(|(id, kernel)| (*id, Arc::clone(kernel)))
            .ok_or(RuntimeError::Protocol("the kernel was never recorded"))?;
        kernel.check_mode(mode)?;
        self.make_room(kernel.uops.len())?;
        let geometry = self.geometry();
        let placement = self.cache.place(id, &kernel, &geometry)?;
        let insn = instruction(&kernel, placement.begin, placement.end);
        insn.encode(&geometry)?;
        if let Some(dram_base) = placement.load_from {
            let uops = placement.end - placement.begin;
            self.queue.push(Insn::Load(MemInsn {
                sram_base: placement.begin,
                dram_base,
                y_size: 1,
                x_size: uops,
                x_stride: uops,
                ..MemInsn::nop(Mem::Uop, Deps::default())
            }));
        }
        self.queue.push(insn);
        Ok(())
    }

    /// `VTADepPush`.
    ///
    /// # Errors
    /// [`RuntimeError::Token`], or what a launch that had to make room says.
    pub fn dep_push(&mut self, from: i32, to: i32) -> Result<(), RuntimeError> {
        self.make_room(0)?;
        self.queue.dep_push(from, to)
    }

    /// `VTADepPop`.
    ///
    /// # Errors
    /// [`RuntimeError::Token`], or what a launch that had to make room says.
    pub fn dep_pop(&mut self, from: i32, to: i32) -> Result<(), RuntimeError> {
        self.make_room(0)?;
        self.queue.dep_pop(from, to)
    }

    /// Launches by itself before the stream or the micro-operations overflow.
    fn make_room(&mut self, uops: usize) -> Result<(), RuntimeError> {
        if self.queue.is_full(self.max_insns) || self.cache.is_full(uops) {
            self.synchronize()?;
        }
        Ok(())
    }

    /// `VTASynchronize`: ends the stream, launches it, and starts a new one. The stream is gone even if it fails.
    ///
    /// # Errors
    /// [`RuntimeError::Launch`], [`RuntimeError::Timing`].
    pub fn synchronize(&mut self) -> Result<(), RuntimeError> {
        self.queue.finish()?;
        let serial;
        let insns = if self.flags.has(DebugFlags::FORCE_SERIAL) {
            serial = serialize(self.queue.insns());
            &serial
        } else {
            self.queue.insns()
        };
        if let Some(dump) = &mut self.dump {
            if self.flags.has(DebugFlags::DUMP_INSN) {
                dump(&super::device::listing(insns));
            }
            if self.flags.has(DebugFlags::DUMP_UOP) {
                dump(&super::uop_cache::listing(
                    self.cache.image(),
                    self.device.geometry(),
                ));
            }
        }
        let mut dram = DeviceDram {
            memory: &mut self.memory,
            uops: self.cache.image(),
        };
        let result = self.device.launch(insns, &mut dram);
        self.queue.clear();
        self.cache.clear();
        result
    }
}

/// Buffers, and above them the image of the micro-operations.
struct DeviceDram<'a> {
    memory: &'a mut MemoryManager,
    uops: &'a [u8],
}

impl Dram for DeviceDram<'_> {
    fn read(&mut self, addr: u64, out: &mut [u8]) -> Result<(), DramError> {
        let Some(offset) = addr.checked_sub(UOP_BASE) else {
            return self.memory.read(addr, out);
        };
        let found = usize::try_from(offset)
            .ok()
            .and_then(|at| self.uops.get(at..at.checked_add(out.len())?));
        let bytes = out.len();
        let missing = UOP_BASE + self.uops.len() as u64;
        out.copy_from_slice(found.ok_or(DramError::Unmapped {
            addr,
            bytes,
            missing,
        })?);
        Ok(())
    }

    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), DramError> {
        self.memory.write(addr, data)
    }
}

/// The instruction of a kernel that lies at `begin..end`: GEMM takes its first loop as the outer, ALU a single loop as the
/// inner one.
fn instruction(kernel: &UopKernel, begin: u16, end: u16) -> Insn {
    const ONCE: UopLoop = UopLoop {
        extent: 1,
        dst: 0,
        src: 0,
        wgt: 0,
    };
    let (outer, inner) = match (&kernel.loops[..], kernel.op) {
        ([], _) => (ONCE, ONCE),
        ([single], KernelOp::Alu { .. }) => (ONCE, *single),
        ([single], KernelOp::Gemm { .. }) => (*single, ONCE),
        ([outer, inner, ..], _) => (*outer, *inner),
    };
    match kernel.op {
        KernelOp::Gemm { reset } => Insn::Gemm(GemmInsn {
            deps: Deps::default(),
            reset,
            uop_bgn: begin,
            uop_end: end,
            iter_out: outer.extent,
            iter_in: inner.extent,
            dst_out: outer.dst,
            dst_in: inner.dst,
            src_out: outer.src,
            src_in: inner.src,
            wgt_out: outer.wgt,
            wgt_in: inner.wgt,
        }),
        KernelOp::Alu { op, use_imm, imm } => Insn::Alu(AluInsn {
            deps: Deps::default(),
            reset: false,
            uop_bgn: begin,
            uop_end: end,
            iter_out: outer.extent,
            iter_in: inner.extent,
            dst_out: outer.dst,
            dst_in: inner.dst,
            src_out: outer.src,
            src_in: inner.src,
            op,
            operand: if use_imm {
                Operand::Imm(imm)
            } else {
                Operand::Tensor { imm }
            },
        }),
    }
}

fn memory_type(id: u32) -> Result<Mem, RuntimeError> {
    u8::try_from(id)
        .ok()
        .and_then(Mem::from_id)
        .ok_or(RuntimeError::Mem(id))
}

fn field16(what: &'static str, value: u32) -> Result<u16, RuntimeError> {
    u16::try_from(value).map_err(|_| RuntimeError::Field {
        what,
        value: value.into(),
    })
}

fn pad(what: &'static str, value: u32) -> Result<u8, RuntimeError> {
    u8::try_from(value)
        .ok()
        .filter(|&pad| pad < 16)
        .ok_or(RuntimeError::Field {
            what,
            value: value.into(),
        })
}
