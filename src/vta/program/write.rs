//! A program as JSON, in the form that its kind is read from.

use super::{DramRow, Launch, Program, ProgramError};
use crate::vta::config::Mem;
use serde_json::{Map, Value, json};

/// The JSON object of a program: the form with memory, or the timing-only form if the program is that. What the form has
/// no place for is left out: expected cycles and errors, and in the form with memory the tokens left.
///
/// # Errors
/// [`ProgramError::TimingForm`] for a timing-only program with several launches or with memory besides micro-operations.
pub fn to_json(program: &Program) -> Result<Value, ProgramError> {
    if program.timing_only {
        timing(program)
    } else {
        Ok(memory(program))
    }
}

fn memory(program: &Program) -> Value {
    let mut meta = Map::new();
    meta.insert("id".into(), program.name.as_str().into());
    meta.insert("geometry".into(), json!(program.geometry.to_config()));
    if let Some(counters) = &program.expected.counters {
        meta.insert("stats".into(), json!(counters));
    }
    let runs: Vec<Value> = program.launches.iter().map(run).collect();
    json!({"meta": meta, "runs": runs})
}

fn run(launch: &Launch) -> Value {
    let insns: Vec<String> = launch
        .insns
        .iter()
        .map(|insn| hex(&insn.to_bytes()))
        .collect();
    let rows = |rows: &[DramRow]| rows.iter().map(row).collect::<Vec<_>>();
    json!({
        "insn_count": insns.len(),
        "insns": insns,
        "dram_in": rows(&launch.dram_in),
        "dram_out": rows(&launch.dram_out),
    })
}

fn row(row: &DramRow) -> Value {
    let mut object = Map::new();
    if let Some(mem) = row.mem {
        object.insert("mem".into(), mem.id().into());
    }
    object.insert("addr".into(), row.addr.into());
    object.insert("hex".into(), hex(&row.bytes).into());
    Value::Object(object)
}

fn timing(program: &Program) -> Result<Value, ProgramError> {
    let [launch] = &program.launches[..] else {
        return Err(ProgramError::TimingForm);
    };
    let uops_alone = launch.dram_in.iter().all(|row| row.mem == Some(Mem::Uop));
    if !uops_alone || !launch.dram_out.is_empty() {
        return Err(ProgramError::TimingForm);
    }
    let mut object = Map::new();
    object.insert("id".into(), program.name.as_str().into());
    object.insert("geometry".into(), json!(program.geometry.to_config()));
    if let Some(counters) = &program.expected.counters {
        object.insert("stats".into(), json!(counters));
    }
    if let Some(tokens) = program.expected.tokens_end {
        object.insert("tokens_end".into(), json!(tokens));
    }
    object.insert("insn_count".into(), launch.insns.len().into());
    let insns: Vec<u8> = launch
        .insns
        .iter()
        .flat_map(|insn| insn.to_bytes())
        .collect();
    object.insert("insns".into(), hex(&insns).into());
    let uops: Vec<Value> = launch
        .dram_in
        .iter()
        .map(|row| json!({"addr": row.addr, "hex": hex(&row.bytes)}))
        .collect();
    object.insert("uops".into(), uops.into());
    Ok(Value::Object(object))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
