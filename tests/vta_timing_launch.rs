//! What the timing model does with bad programs, several launches, and options; and that it is deterministic.

mod vta_common;
mod vta_timing_common;

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::func::ExecError;
use arco_tvm::vta::isa::{Insn, InsnIndex, Module, RawInsn, Token, decode};
use arco_tvm::vta::program::{self, Program};
use arco_tvm::vta::timing::{FetchStall, Stuck, TimingError, TimingModel, TimingOptions, simulate};
use proptest::prelude::*;
use vta_timing_common::{cycles, finish, gemm, golden, load, nop, rows, store};

fn text(source: &str) -> Program {
    let source = format!(".config 1x16_i8w8a32_15_15_18_17\n.code\n{source}");
    program::read(source.as_bytes()).unwrap()
}

#[test]
fn a_deadlock_names_each_head_and_the_token_it_waits_for() {
    let insns = [
        load(Mem::Inp, 1, 1, 1, "p>u>"),
        gemm(1, 1, 1, false, "p<p>u<"),
        store(1, 1, 1, "p<u<"),
        finish(),
    ];
    let error = cycles(&insns, 16).unwrap_err();
    let TimingError::Deadlock {
        launch: 0,
        deadlock,
    } = &error
    else {
        panic!("{error}")
    };
    let heads: Vec<_> = deadlock
        .modules
        .iter()
        .map(|stuck| match stuck {
            Stuck::Waiting(head) => (head.index, head.waits_for.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (InsnIndex(0), vec![Token::ComputeToLoad]),
        (
            InsnIndex(1),
            vec![Token::LoadToCompute, Token::StoreToCompute],
        ),
        (InsnIndex(2), vec![Token::ComputeToStore]),
    ];
    assert_eq!(heads, expected);
    let message = error.to_string();
    assert!(
        message.starts_with(
            "launch 0: deadlock before FINISH; load waits for compute->load at #0 `load.inp"
        ),
        "{message}"
    );
    assert!(
        message.contains("compute waits for load->compute and store->compute at #1 `gemm"),
        "{message}"
    );
}

#[test]
fn a_program_without_finish_is_an_error_that_says_so() {
    for insns in [vec![], vec![nop(Module::Compute, "")]] {
        let message = cycles(&insns, 16).unwrap_err().to_string();
        assert!(
            message.contains("compute has no instruction left"),
            "{message}"
        );
        assert!(message.ends_with("add a finish instruction"), "{message}");
    }
}

#[test]
fn a_queue_filled_by_waiting_instructions_keeps_fetch_from_what_would_free_them() {
    // Load waits for a token that compute gives; 512 loads fit, the 513th stands before the giver.
    let program = |loads: usize| {
        let mut insns = vec![load(Mem::Inp, 1, 1, 1, "p>")];
        insns.extend(vec![nop(Module::Load, ""); loads - 1]);
        insns.extend([nop(Module::Compute, "u<"), finish()]);
        insns
    };
    assert!(cycles(&program(512), 16).is_ok());
    let error = cycles(&program(513), 16).unwrap_err();
    let TimingError::Deadlock { deadlock, .. } = &error else {
        panic!("{error}")
    };
    let stall = FetchStall {
        index: InsnIndex(512),
        module: Module::Load,
        depth: 512,
    };
    assert_eq!(deadlock.fetch, Some(stall));
    assert!(
        matches!(&deadlock.modules[1], Stuck::NotFetched(head) if head.index == InsnIndex(513))
    );
    let message = error.to_string();
    assert!(
        message.contains("compute waits for fetch to reach #513 `nop.compute"),
        "{message}"
    );
    assert!(
        message.contains("fetch is stuck at #512 because the load queue holds 512 instructions"),
        "{message}"
    );
}

#[test]
fn what_an_instruction_cannot_do_is_an_error_with_its_number() {
    let exec = |insn: Insn| match cycles(&[nop(Module::Compute, ""), insn, finish()], 16) {
        Err(TimingError::Exec {
            launch: 0,
            index: InsnIndex(1),
            source,
        }) => source,
        other => panic!("{other:?}"),
    };
    let mut high = rows(Mem::Inp, 2, 1024, 1024, "");
    high.sram_base = 1;
    let expected = ExecError::SramRange {
        mem: Mem::Inp,
        first: 1,
        count: 2048,
        depth: 2048,
    };
    assert_eq!(exec(Insn::Load(high)), expected);
    let mut padded = rows(Mem::Acc, 1, 2040, 2040, "");
    padded.x_pad_1 = 9;
    assert!(matches!(
        exec(Insn::Load(padded)),
        ExecError::SramRange { count: 2049, .. }
    ));
    assert!(matches!(
        exec(store(65535, 65535, 1, "")),
        ExecError::SramRange { .. }
    ));
    assert_eq!(
        exec(load(Mem::Out, 1, 1, 1, "")),
        ExecError::LoadMem(Mem::Out)
    );
    assert_eq!(
        exec(Insn::Store(rows(Mem::Acc, 1, 1, 1, ""))),
        ExecError::StoreMem(Mem::Acc)
    );
    let expected = ExecError::UopRange {
        bgn: 0,
        end: 8193,
        depth: 8192,
    };
    assert_eq!(exec(gemm(8193, 1, 1, false, "")), expected);
}

#[test]
fn bits_that_are_no_instruction_are_an_error_with_launch_and_number() {
    let mut program = text("nop.compute\nfinish");
    program.launches[0].insns[1] = RawInsn(7);
    let message = simulate(&program, &TimingOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("launch 0: instruction #1: opcode 7"),
        "{message}"
    );
}

#[test]
fn the_longest_instructions_are_summed_without_overflow() {
    let longest = gemm(8192, 16383, 16383, false, "");
    let each = 8192 * 16383 * 16383 + 7;
    let insns = [longest, longest, longest, finish()];
    let total = cycles(&insns, 16).unwrap();
    assert_eq!(
        total
            - cycles(
                &[
                    nop(Module::Compute, ""),
                    nop(Module::Compute, ""),
                    nop(Module::Compute, ""),
                    finish()
                ],
                16
            )
            .unwrap(),
        3 * (each - 2)
    );
}

#[test]
fn tokens_persist_between_launches_and_saturate_at_255() {
    let geometry = Geometry::default();
    let mut model = TimingModel::new(&geometry);
    let give = [
        nop(Module::Load, "u>"),
        nop(Module::Compute, "p<"),
        nop(Module::Load, "u>"),
        nop(Module::Compute, "p<"),
        nop(Module::Load, "u>"),
        finish(),
    ];
    model.launch(&give).unwrap();
    assert_eq!(model.tokens(), [1, 0, 0, 0]);
    // The first instruction takes the token that the launch before left.
    let take = [nop(Module::Compute, "p<"), finish()];
    assert_eq!(model.launch(&take).unwrap().cycles, 29);
    assert_eq!(model.tokens(), [0; 4]);
    assert!(model.launch(&take).is_err());

    let mut model = TimingModel::new(&geometry);
    let mut many = vec![nop(Module::Compute, "u>"); 300];
    many.push(finish());
    model.launch(&many).unwrap();
    assert_eq!(model.tokens(), [0, 0, 255, 0]);
}

#[test]
fn launches_count_cycles_from_zero_and_add_up() {
    let program = program::load(golden("programs/conv_tiny_hvt.json.gz")).unwrap();
    let options = TimingOptions {
        launches: 3,
        ..TimingOptions::default()
    };
    let report = simulate(&program, &options).unwrap();
    assert_eq!(report.launches, [4747; 3]);
    assert_eq!(report.cycles, 3 * 4747);
    let stats = program.expected.counters.unwrap();
    assert_eq!(report.counters.gemm_counter, 3 * stats.gemm_counter);
    let share = stats.gemm_counter as f64 / 4747.0;
    assert!((report.utilisation - share).abs() < 1e-12);
}

#[test]
fn burst_and_clock_can_be_chosen_and_impossible_ones_are_refused() {
    let program = program::load(golden("programs/conv_tiny_hvt.json.gz")).unwrap();
    let with = |max_burst, clock_mhz| {
        let options = TimingOptions {
            max_burst,
            clock_mhz,
            ..TimingOptions::default()
        };
        simulate(&program, &options)
    };
    let report = with(Some(256), Some(200)).unwrap();
    assert_eq!(
        (report.cycles, report.max_burst, report.clock_mhz),
        (4780, 256, 200)
    );
    assert!((report.seconds - 4780.0 / 200e6).abs() < 1e-15);
    let message = with(Some(17), None).unwrap_err().to_string();
    assert!(message.contains("17 beats"), "{message}");
    assert!(with(None, Some(0)).is_err());
}

#[test]
fn a_wider_bus_makes_copies_shorter_and_computation_the_same() {
    let on = |bus: u32, insns: &[Insn]| {
        let mut config = Geometry::default().to_config();
        config.axi_bits = Some(bus);
        let geometry = config.geometry().unwrap();
        TimingModel::new(&geometry).launch(insns).unwrap().cycles
    };
    let copy = [
        load(Mem::Wgt, 1, 9, 9, "u>"),
        nop(Module::Compute, "p<"),
        finish(),
    ];
    // 9 weights are 288 beats of 8 bytes or 144 of 16; fetch reads 3 instructions in 6 or 3 beats.
    assert_eq!(on(64, &copy) - on(128, &copy), 144 + 3);
    let work = [gemm(1, 16, 16, false, ""), finish()];
    assert_eq!(on(64, &work) - on(128, &work), 2);
}

#[test]
fn the_report_tells_waiting_for_tokens_from_waiting_for_memory() {
    // Compute waits for a load of 128 beats; the load itself waits only for the memory's latency.
    let program = text(
        "load.inp sram=0 dram=0x8000 y=1 x=64 stride=64 push_next\nnop.compute pop_prev\nfinish",
    );
    let report = simulate(&program, &TimingOptions::default()).unwrap();
    let [load, compute, store] = &report.modules[..] else {
        panic!("three modules")
    };
    assert_eq!(report.cycles, 182);
    // Fetch: 18 to the first beat, 6 beats, 3 to hand out, then one cycle to each module.
    assert_eq!(
        (load.waiting_for_fetch, compute.waiting_for_fetch),
        (28, 29)
    );
    assert_eq!((load.busy, load.waiting_for_memory), (128, 23));
    assert_eq!(compute.waiting_for_token["load->compute"], 182 - 29 - 3);
    assert_eq!(compute.busy, 3);
    assert_eq!((store.drained, store.busy), (182, 0));
    assert_eq!(report.memory.read_beats_by_client["fetch"], 6);
    assert_eq!(report.memory.read_beats_by_client["inp"], 128);
    // It is also what goes out as JSON.
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        json["modules"][1]["waiting_for_token"]["load->compute"],
        150
    );
    assert_eq!(json["modules"][0]["classes"]["load_inp"]["cycles"], 151);
}

#[test]
fn load_and_store_finish_what_they_can_after_finish_without_adding_cycles() {
    let insns = [nop(Module::Store, "u<"), store(16, 16, 56, "u<"), finish()];
    let mut model = TimingModel::new(&Geometry::default());
    let timing = model.launch(&insns).unwrap();
    assert_eq!(timing.cycles, 25 + 2 * 2 + 2);
    assert_eq!(model.tokens(), [0, 0, 0, 2]);
}

proptest! {
    #[test]
    fn random_bits_never_crash_or_hang_and_repeat(
        words in prop::collection::vec(any::<u128>(), 0..40), g in vta_common::geometry()
    ) {
        let insns: Vec<Insn> =
            words.iter().filter_map(|&word| decode(RawInsn(word), &g).ok()).chain([finish()]).collect();
        let once = TimingModel::new(&g).launch(&insns);
        prop_assert_eq!(&once, &TimingModel::new(&g).launch(&insns));
    }

    #[test]
    fn a_flipped_bit_of_a_golden_program_never_crashes_or_hangs(at: usize, bit in 0u32..128) {
        let mut program = program::load(golden("programs/conv_1x1_s2.json.gz")).unwrap();
        let insns = &mut program.launches[0].insns;
        let at = at % insns.len();
        insns[at].0 ^= 1 << bit;
        let _ = simulate(&program, &TimingOptions::default());
    }
}
