//! The timing-only JSON form: `{id, geometry, stats, insn_count, insns, uops, tokens_end}`, no data.

use super::load::{check_range, hex};
use super::{Counters, DramRow, Expected, Launch, Program, ProgramError};
use crate::vta::config::{Mem, VtaConfig};
use crate::vta::isa::{INSN_BYTES, RawInsn, UOP_BYTES};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    id: String,
    geometry: VtaConfig,
    #[serde(default)]
    stats: Option<Counters>,
    #[serde(default)]
    insn_count: Option<u64>,
    insns: String,
    #[serde(default)]
    uops: Vec<Row>,
    #[serde(default)]
    tokens_end: Option<[u64; 4]>,
}

#[derive(Deserialize)]
struct Row {
    addr: u64,
    hex: String,
}

/// Reads the timing-only form.
pub(super) fn read(value: Value) -> Result<Program, ProgramError> {
    let file: File = serde_json::from_value(value)?;
    let bytes = hex(&file.insns, || "insns".to_owned())?;
    let (chunks, rest) = bytes.as_chunks::<INSN_BYTES>();
    if !rest.is_empty() {
        let reason = format!("{} bytes are no whole number of instructions", bytes.len());
        return Err(ProgramError::Hex {
            place: "insns".to_owned(),
            reason,
        });
    }
    let insns: Vec<_> = chunks
        .iter()
        .map(|&chunk| RawInsn::from_bytes(chunk))
        .collect();
    if let Some(stated) = file.insn_count.filter(|&n| n != insns.len() as u64) {
        let place = "program".to_owned();
        return Err(ProgramError::InsnCount {
            place,
            stated,
            found: insns.len(),
        });
    }
    let mut dram_in = Vec::with_capacity(file.uops.len());
    for (index, row) in file.uops.iter().enumerate() {
        let place = || format!("uops[{index}]");
        let bytes = hex(&row.hex, place)?;
        check_range(row.addr, bytes.len(), place)?;
        if !bytes.len().is_multiple_of(UOP_BYTES) {
            return Err(ProgramError::UopBytes {
                place: place(),
                bytes: bytes.len(),
            });
        }
        dram_in.push(DramRow {
            addr: row.addr,
            mem: Some(Mem::Uop),
            bytes,
        });
    }
    Ok(Program {
        name: file.id,
        geometry: file.geometry.geometry()?,
        launches: vec![Launch {
            insns,
            dram_in,
            dram_out: Vec::new(),
        }],
        timing_only: true,
        expected: Expected {
            counters: file.stats,
            tokens_end: file.tokens_end,
            ..Expected::default()
        },
    })
}
