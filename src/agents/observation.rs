//! What agents see: vectors of one length, whatever the task, so that one set of weights serves every task.

use serde_json::Value;

use crate::task::{TaskContext, Workload};

use super::environment::Environment;
use super::exploration::Standing;
use super::ownership::Role;

/// Axes of one agent that it sees and moves at once. An agent with more takes them in turns.
pub const SLOTS: usize = 12;
/// Numbers that describe a task's shape.
const SHAPE: usize = 16;
/// Length of an actor's observation: place and presence of each slot, the shape, the budget used.
pub const LOCAL_WIDTH: usize = 2 * SLOTS + SHAPE + 1;
/// Length of the critic's observation: the slots of every agent, the shape, the budget used, and what the surrogates
/// say (score, uncertainty, probability of being valid).
pub const GLOBAL_WIDTH: usize = 2 * SLOTS * 3 + SHAPE + 1 + 3;

/// Sizes that a task's arguments name, as logarithms: the features that carry from task to task.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeFeatures([f32; SHAPE]);

impl ShapeFeatures {
    /// The shape of a task; zeros where nothing is known of it.
    pub fn of(context: &TaskContext) -> Self {
        let mut numbers = Vec::new();
        if let Some(Workload { args, .. }) = &context.workload {
            collect_numbers(args, &mut numbers);
        }
        // Sizes of operators lie between 1 and some 2^16.
        let features = numbers.into_iter().map(|n| (n.abs() + 1.0).log2() / 16.0);
        Self::from_numbers(features)
    }

    /// A shape by its features, which should lie between 0 and 1; what is missing is 0, and only so many are kept as
    /// agents see.
    pub fn from_numbers(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut features = [0.0; SHAPE];
        for (feature, number) in features.iter_mut().zip(numbers) {
            *feature = number as f32;
        }
        Self(features)
    }

    /// The features.
    pub fn values(&self) -> Vec<f64> {
        self.0.iter().map(|&feature| feature.into()).collect()
    }
}

/// Every number of the arguments in the order of the text: dimensions, strides, padding.
fn collect_numbers(value: &Value, numbers: &mut Vec<f64>) {
    match value {
        Value::Number(number) => numbers.extend(number.as_f64()),
        Value::Array(items) => items.iter().for_each(|item| collect_numbers(item, numbers)),
        _ => {}
    }
}

impl Environment {
    /// The axes that an agent moves in a step: all, or a window that goes round where it has more than it has slots.
    pub(super) fn window(&self, role: Role, step: usize) -> impl Iterator<Item = usize> {
        let axes = self.axes_of(role);
        let shift = if axes.len() > SLOTS { step * SLOTS } else { 0 };
        (0..axes.len().min(SLOTS)).map(move |slot| axes[(slot + shift) % axes.len()])
    }

    /// Writes what an actor sees at `digits`: [`LOCAL_WIDTH`] numbers.
    pub(super) fn observe_local(
        &self,
        role: Role,
        digits: &[u32],
        step: usize,
        budget_used: f32,
        to: &mut Vec<f32>,
    ) {
        let start = to.len();
        self.observe_slots(role, digits, step, to);
        to.extend_from_slice(&self.shape(digits).0);
        to.push(budget_used);
        debug_assert_eq!(to.len() - start, LOCAL_WIDTH);
    }

    /// Writes what the critic sees: [`GLOBAL_WIDTH`] numbers.
    pub(super) fn observe_global(
        &self,
        digits: &[u32],
        step: usize,
        budget_used: f32,
        standing: &Standing,
        to: &mut Vec<f32>,
    ) {
        let start = to.len();
        for role in Role::ALL {
            self.observe_slots(role, digits, step, to);
        }
        to.extend_from_slice(&self.shape(digits).0);
        to.push(budget_used);
        to.extend([
            standing.score as f32,
            standing.uncertainty as f32,
            standing.validity as f32,
        ]);
        debug_assert_eq!(to.len() - start, GLOBAL_WIDTH);
    }

    fn observe_slots(&self, role: Role, digits: &[u32], step: usize, to: &mut Vec<f32>) {
        let end = to.len() + 2 * SLOTS;
        for axis in self.window(role, step) {
            let axis = &self.axes()[axis];
            // Centred, because absent slots are 0.
            to.extend([axis.place(digits[axis.knob.0]) - 0.5, 1.0]);
        }
        to.resize(end, 0.0);
    }
}
