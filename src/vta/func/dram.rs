//! The memory behind the accelerator.

use std::collections::BTreeMap;

/// Memory that loads read and stores write, by byte address.
pub trait Dram {
    /// Copies the bytes from `addr` on to `out`.
    ///
    /// # Errors
    /// [`DramError::Unmapped`] if any of them does not exist.
    fn read(&mut self, addr: u64, out: &mut [u8]) -> Result<(), DramError>;

    /// Copies `data` to the bytes from `addr` on.
    ///
    /// # Errors
    /// [`DramError::Unmapped`] if any of them does not exist; nothing is written then.
    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), DramError>;
}

/// An address that is not memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DramError {
    /// Some byte of the range lies in no mapped page.
    #[error("DRAM {addr:#x}..+{bytes} is not mapped: nothing at {missing:#x}")]
    Unmapped {
        /// First byte of the range.
        addr: u64,
        /// Its length.
        bytes: usize,
        /// First byte that does not exist.
        missing: u64,
    },
}

/// What an access to a page that was never mapped does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmapped {
    /// It is an error.
    Error,
    /// Reads give zeros, writes map the page: for timing-only programs, which come without data.
    Zero,
}

/// log2 of the bytes of a page.
const PAGE_LOG: u32 = 12;
/// Bytes of a page.
const PAGE: usize = 1 << PAGE_LOG;
/// Pages below this number (4 GiB) have a flat table.
const FLAT_PAGES: u64 = 1 << 20;
/// Table entry of a page that is not mapped.
const NONE: u32 = u32::MAX;

/// Memory in pages of 4 KiB that are mapped on request, anywhere in the 64-bit address space.
pub struct PagedDram {
    /// Frame of each low page.
    flat: Vec<u32>,
    /// Frame of each mapped high page.
    high: BTreeMap<u64, u32>,
    /// Contents, one page after the other in the order they were mapped.
    frames: Vec<u8>,
    unmapped: Unmapped,
}

impl PagedDram {
    /// Memory with no page mapped.
    pub fn new(unmapped: Unmapped) -> Self {
        PagedDram {
            flat: Vec::new(),
            high: BTreeMap::new(),
            frames: Vec::new(),
            unmapped,
        }
    }

    /// Maps the pages that hold a range; new ones are zero.
    ///
    /// # Errors
    /// [`DramError::Unmapped`] if the range leaves the address space.
    pub fn map(&mut self, addr: u64, bytes: usize) -> Result<(), DramError> {
        let Some(last) = (bytes as u64).checked_sub(1) else {
            return Ok(());
        };
        let Some(last) = addr.checked_add(last) else {
            return Err(DramError::Unmapped {
                addr,
                bytes,
                missing: u64::MAX,
            });
        };
        for page in addr >> PAGE_LOG..=last >> PAGE_LOG {
            if self.frame(page) == NONE {
                self.map_page(page);
            }
        }
        Ok(())
    }

    /// Maps a range and fills it.
    ///
    /// # Errors
    /// As [`PagedDram::map`].
    pub fn fill(&mut self, addr: u64, data: &[u8]) -> Result<(), DramError> {
        self.map(addr, data.len())?;
        self.write(addr, data)
    }

    #[inline]
    fn frame(&self, page: u64) -> u32 {
        if page < FLAT_PAGES {
            self.flat.get(page as usize).copied().unwrap_or(NONE)
        } else {
            self.high.get(&page).copied().unwrap_or(NONE)
        }
    }

    fn map_page(&mut self, page: u64) {
        let frame = (self.frames.len() / PAGE) as u32;
        self.frames.resize(self.frames.len() + PAGE, 0);
        if page < FLAT_PAGES {
            let page = page as usize;
            if self.flat.len() <= page {
                self.flat.resize(page + 1, NONE);
            }
            self.flat[page] = frame;
        } else {
            self.high.insert(page, frame);
        }
    }

    /// Calls `f` with each piece of a range: where in the range it starts, its bytes, and where in `frames` it lies
    /// (nowhere if not mapped). Pages that follow one another in `frames` are one piece.
    #[inline]
    fn pieces(
        &self,
        addr: u64,
        bytes: usize,
        mut f: impl FnMut(usize, usize, Option<usize>) -> Result<(), DramError>,
    ) -> Result<(), DramError> {
        if bytes > 0 && addr.checked_add(bytes as u64 - 1).is_none() {
            return Err(DramError::Unmapped {
                addr,
                bytes,
                missing: u64::MAX,
            });
        }
        let mut done = 0;
        while done < bytes {
            let at = addr + done as u64;
            let mut page = at >> PAGE_LOG;
            let offset = at as usize & (PAGE - 1);
            let first = self.frame(page);
            let mut piece = (PAGE - offset).min(bytes - done);
            let mut frame = first;
            while done + piece < bytes {
                page += 1;
                let next = self.frame(page);
                let follows = if first == NONE {
                    next == NONE
                } else {
                    next == frame + 1
                };
                if !follows {
                    break;
                }
                frame = next;
                piece = (piece + PAGE).min(bytes - done);
            }
            let start = (first != NONE).then(|| first as usize * PAGE + offset);
            f(done, piece, start)?;
            done += piece;
        }
        Ok(())
    }
}

impl Dram for PagedDram {
    #[inline]
    fn read(&mut self, addr: u64, out: &mut [u8]) -> Result<(), DramError> {
        let bytes = out.len();
        self.pieces(addr, bytes, |done, piece, start| {
            let out = &mut out[done..done + piece];
            match start {
                Some(start) => out.copy_from_slice(&self.frames[start..start + piece]),
                None if self.unmapped == Unmapped::Zero => out.fill(0),
                None => {
                    return Err(DramError::Unmapped {
                        addr,
                        bytes,
                        missing: addr + done as u64,
                    });
                }
            }
            Ok(())
        })
    }

    #[inline]
    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), DramError> {
        let bytes = data.len();
        if self.unmapped == Unmapped::Zero {
            self.map(addr, bytes)?;
        }
        self.pieces(addr, bytes, |done, _, start| match start {
            Some(_) => Ok(()),
            None => Err(DramError::Unmapped {
                addr,
                bytes,
                missing: addr + done as u64,
            }),
        })?;
        let mut done = 0;
        while done < bytes {
            let at = addr + done as u64;
            let offset = at as usize & (PAGE - 1);
            let piece = (PAGE - offset).min(bytes - done);
            let start = self.frame(at >> PAGE_LOG) as usize * PAGE + offset;
            self.frames[start..start + piece].copy_from_slice(&data[done..done + piece]);
            done += piece;
        }
        Ok(())
    }
}
