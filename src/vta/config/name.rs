//! The naming string of a geometry and its way back.

use super::geometry::{DEFAULT_AXI_BITS, DEFAULT_CLOCK_MHZ, DEFAULT_MAX_BURST};
use super::{ConfigError, Geometry, Preset, Target, VtaConfig};
use std::str::FromStr;

impl FromStr for Geometry {
    type Err = ConfigError;

    /// The geometry that a text describes: a whole vta_config.json, a preset's name, a naming string or a model.
    ///
    /// # Errors
    /// [`ConfigError`] if it is none of these, or breaks a rule.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let text = text.trim();
        if text.starts_with('{') {
            return VtaConfig::from_json(text)?.geometry();
        }
        Preset::from_name(text)
            .map_or_else(|| Geometry::from_name(text), |preset| Ok(preset.geometry()))
    }
}

impl Geometry {
    /// The naming string, such as `1x16_i8w8a32_15_15_18_17`.
    ///
    /// Where the blocks differ, or the bus, burst or clock is not the default, all of these are spelled out:
    /// `1x16x32_i8w8a32_15_15_19_18_bus64_b16_c100` (spec section 1).
    pub fn name(&self) -> String {
        let blocks = if self.log_block_in == self.log_block_out {
            format!("{}x{}", self.batch(), self.block_in())
        } else {
            format!("{}x{}x{}", self.batch(), self.block_in(), self.block_out())
        };
        let mut name = format!(
            "{blocks}_i{}w{}a{}_{}_{}_{}_{}",
            self.inp_bits(),
            self.wgt_bits(),
            self.acc_bits(),
            self.log_uop_buff,
            self.log_inp_buff,
            self.log_wgt_buff,
            self.log_acc_buff
        );
        let time = (self.axi_bits, self.max_burst, self.clock_mhz);
        if self.log_block_in != self.log_block_out
            || time != (DEFAULT_AXI_BITS, DEFAULT_MAX_BURST, DEFAULT_CLOCK_MHZ)
        {
            name += &format!(
                "_bus{}_b{}_c{}",
                self.axi_bits, self.max_burst, self.clock_mhz
            );
        }
        name
    }

    /// What `-model=` says: `{TARGET}_{name}`.
    pub fn model(&self) -> String {
        format!("{}_{}", self.target, self.name())
    }

    /// The geometry that a naming string or a model (with the target in front) describes.
    ///
    /// # Errors
    /// [`ConfigError::Name`] if the text follows neither pattern, else as [`Geometry::new`].
    pub fn from_name(name: &str) -> Result<Self, ConfigError> {
        let bad = || ConfigError::Name(name.to_owned());
        let (target, rest) = match name.split_once('_') {
            Some((target, rest)) if Target::from_name(target).is_some() => (target, rest),
            _ => (Target::Sim.name(), name),
        };
        let mut parts = rest.split('_');
        let mut next = || parts.next().ok_or_else(bad);
        let blocks = next()?;
        let widths = next()?;
        let mut buffers = [0u32; 4];
        for buffer in &mut buffers {
            *buffer = next()?.parse().map_err(|_| bad())?;
        }
        let (mut axi_bits, mut max_burst, mut clock_mhz) = (None, None, None);
        for part in parts {
            let (slot, digits) = if let Some(digits) = part.strip_prefix("bus") {
                (&mut axi_bits, digits)
            } else if let Some(digits) = part.strip_prefix('b') {
                (&mut max_burst, digits)
            } else if let Some(digits) = part.strip_prefix('c') {
                (&mut clock_mhz, digits)
            } else {
                return Err(bad());
            };
            if slot
                .replace(digits.parse::<u32>().map_err(|_| bad())?)
                .is_some()
            {
                return Err(bad());
            }
        }
        let log2 = |digits: &str| -> Result<u32, ConfigError> {
            let value: u32 = digits.parse().map_err(|_| bad())?;
            if value.is_power_of_two() {
                Ok(value.trailing_zeros())
            } else {
                Err(bad())
            }
        };
        let blocks: Vec<u32> = blocks.split('x').map(log2).collect::<Result<_, _>>()?;
        let (log_batch, log_block_in, log_block_out) = match blocks[..] {
            [batch, block] => (batch, block, block),
            [batch, block_in, block_out] => (batch, block_in, block_out),
            _ => return Err(bad()),
        };
        let (inp, rest) = widths
            .strip_prefix('i')
            .and_then(|w| w.split_once('w'))
            .ok_or_else(bad)?;
        let (wgt, acc) = rest.split_once('a').ok_or_else(bad)?;
        let log_block_out = (log_block_out != log_block_in).then_some(log_block_out);
        Geometry::new(&VtaConfig {
            target: target.to_owned(),
            hw_ver: "0.0.2".to_owned(),
            log_inp_width: log2(inp)?,
            log_wgt_width: log2(wgt)?,
            log_acc_width: log2(acc)?,
            log_batch,
            log_block: log_block_in,
            log_uop_buff_size: buffers[0],
            log_inp_buff_size: buffers[1],
            log_wgt_buff_size: buffers[2],
            log_acc_buff_size: buffers[3],
            log_block_in: None,
            log_block_out,
            axi_bits,
            max_burst,
            clock_mhz,
            log_out_width: None,
            log_out_buff_size: None,
            extra: serde_json::Map::new(),
        })
    }
}
