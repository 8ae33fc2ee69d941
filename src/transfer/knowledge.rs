//! What the searches of a run share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::agents::{ShapeFeatures, Team};
use crate::record::Record;
use crate::task::TaskContext;

use super::description::{Template, describe};
use super::prior::{Example, Prior};

/// Everything that was measured, by task, and the agents; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    lessons: Arc<Mutex<Vec<Lesson>>>,
    team: Arc<Mutex<Option<Team>>>,
}

/// What was measured of one task.
#[derive(Debug)]
struct Lesson {
    template: Option<Template>,
    shape: Vec<f64>,
    /// Numbers and cost of each configuration; no cost for a failure.
    measured: Vec<(Vec<f64>, Option<f64>)>,
}

/// Fewest measurements of another task that say something.
const FEWEST: usize = 8;

impl Knowledge {
    /// Takes in records of earlier logs.
    pub fn remember<'a>(&self, records: impl IntoIterator<Item = &'a Record>) {
        let mut known: Vec<(TaskContext, Template, TaskKnowledge)> = Vec::new();
        for record in records {
            let context = TaskContext::of(&record.workload);
            let Some((template, numbers)) = describe(&context, &record.config) else {
                continue;
            };
            // A fallback configuration may have knobs of another form than its task's space: it stands for itself.
            let of_this = known
                .iter()
                .position(|(c, t, _)| *c == context && *t == template);
            let position = of_this.unwrap_or_else(|| {
                let task = self.begin(&context, Some(template.clone()));
                known.push((context, template, task));
                known.len() - 1
            });
            known[position].2.add(numbers, record.result.mean_cost());
        }
    }

    /// Begins with a task of a template. What is told of it is there for the others, and theirs for it.
    pub fn begin(&self, context: &TaskContext, template: Option<Template>) -> TaskKnowledge {
        let mut lessons = whole(&self.lessons);
        lessons.push(Lesson {
            template,
            shape: ShapeFeatures::of(context).values(),
            measured: Vec::new(),
        });
        TaskKnowledge {
            all: self.clone(),
            position: lessons.len() - 1,
        }
    }

    /// The agents, for one search at a time; none until the first has made them.
    pub fn team(&self) -> MutexGuard<'_, Option<Team>> {
        whole(&self.team)
    }
}

/// Whatever panicked while it held the lock: no statement leaves half of a change.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One task's part of [`Knowledge`].
#[derive(Debug)]
pub struct TaskKnowledge {
    all: Knowledge,
    position: usize,
}

impl TaskKnowledge {
    /// What all share.
    pub const fn all(&self) -> &Knowledge {
        &self.all
    }

    /// Takes in the cost of the configuration of these numbers; none for a failure.
    pub fn add(&self, numbers: Vec<f64>, cost: Option<f64>) {
        whole(&self.all.lessons)[self.position]
            .measured
            .push((numbers, cost));
    }

    /// What other tasks of the template suggest for this one; `None` while there is nothing to learn from.
    ///
    /// # Errors
    /// When the learner refuses the data; the text says why.
    pub fn prior(&self) -> Result<Option<Prior>, String> {
        let lessons = whole(&self.all.lessons);
        let own = &lessons[self.position];
        let mut examples = Vec::new();
        for (position, lesson) in lessons.iter().enumerate() {
            let same = lesson.template.is_some() && lesson.template == own.template;
            if !same || position == self.position || lesson.measured.len() < FEWEST {
                continue;
            }
            let costs = lesson.measured.iter().filter_map(|(_, cost)| *cost);
            let Some(best) = costs.min_by(f64::total_cmp) else {
                continue;
            };
            examples.extend(lesson.measured.iter().map(|(numbers, cost)| Example {
                numbers,
                shape: &lesson.shape,
                share: cost.map_or(Prior::WORST, |cost| (best / cost).ln().max(Prior::WORST)),
            }));
        }
        if examples.is_empty() {
            return Ok(None);
        }
        Prior::learn(&examples, &own.shape).map(Some)
    }
}
