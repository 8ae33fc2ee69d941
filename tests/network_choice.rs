//! Which record of each task makes the fastest network.

use std::sync::Arc;

use arco_tvm::record::{ErrorNo, MeasureResult, Record};
use arco_tvm::task::{
    ConfigEntity, ConfigIndex, ConfigSpace, Entity, Knob, KnobKind, Link, Task, Workload,
};
use arco_tvm::tuning::choose_for_network;
use serde_json::json;

fn task(name: &str, weight: u32) -> Arc<Task> {
    let split = |name: &str| {
        let entities = [8, 16].map(|size| Entity::Split(vec![-1, size])).to_vec();
        Knob::new(name, KnobKind::Split, entities).unwrap()
    };
    Arc::new(Task {
        workload: Workload {
            target: "llvm".to_owned(),
            name: "conv2d_NCHWc.x86".to_owned(),
            args: json!([name]),
        },
        host: None,
        flop: None,
        weight,
        group: 0,
        space: ConfigSpace::new(vec![split("tile_ic"), split("tile_oc")]).unwrap(),
    })
}

fn record(task: &Task, reads: i64, writes: i64, microseconds: f64) -> Record {
    let split = |name: &str, size| (name.to_owned(), Entity::Split(vec![-1, size]));
    Record {
        workload: task.workload.clone(),
        config: ConfigEntity {
            index: ConfigIndex(0),
            entities: vec![split("tile_ic", reads), split("tile_oc", writes)],
        },
        result: MeasureResult {
            costs: vec![microseconds * 1e-6],
            error_no: ErrorNo::NoError,
            all_cost: 1.0,
            timestamp: 0.0,
        },
    }
}

/// Data between two operators: a megabyte, which takes hundreds of microseconds to transform.
fn reads(first: usize, second: usize) -> Link {
    Link {
        first,
        second,
        join: false,
        bytes: 1 << 20,
        count: 1,
    }
}

fn choose(tasks: &[Arc<Task>], links: &[Link], records: &[Record]) -> Vec<Option<usize>> {
    choose_for_network(tasks, links, &records.iter().collect::<Vec<_>>())
}

#[test]
fn without_links_each_task_has_its_fastest() {
    let tasks = [task("a", 1), task("b", 1)];
    let records = [
        record(&tasks[0], 8, 8, 100.0),
        record(&tasks[0], 8, 16, 90.0),
        record(&tasks[1], 8, 8, 50.0),
        record(&tasks[1], 16, 8, 60.0),
    ];
    assert_eq!(choose(&tasks, &[], &records), [Some(1), Some(2)]);
}

#[test]
fn a_slightly_slower_record_is_chosen_where_it_saves_a_transformation() {
    let tasks = [task("a", 1), task("b", 1)];
    let records = [
        record(&tasks[0], 8, 8, 100.0),
        record(&tasks[0], 8, 16, 90.0),
        record(&tasks[1], 8, 8, 50.0),
        record(&tasks[1], 16, 8, 500.0),
    ];
    assert_eq!(choose(&tasks, &[reads(0, 1)], &records), [Some(0), Some(2)]);
}

#[test]
fn a_much_slower_record_is_not() {
    let tasks = [task("a", 1), task("b", 1)];
    let records = [
        record(&tasks[0], 8, 8, 5000.0),
        record(&tasks[0], 8, 16, 90.0),
        record(&tasks[1], 8, 8, 50.0),
    ];
    assert_eq!(choose(&tasks, &[reads(0, 1)], &records), [Some(1), Some(2)]);
}

#[test]
fn an_operator_that_follows_itself_agrees_with_itself() {
    let tasks = [task("a", 4)];
    let records = [
        record(&tasks[0], 8, 16, 100.0),
        record(&tasks[0], 16, 16, 110.0),
    ];
    assert_eq!(choose(&tasks, &[reads(0, 0)], &records), [Some(1)]);
}

#[test]
fn outputs_that_are_joined_agree() {
    let tasks = [task("a", 1), task("b", 1)];
    let records = [
        record(&tasks[0], 8, 8, 100.0),
        record(&tasks[1], 8, 16, 50.0),
        record(&tasks[1], 16, 8, 60.0),
    ];
    let join = Link {
        join: true,
        ..reads(0, 1)
    };
    assert_eq!(choose(&tasks, &[join], &records), [Some(0), Some(2)]);
}

#[test]
fn layouts_that_all_have_to_change_together_are_found() {
    // From the fastest, changing one task alone always makes it worse: 8 and 16 do not mix.
    let tasks = [task("a", 1), task("b", 1), task("c", 1)];
    let mut records = Vec::new();
    for task in &tasks {
        records.push(record(task, 8, 8, 100.0));
        records.push(record(task, 16, 16, 90.0));
    }
    let mut slow_end = record(&tasks[2], 16, 16, 90.0);
    slow_end.result.costs = vec![1.0];
    records[5] = slow_end;
    let links = [reads(0, 1), reads(1, 2), reads(2, 0)];
    assert_eq!(
        choose(&tasks, &links, &records),
        [Some(0), Some(2), Some(4)]
    );
}

#[test]
fn a_task_without_a_record_is_passed_over() {
    let tasks = [task("a", 1), task("b", 1)];
    let records = [record(&tasks[1], 8, 8, 50.0)];
    assert_eq!(choose(&tasks, &[reads(0, 1)], &records), [None, Some(0)]);
}
