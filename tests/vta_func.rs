//! The functional model against a plain reference, and what it says about programs that are wrong.

mod vta_common;

use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::func::{
    Blocked, Counters, Dram, ExecError, FuncError, GemmPath, Machine, PagedDram, Unmapped,
};
use arco_tvm::vta::generate::{self, ByteChoices, Choices};
use arco_tvm::vta::isa::text::parse_insn;
use arco_tvm::vta::isa::{Insn, InsnIndex, Mem, Module, RawInsn, Token, decode};
use arco_tvm::vta::program::Program;
use arco_tvm::vta::run;
use proptest::prelude::*;
use vta_common::geometry;
use vta_common::reference::Reference;

/// Everything of a run that can be observed.
#[derive(PartialEq, Debug)]
struct Observed {
    output: Vec<u8>,
    acc: Vec<i32>,
    counters: Counters,
    tokens: [u64; 4],
}

fn observe(program: &Program, path: GemmPath, pick: Option<&[u8]>) -> Observed {
    let mut machine = Machine::with_path(program.geometry, path);
    assert_eq!(machine.path(), path);
    let mut dram = run::memory(program).unwrap();
    for (number, launch) in program.launches.iter().enumerate() {
        for row in &launch.dram_in {
            dram.fill(row.addr, &row.bytes).unwrap();
        }
        let insns = program.decode(number).unwrap();
        let outcome = match pick {
            None => machine.launch(&insns, &mut dram),
            Some(bytes) => {
                let mut choices = ByteChoices::new(bytes);
                machine.launch_with(&insns, &mut dram, |ready| {
                    choices.below(ready.len() as u64) as usize
                })
            }
        };
        assert_eq!(outcome.unwrap().unexecuted, 0);
    }
    let mut output = vec![0; generate::OUTPUT_BYTES as usize];
    dram.read(generate::OUTPUT_ADDR, &mut output).unwrap();
    Observed {
        output,
        acc: machine.acc().to_vec(),
        counters: machine.counters(),
        tokens: machine.tokens(),
    }
}

fn expect(program: &Program) -> Observed {
    let mut reference = Reference::new(program.geometry, 0x10_0000);
    reference.run(program);
    let output = generate::OUTPUT_ADDR as usize;
    Observed {
        output: reference.dram[output..output + generate::OUTPUT_BYTES as usize].to_vec(),
        acc: reference.acc.concat(),
        counters: reference.counters,
        tokens: reference.tokens(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_path_does_what_the_reference_does_on_every_geometry(
        bytes in prop::collection::vec(any::<u8>(), 0..600), g in geometry()
    ) {
        let program = generate::program(&g, &mut ByteChoices::new(&bytes)).unwrap();
        let expected = expect(&program);
        for path in GemmPath::ALL.into_iter().filter(|path| path.is_available(&g)) {
            prop_assert!(observe(&program, path, None) == expected, "{path:?} on {}", g.name());
        }
    }

    #[test]
    fn vector_paths_give_the_reference_s_bits_on_int8_geometries(
        bytes in prop::collection::vec(any::<u8>(), 100..1200),
        shape in (0u32..=1, 1u32..=6, 3u32..=6),
    ) {
        let (batch, block_in, block_out) = shape;
        let name = format!("{}x{}x{}_i8w8a32_12_{}_{}_{}", 1 << batch, 1 << block_in, 1 << block_out,
            8 + batch + block_in, 6 + block_in + block_out, 10 + batch + block_out);
        let g = Geometry::from_name(&name).unwrap();
        let program = generate::program(&g, &mut ByteChoices::new(&bytes)).unwrap();
        let expected = expect(&program);
        for path in GemmPath::ALL.into_iter().filter(|path| path.is_available(&g)) {
            prop_assert!(observe(&program, path, None) == expected, "{path:?} on {}", g.name());
        }
    }

    #[test]
    fn every_interleaving_that_tokens_allow_gives_the_same_result(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        order in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let g = Geometry::default();
        let program = generate::program(&g, &mut ByteChoices::new(&bytes)).unwrap();
        let path = GemmPath::detect(&g);
        prop_assert!(observe(&program, path, None) == observe(&program, path, Some(&order)));
    }

    #[test]
    fn random_bits_never_crash_or_hang(words in prop::collection::vec(any::<u128>(), 0..40), g in geometry()) {
        let mut machine = Machine::new(g);
        machine.set_max_operations(10_000);
        let mut dram = PagedDram::new(Unmapped::Zero);
        let insns: Vec<Insn> =
            words.iter().filter_map(|&word| decode(RawInsn(word), &g).ok()).collect();
        let _ = machine.launch(&insns, &mut dram);
    }

    #[test]
    fn a_valid_program_with_one_flipped_bit_never_crashes_or_hangs(
        bytes in prop::collection::vec(any::<u8>(), 0..400), at: usize, bit in 0u32..128, g in geometry()
    ) {
        let mut program = generate::program(&g, &mut ByteChoices::new(&bytes)).unwrap();
        let insns = &mut program.launches[0].insns;
        let at = at % insns.len();
        insns[at].0 ^= 1 << bit;
        let options = run::RunOptions { max_operations: 100_000, ..run::RunOptions::default() };
        let _ = run::run(&program, &options);
    }
}

fn launch(text: &[&str]) -> Result<arco_tvm::vta::func::Outcome, FuncError> {
    let insns: Vec<Insn> = text.iter().map(|line| parse_insn(line).unwrap()).collect();
    Machine::new(Geometry::default()).launch(&insns, &mut PagedDram::new(Unmapped::Error))
}

fn exec_error(text: &[&str]) -> (InsnIndex, ExecError) {
    match launch(text) {
        Err(FuncError::Exec { index, source }) => (index, source),
        other => panic!("expected an execution error, got {other:?}"),
    }
}

#[test]
fn a_deadlock_names_each_module_s_head_and_the_token_it_waits_for() {
    let error = launch(&[
        "nop.load <compute",
        "gemm uops=0..1 <load <store",
        "nop.store >compute",
        "nop.store <compute",
        "finish",
    ])
    .unwrap_err();
    let FuncError::Deadlock(deadlock) = &error else {
        panic!("{error}")
    };
    let Blocked::Waiting(load) = &deadlock.modules[Module::Load.index()] else {
        panic!()
    };
    assert_eq!(
        (load.index, &load.waits_for[..]),
        (InsnIndex(0), &[Token::ComputeToLoad][..])
    );
    let Blocked::Waiting(compute) = &deadlock.modules[Module::Compute.index()] else {
        panic!()
    };
    assert_eq!(
        (compute.index, &compute.waits_for[..]),
        (InsnIndex(1), &[Token::LoadToCompute][..])
    );
    let Blocked::Waiting(store) = &deadlock.modules[Module::Store.index()] else {
        panic!()
    };
    assert_eq!(
        (store.index, &store.waits_for[..]),
        (InsnIndex(3), &[Token::ComputeToStore][..])
    );
    let text = error.to_string();
    for part in [
        "compute waits for load->compute at #1 `gemm",
        "load waits for compute->load at #0",
        "store waits for compute->store at #3",
    ] {
        assert!(text.contains(part), "`{part}` not in `{text}`");
    }
}

#[test]
fn a_program_without_finish_is_a_deadlock_that_says_so() {
    let error = launch(&["nop.load"]).unwrap_err().to_string();
    assert!(
        error.contains("compute has no instruction left") && error.contains("add a finish"),
        "{error}"
    );
    assert!(launch(&[]).is_err());
}

#[test]
fn what_stands_behind_finish_is_reported_as_not_executed() {
    let outcome = launch(&["finish", "nop.compute", "nop.load", "nop.store <compute"]).unwrap();
    assert_eq!((outcome.executed, outcome.unexecuted), (2, 2));
}

#[test]
fn an_unmapped_address_is_an_error_with_the_instruction_and_the_row() {
    let (index, error) = exec_error(&[
        "nop.compute",
        "load.acc dram=0x40 y=1 x=1 stride=1",
        "finish",
    ]);
    assert_eq!(index, InsnIndex(1));
    assert!(matches!(error, ExecError::Dram { row: 0, .. }));
    assert!(error.to_string().contains("0x1000"), "{error}");
}

#[test]
fn ranges_beyond_a_buffer_are_errors_with_the_numbers() {
    let cases = [
        (
            "load.inp sram=2040 y=1 x=9 stride=9",
            "inp elements 2040..2049 leave the inp buffer of 2048",
        ),
        ("load.uop sram=8192 x=1 y=1", "uop elements 8192..8193"),
        ("store.out sram=2047 y=2 x=1", "out elements 2047..2049"),
        ("load.out x=1 y=1", "the out buffer cannot be loaded"),
        ("store.acc x=1 y=1", "STORE of acc is not possible"),
        (
            "gemm uops=8190..8193",
            "micro-operations 8190..8193 leave the buffer of 8192",
        ),
        (
            "gemm uops=0..1 outer=3 dst=1024,0",
            "dst reaches acc element 2048; the buffer has 2048",
        ),
        (
            "gemm uops=0..1 inner=3 src=0,1024",
            "src reaches inp element 2048",
        ),
        (
            "gemm uops=0..1 inner=2 outer=2 wgt=1000,24",
            "wgt reaches wgt element 1024",
        ),
        (
            "alu.add uops=0..1 inner=2 outer=2 src=2000,48",
            "src reaches acc element 2048",
        ),
    ];
    for (line, expected) in cases
        .into_iter()
        .filter(|(_, expected)| !expected.is_empty())
    {
        let (index, error) = exec_error(&[line, "finish"]);
        assert_eq!(index, InsnIndex(0));
        assert!(
            error.to_string().contains(expected),
            "`{error}` does not say `{expected}`"
        );
    }
}

#[test]
fn an_immediate_operation_does_not_care_where_src_would_lead() {
    assert!(launch(&["alu.add uops=0..1 inner=3 src=0,2000 imm=1", "finish"]).is_ok());
    assert!(
        launch(&[
            "gemm.reset uops=0..1 inner=3 src=0,2000 wgt=0,1000",
            "finish"
        ])
        .is_ok()
    );
}

#[test]
fn endless_work_is_refused_at_the_limit() {
    let (_, error) = exec_error(&["gemm uops=0..8192 outer=16383 inner=16383", "finish"]);
    assert!(
        matches!(
            error,
            ExecError::Operations {
                operations: 2_198_754_828_288,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn skipping_execution_still_counts_and_still_loads_micro_operations() {
    let mut machine = Machine::new(Geometry::default());
    machine.set_skip_execution(true);
    let mut dram = PagedDram::new(Unmapped::Error);
    dram.fill(0x1000, &7u32.to_le_bytes()).unwrap();
    let text = [
        "load.uop dram=0x400 y=1 x=1 stride=1",
        "load.inp dram=0x7000000 y=2 x=3 stride=3 pad=1,1,1,1",
        "alu.add uops=0..1 inner=5 dst=0,1 src=0,1 imm=1",
        "store.out dram=0x7000000 y=1 x=1 stride=1",
        "finish",
    ];
    let insns: Vec<Insn> = text.iter().map(|line| parse_insn(line).unwrap()).collect();
    machine.launch(&insns, &mut dram).unwrap();
    let expected = Counters {
        uop_load_nbytes: 4,
        inp_load_nbytes: 96,
        alu_counter: 5,
        out_store_nbytes: 16,
        ..Counters::default()
    };
    assert_eq!(machine.counters(), expected);
    assert!(machine.acc().iter().all(|&value| value == 0));
    // Executed for real, the micro-operation that was loaded shows.
    machine.set_skip_execution(false);
    machine.launch(&[insns[2], insns[4]], &mut dram).unwrap();
    let lanes = 16;
    assert_eq!(machine.acc()[7 * lanes], 1);
    assert_eq!(machine.acc()[0], 0);
}

#[test]
fn buffers_and_tokens_persist_between_launches() {
    let mut machine = Machine::new(Geometry::default());
    let mut dram = PagedDram::new(Unmapped::Zero);
    let insn = |text| parse_insn(text).unwrap();
    machine
        .launch(
            &[insn("alu.add uops=0..1 imm=5 >load"), insn("finish")],
            &mut dram,
        )
        .unwrap();
    assert_eq!(machine.tokens(), [0, 1, 0, 0]);
    machine
        .launch(
            &[
                insn("nop.load <compute"),
                insn("alu.mul uops=0..1 imm=3"),
                insn("finish"),
            ],
            &mut dram,
        )
        .unwrap();
    assert_eq!(machine.tokens(), [0; 4]);
    assert_eq!(machine.acc()[..16], [15; 16]);
}

#[test]
fn memory_is_found_across_pages_and_at_high_addresses() {
    for addr in [4090u64, (1 << 32) - 10, 1 << 43, u64::MAX - 20] {
        let mut dram = PagedDram::new(Unmapped::Error);
        let data: Vec<u8> = (1..=20).collect();
        dram.fill(addr, &data).unwrap();
        let mut found = vec![0; 20];
        dram.read(addr, &mut found).unwrap();
        assert_eq!(found, data);
    }
    let mut dram = PagedDram::new(Unmapped::Error);
    dram.fill(0x5000, &[1]).unwrap();
    dram.fill(0x4000, &[2; 0x1001]).unwrap();
    let mut found = vec![0; 0x1001];
    dram.read(0x4000, &mut found).unwrap();
    assert_eq!(found, vec![2; 0x1001]);
    assert!(dram.read(0x5fff, &mut [0; 2]).is_err());
    assert!(dram.write(0x3fff, &[0; 2]).is_err());
    assert!(dram.fill(u64::MAX, &[0; 2]).is_err());
}

#[test]
fn the_default_buffers_hold_what_the_specification_says() {
    let machine = Machine::new(Geometry::default());
    assert_eq!(machine.acc().len(), machine.geometry().depth(Mem::Acc) * 16);
}
