"""Strategies on the layers of ResNet-18 on VTA: the network's cycles after so many measurements a layer.

    python benches/vta_tune.py                        # recorded spaces, 20 seeds, with masks and once without
    python benches/vta_tune.py --live                 # and the live run: tune, with builders and devices

Recorded spaces (tests/data/vta_spaces) hold every configuration that the rules allow, so the distance to the
best network there is, is known. Without masks the strategies may ask for what the rules refuse: it fails,
and uses budget. The live run tunes anew, with as many seeds as --live-seeds, and is compared with the same
optimum: simulated time is the same on any machine. What is finished is kept in --out, and not run again.
"""

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPACES = ROOT / "tests" / "data" / "vta_spaces"
AT = (32, 64, 128, 256)
#: A layer is as good as solved within this share of its optimum.
NEAR = 0.02


class Layer:
    """A recorded space: its file, how often the network uses it, its best time, its task in a log."""

    def __init__(self, name, uses):
        self.path, self.uses = SPACES / name, uses
        with gzip.open(self.path, "rt") as file:
            records = [json.loads(line) for line in file if not line.startswith("#")]
        self.optimum = min(record["result"][0][0] for record in records if record["result"][1] == 0)
        self.task = json.dumps(records[0]["input"][1:3])


def best_after(costs, at):
    """The best of the first `at` costs; None if all of them failed."""
    found = [cost for cost in costs[:at] if cost is not None]
    return min(found) if found else None


class Runs:
    """Costs in the order of measurement, by strategy, seed and layer."""

    def __init__(self, layers):
        self.layers, self.costs, self.cpu = layers, {}, {}

    def add(self, strategy, seed, layer, costs, cpu=0.0):
        self.costs.setdefault(strategy, {}).setdefault(seed, {})[layer] = costs
        self.cpu[strategy] = self.cpu.get(strategy, 0.0) + cpu

    def seeds(self, strategy):
        """Seeds for which every layer was run."""
        runs = self.costs.get(strategy, {})
        return [seed for seed in sorted(runs) if len(runs[seed]) == len(self.layers)]

    def network(self, strategy, seed, at):
        """Seconds of the layers, as often as they occur; infinite while one has no valid configuration."""
        total = 0.0
        for number, layer in enumerate(self.layers):
            best = best_after(self.costs[strategy][seed][number], at)
            total += float("inf") if best is None else layer.uses * best
        return total

    def distance(self, strategy, at):
        """Mean over seeds of how much longer than the best network it takes."""
        optimum = sum(layer.uses * layer.optimum for layer in self.layers)
        return statistics.fmean(
            self.network(strategy, seed, at) / optimum - 1 for seed in self.seeds(strategy)
        )

    def invalid(self, strategy, at):
        """Share of the measurements that failed."""
        asked = [
            cost for seed in self.seeds(strategy) for run in self.runs(strategy, seed) for cost in run[:at]
        ]
        return sum(cost is None for cost in asked) / len(asked)

    def runs(self, strategy, seed):
        return self.costs[strategy][seed].values()

    def near(self, strategy, at):
        """Share of layers and seeds within NEAR of the layer's optimum, and the worst distance of a layer."""
        worst, solved, count = 0.0, 0, 0
        for seed in self.seeds(strategy):
            for number, layer in enumerate(self.layers):
                best = best_after(self.costs[strategy][seed][number], at)
                away = float("inf") if best is None else best / layer.optimum - 1
                worst, solved, count = max(worst, away), solved + (away <= NEAR), count + 1
        return solved / count, worst


def percent(share):
    return "never" if share == float("inf") else f"{100 * share:.2f} %"


def table(runs, strategies, title, wall=None):
    """One row for each strategy."""
    optimum = sum(layer.uses * layer.optimum for layer in runs.layers)
    print(f"\n{title}; the best network takes {1e3 * optimum:.3f} ms ({round(1e8 * optimum):,} cycles)")
    heads = [f"@{at}" for at in AT] + [
        f"within {NEAR:.0%} @64",
        "worst layer @64",
        "invalid @64",
        "search CPU",
    ]
    if wall:
        heads.append("wall")
    print("| strategy | seeds | " + " | ".join(heads) + " |\n|---|---:" + "|---:" * len(heads) + "|")
    for name in strategies:
        if not runs.seeds(name):
            continue
        near, worst = runs.near(name, 64)
        cells = [percent(runs.distance(name, at)) for at in AT]
        cells += [f"{100 * near:.1f} %", percent(worst), percent(runs.invalid(name, 64))]
        cells.append(f"{runs.cpu[name] / len(runs.seeds(name)):.2f} s")
        if wall:
            cells.append(f"{statistics.fmean(wall[name]):.0f} s")
        print(f"| {name} | {len(runs.seeds(name))} | " + " | ".join(cells) + " |")


def reached(runs, first, other):
    """After how many measurements of a layer the first strategy is where the other is after the most."""
    goal = runs.distance(other, AT[-1])
    at = next((n for n in range(1, AT[-1] + 1) if runs.distance(first, n) <= goal), None)
    said = f"{first} is there after {at}" if at else f"{first} is not there after {AT[-1]}"
    print(f"{other} after {AT[-1]} measurements a layer: {percent(goal)} from the best network; {said}")


def offline(options, layers, masks):
    """Runs on the recorded spaces."""
    path = options.out / ("masked.jsonl" if masks else "unmasked.jsonl")
    words = [options.program, "replay", *(layer.path for layer in layers), "--strategy", options.strategies]
    words += ["--seeds", options.seeds, "--budget", AT[-1], "--json", path, "--resume"]
    words += ["--jobs", options.jobs] if options.jobs else []
    words += [] if masks else ["--no-masks"]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)
    numbers = {layer.path.name.removesuffix(".log.gz"): n for n, layer in enumerate(layers)}
    runs = Runs(layers)
    for line in path.read_text().splitlines():
        run = json.loads(line)
        if run["space"] in numbers and run["seed"] < options.seeds and run["budget"] == AT[-1]:
            number = numbers[run["space"]]
            runs.add(run["strategy"], run["seed"], number, run["costs"], run["search_cpu_s"])
    return runs


def live(options, layers):
    """Tunes the network with builders and devices; seconds of each run, by strategy."""
    runs, wall = Runs(layers), {}
    numbers = {layer.task: n for n, layer in enumerate(layers)}
    for name in options.live_strategies.split(","):
        for seed in range(options.live_seeds):
            log = options.out / f"live-{name}-{options.live_trials}-{seed}.log"
            timed = log.with_suffix(".seconds")
            if not timed.exists():
                log.unlink(missing_ok=True)
                words = [options.program, "tune", "resnet-18", "--target", "vta", "--strategy", name]
                words += ["--seed", seed, "--trials-per-task", options.live_trials, "-o", log, "--quiet"]
                begun = time.perf_counter()
                done = subprocess.run([str(w) for w in words], stdout=subprocess.DEVNULL, check=False)
                if done.returncode != 0:
                    sys.exit(done.returncode)
                timed.write_text(f"{time.perf_counter() - begun}\n")
            wall.setdefault(name, []).append(float(timed.read_text()))
            costs = {}
            for line in log.read_text().splitlines():
                if line.startswith("{"):
                    record = json.loads(line)
                    cost = None if record["result"][1] else record["result"][0][0]
                    costs.setdefault(numbers[json.dumps(record["input"][1:3])], []).append(cost)
            for number, measured in costs.items():
                runs.add(name, seed, number, measured)
    return runs, wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "target" / "release" / "arco-tvm", type=Path)
    parser.add_argument("--strategies", default="arco,random,ga,sa-gbt,gbt-16,chameleon,ml2")
    parser.add_argument("--seeds", default=20, type=int)
    parser.add_argument("--jobs", type=int, help="runs at once [one for each core]")
    parser.add_argument("--live", action="store_true", help="tune anew, too")
    parser.add_argument("--live-strategies", default="arco,random,ga,sa-gbt,gbt-16,chameleon,ml2")
    parser.add_argument("--live-seeds", default=3, type=int)
    parser.add_argument("--live-trials", default=64, type=int, help="for each task")
    parser.add_argument("--out", default=ROOT / ".build" / "bench-vta-tune", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    network = json.loads((SPACES / "resnet18.json").read_text())
    layers = [Layer(task["space"], task["uses"]) for task in network["tasks"]]
    names = options.strategies.split(",")
    for masks in (True, False):
        runs = offline(options, layers, masks)
        table(runs, names, f"recorded spaces, {'masks for all' if masks else 'without masks'}")
        for other in names[1:]:
            reached(runs, names[0], other)
    if options.live:
        runs, wall = live(options, layers)
        title = f"live, {options.live_trials} trials a task"
        table(runs, options.live_strategies.split(","), title, wall)
    print(f"\nruns: {options.out}")


if __name__ == "__main__":
    main()
