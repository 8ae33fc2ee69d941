//! Every golden program gives the memory, counters and tokens of the original simulator, on every GEMM path.

mod vta_common;

use arco_tvm::vta::func::GemmPath;
use arco_tvm::vta::run::{RunOptions, run};
use vta_common::golden_programs;

fn paths(geometry: &arco_tvm::vta::config::Geometry) -> impl Iterator<Item = GemmPath> {
    GemmPath::ALL
        .into_iter()
        .filter(|path| path.is_available(geometry))
}

#[test]
fn programs_with_memory_leave_the_golden_memory_and_counters() {
    for (name, program) in golden_programs("programs") {
        for path in paths(&program.geometry) {
            let options = RunOptions {
                path: Some(path),
                ..RunOptions::default()
            };
            let report = run(&program, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(report.path, path);
            assert!(report.memory_compared > 0, "{name} compares nothing");
            assert_eq!(
                report.memory_mismatches, 0,
                "{name} on {path:?}: {:?}",
                report.mismatches
            );
            assert_eq!(
                Some(report.counters),
                program.expected.counters,
                "{name} on {path:?}"
            );
            assert_eq!(
                report.executed,
                program.insn_count() as u64,
                "{name} on {path:?}"
            );
        }
    }
}

#[test]
fn timing_only_programs_run_to_finish_with_the_golden_counters_and_tokens() {
    for (name, program) in golden_programs("rtl") {
        let report =
            run(&program, &RunOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(Some(report.counters), program.expected.counters, "{name}");
        assert_eq!(
            Some(report.tokens_end),
            program.expected.tokens_end,
            "{name}"
        );
        assert_eq!(report.executed, program.insn_count() as u64, "{name}");
    }
}

#[test]
fn a_padded_convolution_leaves_a_surplus_token_that_the_next_launch_finds() {
    let program = golden_programs("programs")
        .into_iter()
        .find_map(|(name, program)| (name == "conv_tiny_pad3x3.json.gz").then_some(program))
        .unwrap();
    let once = run(&program, &RunOptions::default()).unwrap();
    assert_eq!(once.tokens_end, [0, 0, 0, 1]);
    let thrice = run(
        &program,
        &RunOptions {
            launches: 3,
            ..RunOptions::default()
        },
    )
    .unwrap();
    assert_eq!(thrice.tokens_end, [0, 0, 0, 3]);
    assert_eq!(thrice.memory_mismatches, 0);
    assert_eq!(thrice.counters_match, Some(true));
}
