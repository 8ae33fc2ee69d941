//! Our re-implementations against AutoTVM's own tuners, where chance has no part in them.

use std::path::Path;

use arco_tvm::seed::Seed;
use arco_tvm::strategy::StrategyKind;
use arco_tvm::task::ConfigIndex;

use super::{build, recorded};

#[path = "../support/mod.rs"]
mod support;

/// What AutoTVM's tuner of that name measures on a recorded space, in batches of 16.
const SCRIPT: &str = "
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import autotvm_tuners
space = autotvm_tuners.Space(pathlib.Path(sys.argv[2]))
print(json.dumps(autotvm_tuners.run_autotvm(space, sys.argv[3], 0, 100_000)['indices']))
";

fn autotvm(tuner: &str, name: &str) -> Vec<ConfigIndex> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let printed = support::run_python(
        SCRIPT,
        &[
            &root.join("benches"),
            &root.join("tests/data/landscapes").join(name),
            Path::new(tuner),
        ],
    );
    let indices: Vec<u64> = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    indices.into_iter().map(ConfigIndex).collect()
}

fn ours(kind: StrategyKind, name: &str, budget: usize) -> Vec<ConfigIndex> {
    let recorded = recorded(name);
    let mut strategy = build(kind, &recorded.space, Seed(1));
    recorded.indices(strategy.as_mut(), budget)
}

#[test]
fn droplet_measures_what_autotvms_measures_until_that_ends() {
    for (name, least) in [
        ("r18_conv1x1s2_128x28.json.gz", 20),
        ("r18_dense_nopack_512.json.gz", 20),
    ] {
        let theirs = autotvm("droplet", name);
        assert!(theirs.len() >= least, "{name}: {}", theirs.len());
        let ours = ours(StrategyKind::Droplet, name, theirs.len() + 16);
        assert_eq!(ours[..theirs.len()], theirs, "{name}");
    }
}

#[test]
fn grid_measures_what_autotvms_measures() {
    let name = "r18_dense_nopack_512.json.gz";
    let theirs = autotvm("grid", name);
    assert_eq!(theirs.len(), 160);
    assert_eq!(ours(StrategyKind::Grid, name, 200), theirs);
}
