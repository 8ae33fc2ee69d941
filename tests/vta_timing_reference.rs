//! The timing model against a cycle-by-cycle reference, and against the functional model.

mod vta_common;
mod vta_timing_common;

use arco_tvm::vta::config::{Geometry, VtaConfig};
use arco_tvm::vta::func::Machine;
use arco_tvm::vta::generate::{self, ByteChoices};
use arco_tvm::vta::isa::{Insn, Module};
use arco_tvm::vta::program::{self, Program};
use arco_tvm::vta::run;
use arco_tvm::vta::timing::{Executed, Observer, TimingModel};
use proptest::prelude::*;
use vta_timing_common::{golden, stepped};

/// Valid geometries with all buses and bursts.
fn geometry() -> impl Strategy<Value = Geometry> {
    (vta_common::geometry(), 3u32..=8, 1u32..=8).prop_filter_map(
        "violates a rule",
        |(geometry, log_bus, log_burst)| {
            VtaConfig {
                axi_bits: Some(1 << log_bus),
                max_burst: Some(1 << log_burst),
                ..geometry.to_config()
            }
            .geometry()
            .ok()
        },
    )
}

/// The instructions of a generated program, all but FINISH `times` over: generated programs give back the tokens they take.
fn repeated(program: &Program, times: usize) -> Vec<Insn> {
    let mut insns = program.decode(0).unwrap();
    let finish = insns.pop().unwrap();
    let mut all = insns.repeat(times);
    all.push(finish);
    all
}

/// Cycles and left-over tokens of both.
fn compare(insns: &[Insn], geometry: &Geometry) -> Result<(), TestCaseError> {
    let mut model = TimingModel::new(geometry);
    let cycles = model.launch(insns).ok().map(|timing| timing.cycles);
    let mut tokens = [0; 4];
    let reference = stepped::run(insns, geometry, &mut tokens);
    prop_assert_eq!(cycles, reference, "{}", geometry.name());
    Ok(())
}

#[test]
fn golden_programs_take_the_cycles_of_the_reference() {
    let programs = [
        "rtl/C10_i2.json.gz",
        "rtl/C4_i23.json.gz",
        "rtl/odd7x7_i106.json.gz",
        "programs/b8_C10_h7w7c4.json.gz",
        "programs/b8_tiny64_h4w8c1_ovt2.json.gz",
        "programs/b32_C10_h7w7c4.json.gz",
    ];
    for name in programs {
        let program = program::load(golden(name)).unwrap();
        let insns = program.decode(0).unwrap();
        for burst in [16, 256] {
            let geometry = program.geometry.with_max_burst(burst).unwrap();
            compare(&insns, &geometry).unwrap_or_else(|e| panic!("{name}, burst {burst}: {e}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn generated_programs_take_the_cycles_of_the_reference(
        bytes in prop::collection::vec(any::<u8>(), 0..600), times in 1usize..4, g in geometry()
    ) {
        let program = generate::program(&g, &mut ByteChoices::new(&bytes)).unwrap();
        compare(&repeated(&program, times), &g)?;
    }

    #[test]
    fn any_valid_instructions_take_the_cycles_of_the_reference_or_deadlock_with_it(
        bytes in prop::collection::vec(any::<u8>(), 0..400), keep: Vec<bool>, g in geometry()
    ) {
        // Leaving instructions out breaks the balance of the tokens.
        let program = generate::program(&g, &mut ByteChoices::new(&bytes)).unwrap();
        let mut insns = program.decode(0).unwrap();
        let mut keep = keep.into_iter();
        insns.retain(|insn| matches!(insn, Insn::Finish(_)) || keep.next().unwrap_or(true));
        let mut model = TimingModel::new(&g);
        let cycles = model.launch(&insns).ok().map(|timing| timing.cycles);
        // The reference waits long before it gives up, so it is asked only for what it should finish.
        if let Some(cycles) = cycles {
            prop_assert_eq!(Some(cycles), stepped::run(&insns, &g, &mut [0; 4]));
        }
        let mut machine = Machine::new(g);
        let mut dram = run::memory(&program).unwrap();
        prop_assert_eq!(cycles.is_some(), machine.launch(&insns, &mut dram).is_ok());
    }
}

#[test]
fn programs_longer_than_the_queues_take_the_cycles_of_the_reference() {
    // Full queues: what stands behind a blocked instruction waits, for all modules.
    let bytes: Vec<u8> = (0..200u32).map(|i| (i * 37 % 251) as u8).collect();
    for burst in [2, 16, 256] {
        let geometry = Geometry::default().with_max_burst(burst).unwrap();
        for length in [40, 120, 200] {
            let program =
                generate::program(&geometry, &mut ByteChoices::new(&bytes[..length])).unwrap();
            let insns = repeated(&program, 300);
            assert!(insns.len() > 2000, "{}", insns.len());
            compare(&insns, &geometry).unwrap();
        }
    }
}

/// Collects what ends, in order of time; at the same time in order of modules from store to load.
#[derive(Default)]
struct Order(Vec<(u64, u64, Module, u32)>);

impl Observer for Order {
    fn executed(&mut self, executed: Executed<'_>) {
        let Executed {
            module,
            index,
            start,
            end,
            ..
        } = executed;
        self.0.push((end, start, module, index.0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The functional model, led by the timing model's order, computes what it computes alone.
    #[test]
    fn the_order_of_the_timing_model_gives_the_same_memory_and_counters(
        bytes in prop::collection::vec(any::<u8>(), 0..600), g in geometry()
    ) {
        let program = generate::program(&g, &mut ByteChoices::new(&bytes)).unwrap();
        let insns = program.decode(0).unwrap();

        let mut alone = Machine::new(g);
        let mut dram_alone = run::memory(&program).unwrap();
        let mut led = Machine::new(g);
        let mut dram_led = run::memory(&program).unwrap();
        for row in &program.launches[0].dram_in {
            dram_alone.fill(row.addr, &row.bytes).unwrap();
            dram_led.fill(row.addr, &row.bytes).unwrap();
        }
        let outcome = alone.launch(&insns, &mut dram_alone).unwrap();

        let mut order = Order::default();
        let mut model = TimingModel::new(&g);
        let timing = model.launch_with(&insns, &mut order).unwrap();
        for &(_, _, _, index) in &order.0 {
            led.execute(&insns[index as usize], &mut dram_led).unwrap();
        }

        prop_assert_eq!(u64::from(outcome.executed), timing.executed);
        prop_assert_eq!(alone.tokens(), model.tokens().map(u64::from));
        prop_assert_eq!(alone.counters(), led.counters());
        let report = model.report("", vec![timing.cycles]);
        prop_assert_eq!(alone.counters(), report.counters);
        prop_assert_eq!(alone.acc(), led.acc());
        let output = |dram: &mut arco_tvm::vta::func::PagedDram| {
            use arco_tvm::vta::func::Dram;
            let mut bytes = vec![0; generate::OUTPUT_BYTES as usize];
            dram.read(generate::OUTPUT_ADDR, &mut bytes).unwrap();
            bytes
        };
        prop_assert!(output(&mut dram_alone) == output(&mut dram_led));
        // Within a module, instructions end in the order of the stream, one after the other.
        for module in Module::ALL {
            let of: Vec<_> = order.0.iter().filter(|o| o.2 == module).collect();
            for pair in of.windows(2) {
                prop_assert!(pair[0].3 < pair[1].3 && pair[0].0 <= pair[1].1);
            }
        }
    }
}
