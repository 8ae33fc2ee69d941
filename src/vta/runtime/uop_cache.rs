//! Which kernels are in the micro-operation buffer, and the image in DRAM that they are loaded from.

use super::{RuntimeError, UopKernel};
use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::{UOP_BYTES, UopFields};
use std::collections::BTreeMap;

/// Physical address of the micro-operations' image: above all buffers, within reach of a 32-bit element address.
pub const UOP_BASE: u64 = 0x3_8000_0000;

/// Micro-operations of one launch: 32 MiB (spec section 3).
pub const MAX_UOPS: usize = (32 << 20) / UOP_BYTES;

/// Names a kernel for the life of the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KernelId(pub u64);

/// A kernel that is in the buffer.
struct Resident {
    id: KernelId,
    begin: usize,
    end: usize,
}

/// Where a kernel lies in the buffer, and the load it takes to get it there.
pub struct Placement {
    /// First micro-operation in the buffer.
    pub begin: u16,
    /// One past the last.
    pub end: u16,
    /// DRAM address, in micro-operations, to load from; nothing if the kernel is resident.
    pub load_from: Option<u32>,
}

/// The buffer's contents during one launch, and its image.
#[derive(Default)]
pub struct UopCache {
    resident: Vec<Resident>,
    /// Where the next kernel goes.
    end: usize,
    /// Words of all kernels loaded in this launch.
    image: Vec<u8>,
    /// Where in the image each of them starts, in micro-operations.
    offsets: BTreeMap<KernelId, u32>,
}

impl UopCache {
    /// Makes a kernel resident: at the end of the last one, or at the start where it would leave the buffer; what it
    /// overlaps is evicted.
    ///
    /// # Errors
    /// [`RuntimeError::KernelSize`] for a kernel bigger than the buffer, [`RuntimeError::Encode`] for indices that the
    /// geometry cannot encode.
    pub fn place(
        &mut self,
        id: KernelId,
        kernel: &UopKernel,
        geometry: &Geometry,
    ) -> Result<Placement, RuntimeError> {
        if let Some(resident) = self.resident.iter().find(|resident| resident.id == id) {
            let (begin, end) = (resident.begin as u16, resident.end as u16);
            return Ok(Placement {
                begin,
                end,
                load_from: None,
            });
        }
        let (uops, depth) = (kernel.uops.len(), geometry.depth(Mem::Uop));
        if uops > depth {
            return Err(RuntimeError::KernelSize { uops, depth });
        }
        let offset = match self.offsets.get(&id) {
            Some(&offset) => offset,
            None => self.append(id, kernel, geometry)?,
        };
        let begin = if self.end + uops > depth { 0 } else { self.end };
        let end = begin + uops;
        self.resident
            .retain(|other| other.end <= begin || end <= other.begin);
        self.resident.push(Resident { id, begin, end });
        self.end = end;
        let load_from = (UOP_BASE / UOP_BYTES as u64) as u32 + offset;
        Ok(Placement {
            begin: begin as u16,
            end: end as u16,
            load_from: Some(load_from),
        })
    }

    fn append(
        &mut self,
        id: KernelId,
        kernel: &UopKernel,
        geometry: &Geometry,
    ) -> Result<u32, RuntimeError> {
        let fields = UopFields::new(geometry);
        let before = self.image.len();
        for &uop in &kernel.uops {
            match fields.encode(uop) {
                Ok(word) => self.image.extend(word.to_le_bytes()),
                Err(error) => {
                    self.image.truncate(before);
                    return Err(error.into());
                }
            }
        }
        let offset = (before / UOP_BYTES) as u32;
        self.offsets.insert(id, offset);
        Ok(offset)
    }

    /// True if a kernel of that many micro-operations would overflow the image.
    pub fn is_full(&self, uops: usize) -> bool {
        self.image.len() / UOP_BYTES + uops > MAX_UOPS
    }

    /// Words of all kernels loaded in this launch.
    pub fn image(&self) -> &[u8] {
        &self.image
    }

    /// After a launch nothing is resident.
    pub fn clear(&mut self) {
        self.resident.clear();
        self.end = 0;
        self.image.clear();
        self.offsets.clear();
    }
}

/// An image's micro-operations one a line, for debug flag 4.
pub(super) fn listing(image: &[u8], geometry: &Geometry) -> String {
    let fields = UopFields::new(geometry);
    let (words, _) = image.as_chunks::<UOP_BYTES>();
    words
        .iter()
        .map(|&word| fields.decode(u32::from_le_bytes(word)))
        .enumerate()
        .map(|(index, uop)| {
            format!(
                "{index:>7}  dst={} src={} wgt={}\n",
                uop.dst, uop.src, uop.wgt
            )
        })
        .collect()
}
