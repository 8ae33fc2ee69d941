//! Program to text.

use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::{RawInsn, UOP_BYTES, UopFields, decode};
use crate::vta::program::write_json::hex;
use crate::vta::program::{DramRow, Expected, Program};
use std::fmt::Write;

/// Bytes of data in a line.
const LINE_BYTES: usize = 32;
/// Micro-operations in a line.
const LINE_UOPS: usize = 8;

/// The whole program; [`super::parse()`] of it gives the same program again.
pub fn print(program: &Program) -> String {
    let mut out = String::new();
    if !program.name.is_empty() {
        line(&mut out, format_args!(".program {}", program.name));
    }
    line(
        &mut out,
        format_args!(".config {}", program.geometry.model()),
    );
    if program.timing_only {
        line(&mut out, format_args!(".timing_only"));
    }
    for (number, launch) in program.launches.iter().enumerate() {
        if number > 0 {
            line(&mut out, format_args!("\n.launch"));
        }
        for row in &launch.dram_in {
            data(&mut out, row, &program.geometry);
        }
        if !launch.insns.is_empty() {
            line(&mut out, format_args!("\n.code"));
        }
        for (index, &raw) in launch.insns.iter().enumerate() {
            let text = insn(raw, &program.geometry);
            line(&mut out, format_args!("  {text:<100} ; {index}"));
        }
        for row in &launch.dram_out {
            line(
                &mut out,
                format_args!(";! dram {:#x} {}", row.addr, hex(&row.bytes)),
            );
        }
    }
    out + &expectations(&program.expected)
}

/// One launch's instructions alone, one a line, with their numbers.
pub fn disassemble(insns: &[RawInsn], geometry: &Geometry) -> String {
    let mut out = String::new();
    for (index, &raw) in insns.iter().enumerate() {
        line(
            &mut out,
            format_args!("{index:>7}  {}", insn(raw, geometry)),
        );
    }
    out
}

/// The `;!` lines of what holds for the whole program (all but memory).
pub fn expectations(expected: &Expected) -> String {
    let mut out = String::new();
    if let Some(counters) = &expected.counters {
        for (name, value) in counters.entries() {
            line(&mut out, format_args!(";! {name} {value}"));
        }
    }
    if let Some([a, b, c, d]) = expected.tokens_end {
        line(&mut out, format_args!(";! tokens {a} {b} {c} {d}"));
    }
    for (burst, cycles) in &expected.cycles {
        line(&mut out, format_args!(";! cycles burst={burst} {cycles}"));
    }
    if let Some(error) = &expected.error {
        line(&mut out, format_args!(";! error {error}"));
    }
    out
}

/// Text of one instruction; `raw` where the text form would lose bits.
fn insn(raw: RawInsn, geometry: &Geometry) -> String {
    match decode(raw, geometry) {
        Ok(insn) if insn.encode(geometry) == Ok(raw) => insn.to_string(),
        Ok(insn) => format!("raw {:#034x} ; {insn}", raw.0),
        Err(error) => format!("raw {:#034x} ; {error}", raw.0),
    }
}

fn data(out: &mut String, row: &DramRow, geometry: &Geometry) {
    let (words, rest) = row.bytes.as_chunks::<UOP_BYTES>();
    let fields = UopFields::new(geometry);
    let lossless = |word: &[u8; UOP_BYTES]| {
        let word = u32::from_le_bytes(*word);
        fields.encode(fields.decode(word)) == Ok(word)
    };
    if row.mem == Some(Mem::Uop) && rest.is_empty() && words.iter().all(lossless) {
        line(out, format_args!(".uops {:#x}", row.addr));
        for words in words.chunks(LINE_UOPS) {
            let text: Vec<String> = words
                .iter()
                .map(|&word| fields.decode(u32::from_le_bytes(word)))
                .map(|uop| format!("{},{},{}", uop.dst, uop.src, uop.wgt))
                .collect();
            line(out, format_args!("  {}", text.join(" ")));
        }
        return;
    }
    match row.mem {
        Some(mem) => line(out, format_args!(".data {mem} {:#x}", row.addr)),
        None => line(out, format_args!(".data {:#x}", row.addr)),
    }
    for bytes in row.bytes.chunks(LINE_BYTES) {
        line(out, format_args!("  {}", hex(bytes)));
    }
}

/// Writing to a string cannot fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{text}");
}
