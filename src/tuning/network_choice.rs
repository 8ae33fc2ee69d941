//! One configuration for each task, chosen for the network and not for the task alone.
//!
//! Some templates let each operator choose the layout of its data, and TVM transforms the data wherever a reader wants
//! another layout than the writer has. The fastest configuration of every operator can therefore make a slower network
//! than configurations that agree. (TVM's graph tuner, Liu et al. 2019, arXiv 1809.02697, solves the same problem with
//! one configuration for each occurrence; a log has one for each task.)

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::Record;
use crate::task::{ChannelBlocks, Link, Task};

/// Bytes that layout transformations read and write in a second.
///
/// Two ResNet-18s on two Zen 4 cores whose operators took 32.7 ms and 33.6 ms differed by 1.7 ms the other way: 5.5 MB more
/// were transformed. What counts is the order of magnitude: a transformation costs as much as some per cent of the
/// convolutions around it.
const TRANSFORMED_BYTES_PER_SECOND: f64 = 4e9;

/// A configuration that a task may have.
#[derive(Clone, Copy, Debug)]
struct Choice {
    /// Position of its record.
    record: usize,
    /// Mean seconds.
    cost: f64,
    blocks: Option<ChannelBlocks>,
}

/// Positions in `records` of one record for each task that has any without error, so that the network is fastest:
/// operators as often as they occur, and the layout transformations between them.
///
/// The search starts at each task's fastest and at every block size that a task has, and changes one task at a time
/// as long as that helps. Without links it is each task's fastest.
pub fn choose_for_network(
    tasks: &[Arc<Task>],
    links: &[Link],
    records: &[&Record],
) -> Vec<Option<usize>> {
    let choices: Vec<Vec<Choice>> = tasks.iter().map(|task| choices(task, records)).collect();
    let links: Vec<Link> = links
        .iter()
        .copied()
        .filter(|link| {
            [link.first, link.second]
                .iter()
                .all(|&t| choices.get(t).is_some_and(|c| !c.is_empty()))
        })
        .collect();
    let network = Network {
        weights: tasks.iter().map(|task| f64::from(task.weight)).collect(),
        choices: &choices,
        links: &links,
    };
    let mut sizes: Vec<i64> = choices
        .iter()
        .flatten()
        .filter_map(|choice| choice.blocks)
        .flat_map(|blocks| [blocks.reads, blocks.writes])
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    let fastest = vec![0; tasks.len()];
    let uniform = sizes.into_iter().map(|size| network.nearest_to(size));
    let best = std::iter::once(fastest)
        .chain(uniform)
        .map(|start| network.improve(start))
        .min_by(|a, b| network.seconds(a).total_cmp(&network.seconds(b)))
        .unwrap_or_default();
    best.iter()
        .zip(&choices)
        .map(|(&chosen, choices)| choices.get(chosen).map(|choice| choice.record))
        .collect()
}

/// The fastest record of each layout, fastest first.
fn choices(task: &Task, records: &[&Record]) -> Vec<Choice> {
    let mut by_layout: BTreeMap<Option<ChannelBlocks>, Choice> = BTreeMap::new();
    for (position, record) in records.iter().enumerate() {
        if record.workload != task.workload {
            continue;
        }
        let Some(cost) = record.result.mean_cost() else {
            continue;
        };
        let blocks = ChannelBlocks::of(&record.workload, &record.config);
        let choice = Choice {
            record: position,
            cost,
            blocks,
        };
        let known = by_layout.entry(blocks).or_insert(choice);
        if cost < known.cost {
            *known = choice;
        }
    }
    let mut choices: Vec<Choice> = by_layout.into_values().collect();
    choices.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    choices
}

struct Network<'a> {
    weights: Vec<f64>,
    choices: &'a [Vec<Choice>],
    links: &'a [Link],
}

impl Network<'_> {
    /// Seconds of all operators that have a choice, and of the transformations between them.
    fn seconds(&self, chosen: &[usize]) -> f64 {
        let operators: f64 = self
            .choices
            .iter()
            .zip(&self.weights)
            .zip(chosen)
            .filter_map(|((choices, weight), &c)| Some(weight * choices.get(c)?.cost))
            .sum();
        let between: f64 = self
            .links
            .iter()
            .map(|link| self.transformation(link, chosen))
            .sum();
        operators + between
    }

    fn transformation(&self, link: &Link, chosen: &[usize]) -> f64 {
        let blocks = |task: usize| self.choices[task][chosen[task]].blocks;
        let (Some(first), Some(second)) = (blocks(link.first), blocks(link.second)) else {
            return 0.0;
        };
        let wanted = if link.join {
            second.writes
        } else {
            second.reads
        };
        if first.writes == wanted {
            return 0.0;
        }
        2.0 * link.bytes as f64 * f64::from(link.count) / TRANSFORMED_BYTES_PER_SECOND
    }

    /// The choice of each task that reads and writes blocks of `size` as far as it can; the fastest of equals.
    fn nearest_to(&self, size: i64) -> Vec<usize> {
        let agreement = |choice: &Choice| {
            choice.blocks.map_or(0, |blocks| {
                usize::from(blocks.reads == size) + usize::from(blocks.writes == size)
            })
        };
        self.choices
            .iter()
            .map(|choices| {
                // The last of equals wins `max_by_key`; choices are sorted fastest first.
                let best = choices
                    .iter()
                    .enumerate()
                    .rev()
                    .max_by_key(|(_, choice)| agreement(choice));
                best.map_or(0, |(position, _)| position)
            })
            .collect()
    }

    /// Changes one task after the other as long as the network gets faster.
    fn improve(&self, mut chosen: Vec<usize>) -> Vec<usize> {
        let mut seconds = self.seconds(&chosen);
        loop {
            let before = seconds;
            for task in 0..chosen.len() {
                for choice in 0..self.choices[task].len() {
                    let held = std::mem::replace(&mut chosen[task], choice);
                    let tried = self.seconds(&chosen);
                    if tried < seconds {
                        seconds = tried;
                    } else {
                        chosen[task] = held;
                    }
                }
            }
            if seconds >= before {
                return chosen;
            }
        }
    }
}
