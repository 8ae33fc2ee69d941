//! `ga`: AutoTVM's genetic algorithm (`autotvm.tuner.GATuner` of TVM 0.19).
//!
//! The genes are the knobs' digits. A generation is measured, the best few of it are kept as parents, and the next
//! one comes from crossover at one point and mutation of single knobs.

use std::collections::HashMap;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::seed::Seed;
use crate::task::{ConfigIndex, ConfigSpace, Digits};

use super::plan::{Plan, Planner};
use super::random::{MOST_DRAWS_IN_VAIN, Random};
use super::{Observation, Proposal, Strategy, StrategyError, StrategyKind, Why};

/// Constants of [`Genetic`]; the defaults are AutoTVM's.
#[derive(Clone, Copy, Debug)]
pub struct GeneticConstants {
    /// Genes in a generation (`pop_size`).
    pub population: usize,
    /// How many of the best stay parents (`elite_num`).
    pub elites: usize,
    /// Probability that a child's knob is drawn anew (`mutation_prob`).
    pub mutation: f64,
}

impl Default for GeneticConstants {
    fn default() -> Self {
        Self {
            population: 100,
            elites: 3,
            mutation: 0.1,
        }
    }
}

/// After so many generations in a row without one new gene, the next is drawn at random.
const BARREN_GENERATIONS: usize = 16;

/// Weight of a failure as a parent, where the best weighs 1. AutoTVM adds 1e-8 FLOPS to some 1e10.
const WEIGHT_OF_FAILURE: f64 = 1e-18;

/// A genetic algorithm.
///
/// Where AutoTVM measures a gene again that it has measured before, this one takes what it knows and measures the next.
pub struct Genetic {
    space: Arc<ConfigSpace>,
    constants: GeneticConstants,
    rng: ChaCha8Rng,
    /// Draws the first generation.
    random: Random,
    /// What was told: the cost, or none for a failure.
    costs: HashMap<ConfigIndex, Option<f64>>,
    /// The present generation; a gene may be in it more than once.
    genes: Vec<ConfigIndex>,
    /// Told of, and not of the present generation: from an earlier log, or late.
    strangers: Vec<ConfigIndex>,
    elites: Vec<ConfigIndex>,
    plan: Plan,
}

impl Genetic {
    /// Search over `space`; draws come from the streams `ga` and `random` of `seed`.
    pub fn new(space: Arc<ConfigSpace>, seed: Seed, constants: GeneticConstants) -> Self {
        Self {
            constants,
            rng: seed.stream("ga"),
            random: Random::new(Arc::clone(&space), seed),
            costs: HashMap::new(),
            genes: Vec::new(),
            strangers: Vec::new(),
            elites: Vec::new(),
            plan: Plan::default(),
            space,
        }
    }

    /// Genes at random that join the present generation.
    fn draw(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        let drawn = self.random.ask_unknown(n, &self.plan.known)?;
        self.genes.extend(drawn.iter().map(|p| p.index));
        Ok(drawn)
    }

    /// The present generation as far as its costs are known, the elites, and the strangers, each with its weight;
    /// chooses the next elites among them.
    fn parents(&mut self) -> Vec<(Digits, f64)> {
        let all = || {
            let measured = |gene: &&ConfigIndex| self.costs.contains_key(gene);
            let genes = self.genes.iter().filter(measured);
            genes.chain(&self.elites).chain(&self.strangers)
        };
        let costs = all().filter_map(|gene| self.costs[gene]);
        let best = costs.fold(f64::INFINITY, f64::min);
        let weight = |gene| {
            let cost: Option<f64> = self.costs[gene];
            cost.map_or(0.0, |cost| best / cost) + WEIGHT_OF_FAILURE
        };
        let mut parents: Vec<(ConfigIndex, f64)> =
            all().map(|gene| (*gene, weight(gene))).collect();
        parents.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        // A long log would fill the pool with what is not worth breeding from.
        parents.truncate(self.constants.population + self.constants.elites);
        let elites = parents.iter().take(self.constants.elites);
        self.elites = elites.map(|(gene, _)| *gene).collect();
        parents
            .into_iter()
            .map(|(gene, weight)| (digits(&self.space, gene), weight))
            .collect()
    }

    /// A generation of valid children.
    fn breed(&mut self, parents: &[(Digits, f64)]) -> Result<Vec<ConfigIndex>, StrategyError> {
        let mut children = Vec::with_capacity(self.constants.population);
        let mut in_vain = 0;
        while children.len() < self.constants.population && in_vain < MOST_DRAWS_IN_VAIN {
            let born: Vec<ConfigIndex> = (children.len()..self.constants.population)
                .map(|_| self.child(parents))
                .collect();
            let valid = self.space.valid(&born)?;
            in_vain = if valid.contains(&true) {
                0
            } else {
                in_vain + born.len()
            };
            let kept = born.into_iter().zip(valid).filter(|&(_, valid)| valid);
            children.extend(kept.map(|(index, _)| index));
        }
        Ok(children)
    }

    fn child(&mut self, parents: &[(Digits, f64)]) -> ConfigIndex {
        let first = self.pick(parents, None);
        let second = self.pick(parents, Some(first));
        let knobs = self.space.knobs();
        if knobs.is_empty() {
            return ConfigIndex(0);
        }
        let point = self.rng.random_range(0..knobs.len());
        let mut child = parents[first].0[..point].to_vec();
        child.extend(&parents[second].0[point..]);
        for (digit, knob) in child.iter_mut().zip(knobs) {
            if self.rng.random::<f64>() < self.constants.mutation {
                *digit = self.rng.random_range(0..knob.len() as u32);
            }
        }
        self.space.index(&child)
    }

    /// A parent drawn by its weight, another than `not`.
    fn pick(&mut self, parents: &[(Digits, f64)], not: Option<usize>) -> usize {
        let weights = || {
            let open = |&(place, _): &(usize, f64)| Some(place) != not;
            let weights = parents.iter().map(|(_, weight)| *weight).enumerate();
            weights.filter(open)
        };
        let mut rest = self.rng.random::<f64>() * weights().map(|(_, weight)| weight).sum::<f64>();
        let mut last = 0;
        for (place, weight) in weights() {
            last = place;
            rest -= weight;
            if rest < 0.0 {
                break;
            }
        }
        last
    }
}

fn digits(space: &ConfigSpace, index: ConfigIndex) -> Digits {
    space
        .digits(index)
        .expect("the gene came from the space or was looked up in it when it was told")
}

impl Planner for Genetic {
    fn make_plan(&mut self) -> Result<Vec<Proposal>, StrategyError> {
        // What is known from an earlier log stands for that much of the first generation.
        let founders = self.genes.len().max(self.costs.len());
        if founders < self.constants.population {
            return self.draw(self.constants.population - founders);
        }
        for _ in 0..BARREN_GENERATIONS {
            let parents = self.parents();
            if parents.len() < 2 {
                break;
            }
            self.genes = self.breed(&parents)?;
            self.strangers.clear();
            let mut fresh: Vec<ConfigIndex> = Vec::new();
            for &gene in &self.genes {
                if !self.plan.known.contains(&gene) && !fresh.contains(&gene) {
                    fresh.push(gene);
                }
            }
            if !fresh.is_empty() {
                let why = Why::Bred;
                return Ok(fresh
                    .into_iter()
                    .map(|index| Proposal { index, why })
                    .collect());
            }
        }
        self.draw(self.constants.population)
    }

    fn plan(&mut self) -> &mut Plan {
        &mut self.plan
    }
}

impl Strategy for Genetic {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Ga
    }

    fn ask(&mut self, n: usize) -> Result<Vec<Proposal>, StrategyError> {
        self.ask_planned(n)
    }

    fn tell(&mut self, observations: &[Observation]) -> Result<(), StrategyError> {
        for observation in observations {
            self.space.digits(observation.index)?;
            self.plan.told(observation.index);
            let cost = observation.outcome.comparable_cost();
            if self.costs.insert(observation.index, cost).is_none()
                && !self.genes.contains(&observation.index)
            {
                self.strangers.push(observation.index);
            }
        }
        self.random.tell(observations)
    }
}
