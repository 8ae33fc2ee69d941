//! What must hold for any bytes: the bodies of the fuzz targets, also run over their corpus by an ordinary test.
//!
//! Each function panics if something does not hold that should.

use super::config::{Geometry, VtaConfig};
use super::func::{Dram, GemmPath, Machine, PagedDram, Unmapped};
use super::generate::{self, ByteChoices, Choices};
use super::isa::text::parse_insn;
use super::isa::{INSN_BYTES, Insn, RawInsn, UopFields, decode};
use super::program::{self, Program, text};
use super::run;

/// Micro-operations a fuzzed launch may execute.
const MAX_OPERATIONS: u64 = 50_000;

/// Any 128 bits decode to an error or to an instruction that survives encoding and text; any 32 bits to a
/// micro-operation that survives encoding.
///
/// # Panics
/// If one of these does not hold.
pub fn decoder(data: &[u8]) {
    let (head, body) = data.split_at(data.len().min(16));
    let geometry = generate::geometry(&mut ByteChoices::new(head));
    let fields = UopFields::new(&geometry);
    for &chunk in body.as_chunks::<INSN_BYTES>().0 {
        let raw = RawInsn::from_bytes(chunk);
        let uop = fields.decode(raw.0 as u32);
        assert_eq!(fields.encode(uop).map(|word| fields.decode(word)), Ok(uop));
        let Ok(insn) = decode(raw, &geometry) else {
            continue;
        };
        let again = insn.encode(&geometry);
        assert_eq!(again.map(|raw| decode(raw, &geometry)), Ok(Ok(insn)));
        let line = insn.to_string();
        assert_eq!(parse_insn(&line), Ok(insn), "{line}");
    }
}

/// Any bytes are a program or an error, and a program survives its text form; any text is a configuration or an error,
/// and a valid one has a name that leads back to it.
///
/// # Panics
/// If one of these does not hold.
pub fn files(data: &[u8]) {
    if let Ok(program) = program::read(data) {
        let text = text::print(&program);
        match text::parse(&text) {
            Ok(again) => assert!(equivalent(&again, &program), "{text}"),
            Err(error) => panic!("{error}\n{text}"),
        }
    }
    let Ok(file) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(geometry) = VtaConfig::from_json(file).and_then(|config| config.geometry()) {
        assert_eq!(
            Geometry::from_name(&geometry.model()).map(|again| again.model()),
            Ok(geometry.model())
        );
        assert_eq!(geometry.to_config().geometry(), Ok(geometry));
    }
    if let Ok(geometry) = Geometry::from_name(file.trim()) {
        assert_eq!(Geometry::from_name(&geometry.model()), Ok(geometry));
    }
}

/// A name says nothing of LOG_BLOCK where both block sizes are given, and text nothing of odd blanks in names and errors.
fn equivalent(a: &Program, b: &Program) -> bool {
    a.geometry.model() == b.geometry.model()
        && a.launches == b.launches
        && a.timing_only == b.timing_only
        && a.expected.counters == b.expected.counters
        && a.expected.tokens_end == b.expected.tokens_end
        && a.expected.cycles == b.expected.cycles
}

/// A generated program gives the same on every GEMM path; the same program with damaged instructions, and instructions of
/// random bits, end with a result or an error.
///
/// # Panics
/// If one of these does not hold.
pub fn programs(data: &[u8]) {
    let mut choices = ByteChoices::new(data);
    let mode = choices.below(3);
    let geometry = generate::geometry(&mut choices);
    if mode == 2 {
        let mut word = || (0..16).fold(0, |word, _| word << 8 | u128::from(choices.below(256)));
        let insns: Vec<Insn> = (0..40)
            .filter_map(|_| decode(RawInsn(word()), &geometry).ok())
            .collect();
        let mut machine = Machine::new(geometry);
        machine.set_max_operations(MAX_OPERATIONS);
        drop(machine.launch(&insns, &mut PagedDram::new(Unmapped::Zero)));
        return;
    }
    let damage = if mode == 1 { choices.within(1, 4) } else { 0 };
    let flips: Vec<(u64, u64)> = (0..damage)
        .map(|_| (choices.below(1 << 16), choices.below(128)))
        .collect();
    let mut program = generate::program(&geometry, &mut choices)
        .unwrap_or_else(|error| panic!("the generator made what cannot be encoded: {error}"));
    if mode == 1 {
        let insns = &mut program.launches[0].insns;
        for (at, bit) in flips {
            let at = at as usize % insns.len();
            insns[at].0 ^= 1 << bit;
        }
        let options = run::RunOptions {
            max_operations: MAX_OPERATIONS,
            ..run::RunOptions::default()
        };
        drop(run::run(&program, &options));
        return;
    }
    let scalar = outcome(&program, GemmPath::Scalar);
    for path in [GemmPath::Avx2, GemmPath::Avx512Vnni] {
        if path.is_available(&geometry) {
            assert!(
                outcome(&program, path) == scalar,
                "{path:?} differs on {}",
                geometry.name()
            );
        }
    }
}

/// Memory, accumulators and counters after a valid program.
fn outcome(program: &Program, path: GemmPath) -> (Vec<u8>, Vec<i32>, program::Counters) {
    let mut machine = Machine::with_path(program.geometry, path);
    let result = (|| {
        let mut dram = run::memory(program)?;
        for row in &program.launches[0].dram_in {
            dram.fill(row.addr, &row.bytes)?;
        }
        machine
            .launch(&program.decode(0)?, &mut dram)
            .map_err(|source| run::RunError::Func { launch: 0, source })?;
        let mut output = vec![0; generate::OUTPUT_BYTES as usize];
        dram.read(generate::OUTPUT_ADDR, &mut output)?;
        Ok::<_, run::RunError>(output)
    })();
    let output = result.unwrap_or_else(|error| panic!("a valid program failed: {error}"));
    (output, machine.acc().to_vec(), machine.counters())
}
