//! Our config spaces against AutoTVM's own, on the tasks of real networks: the same index is the same configuration.

mod support;

use std::sync::{Arc, Mutex};

use arco_tvm::task::{ConfigEntity, ConfigIndex, TaskDescription, ValidityFilter};
use serde_json::Value;

/// What AutoTVM said of each sampled index; it fails the test when asked about another.
struct AutotvmsAnswers {
    answers: Vec<(ConfigIndex, bool)>,
    asked: Mutex<Vec<ConfigIndex>>,
}

impl ValidityFilter for AutotvmsAnswers {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        self.asked.lock().unwrap().extend(indices);
        indices
            .iter()
            .map(|index| {
                self.answers
                    .iter()
                    .find(|(asked, _)| asked == index)
                    .map(|&(_, valid)| valid)
                    .ok_or_else(|| format!("{index} was not sampled"))
            })
            .collect()
    }
}

/// What was compared.
struct Compared {
    tasks: usize,
    filtered: usize,
    largest: u64,
}

/// Checks every sample of every task.
fn agree(model: &str, target: &str) -> Compared {
    let arguments = [
        "--model", model, "--target", target, "--sample", "64", "--seed", "17",
    ];
    let described = support::python_json("arco_tvm.describe", &arguments);
    let tasks = described["tasks"].as_array().unwrap();
    let mut compared = Compared {
        tasks: tasks.len(),
        filtered: 0,
        largest: 0,
    };
    for described in tasks {
        let samples = described["samples"].as_array().unwrap();
        assert!(
            samples.len() >= 10,
            "{model} {target}: {} samples",
            samples.len()
        );
        let description: TaskDescription = serde_json::from_value(described.clone()).unwrap();
        let answers = samples
            .iter()
            .map(|sample| (index_of(sample), sample["valid"].as_bool().unwrap()))
            .collect();
        let filter = Arc::new(AutotvmsAnswers {
            answers,
            asked: Mutex::default(),
        });
        let task = description.into_task(Some(filter.clone())).unwrap();
        compared.largest = compared.largest.max(task.space.range_length());
        compared.filtered += usize::from(task.space.is_filtered());
        for sample in samples {
            agree_on(&task.space, sample);
        }
        let asked = filter.asked.lock().unwrap();
        assert!(
            asked.len() <= samples.len(),
            "the filter saw an index twice"
        );
        assert_eq!(!asked.is_empty(), task.space.is_filtered());
    }
    compared
}

fn index_of(sample: &Value) -> ConfigIndex {
    ConfigIndex(sample["index"].as_u64().unwrap())
}

fn agree_on(space: &arco_tvm::task::ConfigSpace, sample: &Value) {
    let index = index_of(sample);
    let valid = sample["valid"].as_bool().unwrap();
    assert_eq!(space.valid(&[index]).unwrap(), [valid], "{sample}");
    assert_eq!(space.index(&space.digits(index).unwrap()), index);
    if valid {
        let config = space.get(index).unwrap();
        assert_eq!(config.to_json(), sample["config"]);
        let read = ConfigEntity::from_json(&sample["config"]).unwrap();
        assert_eq!(read, config);
        assert_eq!(space.find(&read).unwrap(), index);
    }
}

#[test]
fn resnet_18_has_autotvms_spaces_on_every_target() {
    // Twelve convolutions, and two templates for the dense layer; on GPUs four also have a winograd template.
    assert_eq!(agree("resnet-18", "llvm").tasks, 14);
    assert_eq!(agree("resnet-18", "cuda").tasks, 17);
    assert_eq!(agree("resnet-18", "opencl").tasks, 17);
}

#[test]
fn mobilenet_has_autotvms_spaces_on_every_target() {
    for target in ["llvm", "cuda", "opencl"] {
        assert!(agree("mobilenet", target).tasks >= 20);
    }
}

#[test]
fn vgg_16_has_autotvms_spaces_on_every_target_up_to_seven_hundred_million() {
    assert!(agree("vgg-16", "llvm").tasks >= 11);
    for target in ["cuda", "opencl"] {
        let compared = agree("vgg-16", target);
        assert!(compared.tasks >= 17);
        assert!(compared.largest > 700_000_000, "{}", compared.largest);
    }
}

#[test]
fn a_template_with_a_filter_has_the_same_valid_configurations_in_both() {
    let compared = agree("resnet-8", "opencl -device=adreno");
    assert!(compared.filtered > 0);
}
