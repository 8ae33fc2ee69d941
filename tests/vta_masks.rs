//! The masks of VTA's other templates against what was built and run (`tests/data/vta_masks`).

use std::path::Path;

use arco_tvm::record::read_bytes;
use arco_tvm::task::{ConfigIndex, Entity, Task, TaskDescription};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    #[serde(flatten)]
    description: TaskDescription,
    ran: Vec<u64>,
    failed: Vec<u64>,
}

/// A task, and which of its configurations ran and which did not.
struct Outcome {
    task: Task,
    ran: Vec<ConfigIndex>,
    failed: Vec<ConfigIndex>,
}

fn recorded(template: &str) -> Vec<Outcome> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vta_masks/tasks.jsonl.gz");
    let text = String::from_utf8(read_bytes(&path).unwrap()).unwrap();
    let outcomes: Vec<Outcome> = text
        .lines()
        .map(|line| serde_json::from_str::<Recorded>(line).unwrap())
        .filter(|recorded| recorded.description.name == template)
        .map(|recorded| Outcome {
            task: recorded.description.into_task(None).unwrap(),
            ran: recorded.ran.into_iter().map(ConfigIndex).collect(),
            failed: recorded.failed.into_iter().map(ConfigIndex).collect(),
        })
        .collect();
    assert!(outcomes.len() > 5, "{template}: {}", outcomes.len());
    outcomes
}

/// Of `indices` those that the mask lets through.
fn open(task: &Task, indices: &[ConfigIndex]) -> Vec<ConfigIndex> {
    let valid = task.space.valid(indices).unwrap();
    let open = indices.iter().zip(valid).filter(|(_, valid)| *valid);
    open.map(|(index, _)| *index).collect()
}

#[test]
fn the_rules_of_grouped_convolutions_tell_which_schedules_run() {
    for Outcome { task, ran, failed } in recorded("group_conv2d_packed.vta") {
        assert_eq!(open(&task, &ran), ran, "{:?}", task.workload.args);
        assert_eq!(open(&task, &failed), [], "{:?}", task.workload.args);
    }
}

#[test]
fn the_rules_of_dense_layers_tell_which_schedules_run() {
    for Outcome { task, ran, failed } in recorded("dense_packed.vta") {
        assert_eq!(open(&task, &ran), ran, "{:?}", task.workload.args);
        assert_eq!(open(&task, &failed), [], "{:?}", task.workload.args);
    }
}

#[test]
fn no_schedule_of_a_transposed_convolution_that_runs_is_masked_and_few_of_the_others_are_left() {
    let (mut left, mut failures) = (0, 0);
    for Outcome { task, ran, failed } in recorded("conv2d_transpose_packed.vta") {
        let allowed = open(&task, &ran);
        for index in ran.iter().filter(|index| !allowed.contains(index)) {
            // A task has no bias; a network's layer has one, and no room for it when the results fill the buffer.
            assert!(
                fills_the_accumulators(&task, *index),
                "{index} of {:?}",
                task.workload.args
            );
        }
        left += open(&task, &failed).len();
        failures += failed.len();
    }
    assert!(left * 20 < failures, "{left} of {failures} are left");
}

/// Whether a configuration's results are as many as the elements of the default geometry's buffer.
fn fills_the_accumulators(task: &Task, index: ConfigIndex) -> bool {
    let digits = task.space.digits(index).unwrap();
    let factors = task.space.knobs().iter().zip(digits.iter());
    let elements: i64 = factors
        .filter(|(knob, _)| {
            ["tile_h", "tile_w", "tile_co", "oc_nthread", "h_nthread"].contains(&knob.name())
        })
        .map(|(knob, digit)| match &knob.entities()[*digit as usize] {
            Entity::Split(sizes) => *sizes.last().unwrap(),
            other => other.to_json().as_i64().unwrap(),
        })
        .product();
    elements == 2048
}
