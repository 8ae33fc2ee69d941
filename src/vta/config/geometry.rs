//! A checked configuration and everything that follows from it.

use super::{ConfigError, Mem, RuleViolation, Target, VtaConfig, rules};

/// Bus width in bits where `AXI_BITS` is absent (spec section 1).
pub(super) const DEFAULT_AXI_BITS: u32 = 64;
/// Longest burst in beats where `MAX_BURST` is absent.
pub(super) const DEFAULT_MAX_BURST: u32 = 16;
/// Clock in MHz where `CLOCK_MHZ` is absent.
pub(super) const DEFAULT_CLOCK_MHZ: u32 = 100;

/// A geometry that satisfies every rule of spec section 1.
///
/// Sizes: an input element is `[BATCH][BLOCK_IN]`, a weight element `[BLOCK_OUT][BLOCK_IN]`, an accumulator or output
/// element `[BATCH][BLOCK_OUT]`, all row-major; depths count elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    pub(super) target: Target,
    pub(super) log_inp_width: u32,
    pub(super) log_wgt_width: u32,
    pub(super) log_acc_width: u32,
    pub(super) log_batch: u32,
    pub(super) log_block: u32,
    pub(super) log_block_in: u32,
    pub(super) log_block_out: u32,
    pub(super) log_uop_buff: u32,
    pub(super) log_inp_buff: u32,
    pub(super) log_wgt_buff: u32,
    pub(super) log_acc_buff: u32,
    pub(super) axi_bits: u32,
    pub(super) max_burst: u32,
    pub(super) clock_mhz: u32,
}

impl Geometry {
    /// Checks a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for an unknown target, a contradicting derived field, or violated rules (all of them are listed).
    pub fn new(config: &VtaConfig) -> Result<Self, ConfigError> {
        let target = Target::from_name(&config.target).ok_or_else(|| ConfigError::Target {
            found: config.target.clone(),
            known: Target::ALL.map(Target::name).join(", "),
        })?;
        let geometry = Geometry {
            target,
            log_inp_width: config.log_inp_width,
            log_wgt_width: config.log_wgt_width,
            log_acc_width: config.log_acc_width,
            log_batch: config.log_batch,
            log_block: config.log_block,
            log_block_in: config.log_block_in.unwrap_or(config.log_block),
            log_block_out: config.log_block_out.unwrap_or(config.log_block),
            log_uop_buff: config.log_uop_buff_size,
            log_inp_buff: config.log_inp_buff_size,
            log_wgt_buff: config.log_wgt_buff_size,
            log_acc_buff: config.log_acc_buff_size,
            axi_bits: config.axi_bits.unwrap_or(DEFAULT_AXI_BITS),
            max_burst: config.max_burst.unwrap_or(DEFAULT_MAX_BURST),
            clock_mhz: config.clock_mhz.unwrap_or(DEFAULT_CLOCK_MHZ),
        };
        let violations: Vec<RuleViolation> = rules::check(&geometry);
        if !violations.is_empty() {
            return Err(ConfigError::Rules(violations));
        }
        let derived = [
            (
                "LOG_OUT_WIDTH",
                config.log_out_width,
                geometry.log_out_width(),
            ),
            (
                "LOG_OUT_BUFF_SIZE",
                config.log_out_buff_size,
                geometry.log_out_buff_size(),
            ),
        ];
        for (field, given, derived) in derived {
            if let Some(found) = given.filter(|&found| found != derived) {
                return Err(ConfigError::Derived {
                    field,
                    found,
                    derived,
                });
            }
        }
        Ok(geometry)
    }

    /// Board or simulator.
    pub fn target(&self) -> Target {
        self.target
    }
    /// log2 of BATCH.
    pub fn log_batch(&self) -> u32 {
        self.log_batch
    }
    /// log2 of BLOCK_IN.
    pub fn log_block_in(&self) -> u32 {
        self.log_block_in
    }
    /// log2 of BLOCK_OUT.
    pub fn log_block_out(&self) -> u32 {
        self.log_block_out
    }
    /// log2 of the output width in bits: always that of the input.
    pub fn log_out_width(&self) -> u32 {
        self.log_inp_width
    }
    /// log2 of the output buffer's bytes: as many elements as accumulators.
    pub fn log_out_buff_size(&self) -> u32 {
        self.log_acc_buff + self.log_out_width() - self.log_acc_width
    }
    /// Rows of an input or accumulator element.
    pub fn batch(&self) -> usize {
        1 << self.log_batch
    }
    /// Input channels of a matrix element.
    pub fn block_in(&self) -> usize {
        1 << self.log_block_in
    }
    /// Output channels of a matrix element.
    pub fn block_out(&self) -> usize {
        1 << self.log_block_out
    }
    /// Bits of an input value.
    pub fn inp_bits(&self) -> u32 {
        1 << self.log_inp_width
    }
    /// Bits of a weight value.
    pub fn wgt_bits(&self) -> u32 {
        1 << self.log_wgt_width
    }
    /// Bits of an accumulator value.
    pub fn acc_bits(&self) -> u32 {
        1 << self.log_acc_width
    }
    /// Bits of an output value.
    pub fn out_bits(&self) -> u32 {
        1 << self.log_out_width()
    }
    /// Multiply-accumulate units: BATCH * BLOCK_IN * BLOCK_OUT.
    pub fn macs(&self) -> usize {
        self.batch() * self.block_in() * self.block_out()
    }
    /// Bits of the memory bus.
    pub fn axi_bits(&self) -> u32 {
        self.axi_bits
    }
    /// Longest burst in beats.
    pub fn max_burst(&self) -> u32 {
        self.max_burst
    }
    /// Clock in MHz.
    pub fn clock_mhz(&self) -> u32 {
        self.clock_mhz
    }
    /// log2 of the micro-operation buffer's depth (LU of spec section 1).
    pub fn lu(&self) -> u32 {
        self.log_uop_buff - 2
    }
    /// log2 of the input buffer's depth (LI).
    pub fn li(&self) -> u32 {
        self.log_inp_buff + 3 - self.log_batch - self.log_block_in - self.log_inp_width
    }
    /// log2 of the weight buffer's depth (LW).
    pub fn lw(&self) -> u32 {
        self.log_wgt_buff + 3 - self.log_block_out - self.log_block_in - self.log_wgt_width
    }
    /// log2 of the accumulator buffer's depth (LA).
    pub fn la(&self) -> u32 {
        self.log_acc_buff + 3 - self.log_batch - self.log_block_out - self.log_acc_width
    }
    /// Elements the buffer behind a memory type holds.
    pub fn depth(&self, mem: Mem) -> usize {
        1 << match mem {
            Mem::Uop => self.lu(),
            Mem::Wgt => self.lw(),
            Mem::Inp => self.li(),
            Mem::Acc | Mem::Out | Mem::Acc8 => self.la(),
        }
    }
    /// log2 of the bytes of one element in DRAM.
    pub fn log_elem_bytes(&self, mem: Mem) -> u32 {
        match mem {
            Mem::Uop => 2,
            Mem::Wgt => self.log_block_out + self.log_block_in + self.log_wgt_width - 3,
            Mem::Inp => self.log_batch + self.log_block_in + self.log_inp_width - 3,
            Mem::Acc => self.log_batch + self.log_block_out + self.log_acc_width - 3,
            Mem::Out => self.log_batch + self.log_block_out + self.log_out_width() - 3,
            Mem::Acc8 => self.log_batch + self.log_block_out,
        }
    }
    /// Bytes of one element in DRAM; `dram_base` of an instruction counts these.
    pub fn elem_bytes(&self, mem: Mem) -> usize {
        1 << self.log_elem_bytes(mem)
    }
    /// Bytes of the on-chip buffer behind a memory type.
    pub fn buffer_bytes(&self, mem: Mem) -> usize {
        1 << match mem {
            Mem::Uop => self.log_uop_buff,
            Mem::Wgt => self.log_wgt_buff,
            Mem::Inp => self.log_inp_buff,
            Mem::Acc | Mem::Acc8 => self.log_acc_buff,
            Mem::Out => self.log_out_buff_size(),
        }
    }
    /// `vta_config.json`'s fields, extension fields only where they differ from their default.
    pub fn to_config(&self) -> VtaConfig {
        let differs = |value: u32, default: u32| (value != default).then_some(value);
        VtaConfig {
            target: self.target.name().to_owned(),
            hw_ver: "0.0.2".to_owned(),
            log_inp_width: self.log_inp_width,
            log_wgt_width: self.log_wgt_width,
            log_acc_width: self.log_acc_width,
            log_batch: self.log_batch,
            log_block: self.log_block,
            log_uop_buff_size: self.log_uop_buff,
            log_inp_buff_size: self.log_inp_buff,
            log_wgt_buff_size: self.log_wgt_buff,
            log_acc_buff_size: self.log_acc_buff,
            log_block_in: differs(self.log_block_in, self.log_block),
            log_block_out: differs(self.log_block_out, self.log_block),
            axi_bits: differs(self.axi_bits, DEFAULT_AXI_BITS),
            max_burst: differs(self.max_burst, DEFAULT_MAX_BURST),
            clock_mhz: differs(self.clock_mhz, DEFAULT_CLOCK_MHZ),
            log_out_width: None,
            log_out_buff_size: None,
            extra: serde_json::Map::new(),
        }
    }
    /// The same machine with another longest burst, for `--burst`.
    ///
    /// # Errors
    /// [`ConfigError::Rules`] if the bus cannot do such bursts.
    pub fn with_max_burst(self, beats: u32) -> Result<Self, ConfigError> {
        let mut config = self.to_config();
        config.max_burst = Some(beats);
        Geometry::new(&config)
    }
}
