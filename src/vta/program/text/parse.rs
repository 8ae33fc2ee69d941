//! Text to program.

use crate::vta::config::{Geometry, Mem};
use crate::vta::isa::text::{number, parse_insn, strip_comment};
use crate::vta::isa::{RawInsn, Uop, UopFields};
use crate::vta::program::load::{check_range, hex};
use crate::vta::program::{Counters, DramRow, Expected, Launch, Program, ProgramError};

/// Reads a program's text.
///
/// # Errors
/// [`ProgramError`] with the line number.
pub fn parse(text: &str) -> Result<Program, ProgramError> {
    let mut parser = Parser {
        line: 0,
        name: String::new(),
        geometry: None,
        launches: vec![Launch::default()],
        timing_only: false,
        expected: Expected::default(),
        section: Section::Head,
    };
    for (line, text) in (1..).zip(text.lines()) {
        parser.line = line;
        if let Some(expectation) = text.trim().strip_prefix(";!") {
            parser.expectation(expectation.trim())?;
            continue;
        }
        let code = strip_comment(text);
        if let Some(directive) = code.strip_prefix('.') {
            parser.directive(directive)?;
        } else if !code.is_empty() {
            parser.content(code)?;
        }
    }
    let geometry = parser.geometry()?;
    Ok(Program {
        name: parser.name,
        geometry,
        launches: parser.launches,
        timing_only: parser.timing_only,
        expected: parser.expected,
    })
}

enum Section {
    Head,
    Data,
    Uops,
    Code,
}

struct Parser {
    line: usize,
    name: String,
    geometry: Option<Geometry>,
    launches: Vec<Launch>,
    timing_only: bool,
    expected: Expected,
    section: Section,
}

impl Parser {
    fn bad<T>(&self, reason: impl Into<String>) -> Result<T, ProgramError> {
        Err(ProgramError::Text {
            line: self.line,
            reason: reason.into(),
        })
    }

    fn geometry(&self) -> Result<Geometry, ProgramError> {
        match self.geometry {
            Some(geometry) => Ok(geometry),
            None => self.bad("no `.config` yet; it names the geometry and comes first"),
        }
    }

    fn launch(&mut self) -> &mut Launch {
        if self.launches.is_empty() {
            self.launches.push(Launch::default());
        }
        let last = self.launches.len() - 1;
        &mut self.launches[last]
    }

    fn address(&self, text: Option<&str>) -> Result<u64, ProgramError> {
        match text.and_then(number) {
            Some(addr) => Ok(addr),
            None => self.bad(format!(
                "expected a byte address, found `{}`",
                text.unwrap_or("")
            )),
        }
    }

    fn directive(&mut self, directive: &str) -> Result<(), ProgramError> {
        let mut words = directive.split_whitespace();
        match words.next().unwrap_or_default() {
            "program" => self.name = words.by_ref().collect::<Vec<_>>().join(" "),
            "config" => {
                let name = words.next().unwrap_or_default();
                self.geometry = Some(Geometry::from_name(name)?);
            }
            "timing_only" => self.timing_only = true,
            "launch" => {
                self.launches.push(Launch::default());
                self.section = Section::Head;
            }
            "data" => {
                let mut word = words.next();
                let mem = word.and_then(Mem::from_name);
                if mem.is_some() {
                    word = words.next();
                }
                let addr = self.address(word)?;
                self.launch().dram_in.push(DramRow {
                    addr,
                    mem,
                    bytes: Vec::new(),
                });
                self.section = Section::Data;
            }
            "uops" => {
                self.geometry()?;
                let addr = self.address(words.next())?;
                let mem = Some(Mem::Uop);
                self.launch().dram_in.push(DramRow {
                    addr,
                    mem,
                    bytes: Vec::new(),
                });
                self.section = Section::Uops;
            }
            "code" => {
                self.geometry()?;
                self.section = Section::Code;
            }
            other => return self.bad(format!("`.{other}` is no directive")),
        }
        match words.next() {
            Some(extra) => self.bad(format!("`{extra}` is one word too many")),
            None => Ok(()),
        }
    }

    fn content(&mut self, code: &str) -> Result<(), ProgramError> {
        match self.section {
            Section::Head => {
                self.bad("expected a directive such as .config, .data, .uops or .code")
            }
            Section::Data => {
                let bytes = self.hex_words(code)?;
                self.extend_row(&bytes)
            }
            Section::Uops => {
                let fields = UopFields::new(&self.geometry()?);
                for word in code.split_whitespace() {
                    let parts: Option<Vec<u16>> = word
                        .split(',')
                        .map(|n| number(n).and_then(|n| n.try_into().ok()))
                        .collect();
                    let Some(&[dst, src, wgt]) = parts.as_deref() else {
                        return self.bad(format!("`{word}` is no micro-operation DST,SRC,WGT"));
                    };
                    let word = fields.encode(Uop { dst, src, wgt }).map_err(|source| {
                        ProgramError::Encode {
                            line: self.line,
                            source,
                        }
                    })?;
                    self.extend_row(&word.to_le_bytes())?;
                }
                Ok(())
            }
            Section::Code => {
                let insn = self.insn(code)?;
                self.launch().insns.push(insn);
                Ok(())
            }
        }
    }

    fn insn(&self, code: &str) -> Result<RawInsn, ProgramError> {
        if let Some(raw) = code.strip_prefix("raw ") {
            let digits = raw.trim().strip_prefix("0x").unwrap_or_default();
            let plain = digits.len() == 32 && digits.bytes().all(|c| c.is_ascii_hexdigit());
            return match u128::from_str_radix(digits, 16) {
                Ok(bits) if plain => Ok(RawInsn(bits)),
                _ => self.bad("`raw` takes 0x and 32 hex digits"),
            };
        }
        let insn = parse_insn(code).map_err(|source| ProgramError::Insn {
            line: self.line,
            source,
        })?;
        insn.encode(&self.geometry()?)
            .map_err(|source| ProgramError::Encode {
                line: self.line,
                source,
            })
    }

    fn hex_words(&self, words: &str) -> Result<Vec<u8>, ProgramError> {
        let digits: String = words.split_whitespace().collect();
        hex(&digits, || format!("line {}", self.line))
    }

    fn extend_row(&mut self, bytes: &[u8]) -> Result<(), ProgramError> {
        let line = self.line;
        let Some(row) = self.launch().dram_in.last_mut() else {
            return self.bad("bytes before `.data`");
        };
        row.bytes.extend_from_slice(bytes);
        check_range(row.addr, row.bytes.len(), || format!("line {line}"))
    }

    fn expectation(&mut self, text: &str) -> Result<(), ProgramError> {
        let mut words = text.split_whitespace();
        let key = words.next().unwrap_or_default();
        match key {
            "tokens" => {
                let tokens: Option<Vec<u64>> = words.map(number).collect();
                let Some(tokens) = tokens.and_then(|t| t.try_into().ok()) else {
                    return self.bad("`tokens` takes four numbers");
                };
                self.expected.tokens_end = Some(tokens);
            }
            "dram" => {
                let addr = self.address(words.next())?;
                let bytes = self.hex_words(&words.collect::<Vec<_>>().join(" "))?;
                let line = self.line;
                check_range(addr, bytes.len(), || format!("line {line}"))?;
                self.launch().dram_out.push(DramRow {
                    addr,
                    mem: None,
                    bytes,
                });
            }
            "cycles" => {
                let burst = words
                    .next()
                    .and_then(|w| w.strip_prefix("burst="))
                    .and_then(number);
                let burst = burst.and_then(|burst| u32::try_from(burst).ok());
                let (Some(burst), Some(cycles)) = (burst, words.next().and_then(number)) else {
                    return self.bad("`cycles` takes burst=BEATS and a number");
                };
                self.expected.cycles.push((burst, cycles));
            }
            "error" => {
                self.expected.error = Some(text[key.len()..].trim().to_owned());
            }
            _ => {
                let value = words.next().and_then(number);
                let counters = self.expected.counters.get_or_insert_with(Counters::default);
                let Some((slot, value)) = counters.by_name(key).zip(value) else {
                    return self.bad(format!("`{text}` is no expectation"));
                };
                *slot = value;
            }
        }
        Ok(())
    }
}
