"""What the search costs in spaces of GPU size: `arco` and AutoTVM's XGBTuner (knob features) on the same
tasks.

    make bench-gpu-search

ResNet-18's tasks for cuda, the largest first. Nothing is built or run: a configuration's cost is a fixed
function of its digits, the same for both, and what `verify_gpu_code` would refuse on a device of 1,024
threads and 48 kB is known to neither. Both are asked for batches of 8 (`arco` plans 4 at a time) and told
the costs. Prints milliseconds of CPU time per trial, of all threads and worker processes, and the memory
that a process grew to.
"""

import argparse
import json
import resource
import subprocess
import sys
import zlib

TRIALS = 192
BATCH = 8


def cost(index: int, sizes: list[int]) -> float:
    """Seconds: every knob has a best value, and the further from it the slower."""
    seconds = 1e-3
    for place, size in enumerate(sizes):
        index, digit = divmod(index, size)
        best = zlib.crc32(b"%d" % place) % size
        seconds *= 1 + abs(digit - best) / size
    return seconds


def cpu_seconds() -> float:
    """Of this process and its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def run(name: str, task_json: dict, trials: int) -> dict:
    """One search in this process."""
    from tvm.autotvm.measure import MeasureInput, MeasureResult
    from tvm.autotvm.tuner import XGBTuner

    from arco_tvm.description import create_task
    from arco_tvm.tuner import ArcoTuner

    task = create_task(task_json)
    sizes = [len(knob) for knob in task.config_space.space_map.values()]
    before = cpu_seconds()
    tuner = ArcoTuner(task) if name == "arco" else XGBTuner(task, feature_type="knob")
    done = 0
    best = float("inf")
    while done < trials:
        batch = tuner.next_batch(BATCH)
        if not batch:
            break
        costs = [cost(config.index, sizes) for config in batch]
        inputs = [MeasureInput(task.target, task, config) for config in batch]
        tuner.update(inputs, [MeasureResult((seconds,), 0, 1.0, 0.0) for seconds in costs])
        done += len(batch)
        best = min(best, *costs)
    del tuner
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"ms": 1e3 * (cpu_seconds() - before) / done, "trials": done, "best_ms": 1e3 * best, "mib": peak}


def main() -> int:
    """Each search in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=4, help="so many of the largest")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--one", nargs=2, metavar=("TUNER", "TASK"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print("RESULT " + json.dumps(run(args.one[0], json.loads(args.one[1]), args.trials)))
        return 0
    from arco_tvm import frontend

    tasks = frontend.tasks({"model": "resnet-18", "target": "cuda -arch=sm_80"})["tasks"]
    tasks.sort(key=lambda task: -task["range_length"])
    print("| task | configurations | arco | XGBTuner | ratio | memory of arco's process |")
    print("|---|---|---|---|---|---|", flush=True)
    for task in tasks[: args.tasks]:
        found = {}
        for name in ("arco", "xgb"):
            chosen = json.dumps({key: task[key] for key in ("name", "args", "target", "host")})
            command = [sys.executable, __file__, "--trials", str(args.trials), "--one", name, chosen]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found[name] = json.loads(
                next(line for line in said.splitlines() if line.startswith("RESULT "))[7:]
            )
        ours, theirs = found["arco"], found["xgb"]
        shapes = " ".join("x".join(map(str, argument[1])) for argument in task["args"][:2])
        times = f"{ours['ms']:.1f} ms | {theirs['ms']:.0f} ms | {theirs['ms'] / ours['ms']:.0f}"
        print(
            f"| {task['name']} {shapes} | {task['range_length']:,} | {times} | {ours['mib']} MiB |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
