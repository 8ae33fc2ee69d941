//! The timing model against the RTL: golden records, micro-benchmarks and memory traces.

mod vta_timing_common;

use arco_tvm::vta::config::Mem;
use arco_tvm::vta::isa::{Insn, Module};
use arco_tvm::vta::program;
use arco_tvm::vta::timing::{
    Bound, Observer, ReadRequest, TimingOptions, TimingReport, WriteRequest, simulate,
    simulate_with,
};
use std::io::Read;
use vta_timing_common::{
    RtlRecord, alu, cycles, finish, gemm, golden, load, micro_benchmarks, nop, rows, rtl_records,
    store,
};

fn timed() -> Vec<(RtlRecord, TimingReport)> {
    rtl_records()
        .into_iter()
        .map(|record| {
            let report = simulate(&record.program, &record.options())
                .unwrap_or_else(|e| panic!("{}: {e}", record.name));
            (record, report)
        })
        .collect()
}

#[test]
fn the_cycles_of_every_rtl_record_are_exact() {
    let all = timed();
    assert_eq!(all.len(), 58);
    for (record, report) in all {
        assert_eq!(
            report.cycles, record.cycles,
            "{} on {}",
            record.name, record.rtl
        );
    }
}

#[test]
fn what_bounds_a_program_is_the_unit_that_is_hardly_ever_free() {
    let mut seen = Vec::new();
    for (record, report) in timed() {
        let bound = report.bound_by().unwrap();
        let share = |cycles: u64| cycles as f64 / report.cycles as f64;
        let occupied = |module: Module| {
            let timing = report.modules.iter().find(|m| m.module == module).unwrap();
            share(timing.busy + timing.waiting_for_memory)
        };
        let name = &record.name;
        match bound {
            Bound::MacArray | Bound::VectorUnit => {
                assert!(occupied(Module::Compute) >= 0.7, "{name}");
            }
            Bound::Memory => {}
            Bound::Dependencies => {
                assert!(report.utilisation < 0.7, "{name}");
                assert!(occupied(Module::Load) < 0.7, "{name}");
            }
        }
        if report.utilisation >= 0.7 {
            assert_eq!(bound, Bound::MacArray, "{name}");
        }
        seen.push(bound);
    }
    assert!(
        seen.contains(&Bound::MacArray) && seen.contains(&Bound::Memory),
        "{seen:?}"
    );
}

#[test]
fn requests_and_beats_are_those_of_the_rtl() {
    for (record, report) in timed() {
        let (name, memory) = (&record.name, &report.memory);
        assert_eq!(memory.read_requests, record.read_requests, "{name}");
        assert_eq!(memory.read_beats, record.read_beats, "{name}");
        assert_eq!(memory.write_requests, record.write_requests, "{name}");
        assert_eq!(memory.write_beats, record.write_beats, "{name}");
    }
}

#[test]
fn counters_and_left_over_tokens_are_those_of_the_files() {
    for (record, report) in timed() {
        let expected = &record.program.expected;
        assert_eq!(Some(report.counters), expected.counters, "{}", record.name);
        if let Some(tokens) = expected.tokens_end {
            assert_eq!(report.tokens_end.map(u64::from), tokens, "{}", record.name);
        }
    }
}

#[test]
fn the_cycles_of_every_module_add_up_to_those_of_the_program() {
    for (record, report) in timed() {
        for module in &report.modules {
            let name = module.module;
            assert_eq!(module.total(), report.cycles, "{} {name}", record.name);
            assert!(module.padding <= module.busy, "{} {name}", record.name);
        }
    }
}

#[test]
fn every_micro_benchmark_is_exact() {
    let all = micro_benchmarks();
    assert_eq!(all.len(), 63);
    for (name, insns, expected) in all {
        assert_eq!(cycles(&insns, 16), Ok(expected), "{name}");
    }
}

/// A memory trace of the RTL, as `(cycle, read, address, beats, tag)`; writes carry no tag.
type TraceLine = (u64, bool, u64, u32, Option<u8>);

fn rtl_trace(name: &str) -> Vec<TraceLine> {
    let file = std::fs::File::open(golden(&format!("traces/{name}.mem.txt.gz"))).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text.lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let cycle = words.next().unwrap().parse().unwrap();
            let read = words.next() == Some("RD");
            let value =
                |word: Option<&str>| word.and_then(|w| Some(w.split_once('=')?.1.to_owned()));
            let addr = u64::from_str_radix(&value(words.next()).unwrap(), 16).unwrap();
            let beats = value(words.next()).unwrap().parse().unwrap();
            let tag = value(words.next()).map(|tag| tag.parse().unwrap());
            (cycle, read, addr, beats, tag.filter(|_| read))
        })
        .collect()
}

#[derive(Default)]
struct Requests {
    reads: Vec<TraceLine>,
    writes: Vec<TraceLine>,
}

impl Observer for Requests {
    fn read(&mut self, r: ReadRequest) {
        let (addr, beats) = (r.burst.addr, r.burst.beats);
        self.reads.push((r.start, true, addr, beats, Some(r.tag)));
    }
    fn write(&mut self, w: WriteRequest) {
        let (addr, beats) = (w.burst.addr, w.burst.beats);
        self.writes.push((w.start, false, addr, beats, None));
    }
}

#[test]
fn every_memory_request_of_the_rtl_traces_agrees_in_cycle_address_length_and_tag() {
    // The traces count from a reset before the launch. A read is listed when its service starts, a write when memory sees
    // it, one cycle after the store module asks.
    const LAUNCH: u64 = 34;
    for name in ["C10_i2", "C7_i642", "P1_i617"] {
        let program = program::load(golden(&format!("rtl/{name}.json.gz"))).unwrap();
        let options = TimingOptions {
            max_burst: Some(16),
            insn_base: 0x6000_0000,
            ..TimingOptions::default()
        };
        let mut model = Requests::default();
        simulate_with(&program, &options, &mut model).unwrap();
        let (reads, writes): (Vec<_>, Vec<_>) =
            rtl_trace(name).into_iter().partition(|&(_, read, ..)| read);
        let kinds = [
            ("read", LAUNCH, reads, model.reads),
            ("write", LAUNCH + 1, writes, model.writes),
        ];
        for (kind, offset, rtl, model) in kinds {
            assert_eq!(rtl.len(), model.len(), "{name}: {kind}s");
            for (number, (rtl, mut model)) in rtl.into_iter().zip(model).enumerate() {
                model.0 += offset;
                assert_eq!(rtl, model, "{name}: {kind} {number}");
            }
        }
    }
}

/// Cycles of `insns` and FINISH with each of the two bursts of the tables.
fn table(insns: &[Insn]) -> [u64; 2] {
    let insns = [insns, &[finish()]].concat();
    [16, 256].map(|burst| cycles(&insns, burst).unwrap())
}

/// The same for a load or store that compute waits for.
fn with_sync(insn: Insn) -> [u64; 2] {
    let pop = match insn.module() {
        Module::Load => "p<",
        _ => "p>",
    };
    table(&[insn, nop(Module::Compute, pop)])
}

#[test]
fn the_tables_of_single_instructions_are_exact_with_both_bursts() {
    // micro_de10.txt and micro_pynq.txt, "FINISH only" to "LOAD UOP odd addr".
    assert_eq!(table(&[]), [25, 25]);
    let nops = [
        (1, 29, 29),
        (2, 33, 33),
        (4, 41, 41),
        (6, 49, 49),
        (7, 53, 53),
        (8, 70, 57),
        (15, 98, 85),
        (16, 115, 89),
        (32, 205, 153),
    ];
    for (count, de10, pynq) in nops {
        let insns = vec![nop(Module::Compute, ""); count];
        assert_eq!(table(&insns), [de10, pynq], "{count} NOPs");
    }
    let uops = [
        (1, 50),
        (2, 50),
        (16, 57),
        (32, 65),
        (64, 81),
        (128, 113),
        (512, 305),
    ];
    for (count, expected) in uops {
        let insn = load(Mem::Uop, 1, count, count, "");
        assert_eq!(table(&[insn]), [expected; 2], "LOAD UOP {count}");
    }
    for (count, expected) in [(1, 50), (2, 51)] {
        let mut m = rows(Mem::Uop, 1, count, count, "");
        m.dram_base += 1;
        assert_eq!(table(&[Insn::Load(m)]), [expected; 2], "odd, {count}");
    }
    // The tables give GEMM and ALU as the difference to FINISH alone.
    let gemms = [
        (1, 1, 1, 10),
        (1, 1, 2, 11),
        (1, 1, 16, 25),
        (1, 16, 16, 265),
        (4, 16, 16, 1033),
        (16, 1, 1, 25),
        (16, 4, 4, 265),
    ];
    for (uops, outer, inner, expected) in gemms {
        for reset in [false, true] {
            let insn = gemm(uops, outer, inner, reset, "");
            assert_eq!(
                table(&[insn]),
                [25 + expected; 2],
                "GEMM {uops} {outer} {inner}"
            );
        }
    }
    for (iterations, immediate, tensor) in
        [(1, 10, 11), (2, 11, 13), (16, 25, 41), (1024, 1033, 2057)]
    {
        assert_eq!(table(&[alu(iterations, true)]), [25 + immediate; 2]);
        assert_eq!(table(&[alu(iterations, false)]), [25 + tensor; 2]);
    }
}

#[test]
fn the_tables_of_copies_are_exact_with_both_bursts() {
    // rows, elements, stride; INP, WGT, ACC; STORE on de10, on pynq.
    let copies = [
        (1, 1, 1, 56, 86, 58, 38, 38),
        (1, 2, 2, 58, 118, 66, 41, 41),
        (1, 8, 8, 70, 310, 114, 59, 59),
        (1, 16, 16, 86, 566, 178, 86, 83),
        (1, 64, 64, 182, 2102, 562, 248, 227),
        (2, 8, 8, 86, 566, 178, 86, 86),
        (8, 8, 8, 182, 2102, 562, 248, 248),
        (8, 8, 56, 182, 2102, 562, 248, 248),
        (16, 16, 56, 566, 8246, 2098, 896, 851),
        (4, 1, 8, 62, 182, 82, 56, 56),
    ];
    for (y, x, stride, inp, wgt, acc, de10, pynq) in copies {
        let name = format!("y={y} x={x} stride={stride}");
        assert_eq!(
            with_sync(load(Mem::Inp, y, x, stride, "u>")),
            [inp; 2],
            "INP {name}"
        );
        assert_eq!(
            with_sync(load(Mem::Wgt, y, x, stride, "u>")),
            [wgt; 2],
            "WGT {name}"
        );
        assert_eq!(
            table(&[load(Mem::Acc, y, x, stride, "")]),
            [acc; 2],
            "ACC {name}"
        );
        assert_eq!(
            with_sync(store(y, x, stride, "u<")),
            [de10, pynq],
            "STORE {name}"
        );
    }
    let pads = [
        ([0, 0, 0, 0], 182),
        ([1, 0, 0, 0], 183),
        ([0, 1, 0, 0], 182),
        ([0, 0, 1, 0], 182),
        ([0, 0, 0, 1], 182),
        ([1, 1, 1, 1], 198),
    ];
    for (pad, expected) in pads {
        let mut m = rows(Mem::Inp, 8, 8, 8, "u>");
        [m.y_pad_0, m.y_pad_1, m.x_pad_0, m.x_pad_1] = pad;
        assert_eq!(with_sync(Insn::Load(m)), [expected; 2], "{pad:?}");
    }
    let mut unaligned = rows(Mem::Inp, 1, 8, 8, "u>");
    unaligned.dram_base += 1;
    assert_eq!(with_sync(Insn::Load(unaligned)), [70, 70]);
    let serial = [
        load(Mem::Inp, 1, 64, 64, ""),
        load(Mem::Wgt, 1, 9, 9, "u>"),
        nop(Module::Compute, "p<"),
    ];
    assert_eq!(table(&serial), [495, 495]);
    assert_eq!(with_sync(load(Mem::Wgt, 1, 9, 9, "u>")), [342, 342]);
    let two = [gemm(1, 1, 16, false, ""), gemm(1, 1, 16, false, "")];
    assert_eq!(table(&two), [25 + 50; 2]);
}

#[test]
fn marginal_cycles_per_instruction_are_exact_with_both_bursts() {
    // "Steady state": behind LOAD UOP of 64, the difference between 32 and 96 instructions over 64.
    let marginal = |insn: Insn| {
        let total = |count: usize| {
            let mut insns = vec![load(Mem::Uop, 1, 64, 64, "")];
            insns.extend(vec![insn; count]);
            table(&insns)
        };
        let (few, many) = (total(32), total(96));
        [0, 1].map(|burst| (many[burst] - few[burst]) as f64 / 64.0)
    };
    let gemm256 = gemm(1, 16, 16, false, "");
    assert_eq!(marginal(gemm256), [263.0, 265.0]);
    assert_eq!(marginal(alu(256, true)), [263.0, 265.0]);
    assert_eq!(marginal(alu(256, false)), [519.0, 521.0]);
    assert_eq!(marginal(load(Mem::Acc, 1, 4, 4, "")), [55.0, 57.0]);
    assert_eq!(marginal(load(Mem::Uop, 1, 64, 64, "")), [54.0, 56.0]);
    assert_eq!(marginal(load(Mem::Inp, 1, 64, 64, "")), [18.875, 2.671875]);
    assert_eq!(marginal(load(Mem::Wgt, 1, 9, 9, "")), [20.4375, 2.671875]);
    assert_eq!(marginal(store(1, 8, 8, "")), [5.625, 2.671875]);
    assert_eq!(marginal(nop(Module::Compute, "")), [5.625, 4.0]);

    // "Marginal per instr within first fetch batch": two cycles of fetch on top.
    let within = |insn: Insn| {
        let (one, two) = (table(&[insn]), table(&[insn, insn]));
        [0, 1].map(|burst| two[burst] - one[burst])
    };
    assert_eq!(within(gemm(1, 1, 16, false, "")), [25; 2]);
    assert_eq!(within(alu(16, true)), [25; 2]);
    assert_eq!(within(alu(16, false)), [41; 2]);
    assert_eq!(within(nop(Module::Compute, "")), [4; 2]);
    assert_eq!(within(load(Mem::Uop, 1, 16, 16, "")), [32; 2]);
    assert_eq!(within(load(Mem::Acc, 1, 4, 4, "")), [57; 2]);
}
