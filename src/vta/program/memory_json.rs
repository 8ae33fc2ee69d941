//! The JSON form with memory: `{"meta": {geometry, id, stats}, "runs": [{insns, dram_in, dram_out}]}`.

use super::load::{check_range, hex};
use super::{Counters, DramRow, Expected, Launch, Program, ProgramError};
use crate::vta::config::{Mem, VtaConfig};
use crate::vta::isa::RawInsn;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct File {
    meta: Meta,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    geometry: VtaConfig,
    #[serde(default)]
    stats: Option<Counters>,
}

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    insn_count: Option<u64>,
    insns: Vec<String>,
    #[serde(default)]
    dram_in: Vec<Row>,
    #[serde(default)]
    dram_out: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    mem: Option<u64>,
    addr: u64,
    hex: String,
}

/// Reads the form with memory.
pub(super) fn read(value: Value) -> Result<Program, ProgramError> {
    let file: File = serde_json::from_value(value)?;
    let launches = file
        .runs
        .into_iter()
        .enumerate()
        .map(launch)
        .collect::<Result<Vec<_>, ProgramError>>()?;
    Ok(Program {
        name: file.meta.id.or(file.meta.name).unwrap_or_default(),
        geometry: file.meta.geometry.geometry()?,
        launches,
        timing_only: false,
        expected: Expected {
            counters: file.meta.stats,
            ..Expected::default()
        },
    })
}

fn launch((number, run): (usize, Run)) -> Result<Launch, ProgramError> {
    let mut insns = Vec::with_capacity(run.insns.len());
    for (index, text) in run.insns.iter().enumerate() {
        let place = || format!("runs[{number}].insns[{index}]");
        let bytes: [u8; 16] = hex(text, place)?.try_into().map_err(|bytes: Vec<u8>| {
            let reason = format!("an instruction has 16 bytes, not {}", bytes.len());
            ProgramError::Hex {
                place: place(),
                reason,
            }
        })?;
        insns.push(RawInsn::from_bytes(bytes));
    }
    if let Some(stated) = run.insn_count.filter(|&n| n != insns.len() as u64) {
        let place = format!("runs[{number}]");
        return Err(ProgramError::InsnCount {
            place,
            stated,
            found: insns.len(),
        });
    }
    Ok(Launch {
        insns,
        dram_in: rows(run.dram_in, &format!("runs[{number}].dram_in"))?,
        dram_out: rows(run.dram_out, &format!("runs[{number}].dram_out"))?,
    })
}

fn rows(rows: Vec<Row>, field: &str) -> Result<Vec<DramRow>, ProgramError> {
    rows.into_iter()
        .enumerate()
        .map(|(index, row)| {
            let place = || format!("{field}[{index}]");
            let bytes = hex(&row.hex, place)?;
            check_range(row.addr, bytes.len(), place)?;
            let mem = row
                .mem
                .map(|mem| {
                    let known = u8::try_from(mem).ok().and_then(Mem::from_id);
                    known.ok_or_else(|| ProgramError::Mem {
                        place: place(),
                        mem,
                    })
                })
                .transpose()?;
            Ok(DramRow {
                addr: row.addr,
                mem,
                bytes,
            })
        })
        .collect()
}
