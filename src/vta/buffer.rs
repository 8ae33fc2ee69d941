//! A fixed buffer that starts at a cache line, so that vector loads never straddle two.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// `len` values, the first at a multiple of 64 bytes.
pub(in crate::vta) struct Buffer<T> {
    data: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Copy> Buffer<T> {
    pub(in crate::vta) fn new(len: usize, value: T) -> Self {
        let data = vec![value; len + LINE / size_of::<T>().max(1)];
        // `align_offset` may give up (usize::MAX); a buffer that is not aligned is only slower.
        let start = Some(data.as_ptr().align_offset(LINE)).filter(|s| s + len <= data.len());
        Buffer {
            start: start.unwrap_or(0),
            data,
            len,
        }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.data[self.start..self.start + self.len]
    }
}

impl<T> DerefMut for Buffer<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.data[self.start..self.start + self.len]
    }
}
