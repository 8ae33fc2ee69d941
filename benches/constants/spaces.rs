//! The spaces: those of the test data that can be looked up, and what is in other folders.

use std::path::{Path, PathBuf};

use arco_tvm::codesign::ComputedLayer;
use arco_tvm::measure::recorded::{ReadOptions, RecordedSpace, T1, parse, short_name, unpacked};
use arco_tvm::task::{TargetKind, TaskContext};
use serde::Deserialize;

const LANDSCAPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/landscapes");

/// Every space of the test data but the computed ones, which take minutes, and of these folders.
pub fn read(folders: &[PathBuf], only_those: bool) -> Vec<RecordedSpace> {
    let mut paths = Vec::new();
    if !only_those {
        collect(Path::new(LANDSCAPES), &mut paths);
        paths.retain(|path| {
            !path
                .parent()
                .is_some_and(|folder| folder.ends_with("joint"))
        });
    }
    folders
        .iter()
        .for_each(|folder| collect(folder, &mut paths));
    let (conditions, paths): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| named(path, "_T1.json"));
    let options = ReadOptions {
        conditions: conditions
            .iter()
            .map(|path| T1::read(path).unwrap())
            .collect(),
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
        .flat_map(|path| spaces_in(path, &options))
        .collect()
}

fn spaces_in(path: &Path, options: &ReadOptions) -> Vec<RecordedSpace> {
    #[derive(Deserialize)]
    struct Computed {
        computed_layer: ComputedLayer,
    }
    let bytes = unpacked(path).unwrap();
    if let Ok(Computed { computed_layer }) = serde_json::from_slice(&bytes) {
        let (space, costs) = computed_layer.compute().unwrap();
        let context = TaskContext::bare(TargetKind::Vta);
        return vec![RecordedSpace::computed(
            short_name(path),
            space,
            context,
            costs,
        )];
    }
    parse(path, &bytes, options).unwrap().spaces
}

/// The records below a folder, in the order of their paths.
fn collect(folder: &Path, to: &mut Vec<PathBuf>) {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, to);
        } else if [
            ".json",
            ".jsonl",
            ".log",
            ".json.gz",
            ".jsonl.gz",
            ".log.gz",
        ]
        .iter()
        .any(|ending| named(&path, ending))
        {
            to.push(path);
        }
    }
}

fn named(path: &Path, ending: &str) -> bool {
    path.to_string_lossy().ends_with(ending)
}
