//! A config space: the product of a task's knobs, numbered as AutoTVM numbers it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::config::ConfigEntity;
use super::index::{ConfigIndex, KnobId};
use super::knob::Knob;

/// Position of a value in each knob's list, in knob order: the digits of a [`ConfigIndex`].
pub type Digits = Vec<u32>;

/// Why a space cannot be made or asked.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// More configurations than a 64-bit index can number.
    #[error("the space has more than 2^64 configurations (knob sizes {sizes:?})")]
    TooLarge {
        /// Number of values per knob.
        sizes: Vec<usize>,
    },
    /// An index past the end.
    #[error("configuration {index} does not exist: the space has {range_length}")]
    OutOfRange {
        /// The index that was asked for.
        index: ConfigIndex,
        /// Number of configurations, valid or not.
        range_length: u64,
    },
    /// A configuration names a knob's value that the space does not have.
    #[error("knob `{knob}` has no value {value}")]
    NoSuchValue {
        /// The knob's name.
        knob: String,
        /// The value, as JSON.
        value: String,
    },
    /// A configuration has other knobs than the space.
    #[error("the configuration's knobs are {found:?}, the space's are {expected:?}")]
    OtherKnobs {
        /// Names in the configuration.
        found: Vec<String>,
        /// Names in the space.
        expected: Vec<String>,
    },
    /// The template's own filter could not be asked.
    #[error("the template's filter could not be asked which configurations are valid: {0}")]
    Filter(String),
}

/// A template's condition on combinations of knobs (AutoTVM's `multi_filter`).
///
/// It lives in Python, so it is asked in batches and never about the whole space.
pub trait ValidityFilter: Send + Sync {
    /// Whether each of `indices` is valid, in the same order.
    ///
    /// # Errors
    /// When the filter cannot be reached; the text says why.
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String>;

    /// Whether asking again costs less than remembering the answer. A filter in another process does not.
    fn is_cheap(&self) -> bool {
        false
    }
}

/// What a filter has said so far, so that nothing is asked twice.
struct FilterCache {
    filter: Arc<dyn ValidityFilter>,
    known: Mutex<BTreeMap<ConfigIndex, bool>>,
}

/// The configurations of one task.
#[derive(Clone)]
pub struct ConfigSpace {
    knobs: Vec<Knob>,
    range_length: u64,
    filter: Option<Arc<FilterCache>>,
}

impl fmt::Debug for ConfigSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigSpace")
            .field("sizes", &self.sizes().collect::<Vec<_>>())
            .field("range_length", &self.range_length)
            .field("filtered", &self.is_filtered())
            .finish()
    }
}

impl ConfigSpace {
    /// The product of `knobs`, all combinations valid.
    ///
    /// # Errors
    /// When the number of configurations does not fit 64 bits.
    pub fn new(knobs: Vec<Knob>) -> Result<Self, SpaceError> {
        let range_length = knobs
            .iter()
            .try_fold(1u64, |product, knob| product.checked_mul(knob.len() as u64))
            .ok_or_else(|| SpaceError::TooLarge {
                sizes: knobs.iter().map(Knob::len).collect(),
            })?;
        Ok(Self {
            knobs,
            range_length,
            filter: None,
        })
    }

    /// The same space with a condition on combinations.
    pub fn with_filter(mut self, filter: Arc<dyn ValidityFilter>) -> Self {
        self.filter = Some(Arc::new(FilterCache {
            filter,
            known: Mutex::default(),
        }));
        self
    }

    /// The knobs in definition order.
    pub fn knobs(&self) -> &[Knob] {
        &self.knobs
    }

    /// Number of values of each knob, in definition order.
    pub fn sizes(&self) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator {
        self.knobs.iter().map(Knob::len)
    }

    /// Number of configurations, valid or not.
    pub const fn range_length(&self) -> u64 {
        self.range_length
    }

    /// Whether some combinations may be invalid by the template's own condition.
    pub const fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }

    /// The knobs with more than one value: those that a strategy can move.
    pub fn free_knobs(&self) -> impl Iterator<Item = KnobId> {
        self.knobs
            .iter()
            .enumerate()
            .filter_map(|(i, knob)| (knob.len() > 1).then_some(KnobId(i)))
    }

    /// The digits of an index (AutoTVM's `point2knob`): the first knob is the least significant.
    ///
    /// # Errors
    /// When the index is past the end.
    pub fn digits(&self, index: ConfigIndex) -> Result<Digits, SpaceError> {
        if index.0 >= self.range_length {
            return Err(SpaceError::OutOfRange {
                index,
                range_length: self.range_length,
            });
        }
        Ok(index.digits(self.sizes()))
    }

    /// The index with these digits (AutoTVM's `knob2point`).
    ///
    /// # Panics
    /// When the number of digits differs from that of the knobs, or a digit is past its knob's end:
    /// digits are made by the program, never read.
    pub fn index(&self, digits: &[u32]) -> ConfigIndex {
        assert_eq!(digits.len(), self.knobs.len(), "one digit for each knob");
        let index = self
            .sizes()
            .zip(digits)
            .rev()
            .fold(0u64, |index, (size, &digit)| {
                assert!(
                    (digit as usize) < size,
                    "digit {digit} of a knob with {size} values"
                );
                index * size as u64 + u64::from(digit)
            });
        ConfigIndex(index)
    }

    /// The configuration at an index.
    ///
    /// # Errors
    /// When the index is past the end. Whether the configuration is valid is another question: [`Self::valid`].
    pub fn get(&self, index: ConfigIndex) -> Result<ConfigEntity, SpaceError> {
        let entities = self
            .knobs
            .iter()
            .zip(self.digits(index)?)
            .map(|(knob, digit)| {
                (
                    knob.name().to_owned(),
                    knob.entities()[digit as usize].clone(),
                )
            })
            .collect();
        Ok(ConfigEntity { index, entities })
    }

    /// The index of a configuration, from its values alone (a log's own `index` may belong to another space).
    ///
    /// # Errors
    /// When the configuration has other knobs, or a value that its knob does not have.
    pub fn find(&self, config: &ConfigEntity) -> Result<ConfigIndex, SpaceError> {
        let same_names = config.entities.len() == self.knobs.len()
            && config
                .entities
                .iter()
                .zip(&self.knobs)
                .all(|((name, _), knob)| name == knob.name());
        if !same_names {
            return Err(SpaceError::OtherKnobs {
                found: config
                    .entities
                    .iter()
                    .map(|(name, _)| name.clone())
                    .collect(),
                expected: self
                    .knobs
                    .iter()
                    .map(|knob| knob.name().to_owned())
                    .collect(),
            });
        }
        let digits = self
            .knobs
            .iter()
            .zip(&config.entities)
            .map(|(knob, (_, entity))| {
                knob.entities()
                    .iter()
                    .position(|e| e == entity)
                    .map(|digit| digit as u32)
                    .ok_or_else(|| SpaceError::NoSuchValue {
                        knob: knob.name().to_owned(),
                        value: entity.to_json().to_string(),
                    })
            })
            .collect::<Result<Digits, _>>()?;
        Ok(self.index(&digits))
    }

    /// Whether each configuration satisfies the template's own condition, in the order asked.
    ///
    /// Answers are remembered, unless asking again is cheaper: then the filter sees each index once.
    ///
    /// # Errors
    /// When the filter cannot be asked.
    pub fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, SpaceError> {
        let Some(cache) = &self.filter else {
            return Ok(indices
                .iter()
                .map(|index| index.0 < self.range_length)
                .collect());
        };
        if cache.filter.is_cheap() {
            let within = |index: &ConfigIndex| index.0 < self.range_length;
            // A filter need not know where the space ends.
            let asked: Vec<ConfigIndex> = indices.iter().copied().filter(within).collect();
            let mut answers = cache
                .filter
                .valid(&asked)
                .map_err(SpaceError::Filter)?
                .into_iter();
            return Ok(indices
                .iter()
                .map(|index| within(index) && answers.next() == Some(true))
                .collect());
        }
        let mut known = cache.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unknown: Vec<ConfigIndex> = indices
            .iter()
            .copied()
            .filter(|index| index.0 < self.range_length && !known.contains_key(index))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            let answers = cache.filter.valid(&unknown).map_err(SpaceError::Filter)?;
            if answers.len() != unknown.len() {
                return Err(SpaceError::Filter(format!(
                    "{} configurations asked, {} answers",
                    unknown.len(),
                    answers.len()
                )));
            }
            known.extend(unknown.into_iter().zip(answers));
        }
        Ok(indices
            .iter()
            .map(|index| known.get(index).copied().unwrap_or(false))
            .collect())
    }
}
