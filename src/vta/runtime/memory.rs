//! Device memory: pages, a page table, and a free list that never splits a block (spec section 3).

use super::RuntimeError;
use super::uop_cache::UOP_BASE;
use crate::vta::buffer::Buffer;
use crate::vta::func::{Dram, DramError};
use std::collections::BTreeMap;

/// Bytes of a page.
pub const PAGE_BYTES: usize = 4096;

/// A device buffer as compiled code knows it: the address of its memory on the host. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferHandle(pub usize);

/// Consecutive pages that were allocated together.
struct Block {
    /// First page; its physical address is `(first_page + 1) * PAGE_BYTES`.
    first_page: u64,
    /// Whole pages.
    memory: Buffer<u8>,
    /// Bytes asked for; 0 while free.
    size: usize,
}

impl Block {
    fn phys(&self) -> u64 {
        (self.first_page + 1) * PAGE_BYTES as u64
    }

    fn pages(&self) -> usize {
        self.memory.len() / PAGE_BYTES
    }
}

/// Allocates device memory and translates between handles, physical addresses and bytes.
#[derive(Default)]
pub struct MemoryManager {
    blocks: Vec<Block>,
    /// Block of each page.
    page_table: Vec<u32>,
    /// Free blocks by number of pages, those of one size last freed first.
    free: BTreeMap<usize, Vec<u32>>,
    /// Block of each live buffer, by the address of its memory.
    handles: BTreeMap<usize, u32>,
}

impl MemoryManager {
    /// No memory allocated.
    pub fn new() -> Self {
        MemoryManager::default()
    }

    /// Allocates a buffer: the smallest free block that is big enough, whole, or new pages.
    ///
    /// # Errors
    /// [`RuntimeError::OutOfMemory`] when the physical address space is used up.
    pub fn alloc(&mut self, size: usize) -> Result<BufferHandle, RuntimeError> {
        let pages = size.div_ceil(PAGE_BYTES).max(1);
        let reused = self
            .free
            .range_mut(pages..)
            .find_map(|(_, blocks)| blocks.pop());
        let index = match reused {
            Some(index) => index,
            None => self.grow(pages, size)?,
        };
        let block = &mut self.blocks[index as usize];
        block.size = size.max(1);
        // Compiled code reads and writes buffers through this address.
        let handle = block.memory.as_mut_ptr().expose_provenance();
        self.handles.insert(handle, index);
        Ok(BufferHandle(handle))
    }

    fn grow(&mut self, pages: usize, size: usize) -> Result<u32, RuntimeError> {
        let first_page = self.page_table.len() as u64;
        // The micro-operations' own area ends the space; page 0 is invalid.
        let limit = UOP_BASE / PAGE_BYTES as u64 - 1;
        if pages as u64 > limit - first_page {
            return Err(RuntimeError::OutOfMemory {
                bytes: size,
                in_use: first_page * PAGE_BYTES as u64,
                limit: limit * PAGE_BYTES as u64,
            });
        }
        let index = self.blocks.len() as u32;
        let memory = Buffer::new(pages * PAGE_BYTES, 0);
        self.blocks.push(Block {
            first_page,
            memory,
            size: 0,
        });
        self.page_table.resize(self.page_table.len() + pages, index);
        Ok(index)
    }

    /// Frees a buffer.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownBuffer`] if the handle is not that of a live buffer.
    pub fn free(&mut self, handle: BufferHandle) -> Result<(), RuntimeError> {
        let index = self
            .handles
            .remove(&handle.0)
            .ok_or(RuntimeError::UnknownBuffer(handle.0))?;
        let block = &mut self.blocks[index as usize];
        block.size = 0;
        self.free.entry(block.pages()).or_default().push(index);
        Ok(())
    }

    /// The live buffer that contains an address, and the address's offset in it.
    fn find(&self, addr: usize) -> Option<(u32, usize)> {
        let (&start, &index) = self.handles.range(..=addr).next_back()?;
        let offset = addr - start;
        (offset < self.blocks[index as usize].size).then_some((index, offset))
    }

    /// True if an address lies in a live buffer.
    pub fn contains(&self, addr: usize) -> bool {
        self.find(addr).is_some()
    }

    /// Checks that a range lies in the live buffer that contains its base address.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownBuffer`], [`RuntimeError::BufferRange`].
    pub fn check(&self, base: usize, offset: usize, bytes: usize) -> Result<(), RuntimeError> {
        self.locate(base, offset, bytes).map(|_| ())
    }

    fn locate(
        &self,
        base: usize,
        offset: usize,
        bytes: usize,
    ) -> Result<(u32, std::ops::Range<usize>), RuntimeError> {
        let (index, inner) = self.find(base).ok_or(RuntimeError::UnknownBuffer(base))?;
        let size = self.blocks[index as usize].size;
        let start = inner.saturating_add(offset);
        let end = start.saturating_add(bytes);
        if end > size {
            return Err(RuntimeError::BufferRange {
                offset: start,
                bytes,
                size,
            });
        }
        Ok((index, start..end))
    }

    /// The physical address behind a handle, or behind an address inside its buffer.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownBuffer`].
    pub fn phys_addr(&self, addr: usize) -> Result<u64, RuntimeError> {
        let (index, offset) = self.find(addr).ok_or(RuntimeError::UnknownBuffer(addr))?;
        Ok(self.blocks[index as usize].phys() + offset as u64)
    }

    /// Copies bytes out of a buffer.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownBuffer`], [`RuntimeError::BufferRange`].
    pub fn read_buffer(
        &self,
        handle: BufferHandle,
        offset: usize,
        out: &mut [u8],
    ) -> Result<(), RuntimeError> {
        let (index, range) = self.locate(handle.0, offset, out.len())?;
        out.copy_from_slice(&self.blocks[index as usize].memory[range]);
        Ok(())
    }

    /// Copies bytes into a buffer.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownBuffer`], [`RuntimeError::BufferRange`].
    pub fn write_buffer(
        &mut self,
        handle: BufferHandle,
        offset: usize,
        data: &[u8],
    ) -> Result<(), RuntimeError> {
        let (index, range) = self.locate(handle.0, offset, data.len())?;
        self.blocks[index as usize].memory[range].copy_from_slice(data);
        Ok(())
    }

    /// The block and the position in it of a physical range.
    fn translate(&self, addr: u64, bytes: usize) -> Result<(u32, usize), DramError> {
        let unmapped = |missing| DramError::Unmapped {
            addr,
            bytes,
            missing,
        };
        let page = (addr / PAGE_BYTES as u64)
            .checked_sub(1)
            .ok_or(unmapped(addr))?;
        let index = usize::try_from(page)
            .ok()
            .and_then(|page| self.page_table.get(page));
        let index = *index.ok_or(unmapped(addr))?;
        let block = &self.blocks[index as usize];
        if block.size == 0 {
            return Err(unmapped(addr));
        }
        let offset = (addr - block.phys()) as usize;
        if bytes > block.memory.len() - offset {
            return Err(unmapped(block.phys() + block.memory.len() as u64));
        }
        Ok((index, offset))
    }
}

impl Dram for MemoryManager {
    #[inline]
    fn read(&mut self, addr: u64, out: &mut [u8]) -> Result<(), DramError> {
        let (index, at) = self.translate(addr, out.len())?;
        out.copy_from_slice(&self.blocks[index as usize].memory[at..at + out.len()]);
        Ok(())
    }

    #[inline]
    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), DramError> {
        let (index, at) = self.translate(addr, data.len())?;
        self.blocks[index as usize].memory[at..at + data.len()].copy_from_slice(data);
        Ok(())
    }
}
