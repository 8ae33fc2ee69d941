//! A recorded space: configurations, what each came to, and which of them a strategy may ask for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::record::ErrorNo;
use crate::task::{ConfigIndex, ConfigSpace, Digits, Knob, TaskContext, ValidityFilter};

use super::error::RecordedError;
use super::mask::Mask;

/// Without masks so many configurations are looked at to count those that the masks would have refused.
const MOST_COUNTED: u64 = 1 << 24;

/// What came of a configuration when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean seconds of one run, or how it failed.
    pub cost: Result<f64, ErrorNo>,
    /// Seconds that building and measuring it took, where the record says so.
    pub seconds: Option<f64>,
}

/// A task of which it is known what its configurations come to.
#[derive(Clone)]
pub struct RecordedSpace {
    /// A short name: the file's, and the task's where the file has several.
    pub name: String,
    /// The configurations; the space refuses those of which nothing is known and those that masks refuse.
    pub space: Arc<ConfigSpace>,
    /// What strategies may know besides.
    pub context: TaskContext,
    evaluations: Arc<BTreeMap<ConfigIndex, Evaluation>>,
    /// Without masks: how many configurations are open because a mask would have refused them.
    unmasked: u64,
}

/// What a reader has found; [`Draft::finish`] makes a space of it.
pub(super) struct Draft {
    pub name: String,
    pub knobs: Vec<Knob>,
    pub context: TaskContext,
    pub evaluations: Vec<(Digits, Evaluation)>,
    pub mask: Option<Arc<dyn Mask>>,
}

impl Draft {
    /// The space: what is recorded and not masked. Without `masks` what a mask would refuse is open, too, and fails.
    ///
    /// # Errors
    /// When nothing is left, when a mask refuses what ran, or when the space is too large to be counted.
    pub(super) fn finish(self, masks: bool) -> Result<RecordedSpace, RecordedError> {
        let Self { name, context, .. } = self;
        let space = ConfigSpace::new(self.knobs).map_err(|source| RecordedError::Space {
            name: name.clone(),
            source,
        })?;
        let mask_error = |reason| RecordedError::Space {
            name: name.clone(),
            source: crate::task::SpaceError::Filter(reason),
        };
        let mut evaluations = BTreeMap::new();
        let mut wrongly: Vec<ConfigIndex> = Vec::new();
        for (digits, evaluation) in self.evaluations {
            let index = space.index(&digits);
            let allowed = match &self.mask {
                Some(mask) => mask.allows(&space, &digits).map_err(mask_error)?,
                None => true,
            };
            if !allowed && evaluation.cost.is_ok() {
                wrongly.push(index);
            }
            if allowed || !masks {
                // A configuration that was measured more than once counts with its fastest time.
                let kept = evaluations.entry(index).or_insert(evaluation);
                if faster(&evaluation, kept) {
                    *kept = evaluation;
                }
            }
        }
        if let (Some(&first), Some(mask)) = (wrongly.first(), &self.mask) {
            return Err(RecordedError::Masked {
                masks: mask.name(),
                count: wrongly.len(),
                first: shown(&space, first),
                name,
            });
        }
        if evaluations.is_empty() {
            return Err(RecordedError::Empty { name });
        }
        let evaluations = Arc::new(evaluations);
        let refused_open = self.mask.filter(|_| !masks);
        let unmasked = match &refused_open {
            Some(mask) => count_unmasked(&name, &space, mask.as_ref(), &evaluations)?,
            None => 0,
        };
        let whole = evaluations.len() as u64 + unmasked == space.range_length();
        let space = if whole {
            space
        } else {
            let filter = Known {
                bare: space.clone(),
                evaluations: Arc::clone(&evaluations),
                refused_open,
            };
            space.with_filter(Arc::new(filter))
        };
        Ok(RecordedSpace {
            name,
            space: Arc::new(space),
            context,
            evaluations,
            unmasked,
        })
    }
}

fn faster(a: &Evaluation, b: &Evaluation) -> bool {
    match (a.cost, b.cost) {
        (Ok(a), Ok(b)) => a < b,
        (a, b) => a.is_ok() && b.is_err(),
    }
}

/// The values of a configuration: `tile_x = [-1,2], unroll = 1`.
fn shown(space: &ConfigSpace, index: ConfigIndex) -> String {
    let Ok(config) = space.get(index) else {
        return index.to_string();
    };
    let values: Vec<String> = config
        .entities
        .iter()
        .map(|(name, entity)| format!("{name} = {}", entity.to_json()))
        .collect();
    values.join(", ")
}

fn count_unmasked(
    name: &str,
    space: &ConfigSpace,
    mask: &dyn Mask,
    evaluations: &BTreeMap<ConfigIndex, Evaluation>,
) -> Result<u64, RecordedError> {
    let configurations = space.range_length();
    if configurations > MOST_COUNTED {
        return Err(RecordedError::TooLarge {
            name: name.to_owned(),
            configurations,
        });
    }
    let space_error = |source| RecordedError::Space {
        name: name.to_owned(),
        source,
    };
    let mut unmasked = 0;
    for index in (0..configurations).map(ConfigIndex) {
        if !evaluations.contains_key(&index) {
            let digits = space.digits(index).map_err(space_error)?;
            let allowed = mask
                .allows(space, &digits)
                .map_err(|reason| space_error(crate::task::SpaceError::Filter(reason)))?;
            unmasked += u64::from(!allowed);
        }
    }
    Ok(unmasked)
}

/// Refuses configurations of which nothing is known.
struct Known {
    bare: ConfigSpace,
    evaluations: Arc<BTreeMap<ConfigIndex, Evaluation>>,
    /// Without masks: what this refuses is known to fail.
    refused_open: Option<Arc<dyn Mask>>,
}

impl ValidityFilter for Known {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        let known = |index: &ConfigIndex| {
            if self.evaluations.contains_key(index) {
                return Ok(true);
            }
            let Some(mask) = &self.refused_open else {
                return Ok(false);
            };
            let digits = self.bare.digits(*index).map_err(|e| e.to_string())?;
            Ok(!mask.allows(&self.bare, &digits)?)
        };
        indices.iter().map(known).collect()
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

impl fmt::Debug for RecordedSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedSpace")
            .field("name", &self.name)
            .field("space", &self.space)
            .field("configurations", &self.configurations())
            .field("optimum", &self.optimum())
            .finish()
    }
}

impl RecordedSpace {
    /// A space whose costs were not recorded but computed, for every configuration that `space` allows.
    pub fn computed(
        name: String,
        space: Arc<ConfigSpace>,
        context: TaskContext,
        costs: impl IntoIterator<Item = (ConfigIndex, Result<f64, ErrorNo>)>,
    ) -> Self {
        let evaluation = |cost| Evaluation {
            cost,
            seconds: None,
        };
        let costs = costs.into_iter();
        let evaluations = costs.map(|(index, cost)| (index, evaluation(cost)));
        Self {
            name,
            space,
            context,
            evaluations: Arc::new(evaluations.collect()),
            unmasked: 0,
        }
    }

    /// Configurations that a strategy may ask for.
    pub fn configurations(&self) -> u64 {
        self.evaluations.len() as u64 + self.unmasked
    }

    /// Those of them that ran.
    pub fn valid(&self) -> usize {
        self.costs().count()
    }

    /// Costs of all configurations that ran, in index order.
    pub fn costs(&self) -> impl Iterator<Item = f64> {
        self.evaluations
            .values()
            .filter_map(|evaluation| evaluation.cost.ok())
    }

    /// Seconds of the fastest configuration; `None` where all fail.
    pub fn optimum(&self) -> Option<f64> {
        self.costs().min_by(f64::total_cmp)
    }

    /// What comes of a configuration. One that the space refuses fails as the template's own condition fails it.
    pub fn evaluate(&self, index: ConfigIndex) -> Evaluation {
        let refused = Evaluation {
            cost: Err(ErrorNo::Instantiation),
            seconds: None,
        };
        self.evaluations.get(&index).copied().unwrap_or(refused)
    }
}
