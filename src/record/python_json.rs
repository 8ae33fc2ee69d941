//! JSON as Python's `json.dumps` writes it, so that our lines are AutoTVM's to the byte.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

/// `json.dumps(value)` with Python's defaults: `", "` and `": "`, ASCII only, floats by `repr`.
pub fn dumps(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, PythonFormatter);
    value
        .serialize(&mut serializer)
        .expect("a JSON value has string keys, and a Vec takes every byte");
    String::from_utf8(bytes).expect("the formatter writes ASCII")
}

/// `repr(value)` of a Python float; `NaN` and `Infinity` as `json.dumps` spells them.
///
/// Python writes the shortest digits that read back the same, in positional notation for decimal
/// exponents from -4 to 15 and in scientific notation (two exponent digits at least) outside.
pub fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a decimal exponent");
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(float_repr(value).as_bytes())
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            if (' '..='~').contains(&c) {
                writer.write_all(&[c as u8])?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        // Left: what CPython 3.11's `repr` prints for the number on the right.
        for (python, value) in [
            ("0.0", 0.0),
            ("-0.0", -0.0),
            ("1e-05", 1e-5),
            ("0.0001", 1e-4),
            ("1.2345e-05", 1.2345e-5),
            ("1000000000.0", 1e9),
            ("1e+16", 1e16),
            ("1000000000000000.0", 1e15),
            ("1.7976931348623157e+308", f64::MAX),
            ("5e-324", 5e-324),
            ("1732468800.123456", 1_732_468_800.123_456),
            ("0.30000000000000004", 0.1 + 0.2),
        ] {
            assert_eq!(float_repr(value), python);
        }
    }

    #[test]
    fn separators_and_escapes_are_pythons() {
        assert_eq!(
            dumps(&json!({"a": [1, "é\u{7f}\n\"", null, true], "😀": {}})),
            r#"{"a": [1, "\u00e9\u007f\n\"", null, true], "\ud83d\ude00": {}}"#
        );
    }
}
