//! Recorded spaces as devices, and strategies on them.

#[path = "../support/mod.rs"]
mod support;

mod conditions;
mod formats;
mod packed_conv;
mod runs;

use std::path::PathBuf;

use arco_tvm::measure::recorded::{ReadOptions, RecordedSpace, T1, read};

/// A file of tests/data/landscapes.
pub fn landscape(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/landscapes")
        .join(name)
}

/// The only space of a file, with the conditions of a T1 file if one is named.
pub fn recorded_with(name: &str, conditions: Option<&str>, masks: bool) -> RecordedSpace {
    let conditions = conditions.map(|name| T1::read(&landscape(name)).unwrap());
    let options = ReadOptions {
        conditions: conditions.into_iter().collect(),
        masks,
    };
    let recording = read(&landscape(name), &options).unwrap();
    assert_eq!(recording.notes, Vec::<String>::new());
    assert_eq!(recording.spaces.len(), 1);
    recording.spaces.into_iter().next().unwrap()
}

/// The only space of a file.
pub fn recorded(name: &str) -> RecordedSpace {
    recorded_with(name, None, true)
}
