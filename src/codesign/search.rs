//! The search: which schedule on which geometry is evaluated next, so that the best accelerator is found with few.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::agents::{Environment, Team, TeamConstants, Walks, explore};
use crate::seed::Seed;
use crate::strategy::StrategyError;
use crate::vta::config::Geometry;

use super::beliefs::{BeliefConstants, Beliefs};
use super::geometries::GeometrySpace;
use super::landscape::Expectation;
use super::ledger::{Core, Ledger, Point};
use super::limits::Cost;
use super::network::Network;
use super::objective::Objective;
use super::scene::LayerScene;
use super::widen::{FrontConstants, widen};

/// Who chooses geometries. Schedules are chosen by the same beliefs for all, so that what differs is the choice of the
/// hardware.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chooser {
    /// The agents' walks propose, beliefs rank, and fewer and fewer are kept.
    #[default]
    Agents,
    /// The same without agents: beliefs rank every geometry that is listed.
    Listed,
    /// The roofline's favourite, before anything is evaluated: hardware first, then software.
    TwoStage,
    /// A few at random, with as many evaluations each.
    Random,
    /// One that is given.
    Fixed(Geometry),
}

impl Chooser {
    /// The word for it in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Listed => "listed",
            Self::TwoStage => "two-stage",
            Self::Random => "random",
            Self::Fixed(_) => "fixed",
        }
    }
}

/// Constants of [`Search`].
#[derive(Clone, Copy, Debug)]
pub struct SearchConstants {
    /// Evaluations between two fits.
    pub batch: usize,
    /// Geometries that share the first evaluations; halved again and again until one is left.
    pub alive: usize,
    /// Share of the budget that is the best accelerator's; what is left goes to the front.
    pub best: f64,
    /// Share of this share after which one geometry is left.
    pub settled: f64,
    /// Schedules of one layer on one core in a batch.
    pub each: usize,
    /// Layers that agents walk on between two fits.
    pub walked: usize,
    /// Geometries of the random baseline.
    pub random: usize,
    /// Batches in a row of which nothing better was hoped for, after which a search turns to the front, or ends.
    pub patience: usize,
    /// What is evaluated for the front.
    pub front: FrontConstants,
    /// What schedules are believed.
    pub beliefs: BeliefConstants,
    /// The agents.
    pub team: TeamConstants,
}

impl Default for SearchConstants {
    fn default() -> Self {
        Self {
            batch: 32,
            alive: 8,
            best: 0.5,
            settled: 0.75,
            each: 3,
            walked: 2,
            random: 4,
            patience: 2,
            front: FrontConstants::default(),
            beliefs: BeliefConstants::default(),
            // Without the penalty of `arco`, which gains nothing here: 20 seeds of AlexNet with up to 16 images take 2,350,058
            // cycles so, and 2,352,172 with the constants of `arco`.
            team: TeamConstants {
                epochs: 2,
                stale_penalty: 0.0,
                ..TeamConstants::default()
            },
        }
    }
}

/// What is searched: convolutions, geometries, and what the best is.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What the accelerator has to serve.
    pub network: Network,
    /// What it may be.
    pub geometries: GeometrySpace,
    /// What is to be small.
    pub objective: Objective,
}

impl Problem {
    /// Geometries among which the best must be: where area does not count, those with the largest buffers.
    pub fn pool(&self) -> Vec<Geometry> {
        match self.objective {
            Objective::Latency | Objective::Throughput => self.geometries.largest(),
            Objective::LatencyPerArea => self.geometries.all().to_vec(),
        }
    }

    /// The number that is to be small, from cycles of one launch of every layer.
    pub fn score(&self, cycles: f64, geometry: &Geometry) -> f64 {
        let reference = Cost::of(&Geometry::default());
        self.objective.score(cycles, geometry, &reference)
    }

    /// What is built: the best geometry that a search found, or the default one where that is as good, and of either what is as
    /// good with the fewest buffer bits.
    pub fn choice(&self, ledger: &Ledger, best: &Geometry) -> Geometry {
        let default = *self.geometries.base();
        let of_default = self.evaluated(ledger, &default);
        let better = self
            .evaluated(ledger, best)
            .is_some_and(|score| of_default.is_none_or(|of_default| score < of_default));
        self.smallest_as_good(ledger, if better { best } else { &default })
    }

    /// The geometry with the fewest buffer bits among those that are covered by this one and by what was evaluated as good:
    /// what no schedule needs is not built.
    fn smallest_as_good(&self, ledger: &Ledger, geometry: &Geometry) -> Geometry {
        let Some(score) = self.evaluated(ledger, geometry) else {
            return *geometry;
        };
        let all = self.geometries.all().iter();
        let as_good = all.filter(|smaller| {
            GeometrySpace::covers(geometry, smaller)
                && self.evaluated(ledger, smaller).is_some_and(|s| s <= score)
        });
        // The first of those that cost the same: the order of the list is fixed.
        let smallest = as_good.min_by_key(|smaller| Cost::of(smaller).sram_bits);
        smallest.copied().unwrap_or(*geometry)
    }

    /// The score of a geometry by what was evaluated; `None` while a layer has no schedule.
    pub fn evaluated(&self, ledger: &Ledger, geometry: &Geometry) -> Option<f64> {
        let cycles = ledger.network_cycles(&self.network, geometry)?;
        Some(self.score(cycles as f64, geometry))
    }
}

/// A geometry with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The geometry.
    pub geometry: Geometry,
    /// Its score: smaller is better.
    pub score: f64,
}

/// What evaluations are spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The best accelerator.
    Best,
    /// Others that nothing beats in time and resources together.
    Front,
    /// The best once more: of the front nothing is hoped for any more.
    Rest,
}

/// Ask and tell.
pub struct Search {
    problem: Arc<Problem>,
    chooser: Chooser,
    constants: SearchConstants,
    budget: usize,
    pool: Vec<Geometry>,
    ledger: Ledger,
    beliefs: Beliefs,
    environments: Vec<(Arc<LayerScene>, Environment)>,
    team: Option<Team>,
    /// Geometries that agents came by.
    visited: Vec<Geometry>,
    alive: Vec<Geometry>,
    /// Batches in a row of which nothing better was hoped for.
    hopeless: usize,
    stage: Stage,
    rng: ChaCha8Rng,
}

impl Search {
    /// A search with so many evaluations. Draws come from the streams `codesign` and `agents` of `seed`.
    ///
    /// # Errors
    /// When the agents cannot be made.
    pub fn new(
        problem: Arc<Problem>,
        chooser: Chooser,
        budget: usize,
        seed: Seed,
        constants: SearchConstants,
    ) -> Result<Self, StrategyError> {
        let pool = match chooser {
            Chooser::Fixed(geometry) => vec![geometry],
            _ => problem.pool(),
        };
        let mut environments = Vec::new();
        let mut team = None;
        if chooser == Chooser::Agents {
            for layer in problem.network.layers() {
                let scene = Arc::new(LayerScene::new(layer.convolution, &problem.geometries));
                let environment = scene.environment()?;
                environments.push((scene, environment));
            }
            team = Some(Team::new(constants.team, false, seed)?);
        }
        let mut largest = match chooser {
            Chooser::Fixed(geometry) => vec![geometry],
            _ => problem.geometries.largest_of_each_core(),
        };
        largest.sort_by_key(|geometry| std::cmp::Reverse(Cost::of(geometry).sram_bits));
        let mut search = Self {
            beliefs: Beliefs::new(constants.beliefs, &largest),
            problem,
            chooser,
            constants,
            budget,
            pool,
            ledger: Ledger::default(),
            environments,
            team,
            visited: Vec::new(),
            alive: Vec::new(),
            hopeless: 0,
            stage: Stage::Best,
            rng: seed.stream("codesign"),
        };
        search.alive = search.first();
        Ok(search)
    }

    /// What was evaluated.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Geometries that share the evaluations now.
    pub fn alive(&self) -> &[Geometry] {
        &self.alive
    }

    /// The best geometry by what was evaluated.
    pub fn best(&self) -> Option<Scored> {
        let scored = self.pool.iter().filter_map(|geometry| {
            Some(Scored {
                geometry: *geometry,
                score: self.problem.evaluated(&self.ledger, geometry)?,
            })
        });
        scored.min_by(|a, b| a.score.total_cmp(&b.score))
    }

    /// The next points, none of which was told; none at all when nothing is left or the budget is spent.
    ///
    /// # Errors
    /// When a model cannot be fitted or the agents' networks cannot be computed.
    pub fn ask(&mut self) -> Result<Vec<Point>, StrategyError> {
        let left = self.budget.saturating_sub(self.ledger.len());
        if left == 0 || self.pool.is_empty() {
            return Ok(Vec::new());
        }
        let content = self.hopeless >= self.constants.patience;
        let chooses = matches!(self.chooser, Chooser::Agents | Chooser::Listed);
        if content && (!chooses || self.stage == Stage::Rest) {
            return Ok(Vec::new());
        }
        self.beliefs
            .fit(&self.problem.network, &self.ledger, &mut self.rng)
            .map_err(|reason| StrategyError::Model {
                rows: self.ledger.len(),
                reason,
            })?;
        let n = left.min(self.constants.batch);
        if chooses && self.stage == Stage::Best && (content || self.used() >= 1.0) {
            self.stage = Stage::Front;
        }
        if self.stage == Stage::Front {
            let (optimism, constants) = (self.constants.beliefs.optimism, self.constants.front);
            let points = widen(&mut self.expectation(), n, optimism, &constants);
            if !points.is_empty() {
                return Ok(points);
            }
            (self.stage, self.hopeless) = (Stage::Rest, 0);
        }
        if self.team.is_some() {
            self.walk()?;
        }
        if !self.ledger.is_empty() {
            self.choose_alive();
        }
        Ok(self.batch(n))
    }

    /// Takes in what came of points.
    pub fn tell(&mut self, points: &[(Point, Option<u64>)]) {
        for (point, cycles) in points {
            self.ledger.add(point, *cycles);
        }
    }

    /// Geometries that begin.
    fn first(&mut self) -> Vec<Geometry> {
        match self.chooser {
            Chooser::Fixed(geometry) => vec![geometry],
            Chooser::TwoStage | Chooser::Listed => {
                let ranked = self.ranked(self.pool.clone(), 0.0);
                let first = if self.chooser == Chooser::Listed {
                    self.constants.alive
                } else {
                    1
                };
                ranked.into_iter().take(first).collect()
            }
            Chooser::Random => self.sample(self.constants.random),
            Chooser::Agents => self.sample(self.constants.alive),
        }
    }

    /// Random geometries: first the cores in turn, so that every kind of matrix unit has a chance.
    fn sample(&mut self, n: usize) -> Vec<Geometry> {
        let mut shuffled = self.pool.clone();
        shuffled.shuffle(&mut self.rng);
        let mut turns: HashMap<[u32; 3], usize> = HashMap::new();
        let mut queued: Vec<(usize, Geometry)> = shuffled
            .into_iter()
            .map(|geometry| {
                let core = Core::of(&geometry);
                let turn = turns
                    .entry([core.batch, core.block_in, core.block_out])
                    .or_default();
                *turn += 1;
                (*turn, geometry)
            })
            .collect();
        queued.sort_by_key(|(turn, _)| *turn);
        queued.into_iter().take(n).map(|(_, g)| g).collect()
    }

    /// How much was spent of what is the best accelerator's, from 0 to 1.
    fn used(&self) -> f64 {
        (self.ledger.len() as f64 / (self.constants.best * self.budget as f64)).min(1.0)
    }

    /// Halves: the more is spent, the fewer geometries share the rest.
    fn wanted(&self) -> usize {
        let halvings = (self.constants.alive as f64).log2() * self.used() / self.constants.settled;
        let wanted = self.constants.alive as f64 * 0.5f64.powf(halvings);
        (wanted.ceil() as usize).max(1)
    }

    fn choose_alive(&mut self) {
        let candidates = match self.chooser {
            Chooser::Fixed(_) | Chooser::TwoStage | Chooser::Random => return,
            Chooser::Listed => self.pool.clone(),
            Chooser::Agents => {
                let mut candidates = self.alive.clone();
                candidates.append(&mut self.visited);
                candidates
            }
        };
        let wanted = self.wanted();
        let optimism = if wanted > 1 {
            self.constants.beliefs.optimism
        } else {
            0.0
        };
        let ranked = self.ranked(candidates, optimism);
        self.alive = ranked.into_iter().take(wanted).collect();
    }

    /// Geometries, each once, by the score that is hoped for, best first.
    fn ranked(&mut self, geometries: Vec<Geometry>, optimism: f64) -> Vec<Geometry> {
        let mut seen = HashSet::new();
        let mut hoped: Vec<(f64, Geometry)> = Vec::new();
        for geometry in geometries {
            if seen.insert(geometry) {
                let mut expectation = self.expectation();
                if let Some(score) = expectation.score(&geometry, optimism) {
                    let pressure = expectation.problem.geometries.limits().pressure(&geometry);
                    hoped.push((score * (1.0 + pressure), geometry));
                }
            }
        }
        // The sort is stable, and the order before it does not depend on anything but the seed.
        hoped.sort_by(|a, b| a.0.total_cmp(&b.0));
        hoped.into_iter().map(|(_, geometry)| geometry).collect()
    }

    fn expectation(&mut self) -> Expectation<'_> {
        Expectation {
            problem: &self.problem,
            ledger: &self.ledger,
            beliefs: &mut self.beliefs,
        }
    }

    /// One round of walks on a few layers; remembers the geometries that the agents came by, and considers schedules.
    fn walk(&mut self) -> Result<(), StrategyError> {
        let used = self.used() as f32;
        for _ in 0..self.constants.walked {
            let layer = self.weighted_layer();
            let starts = self.starts(layer);
            if starts.is_empty() {
                continue;
            }
            let reference = self.alive.first().copied().unwrap_or(self.pool[0]);
            let (scene, environment) = &self.environments[layer];
            let mut expectation = Expectation {
                problem: &self.problem,
                ledger: &self.ledger,
                beliefs: &mut self.beliefs,
            };
            let unit = expectation.score(&reference, 0.0).unwrap_or(1.0);
            let mut landscape = expectation.landscape(scene, layer, unit);
            let Some(team) = &mut self.team else {
                return Ok(());
            };
            let explored = explore(team, environment, &mut landscape, starts, used)?;
            let mut found: Vec<(f64, Geometry)> = explored
                .iter()
                .filter_map(|e| Some((e.standing.score, scene.decode(&e.digits)?.0)))
                .collect();
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (_, geometry) in found {
                // Where area does not count, larger buffers cost nothing.
                let covering = self.covering(&geometry);
                if !self.visited.contains(&covering) {
                    self.visited.push(covering);
                }
            }
        }
        Ok(())
    }

    /// A geometry of the pool that is at least as good as a visited one.
    fn covering(&self, geometry: &Geometry) -> Geometry {
        let mut pool = self.pool.iter();
        let covers = |g: &&Geometry| GeometrySpace::covers(g, geometry);
        *pool.find(covers).unwrap_or(geometry)
    }

    /// A layer, drawn by its share of the work.
    fn weighted_layer(&mut self) -> usize {
        let layers = self.problem.network.layers();
        let work = |i: usize| layers[i].convolution.macs() as f64 * f64::from(layers[i].uses);
        let all: f64 = (0..layers.len()).map(work).sum();
        let mut rest = self.rng.random::<f64>() * all;
        for layer in 0..layers.len() {
            rest -= work(layer);
            if rest < 0.0 {
                return layer;
            }
        }
        layers.len() - 1
    }

    /// Half of the walks start at the geometries that are alive, half anywhere; each with a schedule that is expected to
    /// be good there.
    fn starts(&mut self, layer: usize) -> Walks {
        let walks = self.constants.team.walks;
        let mut geometries: Vec<Geometry> = Vec::with_capacity(walks);
        while geometries.len() < walks / 2 && !self.alive.is_empty() {
            geometries.push(self.alive[geometries.len() % self.alive.len()]);
        }
        while geometries.len() < walks {
            let drawn = self.rng.random_range(0..self.pool.len());
            geometries.push(self.pool[drawn]);
        }
        let mut starts = Walks::new();
        for (i, geometry) in geometries.iter().enumerate() {
            let schedules = self.expectation().schedules(layer, geometry);
            // Not all at the same: the best, the second, ...
            if let Some(schedule) = schedules.get(i / 4 % schedules.len().max(1)) {
                let scene = &self.environments[layer].0;
                starts.extend(scene.encode(geometry, &schedule.tiles));
            }
        }
        starts
    }

    /// The evaluations from which most is hoped for.
    fn batch(&mut self, n: usize) -> Vec<Point> {
        let optimism = self.constants.beliefs.optimism;
        let mut hopes: Vec<(f64, Point)> = Vec::new();
        for geometry in self.alive.clone() {
            let mut expectation = self.expectation();
            let Some(total) = expectation.score(&geometry, 0.0) else {
                continue;
            };
            let problem = expectation.problem;
            for (layer, of_layer) in problem.network.layers().iter().enumerate() {
                let best = expectation.ledger.best(&problem.network, layer, &geometry);
                for schedule in expectation.schedules(layer, &geometry) {
                    if schedule.known {
                        continue;
                    }
                    let hoped = schedule.hoped(optimism);
                    // A layer without any schedule keeps a geometry from being judged at all.
                    let now = best.map_or(2.0 * schedule.mean.exp(), |best| best.cycles as f64);
                    let gain = f64::from(of_layer.uses) * (now - hoped);
                    let share = problem.score(gain, &geometry) / total;
                    let point = Point {
                        layer,
                        geometry,
                        tiles: schedule.tiles,
                    };
                    hopes.push((share, point));
                }
            }
        }
        hopes.sort_by(|a, b| b.0.total_cmp(&a.0));
        let hopeful = hopes.first().is_some_and(|(share, _)| *share > 0.0);
        self.hopeless = if hopeful { 0 } else { self.hopeless + 1 };
        let mut taken = Vec::new();
        let mut programs = HashSet::new();
        let mut counts: HashMap<(Core, usize), usize> = HashMap::new();
        for (_, point) in hopes {
            if taken.len() == n {
                break;
            }
            let core = Core::of(&point.geometry);
            let count = counts.entry((core, point.layer)).or_default();
            if *count < self.constants.each && programs.insert(point.program()) {
                *count += 1;
                taken.push(point);
            }
        }
        taken
    }
}
