//! Runs on recorded spaces, and what they are held against.

use std::path::Path;

use arco_tvm::measure::recorded::{ReadOptions, RecordedSpace, read};
use arco_tvm::replay::{
    Before, CpuClock, Curves, History, HistoryLine, Job, ReplayError, RunKey, Yardstick, draw,
    mean, median, read_histories, replay, run_all,
};
use arco_tvm::strategy::StrategyKind;

use super::{recorded, recorded_with};

fn run(space: &RecordedSpace, kind: StrategyKind, seed: u64, budget: usize) -> History {
    run_ahead(space, kind, seed, budget, 0)
}

fn run_ahead(
    space: &RecordedSpace,
    kind: StrategyKind,
    seed: u64,
    budget: usize,
    lookahead: usize,
) -> History {
    let before = Before::default();
    replay(
        &Job {
            space,
            strategy: kind,
            seed,
            budget,
            lookahead,
            before,
        },
        CpuClock::Thread,
    )
    .unwrap()
}

#[test]
fn a_run_evaluates_its_budget_without_repetition_and_only_what_the_space_allows() {
    let space = recorded_with(
        "gpu/dedispersion_W6600.json.gz",
        Some("gpu/dedispersion_T1.json"),
        true,
    );
    for kind in StrategyKind::ALL {
        for budget in [1, 7, 100] {
            let history = run(&space, kind, 3, budget);
            let mut indices: Vec<_> = history
                .evaluations
                .iter()
                .map(|(index, _)| *index)
                .collect();
            let asked = indices.len();
            assert_eq!(asked, budget, "{kind}");
            assert!(
                space
                    .space
                    .valid(&indices)
                    .unwrap()
                    .into_iter()
                    .all(|valid| valid)
            );
            indices.sort_unstable();
            indices.dedup();
            assert_eq!(indices.len(), asked, "{kind}");
        }
    }
}

#[test]
fn a_budget_of_nothing_is_no_evaluation_and_one_that_exceeds_the_space_ends_with_it() {
    let space = recorded("r18_dense_nopack_512.json.gz");
    for kind in StrategyKind::ALL {
        assert!(run(&space, kind, 0, 0).evaluations.is_empty());
        let history = run(&space, kind, 0, 1000);
        let asked = history.evaluations.len();
        assert_eq!(asked, 160, "{kind}");
        let yardstick = Yardstick::new(&space, 1000).unwrap();
        let curve = yardstick.curve(&history);
        assert_eq!((curve.len(), curve[159], curve[999]), (1000, 1.0, 1.0));
    }
}

#[test]
fn the_same_seed_makes_the_same_run_on_any_number_of_threads() {
    let spaces = [
        recorded("vta/C5.jsonl.gz"),
        recorded("r18_conv1x1s2_128x28.json.gz"),
    ];
    let jobs: Vec<Job<'_>> = spaces
        .iter()
        .flat_map(|space| {
            let strategies = StrategyKind::ALL.into_iter();
            strategies.flat_map(move |strategy| {
                (0..3).map(move |seed| Job {
                    space,
                    strategy,
                    seed,
                    budget: 48,
                    lookahead: 0,
                    before: Before::default(),
                })
            })
        })
        .collect();
    let runs = |threads| {
        let mut evaluations = Vec::new();
        run_all(&jobs, threads, |position, history| {
            assert_eq!(
                position,
                evaluations.len(),
                "results come in the order of jobs"
            );
            evaluations.push(history.evaluations);
            Ok::<(), ReplayError>(())
        })
        .unwrap();
        evaluations
    };
    let one = runs(1);
    assert_eq!(one.len(), jobs.len());
    assert_eq!(one, runs(4));
}

#[test]
fn random_search_comes_to_its_expectation_and_so_to_a_score_of_nothing() {
    let space = recorded_with(
        "gpu/convolution_A100.json.gz",
        Some("gpu/convolution_T1.json"),
        true,
    );
    let yardstick = Yardstick::new(&space, 256).unwrap();
    // What the landscape's README found for 50, 100 and 200 draws.
    for (draws, expected) in [(50, 0.673), (100, 0.724), (200, 0.780)] {
        assert!((yardstick.expectation[draws - 1] - expected).abs() < 5e-4);
    }
    let curves: Vec<Vec<f64>> = (0..300)
        .map(|seed| yardstick.curve(&run(&space, StrategyKind::Random, seed, 256)))
        .collect();
    for n in [1, 16, 100, 256] {
        let reached: Vec<f64> = curves.iter().map(|curve| curve[n - 1]).collect();
        let expected = yardstick.expectation[n - 1];
        // Shares spread by 0.1 to 0.2, so the mean of 300 by 0.01.
        assert!((mean(&reached) - expected).abs() < 0.03, "{n} draws");
    }
    let scores: Vec<f64> = curves
        .iter()
        .map(|curve| yardstick.score(curve).unwrap())
        .collect();
    assert!(mean(&scores).abs() < 0.06, "{}", mean(&scores));
}

#[test]
fn random_search_needs_as_many_evaluations_as_were_found_by_others() {
    // r18_conv1x1s2: 93 evaluations to 95 % in the median over 20 seeds.
    let space = recorded("r18_conv1x1s2_128x28.json.gz");
    let yardstick = Yardstick::new(&space, 256).unwrap();
    let found: Vec<f64> = (0..400)
        .map(|seed| {
            let curve = yardstick.curve(&run(&space, StrategyKind::Random, seed, 256));
            yardstick.evaluations_to(&curve, 0.95).unwrap_or(256) as f64
        })
        .collect();
    assert!(
        (75.0..115.0).contains(&median(&found)),
        "{}",
        median(&found)
    );
}

#[test]
fn the_best_and_the_worst_runs_have_the_scores_that_the_definition_gives() {
    let space = recorded("r18_conv1x1s2_128x28.json.gz");
    let yardstick = Yardstick::new(&space, 300).unwrap();
    assert_eq!(yardstick.scored(), 15..256);
    assert_eq!(yardstick.score(&[1.0; 300]), Some(1.0));
    let score = yardstick.score(&yardstick.expectation).unwrap();
    assert!(score.abs() < 1e-12);
    // Halfway between random search and the optimum everywhere.
    let halfway: Vec<f64> = yardstick
        .expectation
        .iter()
        .map(|e| (1.0 + e) / 2.0)
        .collect();
    assert!((yardstick.score(&halfway).unwrap() - 0.5).abs() < 1e-12);
    // In a small space the score ends before random search has found everything.
    let small = recorded("r18_dense_nopack_512.json.gz");
    let scored = Yardstick::new(&small, 300).unwrap().scored();
    assert!(scored.start == 15 && scored.end < 160, "{scored:?}");
    // And a budget below 16 has none.
    let short = Yardstick::new(&space, 15).unwrap();
    assert_eq!(short.score(&[1.0; 15]), None);
}

#[test]
fn simulated_time_is_what_the_record_says() {
    let space = recorded("r18_dense_nopack_512.json.gz");
    let history = run(&space, StrategyKind::Grid, 0, 160);
    // The sum of `all_cost` over the log.
    assert!((history.measuring_seconds().unwrap() - 330.242568731308).abs() < 1e-6);
    let vta = run(&recorded("vta/C4.jsonl.gz"), StrategyKind::Grid, 0, 10);
    assert_eq!(vta.measuring_seconds(), None);
}

#[test]
fn with_evaluations_in_flight_a_run_still_evaluates_its_budget_and_learns_later() {
    let space = recorded("r18_conv1x1s2_128x28.json.gz");
    for kind in StrategyKind::ALL {
        let mut indices: Vec<_> = run_ahead(&space, kind, 3, 60, 16)
            .evaluations
            .iter()
            .map(|(index, _)| *index)
            .collect();
        indices.sort_unstable();
        indices.dedup();
        assert_eq!(indices.len(), 60, "{kind}");
    }
    // What is asked for at random does not depend on what was learnt; what is chosen does.
    let asked = |kind, lookahead| run_ahead(&space, kind, 3, 60, lookahead).evaluations;
    assert_eq!(
        asked(StrategyKind::Random, 0),
        asked(StrategyKind::Random, 16)
    );
    assert_ne!(asked(StrategyKind::Arco, 0), asked(StrategyKind::Arco, 16));
}

#[test]
fn a_run_survives_its_json_and_a_changed_space_is_noticed() {
    let space = recorded("vta/C5.jsonl.gz");
    let whole = recorded_with("vta/C5.jsonl.gz", None, false);
    let history = run(&whole, StrategyKind::Random, 1, 40);
    let key = RunKey {
        space: "C5".to_owned(),
        strategy: "random".to_owned(),
        seed: 1,
        budget: 40,
        others: 0,
        lookahead: 0,
    };
    let line = HistoryLine::new(key.clone(), false, &history);
    assert!(line.costs.contains(&None) && line.costs.iter().any(Option::is_some));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.jsonl");
    let text = serde_json::to_string(&line).unwrap();
    std::fs::write(&path, format!("{text}\n{}", &text[..50])).unwrap();
    let read = read_histories(&path, false).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(
        read[&key].history(&whole).unwrap().evaluations,
        history.evaluations
    );
    assert!(read_histories(&path, true).unwrap().is_empty());
    assert!(
        read_histories(Path::new("/nowhere/runs"), true)
            .unwrap()
            .is_empty()
    );
    // The optimum's cost differs in another space.
    let other = HistoryLine {
        costs: vec![Some(1.0); 40],
        ..line
    };
    assert_eq!(other.history(&space), None);
}

#[test]
fn spaces_where_all_is_equal_or_all_fails_have_no_score_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.json");
    let cache = |time: &str| {
        let entries: Vec<String> = (0..40)
            .map(|x| format!("\"{x}\": {{\"x\": {x}, \"time\": {time}}}"))
            .collect();
        let values: Vec<String> = (0..40).map(|x| x.to_string()).collect();
        format!(
            "{{\"tune_params\": {{\"x\": [{}]}}, \"cache\": {{{}}}}}",
            values.join(","),
            entries.join(",")
        )
    };
    let space = |time| {
        std::fs::write(&path, cache(time)).unwrap();
        read(&path, &ReadOptions::default())
            .unwrap()
            .spaces
            .remove(0)
    };
    let equal = space("2.5");
    let failed = space("\"RuntimeFailedConfig\"");
    let yardstick = Yardstick::new(&equal, 64).unwrap();
    assert_eq!(yardstick.score(&[1.0; 64]), None);
    assert!(Yardstick::new(&failed, 64).is_none());
    for kind in StrategyKind::ALL {
        for space in [&equal, &failed] {
            let asked = run(space, kind, 0, 64).evaluations.len();
            assert_eq!(asked, 40, "{kind}");
        }
        let curve = yardstick.curve(&run(&equal, kind, 0, 64));
        assert_eq!(yardstick.evaluations_to(&curve, 0.99), Some(1));
    }
}

#[test]
fn the_picture_is_svg_with_a_line_and_a_band_for_each_strategy() {
    let panel = |title: &str| Curves {
        title: title.to_owned(),
        expectation: vec![0.2, 0.4, 0.6],
        strategies: vec![
            (
                "one".to_owned(),
                vec![vec![0.0, 0.5, 0.9], vec![0.3, 0.5, 1.0]],
            ),
            ("two <&>".to_owned(), vec![vec![0.1, 0.1, 0.2]; 2]),
        ],
    };
    let svg = draw(&[panel("first"), panel("second & last")]).unwrap();
    let tree = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> = tree
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text())
        .map(str::trim)
        .collect();
    for text in [
        "first",
        "second & last",
        "one",
        "two <&>",
        "evaluations",
        "random search, expected",
    ] {
        assert!(texts.contains(&text), "{text}: {texts:?}");
    }
    let bands = tree
        .descendants()
        .filter(|node| node.has_tag_name("polygon"))
        .count();
    assert_eq!(bands, 4);
}
