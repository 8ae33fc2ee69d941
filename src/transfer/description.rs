//! Configurations as numbers that mean the same for every task of a template.

use crate::task::{ConfigEntity, ConfigSpace, Entity, KnobKind, TargetKind, TaskContext};

/// What tasks must share to learn from one another: the template and the form of its knobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    name: String,
    target: TargetKind,
    /// Name, kind and width of each knob.
    knobs: Vec<(String, KnobKind, usize)>,
}

impl Template {
    /// The template of a task whose knobs have these forms; `None` where nothing is known of the task but its knobs.
    fn of(context: &TaskContext, knobs: Vec<(String, KnobKind, usize)>) -> Option<Self> {
        Some(Self {
            name: context.workload.as_ref()?.name.clone(),
            target: context.target,
            knobs,
        })
    }
}

/// The template of a configuration with the numbers of its knobs, as many for every configuration of the template;
/// `None` where nothing is known of the task but its knobs.
pub fn describe(context: &TaskContext, config: &ConfigEntity) -> Option<(Template, Vec<f64>)> {
    let mut numbers = Vec::new();
    let mut knobs = Vec::with_capacity(config.entities.len());
    for (name, entity) in &config.entities {
        let knob = entity_numbers(entity);
        knobs.push((name.clone(), entity.kind(), knob.len()));
        numbers.extend(knob);
    }
    Some((Template::of(context, knobs)?, numbers))
}

/// The numbers of each value of each knob of a task.
#[derive(Clone, Debug)]
pub struct DescribedSpace {
    template: Template,
    /// For each knob, for each of its values.
    numbers: Vec<Vec<Vec<f64>>>,
}

impl DescribedSpace {
    /// Describes a task's space; `None` where nothing is known of the task but its knobs, or a knob's values have
    /// different forms.
    pub fn of(context: &TaskContext, space: &ConfigSpace) -> Option<Self> {
        let mut knobs = Vec::new();
        let mut numbers = Vec::new();
        for knob in space.knobs() {
            let values: Vec<Vec<f64>> = knob.entities().iter().map(entity_numbers).collect();
            let width = values[0].len();
            if values.iter().any(|value| value.len() != width) {
                return None;
            }
            knobs.push((knob.name().to_owned(), knob.entities()[0].kind(), width));
            numbers.push(values);
        }
        let template = Template::of(context, knobs)?;
        Some(Self { template, numbers })
    }

    /// What the task must share with others.
    pub const fn template(&self) -> &Template {
        &self.template
    }

    /// The numbers of a configuration, given by its digits.
    pub fn numbers(&self, digits: &[u32]) -> Vec<f64> {
        let knobs = self.numbers.iter().zip(digits);
        knobs
            .flat_map(|(values, &digit)| &values[digit as usize])
            .copied()
            .collect()
    }
}

/// Sizes by their logarithm, for tasks differ by factors; those of a split also as the volume of the inner loops.
fn entity_numbers(entity: &Entity) -> Vec<f64> {
    match entity {
        Entity::Split(sizes) => {
            // The outer size follows from the task's extent, which its shape says.
            let inner = sizes
                .iter()
                .skip(1)
                .map(|&size| (size.max(1) as f64).log2());
            inner.clone().chain([inner.sum()]).collect()
        }
        Entity::Reorder(order) => order.iter().map(|&axis| f64::from(axis)).collect(),
        Entity::Annotate(words) => words.iter().map(|word| annotation(word)).collect(),
        Entity::Other(value) => {
            let number = value.as_f64().or_else(|| value.as_bool().map(f64::from));
            vec![number.map_or(0.0, |number| number.signum() * number.abs().ln_1p())]
        }
    }
}

/// AutoTVM's annotations, from what keeps a loop to what dissolves it.
fn annotation(word: &str) -> f64 {
    match word {
        "none" => 0.0,
        "unroll" => 1.0,
        "vec" => 2.0,
        _ => 3.0,
    }
}
