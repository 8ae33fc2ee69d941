//! What holds of every strategy on any space, however small, odd or hostile.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use arco_tvm::record::ErrorNo;
use arco_tvm::seed::Seed;
use arco_tvm::strategy::{
    Chameleon, ChameleonConstants, Observation, Outcome, PolicyConstants, Strategy, StrategyKind,
    WalkConstants,
};
use arco_tvm::task::{ConfigIndex, ConfigSpace, Entity, Knob, KnobKind, ValidityFilter};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Strategy as _;

/// Which configurations a space's filter lets through.
#[derive(Clone, Copy, Debug)]
enum Filter {
    Absent,
    /// Those whose digits, scrambled, come out below this of 8.
    Some(u64),
    One,
    Nothing,
}

impl Filter {
    fn lets(self, index: u64, length: u64) -> bool {
        match self {
            Self::Absent => true,
            Self::Some(eighths) => scramble(index) % 8 < eighths,
            Self::One => index == length * 2 / 3,
            Self::Nothing => false,
        }
    }
}

struct Asked(Filter, u64);

impl ValidityFilter for Asked {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        Ok(indices
            .iter()
            .map(|index| self.0.lets(index.0, self.1))
            .collect())
    }
}

/// What measuring gives.
#[derive(Clone, Copy, Debug)]
enum Device {
    Costs,
    Equal,
    /// NaN, infinity, zero, negative and denormal numbers among the costs, and failures.
    Odd,
    Fails,
}

impl Device {
    fn measure(self, index: ConfigIndex) -> Outcome {
        let cost = 1e-4 * (1 + scramble(index.0) % 1000) as f64;
        match self {
            Self::Costs => Outcome::Cost(cost),
            Self::Equal => Outcome::Cost(1e-3),
            Self::Fails => Outcome::Failed(ErrorNo::CompileHost),
            Self::Odd => match scramble(index.0) % 9 {
                0 => Outcome::Cost(f64::NAN),
                1 => Outcome::Cost(f64::INFINITY),
                2 => Outcome::Cost(0.0),
                3 => Outcome::Cost(-1.0),
                4 => Outcome::Cost(5e-324),
                5 => Outcome::Failed(ErrorNo::RuntimeDevice),
                _ => Outcome::Cost(cost),
            },
        }
    }
}

const fn scramble(x: u64) -> u64 {
    let x = (x ^ 0x5555_5555).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^ (x >> 29)
}

#[derive(Clone, Debug)]
struct Case {
    sizes: Vec<usize>,
    filter: Filter,
    device: Device,
    /// How many are asked for in turn.
    batches: Vec<usize>,
    /// Results that are held back while more is asked for.
    outstanding: usize,
    /// Every so many configurations, one is known from an earlier log.
    log: Option<u64>,
    seed: u64,
}

fn cases() -> impl proptest::strategy::Strategy<Value = Case> {
    let sizes = prop::collection::vec(1usize..8, 1..5)
        .prop_filter("small enough to visit all", |sizes| {
            sizes.iter().product::<usize>() <= 240
        });
    let filter = prop_oneof![
        3 => Just(Filter::Absent),
        3 => (1u64..8).prop_map(Filter::Some),
        1 => Just(Filter::One),
        1 => Just(Filter::Nothing),
    ];
    let device = select(vec![
        Device::Costs,
        Device::Equal,
        Device::Odd,
        Device::Fails,
    ]);
    let batches = prop::collection::vec(select(vec![1usize, 7, 16, 64, 500]), 1..4);
    let outstanding = select(vec![0usize, 0, 3, 40]);
    let log = prop_oneof![2 => Just(None), 1 => (2u64..9).prop_map(Some)];
    (
        sizes,
        filter,
        device,
        batches,
        outstanding,
        log,
        any::<u64>(),
    )
        .prop_map(
            |(sizes, filter, device, batches, outstanding, log, seed)| Case {
                sizes,
                filter,
                device,
                batches,
                outstanding,
                log,
                seed,
            },
        )
}

fn space(sizes: &[usize], filter: Filter) -> Arc<ConfigSpace> {
    let knobs = sizes.iter().enumerate().map(|(k, &size)| {
        let values = (0..size).map(|v| match k % 3 {
            0 => Entity::Split(vec![-1, 1 << v]),
            1 => Entity::Other(serde_json::json!(v)),
            _ => Entity::Other(serde_json::json!(v % 2 == 0)),
        });
        let kind = if k % 3 == 0 {
            KnobKind::Split
        } else {
            KnobKind::Other
        };
        Knob::new(format!("knob_{k}"), kind, values.collect()).unwrap()
    });
    let space = ConfigSpace::new(knobs.collect()).unwrap();
    let length = space.range_length();
    Arc::new(match filter {
        Filter::Absent => space,
        filter => space.with_filter(Arc::new(Asked(filter, length))),
    })
}

/// As it is built everywhere; but for `chameleon`, which would learn for seconds.
fn build(kind: StrategyKind, space: &Arc<ConfigSpace>, seed: u64) -> Box<dyn Strategy> {
    let (space, seed) = (Arc::clone(space), Seed(seed));
    if kind != StrategyKind::Chameleon {
        return super::build(kind, &space, seed);
    }
    let constants = ChameleonConstants {
        first: 16,
        walks: WalkConstants {
            walks: 4,
            ..WalkConstants::default()
        },
        policy: PolicyConstants {
            minibatch: 4,
            ..PolicyConstants::default()
        },
        ..ChameleonConstants::default()
    };
    Box::new(Chameleon::new(space, seed, constants))
}

/// Asks until nothing is left; what was asked for, in order.
fn drive(kind: StrategyKind, case: &Case) -> Result<Vec<ConfigIndex>, TestCaseError> {
    let space = space(&case.sizes, case.filter);
    let length = space.range_length();
    let mut strategy = build(kind, &space, case.seed);
    let observe = |index| Observation {
        index,
        outcome: case.device.measure(index),
    };
    let log: Vec<ConfigIndex> = case
        .log
        .map(|step| {
            (0..length)
                .step_by(step as usize)
                .map(ConfigIndex)
                .collect()
        })
        .unwrap_or_default();
    let told: Vec<Observation> = log.iter().copied().map(observe).collect();
    strategy.tell(&told).unwrap();

    let mut asked = Vec::new();
    let mut seen: HashSet<ConfigIndex> = log.into_iter().collect();
    let mut waiting = VecDeque::new();
    for &n in case.batches.iter().cycle() {
        let batch = strategy.ask(n).unwrap();
        prop_assert!(batch.len() <= n, "{}: {} of {n}", kind, batch.len());
        if batch.is_empty() {
            break;
        }
        for proposal in batch {
            let index = proposal.index;
            prop_assert!(seen.insert(index), "{}: {} again", kind, index);
            prop_assert!(case.filter.lets(index.0, length), "{}: {}", kind, index);
            asked.push(index);
            waiting.push_back(index);
        }
        while waiting.len() > case.outstanding {
            let index = waiting.pop_front().unwrap();
            strategy.tell(&[observe(index)]).unwrap();
        }
    }
    let valid: BTreeSet<ConfigIndex> = (0..length)
        .filter(|&index| case.filter.lets(index, length))
        .map(ConfigIndex)
        .collect();
    let missed: Vec<_> = valid.iter().filter(|index| !seen.contains(index)).collect();
    prop_assert!(missed.is_empty(), "{}: never asked for {:?}", kind, missed);
    prop_assert!(strategy.ask(1).unwrap().is_empty(), "{}: more", kind);
    Ok(asked)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_strategy_asks_once_for_all_that_is_valid_and_unknown(case in cases()) {
        for kind in StrategyKind::ALL {
            drive(kind, &case)?;
        }
    }

    #[test]
    fn every_strategy_repeats_itself_from_its_seed(case in cases()) {
        for kind in StrategyKind::ALL {
            let first = drive(kind, &case)?;
            prop_assert_eq!(first, drive(kind, &case)?, "{}", kind);
        }
    }
}

#[test]
fn a_configuration_that_the_space_does_not_have_is_refused() {
    let space = space(&[3, 4], Filter::Absent);
    for kind in StrategyKind::ALL {
        let mut strategy = build(kind, &space, 1);
        let stranger = Observation {
            index: ConfigIndex(12),
            outcome: Outcome::Cost(1.0),
        };
        if kind != StrategyKind::Grid && kind != StrategyKind::Random {
            assert!(strategy.tell(&[stranger]).is_err(), "{kind}");
        }
    }
}

#[test]
fn a_billion_configurations_of_which_none_is_valid_come_to_an_end() {
    let space = space(&[8; 10], Filter::Nothing);
    assert!(space.range_length() > 1_000_000_000);
    for kind in StrategyKind::ALL {
        let mut strategy = build(kind, &space, 1);
        assert!(strategy.ask(16).unwrap().is_empty(), "{kind}");
    }
}

#[test]
fn nothing_asked_for_is_nothing() {
    let space = space(&[3, 4], Filter::Absent);
    for kind in StrategyKind::ALL {
        assert!(build(kind, &space, 1).ask(0).unwrap().is_empty(), "{kind}");
    }
}
