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
/// Python writes the shortest digits that read back the same, and of these the nearest, in positional notation for
/// decimal exponents from -4 to 15 and in scientific notation (two exponent digits at least) outside.
pub fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = shortest(value);
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a decimal exponent");
    if (-4..16).contains(&exponent) {
        // The same digits, and one zero at least after the point.
        let decimals = (decimals(mantissa) as i32 - exponent).max(1);
        return format!("{value:.*}", decimals as usize);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// The shortest digits that read back the same, in scientific notation. Of two that are equally near (the value is a
/// multiple of a power of two, as differences of clocks are), the even one is Python's, and Rust's is the larger.
fn shortest(value: f64) -> String {
    let short = format!("{value:e}");
    let mantissa = short.split('e').next().unwrap_or_default();
    // With a precision Rust rounds the exact value, ties to even.
    let even = format!("{value:.*e}", decimals(mantissa));
    if even.parse() == Ok(value) {
        even
    } else {
        short
    }
}

/// Digits after the point.
fn decimals(mantissa: &str) -> usize {
    mantissa
        .split_once('.')
        .map_or(0, |(_, digits)| digits.len())
}

/// What stands in a [`Value`] for `NaN`, `Infinity` and `-Infinity`, which JSON has no numbers for.
const NON_FINITE: [(&str, &str, f64); 3] = [
    ("NaN", "\u{1}NaN", f64::NAN),
    ("-Infinity", "\u{1}-Infinity", f64::NEG_INFINITY),
    ("Infinity", "\u{1}Infinity", f64::INFINITY),
];

/// `json.loads(text)` with Python's extension: it writes and reads `NaN`, `Infinity` and `-Infinity`.
///
/// [`as_float`] gives such a number back.
pub fn loads(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|error| {
        if NON_FINITE.iter().any(|(name, ..)| text.contains(name)) {
            serde_json::from_str(&with_stand_ins(text))
        } else {
            Err(error)
        }
    })
}

/// The number of a value that [`loads`] read.
pub fn as_float(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| {
        let text = value.as_str()?;
        let found = NON_FINITE.iter().find(|(_, stand_in, _)| *stand_in == text);
        found.map(|&(.., number)| number)
    })
}

/// The text with a string in the place of every number that JSON has not, outside of strings.
fn with_stand_ins(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        let found = NON_FINITE.iter().find(|(name, ..)| rest.starts_with(name));
        if let (false, Some((name, stand_in, _))) = (in_string, found) {
            out += &Value::from(*stand_in).to_string();
            rest = &rest[name.len()..];
            continue;
        }
        let mut length = c.len_utf8();
        match c {
            '"' => in_string = !in_string,
            // The character after it is part of the string, a quotation mark too.
            '\\' if in_string => length += rest[1..].chars().next().map_or(0, char::len_utf8),
            _ => {}
        }
        out += &rest[..length];
        rest = &rest[length..];
    }
    out
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
            // Halfway between two numbers of 16 digits.
            ("0.7367630004882812", 96_569.0 / 131_072.0),
            ("-0.7367630004882812", -96_569.0 / 131_072.0),
            ("1.1920928955078125e-07", 2f64.powi(-23)),
            ("9007199254740992.0", 2f64.powi(53)),
            ("2.98023223876953e-08", 2.980_232_238_769_53e-8),
        ] {
            assert_eq!(float_repr(value), python);
        }
    }

    #[test]
    fn numbers_that_only_python_has_are_read() {
        let value = loads(r#"[NaN, -Infinity, Infinity, 1.5, "NaN \" NaN"]"#).unwrap();
        let numbers: Vec<Option<f64>> = value.as_array().unwrap().iter().map(as_float).collect();
        assert!(numbers[0].is_some_and(f64::is_nan));
        assert_eq!(
            numbers[1..],
            [
                Some(f64::NEG_INFINITY),
                Some(f64::INFINITY),
                Some(1.5),
                None
            ]
        );
        assert_eq!(value[4], "NaN \" NaN");
        assert!(loads("[NaN").is_err());
    }

    #[test]
    fn separators_and_escapes_are_pythons() {
        assert_eq!(
            dumps(&json!({"a": [1, "é\u{7f}\n\"", null, true], "😀": {}})),
            r#"{"a": [1, "\u00e9\u007f\n\"", null, true], "\ud83d\ude00": {}}"#
        );
    }
}
