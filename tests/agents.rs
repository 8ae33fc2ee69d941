//! The agents on landscapes that are known, without a device.

use std::sync::Arc;

use arco_tvm::agents::{
    Environment, Landscape, Ownership, Role, Standing, Team, TeamConstants, explore,
};
use arco_tvm::seed::Seed;
use arco_tvm::task::{ConfigSpace, Digits, Entity, Knob, KnobKind, TargetKind, TaskContext};

/// Two knobs for each agent, ten values each.
fn space() -> Arc<ConfigSpace> {
    let names = [
        "tile_oc",
        "tile_co",
        "unroll_kw",
        "unroll_kh",
        "tile_ow",
        "tile_oh",
    ];
    let knobs = names
        .map(|name| {
            let values = (0..10).map(|v| Entity::Split(vec![-1, 1 << v])).collect();
            Knob::new(name, KnobKind::Split, values).unwrap()
        })
        .to_vec();
    Arc::new(ConfigSpace::new(knobs).unwrap())
}

fn environment(ownership: Ownership) -> Environment {
    Environment::new(space(), &TaskContext::bare(TargetKind::Cpu), ownership)
}

/// Agents that learn in tens of rounds; by default they need hundreds, since what they learn of one plan is stale in the
/// next.
fn quick() -> TeamConstants {
    TeamConstants {
        learning_rate: 3e-3,
        entropy: 0.01,
        ..TeamConstants::default()
    }
}

/// The larger every knob, the better, and everything is valid.
struct Slope;

impl Landscape for Slope {
    fn look(&mut self, configs: &[Digits]) -> candle_core::Result<Vec<Standing>> {
        let standings = configs.iter().map(|digits| Standing {
            score: digits
                .iter()
                .map(|&d| f64::from(d) / 27.0 - 1.0 / 6.0)
                .sum::<f64>(),
            uncertainty: 0.0,
            validity: 1.0,
        });
        Ok(standings.collect())
    }
}

/// Best in the middle: every move from there leads down.
struct Peak;

impl Landscape for Peak {
    fn look(&mut self, configs: &[Digits]) -> candle_core::Result<Vec<Standing>> {
        let standings = configs.iter().map(|digits| Standing {
            score: -digits
                .iter()
                .map(|&d| f64::from(d.abs_diff(4)))
                .sum::<f64>()
                / 10.0,
            uncertainty: 0.0,
            validity: 1.0,
        });
        Ok(standings.collect())
    }
}

/// Mean score of what walks from the middle come by.
fn round(team: &mut Team, environment: &Environment) -> f64 {
    let starts = vec![vec![4; 6]; team.constants().walks];
    let explored = explore(team, environment, &mut Slope, starts, 0.0).unwrap();
    explored.iter().map(|e| e.standing.score).sum::<f64>() / explored.len() as f64
}

#[test]
fn agents_learn_to_walk_uphill() {
    let environment = environment(Ownership::ByRole);
    let mut team = Team::new(quick(), false, Seed(1)).unwrap();
    let first: f64 = (0..3).map(|_| round(&mut team, &environment)).sum::<f64>() / 3.0;
    for _ in 0..30 {
        round(&mut team, &environment);
    }
    let last: f64 = (0..3).map(|_| round(&mut team, &environment)).sum::<f64>() / 3.0;
    assert!(
        last > first + 0.2,
        "mean score before {first:.3}, after {last:.3}"
    );
}

#[test]
fn agents_that_start_at_the_best_do_not_learn_to_stay_there() {
    let environment = environment(Ownership::ByRole);
    let come_by_after = |rounds, stale_penalty| {
        let constants = TeamConstants {
            stale_penalty,
            ..quick()
        };
        let mut team = Team::new(constants, false, Seed(1)).unwrap();
        let mut explored = 0;
        for _ in 0..=rounds {
            let starts = vec![vec![4; 6]; constants.walks];
            explored = explore(&mut team, &environment, &mut Peak, starts, 0.0)
                .unwrap()
                .len();
        }
        explored
    };
    let penalty = quick().stale_penalty;
    let (first, last) = (come_by_after(0, penalty), come_by_after(60, penalty));
    assert!(
        last > first,
        "{first} configurations at first, {last} at last"
    );
    let without = come_by_after(60, 0.0);
    assert!(
        without < first / 2,
        "{first} configurations at first, {without} at last: the penalty makes no difference"
    );
}

#[test]
fn what_was_learned_on_one_task_helps_on_the_next() {
    let environment = environment(Ownership::ByRole);
    let mut fresh = Team::new(quick(), false, Seed(2)).unwrap();
    let mut trained = Team::new(quick(), false, Seed(2)).unwrap();
    for _ in 0..30 {
        round(&mut trained, &environment);
    }
    // Another task: other values of the same knobs.
    let other = {
        let knobs = environment
            .space()
            .knobs()
            .iter()
            .map(|knob| {
                let values = (0..7).map(|v| Entity::Split(vec![-1, 3 << v])).collect();
                Knob::new(knob.name(), KnobKind::Split, values).unwrap()
            })
            .collect();
        let space = Arc::new(ConfigSpace::new(knobs).unwrap());
        Environment::new(
            space,
            &TaskContext::bare(TargetKind::Cpu),
            Ownership::ByRole,
        )
    };
    assert!(round(&mut trained, &other) > round(&mut fresh, &other) + 0.1);
}

#[test]
fn a_hardware_agent_without_knobs_leaves_them_as_they_are() {
    let environment = environment(Ownership::WithoutHardware);
    let mut team = Team::new(quick(), false, Seed(3)).unwrap();
    assert!(environment.axes_of(Role::Hardware).is_empty());
    let starts = vec![vec![4; 6]; team.constants().walks];
    let explored = explore(&mut team, &environment, &mut Slope, starts, 0.0).unwrap();
    assert!(explored.iter().all(|e| e.digits[..2] == [4, 4]));
    assert!(explored.iter().any(|e| e.digits[2..] != [4; 4]));
}

#[test]
fn the_same_seed_walks_the_same_way() {
    let walk = |seed| {
        let environment = environment(Ownership::ByRole);
        let mut team = Team::new(quick(), false, Seed(seed)).unwrap();
        let starts = vec![vec![4; 6]; team.constants().walks];
        (0..4)
            .flat_map(|_| {
                explore(&mut team, &environment, &mut Slope, starts.clone(), 0.0).unwrap()
            })
            .map(|e| (e.index, e.value.to_bits()))
            .collect::<Vec<_>>()
    };
    assert_eq!(walk(5), walk(5));
    assert_ne!(walk(5), walk(6));
}

#[test]
fn one_agent_can_own_every_knob() {
    let environment = environment(Ownership::One);
    assert_eq!(environment.axes_of(Role::Mapping).len(), 6);
}
