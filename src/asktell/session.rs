//! The search behind the protocol.

use std::sync::Arc;

use crate::record::ErrorNo;
use crate::seed::Seed;
use crate::strategy::{Observation, Outcome, Strategy, StrategyError, StrategyKind};
use crate::task::{ConfigIndex, TargetKind, TaskContext};
use crate::transfer::Knowledge;

use super::message::{Answer, ConfigName, Message, Status, TellResult};
use super::space::{Direction, NamedSpace};

/// Why a conversation breaks off.
#[derive(Debug, thiserror::Error)]
pub enum AskTellError {
    /// A line is no message.
    #[error("line {line} is no message of the protocol: {reason}")]
    Message {
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Another version of the protocol.
    #[error("protocol version {version}; only 1 is spoken")]
    Protocol {
        /// The version found.
        version: u64,
    },
    /// The space cannot be made.
    #[error("the space: {0}")]
    Space(String),
    /// A message that does not come at this point.
    #[error("`{found}` where `{expected}` is expected")]
    Order {
        /// The message.
        found: &'static str,
        /// What should have come.
        expected: &'static str,
    },
    /// A result for something that the space does not have.
    #[error("a result names the configuration {name}, which the space does not have")]
    NoSuchConfig {
        /// Its name as JSON.
        name: String,
    },
    /// The strategy cannot go on.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
}

/// A conversation with a program that is tuned.
pub struct Session {
    strategy: StrategyKind,
    /// Overrides the seed of the message.
    seed: Option<Seed>,
    search: Option<Search>,
}

struct Search {
    named: NamedSpace,
    strategy: Box<dyn Strategy>,
    direction: Direction,
    /// Evaluations left, where that is known.
    left: Option<usize>,
    /// Asked for in the last message, in order.
    asked: Vec<ConfigIndex>,
}

impl Session {
    /// A conversation that has not begun. A `seed` overrides the one that the program names.
    pub const fn new(strategy: StrategyKind, seed: Option<Seed>) -> Self {
        Self {
            strategy,
            seed,
            search: None,
        }
    }

    /// Takes in a line; `None` when there is nothing to answer because the program has ended the conversation.
    ///
    /// # Errors
    /// When the line is no message, or the search cannot go on.
    pub fn line(&mut self, number: usize, line: &str) -> Result<Option<Answer>, AskTellError> {
        let message = crate::record::loads(line)
            .and_then(serde_json::from_value)
            .map_err(|error| AskTellError::Message {
                line: number,
                reason: error.to_string(),
            })?;
        self.message(message)
    }

    /// Takes in a message; see [`Self::line`].
    ///
    /// # Errors
    /// When it comes out of turn, or the search cannot go on.
    pub fn message(&mut self, message: Message) -> Result<Option<Answer>, AskTellError> {
        match (message, &mut self.search) {
            (Message::Stop { .. }, _) => Ok(None),
            (Message::Space(message), None) => {
                let named = NamedSpace::new(&message)?;
                let seed = self.seed.unwrap_or(Seed(message.seed.unwrap_or(0)));
                // Nothing is said of the device; names of knobs such as `block_size_x` are those of GPU kernels.
                let context = TaskContext::bare(TargetKind::Gpu);
                let space = Arc::clone(&named.space);
                let search = self.search.insert(Search {
                    strategy: self
                        .strategy
                        .build(space, &context, seed, &Knowledge::default()),
                    named,
                    direction: message.direction.unwrap_or_default(),
                    left: message.budget,
                    asked: Vec::new(),
                });
                search.ask().map(Some)
            }
            (Message::Tell { results, left }, Some(search)) => {
                search.tell(&results, left)?;
                if results.is_empty() && search.left == Some(0) {
                    // Nothing is evaluated any more, and the program waits for us.
                    return Ok(Some(Answer::Done));
                }
                search.ask().map(Some)
            }
            (Message::Space(_), Some(_)) => Err(AskTellError::Order {
                found: "space",
                expected: "tell",
            }),
            (Message::Tell { .. }, None) => Err(AskTellError::Order {
                found: "tell",
                expected: "space",
            }),
        }
    }
}

impl Search {
    /// As many as the strategy likes and the budget has left. Of a spent budget one is asked for nonetheless: the
    /// program answers that with `stop`, if it has not said so already.
    fn ask(&mut self) -> Result<Answer, AskTellError> {
        let batch = self.strategy.batch();
        let n = self.left.map_or(batch, |left| batch.min(left)).max(1);
        self.asked = self
            .strategy
            .ask(n)?
            .into_iter()
            .map(|proposal| proposal.index)
            .collect();
        let configs: Vec<ConfigName> = self
            .asked
            .iter()
            .filter_map(|&index| self.named.name(index))
            .collect();
        Ok(match configs.is_empty() {
            true => Answer::Done,
            false => Answer::Ask { configs },
        })
    }

    fn tell(&mut self, results: &[TellResult], left: Option<usize>) -> Result<(), AskTellError> {
        let mut observations = results
            .iter()
            .map(|result| {
                let index =
                    self.named
                        .index(&result.config)
                        .ok_or_else(|| AskTellError::NoSuchConfig {
                            name: serde_json::to_string(&result.config).unwrap_or_default(),
                        })?;
                Ok(Observation {
                    index,
                    outcome: outcome(result, self.direction),
                })
            })
            .collect::<Result<Vec<_>, AskTellError>>()?;
        // A strategy sees results in the order that it asked; what it did not ask for comes last.
        let turn = |index| self.asked.iter().position(|&asked| asked == index);
        observations.sort_by_key(|o| turn(o.index).unwrap_or(usize::MAX));
        let used = |left: usize| left.saturating_sub(results.len());
        self.left = left.or(self.left.map(used));
        Ok(self.strategy.tell(&observations)?)
    }
}

/// A cost of which smaller is better, and that is positive: what is maximised counts by its inverse.
fn outcome(result: &TellResult, direction: Direction) -> Outcome {
    let value = result
        .time
        .filter(|value| value.is_finite() && *value > 0.0);
    match (result.status, value) {
        (Status::Ok, Some(value)) => Outcome::Cost(match direction {
            Direction::Min => value,
            Direction::Max => value.recip(),
        }),
        (Status::Compile, _) => Outcome::Failed(ErrorNo::CompileHost),
        (Status::Runtime, _) => Outcome::Failed(ErrorNo::RuntimeDevice),
        (Status::Invalid | Status::NotInSpace, _) => Outcome::Failed(ErrorNo::Instantiation),
        (Status::Ok | Status::Unknown, _) => Outcome::Failed(ErrorNo::Unknown),
    }
}
