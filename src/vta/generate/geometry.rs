//! Random valid geometries.

use super::Choices;
use crate::vta::config::{Geometry, VtaConfig};

/// A valid geometry of any shape and width; the default where the choices violate a rule.
pub fn geometry(choices: &mut impl Choices) -> Geometry {
    if choices.below(2) == 0 {
        return Geometry::default();
    }
    let log_batch = choices.below(3) as u32;
    let log_block_in = choices.below(7) as u32;
    let log_block_out = choices.below(7) as u32;
    let (log_inp_width, log_wgt_width) = match choices.below(4) {
        0 => (choices.below(6) as u32, choices.below(6) as u32),
        _ => (3, 3),
    };
    // Depths first, then the bytes that give them; an element below a byte violates a rule.
    let mut bytes = |most: u64, log_bits: u32| {
        let log_depth = choices.below(most + 1) as u32;
        (log_depth + log_bits).saturating_sub(3)
    };
    let config = VtaConfig {
        log_inp_width,
        log_wgt_width,
        log_batch,
        log_block: log_block_in,
        log_block_out: Some(log_block_out),
        log_uop_buff_size: bytes(13, 5),
        log_inp_buff_size: bytes(11, log_batch + log_block_in + log_inp_width),
        log_wgt_buff_size: bytes(10, log_block_in + log_block_out + log_wgt_width),
        log_acc_buff_size: bytes(11, log_batch + log_block_out + 5),
        ..Geometry::default().to_config()
    };
    config.geometry().unwrap_or_default()
}
