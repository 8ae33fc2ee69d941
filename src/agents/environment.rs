//! A task as an environment: its configurations are the states, and agents move knobs.

use std::sync::Arc;

use crate::task::{ConfigSpace, Digits, KnobId, SpaceError, TaskContext};

use super::axis::{Axis, Move};
use super::observation::ShapeFeatures;
use super::ownership::{Ownership, Role};

/// The space of one task with its axes dealt out to the agents.
#[derive(Clone, Debug)]
pub struct Environment {
    space: Arc<ConfigSpace>,
    axes: Vec<Axis>,
    by_role: [Vec<usize>; 3],
    shape: ShapeFeatures,
}

/// Many walks at once: where each stands.
pub type Walks = Vec<Digits>;

impl Environment {
    /// The environment of a task.
    pub fn new(space: Arc<ConfigSpace>, context: &TaskContext, ownership: Ownership) -> Self {
        let mut axes = Vec::new();
        for (i, knob) in space.knobs().iter().enumerate() {
            if let Some(owner) = ownership.owner(context, knob) {
                axes.extend(Axis::of_knob(knob, KnobId(i), owner));
            }
        }
        let mut by_role: [Vec<usize>; 3] = Default::default();
        for (i, axis) in axes.iter().enumerate() {
            by_role[axis.owner.position()].push(i);
        }
        Self {
            space,
            axes,
            by_role,
            shape: ShapeFeatures::of(context),
        }
    }

    /// The space.
    pub fn space(&self) -> &Arc<ConfigSpace> {
        &self.space
    }

    /// Every axis that somebody moves.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Positions of an agent's axes in [`Self::axes`]; none for an agent that idles on this task.
    pub fn axes_of(&self, role: Role) -> &[usize] {
        &self.by_role[role.position()]
    }

    pub(super) const fn shape(&self) -> &ShapeFeatures {
        &self.shape
    }

    /// Where the moves lead: `moves` names an axis (by position) and what is done with it, for each walk.
    ///
    /// Axes of one knob move one after the other. A walk that would leave what the template's own condition allows
    /// stays where it was.
    ///
    /// # Errors
    /// When the condition cannot be asked.
    pub fn step(&self, walks: &Walks, moves: &[Vec<(usize, Move)>]) -> Result<Walks, SpaceError> {
        let mut moved: Walks = walks
            .iter()
            .zip(moves)
            .map(|(digits, moves)| {
                let mut digits = digits.clone();
                for &(axis, step) in moves {
                    let axis = &self.axes[axis];
                    digits[axis.knob.0] = axis.moved(digits[axis.knob.0], step);
                }
                digits
            })
            .collect();
        let indices: Vec<_> = moved
            .iter()
            .map(|digits| self.space.index(digits))
            .collect();
        for (i, valid) in self.space.valid(&indices)?.into_iter().enumerate() {
            if !valid {
                moved[i].clone_from(&walks[i]);
            }
        }
        Ok(moved)
    }
}
