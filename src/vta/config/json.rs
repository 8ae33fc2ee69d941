//! `vta_config.json` as it is written.

use super::{ConfigError, Geometry, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The fields of `vta_config.json`; every `log_*` is a base-2 logarithm, buffer sizes in bytes, widths in bits.
///
/// `LOG_BLOCK_IN`, `LOG_BLOCK_OUT`, `AXI_BITS`, `MAX_BURST` and `CLOCK_MHZ` are extensions of ours with defaults
/// (spec section 1); the last three matter for time only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct VtaConfig {
    /// Board or simulator.
    #[serde(default = "default_target")]
    pub target: String,
    /// Version of the hardware description; carried, never interpreted.
    #[serde(default = "default_hw_ver")]
    pub hw_ver: String,
    /// Bits of an input value.
    pub log_inp_width: u32,
    /// Bits of a weight value.
    pub log_wgt_width: u32,
    /// Bits of an accumulator value.
    pub log_acc_width: u32,
    /// Rows of an input or accumulator element.
    pub log_batch: u32,
    /// Default of both block sizes.
    pub log_block: u32,
    /// Bytes of the micro-operation buffer.
    pub log_uop_buff_size: u32,
    /// Bytes of the input buffer.
    pub log_inp_buff_size: u32,
    /// Bytes of the weight buffer.
    pub log_wgt_buff_size: u32,
    /// Bytes of the accumulator buffer.
    pub log_acc_buff_size: u32,
    /// Input channels of a matrix element; `log_block` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_block_in: Option<u32>,
    /// Output channels of a matrix element; `log_block` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_block_out: Option<u32>,
    /// Width of the memory bus in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axi_bits: Option<u32>,
    /// Longest memory burst in beats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_burst: Option<u32>,
    /// Clock in MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_mhz: Option<u32>,
    /// Derived (equals LOG_INP_WIDTH); checked when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_out_width: Option<u32>,
    /// Derived (LOG_ACC_BUFF_SIZE + LOG_OUT_WIDTH - LOG_ACC_WIDTH); checked when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_out_buff_size: Option<u32>,
    /// Fields that mean nothing here; kept so that rewriting a file loses nothing.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

fn default_target() -> String {
    Target::Sim.name().to_owned()
}

fn default_hw_ver() -> String {
    "0.0.2".to_owned()
}

impl VtaConfig {
    /// Reads `vta_config.json`.
    ///
    /// # Errors
    /// [`ConfigError::Json`] for text that is not JSON and for missing or mistyped fields.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        serde_json::from_str(text).map_err(|e| ConfigError::Json(e.to_string()))
    }

    /// The file's text, with the fields that were set.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The checked geometry.
    ///
    /// # Errors
    /// [`ConfigError`] names the field or the violated rule, with the numbers.
    pub fn geometry(&self) -> Result<Geometry, ConfigError> {
        Geometry::new(self)
    }

    /// The same configuration with every optional and derived field written out.
    ///
    /// # Errors
    /// As [`VtaConfig::geometry`]: derived fields exist only for a valid configuration.
    pub fn with_derived(&self) -> Result<Self, ConfigError> {
        let g = self.geometry()?;
        Ok(VtaConfig {
            log_block_in: Some(g.log_block_in()),
            log_block_out: Some(g.log_block_out()),
            axi_bits: Some(g.axi_bits()),
            max_burst: Some(g.max_burst()),
            clock_mhz: Some(g.clock_mhz()),
            log_out_width: Some(g.log_out_width()),
            log_out_buff_size: Some(g.log_out_buff_size()),
            ..self.clone()
        })
    }
}
