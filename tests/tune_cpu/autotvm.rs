//! AutoTVM and TVM's compiler take our logs, and we take AutoTVM's.

use std::fs;

use arco_tvm::record::ErrorNo;
use serde_json::Value;

use crate::tuned::{NETWORK, TARGET, TASKS, arco_tvm, clean_log, tune, tuned};
use crate::{session, support};

#[test]
fn autotvm_reads_every_record_and_writes_it_again_to_the_byte() {
    let script = "
import sys
from arco_tvm import compat
from tvm import autotvm, relay
for pair in autotvm.record.load_from_file(sys.argv[1]):
    print(autotvm.record.encode(*pair))
";
    let encoded = support::run_python(script, &[&tuned().log]);
    assert_eq!(encoded, fs::read_to_string(&tuned().log).unwrap());
}

#[test]
fn pick_best_keeps_the_best_record_of_each_task() {
    let folder = tempfile::tempdir().unwrap();
    let best = folder.path().join("best.log");
    let script = "
import sys
from arco_tvm import compat
from tvm import autotvm, relay
autotvm.record.pick_best(sys.argv[1], sys.argv[2])
";
    support::run_python(script, &[&tuned().log, &best]);
    let best = clean_log(&best).records;
    assert_eq!(best.len(), TASKS);
    for (_, winner) in best {
        let all = clean_log(&tuned().log).records;
        let least = all
            .iter()
            .filter(|(_, record)| record.workload == winner.workload)
            .filter_map(|(_, record)| record.result.mean_cost())
            .fold(f64::INFINITY, f64::min);
        assert_eq!(winner.result.mean_cost(), Some(least));
    }
}

#[test]
fn a_network_compiled_with_the_log_falls_back_for_no_task() {
    // TVM's own message, and nothing of ours in between. Without the log it must come, or this shows nothing.
    let script = "
import json, sys
from arco_tvm import compat, models, targets
import tvm
from tvm import autotvm, relay
model = models.load({'model': sys.argv[2]})
target = targets.resolve(sys.argv[3]).object()
def fallbacks():
    autotvm.task.DispatchContext.warning_messages.clear()
    autotvm.task.DispatchContext.current = autotvm.task.FallbackContext()
    relay.backend.te_compiler.get().clear()
    return autotvm.task.DispatchContext.warning_messages
with tvm.transform.PassContext(opt_level=3):
    messages = fallbacks()
    with autotvm.apply_history_best(sys.argv[1]):
        relay.build(model.mod, target=target, params=model.params)
    tuned = sorted(messages)
    messages = fallbacks()
    relay.build(model.mod, target=target, params=model.params)
print(json.dumps({'tuned': tuned, 'untuned': sorted(messages)}))
";
    let printed = support::run_python(script, &[&tuned().log, NETWORK.as_ref(), TARGET.as_ref()]);
    let messages: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert_eq!(messages["tuned"], serde_json::json!([]));
    let untuned = messages["untuned"].as_array().unwrap();
    assert!(untuned.len() >= TASKS - 1, "{untuned:#?}");
}

#[test]
fn verify_finds_a_record_for_every_workload_and_the_same_outputs() {
    let folder = tuned().log.parent().unwrap();
    let output = session::run(&arco_tvm(
        folder,
        &[
            "verify",
            NETWORK,
            "--target",
            TARGET,
            "--log",
            "net.log",
            "--network-only",
            "--network-repeat",
            "1",
        ],
    ));
    let printed = support::succeeded(output);
    assert!(printed.contains("workloads, none for 0\n"), "{printed}");
    assert!(printed.contains("\noutputs agree"), "{printed}");
}

#[test]
fn a_log_that_autotvm_wrote_is_read_to_the_byte_and_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("net.log");
    let script = "
import sys
from arco_tvm import compat, extract, models, targets
from tvm import autotvm
from tvm.autotvm.measure import MeasureInput, MeasureResult
model = models.load({'model': sys.argv[2]})
task = extract.extract(model, targets.resolve(sys.argv[3]).object()).tasks[0].task
measure = autotvm.measure_option(
    builder=autotvm.LocalBuilder(timeout=60),
    runner=autotvm.LocalRunner(number=1, repeat=1, timeout=60, cooldown_interval=0))
log = autotvm.callback.log_to_file(sys.argv[1])
autotvm.tuner.GridSearchTuner(task).tune(3, measure, callbacks=[log])
# What a builder that failed is in AutoTVM's memory and in its log.
failed = MeasureResult(('traceback', ValueError('no')), 2, 0.5, 1795533282.158)
log(None, [MeasureInput(task.target, task, task.config_space.get(3))], [failed])
";
    let mut command = support::command(support::python());
    command
        .args(["-c", script])
        .args([log.as_os_str(), NETWORK.as_ref(), TARGET.as_ref()]);
    support::succeeded(session::run(&command));
    let theirs = fs::read_to_string(&log).unwrap();
    let records = clean_log(&log).records;
    let ours: String = records
        .iter()
        .map(|(_, record)| record.to_line() + "\n")
        .collect();
    assert_eq!(ours, theirs);
    let indices: Vec<u64> = records
        .iter()
        .map(|(_, record)| record.config.index.0)
        .collect();
    assert_eq!(indices, [0, 1, 2, 3]);
    assert_eq!(records[3].1.result.error_no, ErrorNo::CompileHost);

    // One task has four trials now, so four for each leave it alone.
    let output = session::run(&tune(
        folder.path(),
        NETWORK,
        "net.log",
        &["--trials-per-task", "4", "--early-stopping", "1"],
    ));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("the log already has 4 trials of these tasks"),
        "{said}"
    );
    let after = clean_log(&log).records;
    let of_the_task = after
        .iter()
        .filter(|(_, record)| record.workload == records[0].1.workload)
        .count();
    assert_eq!(of_the_task, 4);
    assert!(after.len() > 4);
}
