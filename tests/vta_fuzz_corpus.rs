//! The fuzzers' corpus, replayed: every input that taught a fuzzer something, and every one that once broke something.

use arco_tvm::vta::fuzzing;
use std::path::{Path, PathBuf};

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 5, "the corpus of {target} is missing");
    for path in files {
        let data = std::fs::read(&path).unwrap();
        let outcome = std::panic::catch_unwind(|| body(&data));
        assert!(outcome.is_ok(), "{} breaks {target}", path.display());
    }
}

#[test]
fn every_input_of_the_decoder_s_corpus_holds() {
    replay("vta_decoder", fuzzing::decoder);
}

#[test]
fn every_input_of_the_file_readers_corpus_holds() {
    replay("vta_files", fuzzing::files);
}

#[test]
fn every_input_of_the_programs_corpus_holds() {
    replay("vta_programs", fuzzing::programs);
}
