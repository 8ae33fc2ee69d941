//! Text to instructions: the assembler.

use super::{number, strip_comment};
use crate::vta::isa::{AluInsn, AluOp, Deps, GemmInsn, Insn, Mem, MemInsn, Module, Operand};

/// A line that is no instruction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The first word is unknown.
    #[error(
        "`{0}` is no instruction; known are load.M, store.M, nop.M, gemm, gemm.reset, alu.OP, finish"
    )]
    Mnemonic(String),
    /// An operand that this instruction does not have.
    #[error("`{operand}` is no operand of `{mnemonic}`")]
    Operand {
        /// First word of the line.
        mnemonic: String,
        /// The offending word.
        operand: String,
    },
    /// A value that is not what the operand takes.
    #[error("`{operand}`: expected {expected}")]
    Value {
        /// The offending word.
        operand: String,
        /// What would be understood.
        expected: &'static str,
    },
    /// The same operand twice.
    #[error("`{0}` is given twice")]
    Twice(String),
}

/// Assembles one line, such as `load.inp sram=0 dram=0x100 y=8 x=8 stride=8 >compute`.
///
/// # Errors
/// [`ParseError`] quotes the word that is not understood. Values that no field of any geometry can hold are errors here,
/// values too big for one geometry are errors of [`Insn::encode`].
pub fn parse_insn(line: &str) -> Result<Insn, ParseError> {
    let mut words = strip_comment(line).split_whitespace();
    let mnemonic = words.next().unwrap_or_default();
    let mut insn = empty(mnemonic)?;
    let (prev, next) = super::super::neighbours(insn.module());
    let mut seen = Vec::new();
    for word in words {
        let key = word.split_once('=').map_or(word, |(key, _)| key);
        if seen.contains(&key) {
            return Err(ParseError::Twice(key.to_owned()));
        }
        seen.push(key);
        let deps = insn.deps_mut();
        let bit = match (word, word.get(..1), word.get(1..).and_then(module)) {
            ("pop_prev", ..) => Some(&mut deps.pop_prev),
            ("pop_next", ..) => Some(&mut deps.pop_next),
            ("push_prev", ..) => Some(&mut deps.push_prev),
            ("push_next", ..) => Some(&mut deps.push_next),
            (_, Some("<"), m @ Some(_)) if m == prev => Some(&mut deps.pop_prev),
            (_, Some("<"), m @ Some(_)) if m == next => Some(&mut deps.pop_next),
            (_, Some(">"), m @ Some(_)) if m == prev => Some(&mut deps.push_prev),
            (_, Some(">"), m @ Some(_)) if m == next => Some(&mut deps.push_next),
            _ => None,
        };
        if let Some(bit) = bit {
            if std::mem::replace(bit, true) {
                return Err(ParseError::Twice(word.to_owned()));
            }
        } else if !operand(&mut insn, word)? {
            return Err(ParseError::Operand {
                mnemonic: mnemonic.to_owned(),
                operand: word.to_owned(),
            });
        }
    }
    Ok(insn)
}

fn module(name: &str) -> Option<Module> {
    Module::ALL.into_iter().find(|m| m.name() == name)
}

/// The instruction of a mnemonic with every operand at its default.
fn empty(mnemonic: &str) -> Result<Insn, ParseError> {
    let unknown = || ParseError::Mnemonic(mnemonic.to_owned());
    let deps = Deps::default();
    let (stem, suffix) = mnemonic.split_once('.').unwrap_or((mnemonic, ""));
    Ok(match (stem, suffix) {
        ("load", mem) => Insn::Load(MemInsn::nop(Mem::from_name(mem).ok_or_else(unknown)?, deps)),
        ("store", mem) => Insn::Store(MemInsn::nop(Mem::from_name(mem).ok_or_else(unknown)?, deps)),
        ("nop", name) => Insn::nop(module(name).ok_or_else(unknown)?, deps),
        ("gemm", "" | "reset") => Insn::Gemm(GemmInsn {
            deps,
            reset: suffix == "reset",
            uop_bgn: 0,
            uop_end: 0,
            iter_out: 1,
            iter_in: 1,
            dst_out: 0,
            dst_in: 0,
            src_out: 0,
            src_in: 0,
            wgt_out: 0,
            wgt_in: 0,
        }),
        ("alu", op) => Insn::Alu(AluInsn {
            deps,
            reset: false,
            uop_bgn: 0,
            uop_end: 0,
            iter_out: 1,
            iter_in: 1,
            dst_out: 0,
            dst_in: 0,
            src_out: 0,
            src_in: 0,
            op: AluOp::from_name(op).ok_or_else(unknown)?,
            operand: Operand::Tensor { imm: 0 },
        }),
        ("finish", "") => Insn::Finish(deps),
        _ => return Err(unknown()),
    })
}

/// Sets one operand; false if the instruction has none of that name.
fn operand(insn: &mut Insn, word: &str) -> Result<bool, ParseError> {
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    let arg = Arg { word, value };
    match insn {
        Insn::Load(m) | Insn::Store(m) => match key {
            "sram" => m.sram_base = arg.u16()?,
            "dram" => m.dram_base = arg.u32()?,
            "y" => m.y_size = arg.u16()?,
            "x" => m.x_size = arg.u16()?,
            "stride" => m.x_stride = arg.u16()?,
            "pad" => [m.y_pad_0, m.y_pad_1, m.x_pad_0, m.x_pad_1] = arg.pads()?,
            _ => return Ok(false),
        },
        Insn::Gemm(g) => match key {
            "uops" => (g.uop_bgn, g.uop_end) = arg.range()?,
            "outer" => g.iter_out = arg.u16()?,
            "inner" => g.iter_in = arg.u16()?,
            "dst" => (g.dst_out, g.dst_in) = arg.pair()?,
            "src" => (g.src_out, g.src_in) = arg.pair()?,
            "wgt" => (g.wgt_out, g.wgt_in) = arg.pair()?,
            _ => return Ok(false),
        },
        Insn::Alu(a) => match key {
            "uops" => (a.uop_bgn, a.uop_end) = arg.range()?,
            "outer" => a.iter_out = arg.u16()?,
            "inner" => a.iter_in = arg.u16()?,
            "dst" => (a.dst_out, a.dst_in) = arg.pair()?,
            "src" => (a.src_out, a.src_in) = arg.pair()?,
            "imm" => a.operand = Operand::Imm(arg.i16()?),
            "unused_imm" => a.operand = Operand::Tensor { imm: arg.i16()? },
            "reset" if word == "reset" => a.reset = true,
            _ => return Ok(false),
        },
        Insn::Finish(_) => return Ok(false),
    }
    Ok(true)
}

/// The value of one operand.
struct Arg<'a> {
    word: &'a str,
    value: &'a str,
}

impl Arg<'_> {
    fn bad(&self, expected: &'static str) -> ParseError {
        ParseError::Value {
            operand: self.word.to_owned(),
            expected,
        }
    }

    fn u32(&self) -> Result<u32, ParseError> {
        number(self.value)
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| self.bad("a number below 2^32"))
    }

    fn u16(&self) -> Result<u16, ParseError> {
        word16(self.value).ok_or_else(|| self.bad("a number below 65536"))
    }

    fn i16(&self) -> Result<i16, ParseError> {
        self.value
            .parse()
            .map_err(|_| self.bad("a number from -32768 to 32767"))
    }

    fn pair(&self) -> Result<(u16, u16), ParseError> {
        self.value
            .split_once(',')
            .and_then(|(outer, inner)| Some((word16(outer)?, word16(inner)?)))
            .ok_or_else(|| self.bad("two numbers below 65536: OUTER,INNER"))
    }

    fn range(&self) -> Result<(u16, u16), ParseError> {
        self.value
            .split_once("..")
            .and_then(|(bgn, end)| Some((word16(bgn)?, word16(end)?)))
            .ok_or_else(|| self.bad("two numbers below 65536: BEGIN..END"))
    }

    fn pads(&self) -> Result<[u8; 4], ParseError> {
        let pads: Option<Vec<u8>> = self
            .value
            .split(',')
            .map(|n| {
                number(n)
                    .and_then(|n| u8::try_from(n).ok())
                    .filter(|&n| n < 16)
            })
            .collect();
        pads.and_then(|pads| pads.try_into().ok())
            .ok_or_else(|| self.bad("four numbers below 16: TOP,BOTTOM,LEFT,RIGHT"))
    }
}

fn word16(text: &str) -> Option<u16> {
    u16::try_from(number(text)?).ok()
}
