//! Programs to JSON: the inverse of the two readers.

use super::{DramRow, Program, ProgramError};
use crate::vta::config::Mem;
use crate::vta::isa::RawInsn;
use serde_json::{Map, Value, json};
use std::fmt::Write;

impl Program {
    /// The program as JSON, in the form it would be read from: with memory, or timing-only if it says so. What the form has
    /// no place for is left out: expected cycles and errors, and in the form with memory the tokens left.
    ///
    /// # Errors
    /// [`ProgramError::TimingForm`] for a timing-only program that has not the one launch and nothing but
    /// micro-operations that this form can hold.
    pub fn to_json(&self) -> Result<String, ProgramError> {
        let value = match &self.launches[..] {
            _ if !self.timing_only => self.memory_form(),
            [launch]
                if launch.dram_out.is_empty()
                    && launch.dram_in.iter().all(|row| row.mem == Some(Mem::Uop)) =>
            {
                self.timing_form(&launch.insns, &launch.dram_in)
            }
            _ => return Err(ProgramError::TimingForm),
        };
        let mut text = value.to_string();
        text.push('\n');
        Ok(text)
    }

    fn memory_form(&self) -> Value {
        let mut meta = Map::new();
        meta.insert("id".to_owned(), json!(self.name));
        meta.insert("geometry".to_owned(), json!(self.geometry.to_config()));
        if let Some(counters) = &self.expected.counters {
            meta.insert("stats".to_owned(), json!(counters));
        }
        let runs: Vec<Value> = self
            .launches
            .iter()
            .map(|launch| {
                json!({
                    "insn_count": launch.insns.len(),
                    "insns": launch.insns.iter().map(|&insn| insn_hex(insn)).collect::<Vec<_>>(),
                    "dram_in": launch.dram_in.iter().map(row).collect::<Vec<_>>(),
                    "dram_out": launch.dram_out.iter().map(row).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({ "meta": meta, "runs": runs })
    }

    fn timing_form(&self, insns: &[RawInsn], uops: &[DramRow]) -> Value {
        let mut out = Map::new();
        out.insert("id".to_owned(), json!(self.name));
        out.insert("geometry".to_owned(), json!(self.geometry.to_config()));
        if let Some(counters) = &self.expected.counters {
            out.insert("stats".to_owned(), json!(counters));
        }
        out.insert("insn_count".to_owned(), json!(insns.len()));
        let text: String = insns.iter().map(|&insn| insn_hex(insn)).collect();
        out.insert("insns".to_owned(), json!(text));
        let uops: Vec<Value> = uops
            .iter()
            .map(|row| json!({ "addr": row.addr, "hex": hex(&row.bytes) }))
            .collect();
        out.insert("uops".to_owned(), json!(uops));
        if let Some(tokens) = &self.expected.tokens_end {
            out.insert("tokens_end".to_owned(), json!(tokens));
        }
        Value::Object(out)
    }
}

fn row(row: &DramRow) -> Value {
    let mut out = Map::new();
    if let Some(mem) = row.mem {
        out.insert("mem".to_owned(), json!(mem.id()));
    }
    out.insert("addr".to_owned(), json!(row.addr));
    out.insert("hex".to_owned(), json!(hex(&row.bytes)));
    Value::Object(out)
}

fn insn_hex(insn: RawInsn) -> String {
    hex(&insn.to_bytes())
}

/// Lower-case hex digits in memory order.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
