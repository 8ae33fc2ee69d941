//! Reading and writing bit fields of the two 64-bit words, lowest bit first.

/// Takes fields off the low end of a word.
pub(super) struct FieldReader(u64);

impl FieldReader {
    pub(super) fn new(word: u64) -> Self {
        FieldReader(word)
    }

    /// The next `width` bits (at most 32).
    pub(super) fn take(&mut self, width: u32) -> u32 {
        let field = self.0 & ((1u64 << width) - 1);
        self.0 >>= width;
        field as u32
    }

    pub(super) fn flag(&mut self) -> bool {
        self.take(1) != 0
    }

    pub(super) fn u16(&mut self, width: u32) -> u16 {
        debug_assert!(width <= 16);
        self.take(width) as u16
    }

    pub(super) fn u8(&mut self, width: u32) -> u8 {
        debug_assert!(width <= 8);
        self.take(width) as u8
    }
}

/// Puts fields behind one another into a word; remembers the first that does not fit.
#[derive(Default)]
pub(super) struct FieldWriter {
    word: u64,
    used: u32,
    overflow: Option<(&'static str, u64, u32)>,
}

impl FieldWriter {
    pub(super) fn put(
        &mut self,
        name: &'static str,
        value: impl Into<u64>,
        width: u32,
    ) -> &mut Self {
        let value = value.into();
        if value >> width != 0 {
            self.overflow.get_or_insert((name, value, width));
        } else {
            self.word |= value << self.used;
        }
        self.used += width;
        self
    }

    /// The word, or the field that did not fit: its name, value and width.
    pub(super) fn finish(&self) -> Result<u64, (&'static str, u64, u32)> {
        debug_assert!(self.used <= 64);
        self.overflow.map_or(Ok(self.word), Err)
    }
}
