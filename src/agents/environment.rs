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
    scene: Arc<dyn Scene>,
}

/// What agents see of a task besides their own knobs, and where a joint move leads that no agent meant.
pub trait Scene: std::fmt::Debug + Send + Sync {
    /// The shape of the task, as it is at a configuration: all agents and the critic see it.
    fn shape(&self, digits: &[u32]) -> ShapeFeatures;

    /// The configuration that stands for `moved`, where moves from `from` led, when that is none that makes sense.
    fn repaired(&self, from: &[u32], moved: Digits) -> Digits {
        let _ = from;
        moved
    }
}

/// A task whose shape is the same everywhere, and whose moves mean what they say.
impl Scene for ShapeFeatures {
    fn shape(&self, _: &[u32]) -> ShapeFeatures {
        self.clone()
    }
}

/// Many walks at once: where each stands.
pub type Walks = Vec<Digits>;

impl Environment {
    /// The environment of a task.
    pub fn new(space: Arc<ConfigSpace>, context: &TaskContext, ownership: Ownership) -> Self {
        let shape = ShapeFeatures::of(context);
        Self::with_scene(space, context, ownership, Arc::new(shape))
    }

    /// The environment of a task whose agents see a scene.
    pub fn with_scene(
        space: Arc<ConfigSpace>,
        context: &TaskContext,
        ownership: Ownership,
        scene: Arc<dyn Scene>,
    ) -> Self {
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
            scene,
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

    pub(super) fn shape(&self, digits: &[u32]) -> ShapeFeatures {
        self.scene.shape(digits)
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
            .map(|(from, moves)| {
                let mut digits = from.clone();
                for &(axis, step) in moves {
                    let axis = &self.axes[axis];
                    digits[axis.knob.0] = axis.moved(digits[axis.knob.0], step);
                }
                self.scene.repaired(from, digits)
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
