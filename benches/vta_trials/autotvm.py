"""The same candidates through AutoTVM's LocalBuilder and RPCRunner.

    python benches/vta_trials/autotvm.py '{"task": {...}, "configs": [{...}], "tracker": [host, port, key]}'

TVM 0.19's builder no longer builds for the accelerator: its workers enter `vta.build_config` when they start,
which is all that a user's script would add. Prints one line of JSON: seconds until the first batch could
begin (`start`), of building and of running, and each candidate's cost.
"""

import json
import os
import sys
import time

os.environ["TOPHUB_LOCATION"] = "NONE"


def enter_build_config() -> None:
    """In each of the builder's workers: whatever they build, they build for the accelerator."""
    import vta

    vta.build_config().__enter__()


def main(request: dict) -> dict:
    """Measures and returns the seconds."""
    from tvm import autotvm
    from tvm.autotvm.measure import MeasureInput
    from tvm.autotvm.task.space import ConfigEntity
    from tvm.contrib.popen_pool import PopenPoolExecutor

    import vta
    from arco_tvm import description

    task = description.create_task(request["task"])
    host, port, key = request["tracker"]
    begun = time.perf_counter()
    runner = autotvm.RPCRunner(
        key, host, port, number=1, repeat=1, cooldown_interval=0, module_loader=vta.module_loader()
    )
    builder = autotvm.LocalBuilder(n_parallel=os.cpu_count(), do_fork=True)
    builder.executor = PopenPoolExecutor(timeout=builder.timeout, initializer=enter_build_config)
    runner.set_task(task)
    builder.set_task(task, runner.get_build_kwargs())
    inputs = [
        MeasureInput(task.target, task, ConfigEntity.from_json_dict(config)) for config in request["configs"]
    ]
    # Workers import TVM when they are first used: that is their start.
    results = measure(builder, runner, inputs[: builder.n_parallel])
    start = time.perf_counter() - begun
    spent = {"build": 0.0, "run": 0.0}
    results = measure(builder, runner, inputs, spent)
    costs = [result.costs[0] if result.error_no == 0 else str(result.costs) for result in results]
    return {"start": start, **spent, "costs": costs}


def measure(builder, runner, inputs: list, spent: dict | None = None) -> list:
    """As AutoTVM's tuner does it: batches of as many as are built at once, which are built and then run."""
    spent = {"build": 0.0, "run": 0.0} if spent is None else spent
    results = []
    for first in range(0, len(inputs), builder.n_parallel):
        batch = inputs[first : first + builder.n_parallel]
        begun = time.perf_counter()
        built = builder.build(batch)
        ready = time.perf_counter()
        results += runner.run(batch, built)
        spent["build"] += ready - begun
        spent["run"] += time.perf_counter() - ready
    return results


if __name__ == "__main__":
    # What TVM prints on standard output is not ours.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps(main(json.loads(sys.argv[1]))), file=answer, flush=True)
    # AutoTVM's workers would keep an orderly exit waiting.
    os._exit(0)
