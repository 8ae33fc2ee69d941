//! The type of an array's elements.

use std::fmt;
use std::str::FromStr;

use crate::bindings::DLDataType;
use crate::error::{Error, Result};

/// The type of an array's elements: a kind, bits, and lanes of a vector (1 for a scalar).
///
/// ```
/// use tvm_rt::DataType;
/// assert_eq!("float32".parse::<DataType>()?, DataType::FLOAT32);
/// assert_eq!("uint8x4".parse::<DataType>()?.to_string(), "uint8x4");
/// assert!("flaot32".parse::<DataType>().is_err());
/// # Ok::<(), tvm_rt::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DataType {
    code: u8,
    bits: u8,
    lanes: u16,
}

/// Names of type codes, as `DLDataTypeCode2Str` in TVM's data_type.h has them, with the bits of a bare name.
const KINDS: [(&str, u8, u8); 7] = [
    ("int", 0, 32),
    ("uint", 1, 32),
    ("float", 2, 32),
    ("handle", 3, 64),
    ("bfloat", 4, 16),
    ("e4m3_float", 6, 8),
    ("e5m2_float", 7, 8),
];

const HANDLE: u8 = 3;

impl DataType {
    /// Truth values: an unsigned integer of one bit, stored in a byte.
    pub const BOOL: Self = Self::scalar(1, 1);
    /// 8-bit signed integers.
    pub const INT8: Self = Self::scalar(0, 8);
    /// 16-bit signed integers.
    pub const INT16: Self = Self::scalar(0, 16);
    /// 32-bit signed integers.
    pub const INT32: Self = Self::scalar(0, 32);
    /// 64-bit signed integers.
    pub const INT64: Self = Self::scalar(0, 64);
    /// 8-bit unsigned integers.
    pub const UINT8: Self = Self::scalar(1, 8);
    /// 16-bit unsigned integers.
    pub const UINT16: Self = Self::scalar(1, 16);
    /// 32-bit unsigned integers.
    pub const UINT32: Self = Self::scalar(1, 32);
    /// 64-bit unsigned integers.
    pub const UINT64: Self = Self::scalar(1, 64);
    /// IEEE half precision.
    pub const FLOAT16: Self = Self::scalar(2, 16);
    /// IEEE single precision.
    pub const FLOAT32: Self = Self::scalar(2, 32);
    /// IEEE double precision.
    pub const FLOAT64: Self = Self::scalar(2, 64);

    const fn scalar(code: u8, bits: u8) -> Self {
        Self {
            code,
            bits,
            lanes: 1,
        }
    }

    /// The type code of DLPack and TVM: 0 signed, 1 unsigned, 2 float, 3 handle, 4 bfloat.
    pub fn code(self) -> u8 {
        self.code
    }

    /// Bits of one lane.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// Lanes of one element. TVM writes a scalable vector as the two's complement of its factor.
    pub fn lanes(self) -> u16 {
        self.lanes
    }

    /// Bytes of one element, as TVM's `GetDataSize` counts them: whole bytes for each element.
    pub fn bytes(self) -> usize {
        (usize::from(self.bits) * usize::from(self.lanes)).div_ceil(8)
    }

    pub(crate) fn from_raw(raw: DLDataType) -> Self {
        Self {
            code: raw.code,
            bits: raw.bits,
            lanes: raw.lanes,
        }
    }

    pub(crate) fn to_raw(self) -> DLDataType {
        DLDataType {
            code: self.code,
            bits: self.bits,
            lanes: self.lanes,
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::BOOL {
            return f.write_str("bool");
        }
        if self.code == HANDLE && self.bits == 0 {
            return f.write_str("void");
        }
        match KINDS.iter().find(|kind| kind.1 == self.code) {
            Some((name, HANDLE, _)) => return f.write_str(name),
            Some((name, _, _)) => write!(f, "{name}{}", self.bits)?,
            None => write!(f, "custom[{}]{}", self.code, self.bits)?,
        }
        match self.lanes.cast_signed() {
            lanes @ 2.. => write!(f, "x{lanes}"),
            lanes @ ..-1 => write!(f, "xvscalex{}", lanes.unsigned_abs()),
            _ => Ok(()),
        }
    }
}

impl FromStr for DataType {
    type Err = Error;

    /// Reads TVM's notation: `float32`, `int8`, `uint8x4`, `bool`, `bfloat16`, `handle`, `void`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::DataType {
            text: text.to_owned(),
        };
        match text {
            "bool" => return Ok(Self::BOOL),
            "void" => {
                return Ok(Self {
                    code: HANDLE,
                    bits: 0,
                    lanes: 0,
                });
            }
            _ => {}
        }
        let (rest, code, usual) = KINDS
            .iter()
            .find_map(|(name, code, bits)| Some((text.strip_prefix(name)?, *code, *bits)))
            .ok_or_else(wrong)?;
        let lanes = |text: &str| text.parse::<i16>().ok().filter(|lanes| *lanes > 0);
        let (bits, lanes) = if let Some((bits, factor)) = rest.split_once("xvscalex") {
            (
                bits,
                -lanes(factor)
                    .filter(|factor| *factor > 1)
                    .ok_or_else(wrong)?,
            )
        } else if let Some((bits, count)) = rest.split_once('x') {
            (bits, lanes(count).ok_or_else(wrong)?)
        } else {
            (rest, 1)
        };
        let bits = match bits {
            "" => usual,
            digits => digits
                .parse()
                .ok()
                .filter(|bits| *bits > 0)
                .ok_or_else(wrong)?,
        };
        Ok(Self {
            code,
            bits,
            lanes: lanes.cast_unsigned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "bool",
            "int8",
            "uint16",
            "float32",
            "bfloat16",
            "handle",
            "void",
            "uint8x4",
            "float32xvscalex4",
            "e4m3_float8",
        ] {
            assert_eq!(text.parse::<DataType>().unwrap().to_string(), text);
        }
        assert_eq!("int".parse::<DataType>().unwrap(), DataType::INT32);
    }

    #[test]
    fn what_names_no_type_is_refused() {
        for text in [
            "",
            "32",
            "flaot32",
            "int0",
            "int300",
            "int8x",
            "int8x0",
            "int8x-1",
            "int8xvscalex1",
            "float32 ",
        ] {
            let error = text.parse::<DataType>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn an_element_takes_whole_bytes() {
        for (text, bytes) in [
            ("bool", 1),
            ("int4", 1),
            ("int4x8", 4),
            ("float32", 4),
            ("float64x2", 16),
        ] {
            assert_eq!(text.parse::<DataType>().unwrap().bytes(), bytes, "{text}");
        }
    }
}
