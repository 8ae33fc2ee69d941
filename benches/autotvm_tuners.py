"""Our baselines against AutoTVM's own tuners, on the same recorded spaces.

AutoTVM's tuner classes are driven with a stand-in for the device that looks costs up in the recorded log;
ours by `arco-tvm replay`. Both are asked in batches of 16, so that what is known when a choice is made is
the same. Prints, for each pair, the mean of optimum / best after so many evaluations with its standard
deviation over the seeds, the difference in standard errors, and milliseconds of search per trial. `grid`
and `droplet` have no chance in them: there the sequences themselves are compared, `droplet`'s as long as
AutoTVM's goes on.

    python benches/autotvm_tuners.py tests/data/landscapes/*.json.gz --seeds 20

AutoTVM's GATuner differs in two ways that have nothing to do with its method, so it is listed twice more:
it measures some genes again (`ga, distinct`: repeats are not counted), and it measures the first generation
in the order of a Python set, which is nearly that of the indices (`ga, shuffled`: in random order, repeats
not counted). Ours is to be compared with the last. XGBTuner starts new worker processes for each fit;
`--in-process` computes the same features without them. What is finished is kept in `--folder`, so an
interrupted benchmark goes on where it ended.
"""

import argparse
import gzip
import json
import random
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from tvm import autotvm
from tvm.autotvm.measure import MeasureInput, MeasureResult
from tvm.autotvm.record import decode
from tvm.autotvm.tuner import xgboost_cost_model
from tvm.error import TVMError

ROOT = Path(__file__).resolve().parent.parent
BATCH = 16
AT = (16, 32, 64, 128, 256)
# Ours, and AutoTVM's that it is to agree with.
PAIRS = (
    ("random", "random"),
    ("grid", "grid"),
    ("ga", "ga, shuffled"),
    ("sa-gbt", "xgb, knob"),
    ("droplet", "droplet"),
)


class Space:
    """A recorded space: AutoTVM's task, and what each configuration cost."""

    def __init__(self, path: Path) -> None:
        """Read a log that holds every configuration of one task."""
        with gzip.open(path, "rt") as lines:
            records = [decode(line) for line in lines]
        self.path = path
        workload = records[0][0].task
        self.target = records[0][0].target
        self.task = autotvm.task.create(workload.name, workload.args, self.target)
        self.results = {inp.config.index: result for inp, result in records}
        assert len(self.results) == self.task.config_space.range_length, path
        costs = [cost for index in self.results if (cost := self.cost(index)) is not None]
        self.optimum = min(costs)

    def cost(self, index: int) -> float | None:
        """Mean seconds of a configuration; None for a failure."""
        result = self.results[index]
        return float(np.mean(result.costs)) if result.error_no == 0 else None

    def measured(self, index: int) -> MeasureResult:
        """The result as AutoTVM's runner would hand it over."""
        recorded = self.results[index]
        if recorded.error_no == 0:
            return recorded
        costs = ("", TVMError("recorded failure"))
        return MeasureResult(costs, recorded.error_no, recorded.all_cost, recorded.timestamp)


def shuffled_ga(task: autotvm.task.Task) -> autotvm.tuner.GATuner:
    """GATuner whose first generation is measured in random order."""
    tuner = autotvm.tuner.GATuner(task)
    np.random.shuffle(tuner.genes)
    return tuner


def xgb(task: autotvm.task.Task) -> autotvm.tuner.XGBTuner:
    """XGBTuner at its defaults, but with knob features; one thread, as ours."""
    return autotvm.tuner.XGBTuner(task, feature_type="knob", num_threads=1)


# What AutoTVM's tuners are called here, how they are made, and whether measuring again counts.
TUNERS: dict[str, tuple[Callable, bool]] = {
    "random": (autotvm.tuner.RandomTuner, True),
    "grid": (autotvm.tuner.GridSearchTuner, True),
    "ga": (autotvm.tuner.GATuner, True),
    "ga, distinct": (autotvm.tuner.GATuner, False),
    "ga, shuffled": (shuffled_ga, False),
    "xgb, knob": (xgb, True),
    "droplet": (autotvm.tuner.DropletTuner, True),
}
WITHOUT_CHANCE = ("grid", "droplet")


def cpu_seconds() -> float:
    """Processor seconds of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def run_autotvm(space: Space, name: str, seed: int, budget: int) -> dict:
    """One run of one of AutoTVM's tuners."""
    make, repeats_count = TUNERS[name]
    random.seed(seed)
    np.random.seed(seed)
    before = cpu_seconds()
    tuner = make(space.task)
    indices: list[int] = []
    measured: set[int] = set()
    while tuner.has_next() and len(indices if repeats_count else measured) < budget:
        configs = tuner.next_batch(BATCH)
        inputs = [MeasureInput(space.target, space.task, config) for config in configs]
        tuner.update(inputs, [space.measured(config.index) for config in configs])
        for config in configs:
            if repeats_count or config.index not in measured:
                indices.append(int(config.index))
                measured.add(config.index)
    indices = indices[:budget]
    return {
        "strategy": name,
        "seed": seed,
        "budget": budget,
        "indices": indices,
        "costs": [space.cost(index) for index in indices],
        "search_cpu_s": cpu_seconds() - before,
    }


def run_ours(space: Space, args: argparse.Namespace) -> Iterator[dict]:
    """Our strategies' runs, by `arco-tvm replay`."""
    found = args.folder / f"{space.path.name}.ours.jsonl"
    names = ",".join(ours for ours, _ in PAIRS)
    command = [args.program, "replay", space.path, "--strategy", names, "--json", found]
    command += ["--budget", args.budget, "--seeds", args.seeds, "--jobs", 1, "--resume"]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    for line in found.read_text().splitlines():
        run = json.loads(line)
        if run["budget"] == args.budget and run["seed"] < args.seeds:
            yield run


def runs_of_autotvm(space: Space, args: argparse.Namespace) -> dict[str, list[dict]]:
    """AutoTVM's tuners' runs; what an earlier call has finished is taken from its file."""
    path = args.folder / f"{space.path.name}.theirs.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    finished = {(run["strategy"], run["seed"], run["budget"]): run for run in map(json.loads, lines)}
    theirs: dict[str, list[dict]] = {}
    with path.open("a") as file:
        for name in args.tuners.split(";"):
            theirs[name] = []
            for seed in range(1 if name in WITHOUT_CHANCE else args.seeds):
                run = finished.get((name, seed, args.budget))
                if run is None:
                    run = run_autotvm(space, name, seed, args.budget)
                    file.write(json.dumps(run) + "\n")
                    file.flush()
                theirs[name].append(run)
            print(f"{space.path.name}: AutoTVM's {name} done", file=sys.stderr)
    return theirs


def curve(space: Space, run: dict) -> list[float]:
    """optimum / best after each number of evaluations in `AT`; a run that ended keeps its best."""
    reached = []
    for n in AT:
        costs = [cost for cost in run["costs"][:n] if cost is not None]
        reached.append(space.optimum / min(costs) if costs else 0.0)
    return reached


def summary(space: Space, runs: list[dict]) -> SimpleNamespace:
    """Means and standard deviations over the seeds."""
    columns = list(zip(*(curve(space, run) for run in runs), strict=True))
    trials = sum(len(run["indices"]) for run in runs)
    return SimpleNamespace(
        seeds=len(runs),
        means=[statistics.fmean(column) for column in columns],
        spreads=[statistics.stdev(column) if len(runs) > 1 else 0.0 for column in columns],
        milliseconds=1000 * sum(run["search_cpu_s"] for run in runs) / trials,
    )


def compare_sequences(ours: dict, theirs: dict) -> str:
    """How far two runs without chance agree."""
    pairs = list(zip(ours["indices"], theirs["indices"], strict=False))
    same = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs))
    return f"{same} of {len(theirs['indices'])} evaluations are the same, in the same order"


def compare_means(ours: SimpleNamespace, theirs: SimpleNamespace) -> list[float]:
    """Differences of the means in standard errors."""
    scores = []
    for at in range(len(AT)):
        error = (ours.spreads[at] ** 2 / ours.seeds + theirs.spreads[at] ** 2 / theirs.seeds) ** 0.5
        scores.append((ours.means[at] - theirs.means[at]) / error if error else 0.0)
    return scores


def report(space: Space, ours: dict[str, list[dict]], theirs: dict[str, list[dict]]) -> bool:
    """Print a space's tables; whether everything agrees."""
    print(f"\n{space.path.name}: {len(space.results)} configurations")
    print(f"{'':22}" + "".join(f"{'@' + str(n):>14}" for n in AT) + f"{'ms/trial':>10}")
    summaries = {}
    for who, runs in (("AutoTVM", theirs), ("arco-tvm", ours)):
        for name, found in runs.items():
            row = summaries[who, name] = summary(space, found)
            cells = (f"{m:.3f} ± {s:.3f}" for m, s in zip(row.means, row.spreads, strict=True))
            print(f"{who:9}{name:13}" + "".join(map("{:>14}".format, cells)), end="")
            print(f"{row.milliseconds:10.2f}")
    agree = True
    for our_name, their_name in PAIRS:
        if our_name not in ours or their_name not in theirs:
            continue
        if our_name in WITHOUT_CHANCE:
            said = compare_sequences(ours[our_name][0], theirs[their_name][0])
            agree &= said.split()[0] == said.split()[2]
        else:
            scores = compare_means(summaries["arco-tvm", our_name], summaries["AutoTVM", their_name])
            said = "difference in standard errors " + " ".join(f"{s:+.1f}" for s in scores)
            agree &= max(map(abs, scores)) < 3.0
        print(f"{our_name} and AutoTVM's {their_name}: {said}")
    return agree


class InProcess:
    """Stands in for AutoTVM's pool of worker processes."""

    def __init__(self, max_workers: int, initializer: Callable, initargs: tuple) -> None:
        """As the pool's workers start."""
        del max_workers
        initializer(*initargs)

    def map_with_error_catching(self, function: Callable, values: list) -> Iterator:
        """Call the function here."""
        for value in values:
            status = xgboost_cost_model.StatusKind.COMPLETE
            yield SimpleNamespace(status=status, value=function(value))


def main() -> None:
    """Run everything and print the tables; exit with 1 where a pair does not agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spaces", nargs="+", type=Path, metavar="SPACE")
    parser.add_argument("--tuners", default=";".join(TUNERS), help="AutoTVM's, separated by `;`")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=max(AT))
    parser.add_argument("--in-process", action="store_true", help="XGBTuner without its workers")
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/arco-tvm")
    parser.add_argument("--folder", type=Path, default=ROOT / ".build" / "bench-baselines")
    parser.add_argument("--theirs-only", action="store_true", help="do not run ours")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.in_process:
        xgboost_cost_model.PopenPoolExecutor = InProcess
    agree = True
    for path in args.spaces:
        space = Space(path)
        theirs = runs_of_autotvm(space, args)
        ours: dict[str, list[dict]] = {}
        for run in [] if args.theirs_only else run_ours(space, args):
            ours.setdefault(run["strategy"], []).append(run)
        agree &= report(space, ours, theirs)
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
