//! Program files: what is read, and that nothing in them makes a reader panic.

mod vta_common;

use arco_tvm::vta::isa::Insn;
use arco_tvm::vta::program::{self, ProgramError, text};
use proptest::prelude::*;
use std::io::Write;
use vta_common::{golden, golden_programs};

#[test]
fn every_golden_program_decodes_and_ends_with_finish() {
    for (name, program) in golden_programs("programs")
        .into_iter()
        .chain(golden_programs("rtl"))
    {
        let insns = program.decode(0).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(matches!(insns.last(), Some(Insn::Finish(_))), "{name}");
        assert!(program.expected.counters.is_some(), "{name}");
        assert_eq!(
            program.timing_only,
            program.launches[0].dram_out.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn text_of_a_golden_program_reads_back_as_the_same_program() {
    for (name, program) in golden_programs("programs")
        .into_iter()
        .chain(golden_programs("rtl"))
    {
        let text = text::print(&program);
        assert!(
            !text.contains("raw"),
            "{name} has an instruction without a text form"
        );
        let again = text::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(again == program, "{name} changed");
    }
}

#[test]
fn json_of_a_golden_program_reads_back_as_the_same_program() {
    for (name, program) in golden_programs("programs")
        .into_iter()
        .chain(golden_programs("rtl"))
    {
        let json = program.to_json().unwrap();
        assert_eq!(json.contains("\"runs\""), !program.timing_only, "{name}");
        assert!(
            program::read(json.as_bytes()).unwrap() == program,
            "{name} changed"
        );
    }
}

#[test]
fn a_plain_file_reads_like_a_gzipped_one() {
    let path = golden("programs/conv_tiny_pad3x3.json.gz");
    let zipped = std::fs::read(&path).unwrap();
    let mut plain = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&zipped[..]), &mut plain)
        .unwrap();
    assert!(program::read(plain.as_bytes()).unwrap() == program::load(&path).unwrap());
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let geometry = r#"{"TARGET":"sim","LOG_INP_WIDTH":3,"LOG_WGT_WIDTH":3,"LOG_ACC_WIDTH":5,"LOG_BATCH":0,
        "LOG_BLOCK":4,"LOG_UOP_BUFF_SIZE":15,"LOG_INP_BUFF_SIZE":15,"LOG_WGT_BUFF_SIZE":18,"LOG_ACC_BUFF_SIZE":17}"#;
    let run = |run: &str| format!(r#"{{"meta":{{"geometry":{geometry}}},"runs":[{run}]}}"#);
    let cases = [
        (
            run(r#"{"insns":["00"]}"#),
            "runs[0].insns[0]: an instruction has 16 bytes, not 1",
        ),
        (
            run(r#"{"insns":["zz"]}"#),
            "runs[0].insns[0]: `zz` is not a hex byte",
        ),
        (
            run(r#"{"insns":[],"insn_count":3}"#),
            "insn_count is 3 but there are 0",
        ),
        (
            run(r#"{"insns":[],"dram_in":[{"mem":9,"addr":1,"hex":""}]}"#),
            "dram_in[0]: memory type 9",
        ),
        (
            run(r#"{"insns":[],"dram_in":[{"addr":18446744073709551615,"hex":"0000"}]}"#),
            "overflows",
        ),
        (
            format!(r#"{{"geometry":{geometry},"insns":"00"}}"#),
            "no whole number of instructions",
        ),
        (
            format!(r#"{{"geometry":{geometry},"insns":"","uops":[{{"addr":0,"hex":"00"}}]}}"#),
            "micro-operations",
        ),
        (r#"{"a":1}"#.to_owned(), "neither `runs`"),
        (r#"{"meta":"#.to_owned(), "JSON"),
        (
            ".config 1x16_i8w8a32_15_15_18_17\n.code\n  fly".to_owned(),
            "line 3: `fly` is no instruction",
        ),
        (".code".to_owned(), "line 1: no `.config` yet"),
        (String::new(), "no `.config`"),
    ];
    for (file, expected) in cases {
        let error = program::read(file.as_bytes()).unwrap_err().to_string();
        assert!(
            error.contains(expected),
            "`{error}` does not mention `{expected}`"
        );
    }
}

#[test]
fn a_damaged_gzip_stream_is_an_error() {
    let mut bytes = std::fs::read(golden("programs/conv_1x1_s2.json.gz")).unwrap();
    bytes.truncate(bytes.len() / 2);
    assert!(matches!(program::read(&bytes), Err(ProgramError::Gzip(_))));
}

#[test]
fn a_deeply_nested_file_is_an_error() {
    let bytes = [b"{\"runs\":".to_vec(), vec![b'['; 1 << 20]].concat();
    assert!(program::read(&bytes).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, zip: bool) {
        if zip {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            let _ = program::read(&encoder.finish().unwrap());
        } else {
            let _ = program::read(&bytes);
        }
    }

    #[test]
    fn no_change_to_a_text_program_makes_the_reader_panic(at: usize, byte: u8) {
        let golden = program::load(golden("programs/conv_tiny_hvt.json.gz")).unwrap();
        let mut text = text::print(&golden).into_bytes();
        let at = at % text.len();
        text[at] = byte;
        let _ = program::read(&text);
    }
}
