//! What the tests of the accelerator share.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod recording;
pub mod reference;

use arco_tvm::vta::config::{Geometry, VtaConfig};
use arco_tvm::vta::program::{self, Program};
use proptest::prelude::*;
use std::path::PathBuf;

/// A file of the golden data.
pub fn golden(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/data/vta", path]
        .iter()
        .collect()
}

/// Every program in a folder of the golden data, sorted by name.
pub fn golden_programs(folder: &str) -> Vec<(String, Program)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(golden(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no golden programs in {folder}");
    paths
        .into_iter()
        .map(|path| {
            let program =
                program::load(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                program,
            )
        })
        .collect()
}

/// Valid geometries of all shapes, small buffers preferred.
pub fn geometry() -> impl Strategy<Value = Geometry> {
    let shape = (0u32..=2, 0u32..=6, 0u32..=6);
    let widths = (0u32..=5, 0u32..=5);
    let depths = (2u32..=13, 0u32..=11, 0u32..=11, 0u32..=11);
    (shape, widths, depths).prop_filter_map("violates a rule", |(shape, widths, depths)| {
        let (log_batch, log_block_in, log_block_out) = shape;
        let (log_inp_width, log_wgt_width) = widths;
        let (lu, li, lw, la) = depths;
        let bytes = |log_bits: u32| log_bits.checked_sub(3);
        VtaConfig {
            log_inp_width,
            log_wgt_width,
            log_batch,
            log_block: log_block_in,
            log_block_out: Some(log_block_out),
            log_uop_buff_size: lu + 2,
            log_inp_buff_size: li + bytes(log_batch + log_block_in + log_inp_width)?,
            log_wgt_buff_size: lw + bytes(log_block_in + log_block_out + log_wgt_width)?,
            log_acc_buff_size: la + bytes(log_batch + log_block_out + 5)?,
            ..Geometry::default().to_config()
        }
        .geometry()
        .ok()
    })
}
