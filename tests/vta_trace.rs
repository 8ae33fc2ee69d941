//! Traces and timelines: that they are well formed and show what the timing model reports.

mod vta_timing_common;

use arco_tvm::vta::isa::Module;
use arco_tvm::vta::program;
use arco_tvm::vta::timing::{TimingOptions, TimingReport, simulate, simulate_with};
use arco_tvm::vta::trace::{Recorder, chrome, svg};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use vta_timing_common::golden;

fn record(name: &str, launches: u32) -> (Recorder, TimingReport) {
    let program = program::load(golden(name)).unwrap();
    let options = TimingOptions {
        launches,
        ..TimingOptions::default()
    };
    let mut recorder = Recorder::default();
    let report = simulate_with(&program, &options, &mut recorder).unwrap();
    (recorder, report)
}

fn chrome_events(recorder: &Recorder) -> Vec<Value> {
    let mut bytes = Vec::new();
    chrome::write(recorder, &mut bytes).unwrap();
    let trace: Value = serde_json::from_slice(&bytes).unwrap();
    trace["traceEvents"].as_array().unwrap().clone()
}

#[test]
fn being_watched_changes_nothing() {
    let program = program::load(golden("programs/C4_h28w28c2.json.gz")).unwrap();
    let alone = simulate(&program, &TimingOptions::default()).unwrap();
    assert_eq!(alone, record("programs/C4_h28w28c2.json.gz", 1).1);
}

#[test]
fn instructions_and_waits_of_a_module_fill_its_time_without_gap_or_overlap() {
    let (recorder, report) = record("rtl/tiny_i6.json.gz", 1);
    for (module, timing) in Module::ALL.into_iter().zip(&report.modules) {
        let spans = recorder.spans().iter().filter(|s| s.module == module);
        let waits = recorder.waits().iter().filter(|w| w.module == module);
        let mut pieces: Vec<(u64, u64)> = spans.clone().map(|s| (s.start, s.end)).collect();
        pieces.extend(waits.clone().map(|w| (w.start, w.end)));
        pieces.sort_unstable();
        let mut at = 0;
        for (start, end) in pieces {
            assert_eq!(start, at, "{module}");
            at = end;
        }
        let executing: u64 = spans.map(|s| s.end - s.start).sum();
        assert_eq!(
            executing,
            timing.busy + timing.waiting_for_memory,
            "{module}"
        );
        assert_eq!(
            recorder
                .spans()
                .iter()
                .filter(|s| s.module == module)
                .count() as u64,
            timing.insns
        );
    }
    assert_eq!(recorder.end(), report.cycles);
    assert_eq!(recorder.reads().len() as u64, report.memory.read_requests);
    assert_eq!(recorder.writes().len() as u64, report.memory.write_requests);
}

#[test]
fn the_chrome_trace_has_a_slice_for_each_instruction_and_two_ends_for_each_arrow() {
    let (recorder, report) = record("rtl/tiny_i6.json.gz", 1);
    let events = chrome_events(&recorder);
    let of = |phase: &str, category: &str| -> Vec<&Value> {
        events
            .iter()
            .filter(|e| e["ph"] == phase && (category.is_empty() || e["cat"] == category))
            .collect()
    };
    let insns: u64 = report.modules.iter().map(|m| m.insns).sum();
    assert_eq!(of("X", "insn").len() as u64, insns);
    assert_eq!(of("X", "read").len() as u64, report.memory.read_requests);
    assert_eq!(of("X", "wait").len(), recorder.waits().len());
    let last = of("X", "insn")
        .iter()
        .map(|e| e["ts"].as_u64().unwrap() + e["dur"].as_u64().unwrap())
        .max();
    assert_eq!(last, Some(report.cycles));
    // Every arrow leaves a slice of the giver and arrives at the start of an instruction of the taker.
    let arrows: BTreeMap<u64, &Value> = of("s", "")
        .into_iter()
        .map(|e| (e["id"].as_u64().unwrap(), e))
        .collect();
    assert!(!arrows.is_empty());
    for arrival in of("f", "") {
        let leave = arrows[&arrival["id"].as_u64().unwrap()];
        assert_eq!(leave["name"], arrival["name"]);
        assert!(leave["ts"].as_u64() < arrival["ts"].as_u64());
        let starts = |e: &&Value| e["tid"] == arrival["tid"] && e["ts"] == arrival["ts"];
        assert!(of("X", "insn").iter().any(starts), "{arrival}");
        let at = leave["ts"].as_u64().unwrap();
        let gives = |e: &&Value| {
            let (start, dur) = (e["ts"].as_u64().unwrap(), e["dur"].as_u64().unwrap());
            e["tid"] == leave["tid"] && start <= at && start + dur == at + 1
        };
        assert!(of("X", "insn").iter().any(gives), "{leave}");
    }
}

#[test]
fn launches_follow_each_other_in_the_trace() {
    let (recorder, report) = record("programs/conv_tiny_hvt.json.gz", 2);
    assert_eq!(recorder.end(), report.cycles);
    let of = |launch| recorder.spans().iter().filter(move |s| s.launch == launch);
    assert_eq!(of(0).count(), of(1).count());
    assert!(of(0).all(|s| s.end <= report.launches[0]));
    assert!(of(1).all(|s| s.start >= report.launches[0]));
}

#[test]
fn what_does_not_fit_is_left_out_and_counted() {
    let program = program::load(golden("programs/conv_tiny_hvt.json.gz")).unwrap();
    let mut recorder = Recorder::new(10);
    simulate_with(&program, &TimingOptions::default(), &mut recorder).unwrap();
    assert_eq!(recorder.spans().len(), 10);
    assert!(recorder.dropped() > 100);
    let picture = svg::render(&recorder, &svg::SvgOptions::default());
    assert!(picture.contains("events left out"));
}

#[test]
fn the_timeline_is_well_formed_and_shows_every_instruction_of_its_window() {
    for name in ["rtl/tiny_i6.json.gz", "rtl/C10_i162.json.gz"] {
        let (recorder, report) = record(name, 1);
        let window = 1000..3000;
        let options = svg::SvgOptions {
            window: Some(window.clone()),
            title: "a < b & \"c\"".to_owned(),
            ..svg::SvgOptions::default()
        };
        let picture = svg::render(&recorder, &options);
        let document = roxmltree::Document::parse(&picture).unwrap();
        let titles: Vec<&str> = document
            .descendants()
            .filter(|node| node.has_tag_name("title"))
            .filter_map(|node| node.text())
            .collect();
        let inside = recorder
            .spans()
            .iter()
            .filter(|s| s.start < window.end && s.end > window.start);
        assert!(inside.clone().count() > 10, "{name}");
        for span in inside {
            let start = format!("{} {}: ", span.index, span.insn);
            assert!(
                titles.iter().any(|t| t.starts_with(&start)),
                "{name}: {start}"
            );
        }
        let text: Vec<&str> = document
            .descendants()
            .filter(|node| node.has_tag_name("text"))
            .filter_map(|node| node.text())
            .collect();
        assert!(text.contains(&format!("a < b & \"c\"  {} cycles", report.cycles).as_str()));
        for lane in ["load", "compute", "store", "reads", "writes"] {
            assert!(text.contains(&lane), "{lane}");
        }
        assert!(text.iter().any(|t| t.starts_with("store->compute (")));
        // Nothing is drawn beyond the picture.
        let width: f64 = document
            .root_element()
            .attribute("width")
            .unwrap()
            .parse()
            .unwrap();
        for rect in document
            .descendants()
            .filter(|node| node.has_tag_name("rect"))
        {
            let number = |name: &str| rect.attribute(name).and_then(|v| v.parse::<f64>().ok());
            if let (Some(x), Some(w)) = (number("x"), number("width")) {
                assert!(x >= 0.0 && x + w <= width, "{x} + {w}");
            }
        }
    }
}

#[test]
fn an_empty_recording_and_an_odd_window_still_make_a_picture() {
    let empty = Recorder::default();
    let (short, _) = record("programs/conv_1x1_s2.json.gz", 1);
    for recorder in [&empty, &short] {
        for window in [
            None,
            Some(0..0),
            Some(u64::MAX - 1..u64::MAX),
            Some(Range { start: 5, end: 3 }),
        ] {
            let options = svg::SvgOptions {
                window,
                width: 0,
                ..svg::SvgOptions::default()
            };
            roxmltree::Document::parse(&svg::render(recorder, &options)).unwrap();
        }
        assert!(chrome_events(recorder).len() >= 6);
    }
}
