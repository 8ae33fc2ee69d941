//! The recorded spaces of the test data, and of other folders.

use std::path::{Path, PathBuf};

use arco_tvm::measure::recorded::{ReadOptions, RecordedSpace, T1, read as read_record};

const LANDSCAPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/landscapes");
/// Endings of records.
const RECORDS: [&str; 6] = [
    ".json",
    ".jsonl",
    ".log",
    ".json.gz",
    ".jsonl.gz",
    ".log.gz",
];

/// Every space of the test data, and of these folders.
pub fn read(folders: &[PathBuf]) -> Vec<RecordedSpace> {
    let mut paths = Vec::new();
    collect(Path::new(LANDSCAPES), &mut paths);
    for folder in folders {
        collect(folder, &mut paths);
    }
    // Those of layers that are computed are no records.
    paths.retain(|path| {
        !path
            .parent()
            .is_some_and(|folder| folder.ends_with("joint"))
    });
    let (conditions, paths): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| named(path, "_T1.json"));
    let conditions = conditions.iter().map(|path| T1::read(path).unwrap());
    let options = ReadOptions {
        conditions: conditions.collect(),
        masks: true,
    };
    // A T4 file has the same as the cache that is beside it.
    let other = |path: &Path| {
        let twin = path.to_string_lossy().replace("_T4.", ".");
        named(path, "_T4.json.gz") && Path::new(&twin).exists()
    };
    paths
        .iter()
        .filter(|path| !other(path))
        .flat_map(|path| read_record(path, &options).unwrap().spaces)
        .collect()
}

/// The files with such an ending below a folder, in the order of their paths.
fn collect(folder: &Path, to: &mut Vec<PathBuf>) {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, to);
        } else if RECORDS.iter().any(|ending| named(&path, ending)) {
            to.push(path);
        }
    }
}

fn named(path: &Path, ending: &str) -> bool {
    path.to_string_lossy().ends_with(ending)
}
