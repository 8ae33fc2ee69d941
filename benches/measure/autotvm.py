"""One task tuned by AutoTVM's XGBTuner, with the time that each of its steps took.

    python benches/measure/autotvm.py '{"task": {...}, "trials": 64, "seed": 0, "number": 4, "repeat": 3,
        "min_repeat_ms": 0, "cooldown": 0.1, "log": "xgb.log", "tracker": null}'

`task` is what `arco.tasks` describes; `tracker` is `[host, port, key]` for a device from a tracker. Prints
one line of JSON: seconds in all (`wall`), and of building, running and searching.
"""

import json
import os
import sys
import time

os.environ["TOPHUB_LOCATION"] = "NONE"


def main(request: dict) -> dict:
    """Tunes and returns the seconds."""
    import numpy as np
    from tvm import autotvm

    from arco_tvm import description

    np.random.seed(request["seed"])
    task = description.create_task(request["task"])
    spent = {"build": 0.0, "run": 0.0, "search": 0.0}

    def timed(what: str, method):
        def call(*args, **kwargs):
            start = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                spent[what] += time.perf_counter() - start

        return call

    options = {
        "number": request["number"],
        "repeat": request["repeat"],
        "min_repeat_ms": request["min_repeat_ms"],
        "cooldown_interval": request["cooldown"],
    }
    if request["tracker"]:
        host, port, key = request["tracker"]
        runner = autotvm.RPCRunner(key, host, port, **options)
    else:
        runner = autotvm.LocalRunner(**options)
    builder = autotvm.LocalBuilder()
    builder.build = timed("build", builder.build)
    runner.run = timed("run", runner.run)
    start = time.perf_counter()
    tuner = autotvm.tuner.XGBTuner(task)
    tuner.next_batch = timed("search", tuner.next_batch)
    tuner.update = timed("search", tuner.update)
    tuner.tune(
        n_trial=request["trials"],
        measure_option=autotvm.measure_option(builder=builder, runner=runner),
        callbacks=[autotvm.callback.log_to_file(request["log"])],
    )
    return {"wall": time.perf_counter() - start, **spent}


if __name__ == "__main__":
    # What TVM prints on standard output is not ours.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps(main(json.loads(sys.argv[1]))), file=answer, flush=True)
    # AutoTVM's workers would keep an orderly exit waiting.
    os._exit(0)
