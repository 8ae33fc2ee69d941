//! The configurations that a cost model is asked about: all of a small space, a guided sample of a large one.

use std::collections::HashSet;

use rand::{Rng, RngExt};

use crate::task::{ConfigIndex, ConfigSpace, Digits, KnobId};

/// A space up to this size is scored whole.
const SMALL: u64 = 8192;
/// Random configurations in the sample of a large space.
const RANDOM: usize = 512;
/// Rounds of looking at the neighbours of the best.
const ROUNDS: usize = 4;
/// Configurations whose neighbours a round looks at.
const PARENTS: usize = 32;
/// Neighbours of each of them.
const CHILDREN: usize = 48;

/// A configuration and what the model says of it.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub index: ConfigIndex,
    pub score: f64,
}

/// Unknown configurations, best score first.
///
/// `score` rates a batch; `starts` are good configurations (best first) to look around.
pub(super) fn ranked_candidates(
    space: &ConfigSpace,
    known: &HashSet<ConfigIndex>,
    starts: &[Digits],
    rng: &mut impl Rng,
    score: impl Fn(&[Digits]) -> Vec<f64>,
) -> Vec<Scored> {
    let mut pool = Pool {
        space,
        known,
        seen: HashSet::new(),
        score,
        ranked: Vec::new(),
    };
    if space.range_length() <= SMALL {
        let all = (0..space.range_length())
            .map(|i| digits_of(space, i))
            .collect();
        pool.add(all);
        return pool.ranked;
    }
    let free: Vec<KnobId> = space.free_knobs().collect();
    let mut fresh: Vec<Digits> = (0..RANDOM)
        .map(|_| digits_of(space, rng.random_range(0..space.range_length())))
        .collect();
    fresh.extend(children(space, &free, starts.iter().take(PARENTS), rng));
    pool.add(fresh);
    for _ in 1..ROUNDS {
        let parents: Vec<Digits> = pool
            .ranked
            .iter()
            .take(PARENTS)
            .map(|scored| digits_of(space, scored.index.0))
            .collect();
        let fresh = children(space, &free, parents.iter(), rng);
        pool.add(fresh);
    }
    pool.ranked
}

/// A random configuration that differs from `digits` in one knob.
fn neighbour(space: &ConfigSpace, free: &[KnobId], digits: &Digits, rng: &mut impl Rng) -> Digits {
    let mut moved = digits.clone();
    let knob = free[rng.random_range(0..free.len())].0;
    let size = space.knobs()[knob].len() as u32;
    // One of the other values, all equally likely.
    let step = rng.random_range(1..size);
    moved[knob] = (moved[knob] + step) % size;
    moved
}

fn children<'a>(
    space: &ConfigSpace,
    free: &[KnobId],
    parents: impl Iterator<Item = &'a Digits>,
    rng: &mut impl Rng,
) -> Vec<Digits> {
    let mut children = Vec::new();
    for parent in parents {
        for _ in 0..CHILDREN {
            children.push(neighbour(space, free, parent, rng));
        }
    }
    children
}

fn digits_of(space: &ConfigSpace, index: u64) -> Digits {
    space
        .digits(ConfigIndex(index))
        .expect("the index was drawn below the space's length")
}

struct Pool<'a, F> {
    space: &'a ConfigSpace,
    known: &'a HashSet<ConfigIndex>,
    seen: HashSet<ConfigIndex>,
    score: F,
    ranked: Vec<Scored>,
}

impl<F: Fn(&[Digits]) -> Vec<f64>> Pool<'_, F> {
    fn add(&mut self, fresh: Vec<Digits>) {
        let fresh: Vec<(ConfigIndex, Digits)> = fresh
            .into_iter()
            .map(|digits| (self.space.index(&digits), digits))
            .filter(|(index, _)| !self.known.contains(index) && self.seen.insert(*index))
            .collect();
        let (indices, digits): (Vec<_>, Vec<_>) = fresh.into_iter().unzip();
        let scores = (self.score)(&digits);
        self.ranked.extend(
            indices
                .into_iter()
                .zip(scores)
                .map(|(index, score)| Scored { index, score }),
        );
        // Ties go to the lower index, so that the order does not depend on how the pool grew.
        self.ranked
            .sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
    }
}
