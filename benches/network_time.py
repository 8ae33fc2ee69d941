"""Network time after tuning: arco-tvm against AutoTVM's own XGBTuner, with the same number of trials.

Each run tunes the network with both, from nothing, on this machine, with the same `number`, `repeat`,
`min_repeat_ms` and cooldown; the order of the two changes from run to run. Then the network is compiled
untuned and with each log, and the three are timed in turn. Prints a table; `--json` keeps the figures. What
is finished is kept in `--folder`, so an interrupted benchmark goes on where it ended.

    python benches/network_time.py --model resnet-18 --trials-per-task 32 --runs 3
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ["TOPHUB_LOCATION"] = "NONE"

ROOT = Path(__file__).resolve().parent.parent
NUMBER, REPEAT, MIN_REPEAT_MS, COOLDOWN = 4, 3, 0, 0.1


def main() -> None:
    """Tune, compile, time, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="resnet-18")
    parser.add_argument("--target", default="llvm -mcpu=native")
    parser.add_argument("--trials-per-task", type=int, default=32, metavar="N")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--folder", type=Path, default=ROOT / ".build" / "bench-network")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    tasks = count_tasks(args)
    rows = []
    for run in range(args.runs):
        peers = [tune_with_arco, tune_with_xgb]
        for peer in peers if run % 2 == 0 else reversed(peers):
            peer(args, run, tasks)
        rows.append(measure(args, run))
        print(json.dumps(rows[-1]), file=sys.stderr)
    report(args, tasks, rows)


def count_tasks(args: argparse.Namespace) -> int:
    """How many tasks the model has: the trials in all are a multiple of it."""
    listing = [ROOT / "target/release/arco-tvm", "tasks", args.model, "-t", args.target, "--json"]
    done = subprocess.run(listing, capture_output=True, check=True, text=True)
    return len(json.loads(done.stdout)["tasks"])


def log_of(args: argparse.Namespace, who: str, run: int) -> Path:
    """The log of one tuner's run."""
    return args.folder / f"{args.model}-{args.trials_per_task}-{who}-{run}.log"


def deployed(args: argparse.Namespace, who: str, run: int) -> Path:
    """The log that the network is compiled with: of arco-tvm the one with a record for each task."""
    log = log_of(args, who, run)
    return log.with_suffix(".best.log") if who == "arco" else log


def tune_with_arco(args: argparse.Namespace, run: int, tasks: int) -> None:
    """One run of the command."""
    command = [ROOT / "target/release/arco-tvm", "tune", args.model, "-t", args.target, "--seed", run]
    command += ["--trials", tasks * args.trials_per_task, "-o", log_of(args, "arco", run)]
    command += [
        "--number",
        NUMBER,
        "--repeat",
        REPEAT,
        "--min-repeat-ms",
        MIN_REPEAT_MS,
        "--cooldown",
        COOLDOWN,
    ]
    timed(args, "arco", run, lambda: subprocess.run([str(word) for word in command], check=True))


def tune_with_xgb(args: argparse.Namespace, run: int, tasks: int) -> None:
    """One run of AutoTVM's tuner with its defaults, task after task."""

    def tune() -> None:
        import numpy as np
        from tvm import autotvm

        from arco_tvm import description, frontend

        np.random.seed(run)
        request = {"model": args.model, "target": args.target}
        log = str(log_of(args, "xgb", run))
        for described in frontend.tasks(request)["tasks"]:
            task = description.create_task(described)
            runner = autotvm.LocalRunner(
                number=NUMBER, repeat=REPEAT, min_repeat_ms=MIN_REPEAT_MS, cooldown_interval=COOLDOWN
            )
            option = autotvm.measure_option(builder=autotvm.LocalBuilder(), runner=runner)
            tuner = autotvm.tuner.XGBTuner(task)
            n_trial = min(args.trials_per_task, len(task.config_space))
            callback = autotvm.callback.log_to_file(log)
            tuner.tune(n_trial=n_trial, measure_option=option, callbacks=[callback])

    timed(args, "xgb", run, tune)


def timed(args: argparse.Namespace, who: str, run: int, tune) -> None:
    """Tunes from nothing, unless this run is finished already, and keeps how long it took."""
    log, mark = log_of(args, who, run), log_of(args, who, run).with_suffix(".seconds")
    if mark.exists():
        return
    for leftover in args.folder.glob(log.name + "*"):
        leftover.unlink()
    start = time.time()
    tune()
    mark.write_text(str(time.time() - start))


def measure(args: argparse.Namespace, run: int) -> dict:
    """The network untuned and with each log, timed in turn."""
    kept = log_of(args, "times", run).with_suffix(".json")
    if kept.exists():
        return json.loads(kept.read_text())
    import tvm

    from arco_tvm import models, records, targets
    from arco_tvm import verify as verifier

    target = targets.resolve(args.target).object()
    model = models.load({"model": args.model})
    device = verifier._Device(None, target)
    names = ["untuned", "arco", "xgb"]
    usable = [[]] + [
        records.of_this_target(records.read([str(deployed(args, who, run))]), target) for who in names[1:]
    ]
    variants = [verifier._compile(model, target, log) for log in usable]
    fed = verifier._inputs(model, 0)
    runners = [device.load(variant, fed, None) for variant in variants]
    outputs = [verifier._outputs(runner) for runner in runners]
    for other in outputs[1:]:
        assert verifier.compare(outputs[0], other, 1e-3)["matches"], "outputs differ"
    times = verifier._times(runners, device, 15, 200)
    row = {"run": run, "tvm": tvm.__version__, "missing": [len(v.context.missing) for v in variants[1:]]}
    for name, seconds in zip(names, times, strict=True):
        row[f"{name}_ms"] = 1000 * statistics.median(seconds)
    for who in names[1:]:
        mark = log_of(args, who, run).with_suffix(".seconds")
        row[f"{who}_tuning_s"] = float(mark.read_text())
        row[f"{who}_trials"] = sum(1 for _ in log_of(args, who, run).open())
    kept.write_text(json.dumps(row))
    return row


def report(args: argparse.Namespace, tasks: int, rows: list[dict]) -> None:
    """The table."""
    print(f"{args.model} on `{args.target}`: {tasks} tasks, {args.trials_per_task} trials each on average")
    print("| run | untuned | arco-tvm | XGBTuner | arco / XGB | tuning arco | tuning XGB | trials |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        ratio = row["arco_ms"] / row["xgb_ms"]
        print(
            f"| {row['run']} | {row['untuned_ms']:.1f} ms | {row['arco_ms']:.1f} ms | {row['xgb_ms']:.1f} ms "
            f"| {ratio:.3f} | {row['arco_tuning_s']:.0f} s | {row['xgb_tuning_s']:.0f} s "
            f"| {row['arco_trials']} / {row['xgb_trials']} |"
        )
    ratios = [row["arco_ms"] / row["xgb_ms"] for row in rows]
    print(f"median ratio {statistics.median(ratios):.3f} (below 1: arco-tvm's network is faster)")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
