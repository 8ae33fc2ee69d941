"""NSGA-II over geometry and schedules, on the same draft model and with the same number of evaluations.

Runs in the benchmark's own environment (pymoo); benches/codesign/bench.py calls it:

    python nsga2.py PROBLEM.json EVALUATIONS SEEDS OUT.jsonl -- COMMAND...  # COMMAND answers with --evaluate

A genome is a geometry and, for each layer, a wish for its tiles; the schedule is the nearest one that the
geometry can run (the rules of validity are the space's, so this search has them, too). Objectives are time,
multipliers and buffer bits. An evaluation is a program that was not evaluated before, as for all. It runs
with every geometry that there is (`nsga-ii`), and with those alone that have the largest buffers, among which
the fastest must be (`nsga-ii-largest`). Its front is made like the other searches': of every geometry that
can run what was evaluated.

    python nsga2.py --hypervolume COMPARE.jsonl PROBLEM.json               # of every line's front, as JSON
"""

import contextlib
import json
import subprocess
import sys

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import ElementwiseProblem
from pymoo.indicators.hv import HV
from pymoo.optimize import minimize

#: Genes of a layer: rows, columns, input and output channels (shares of the axis, as logarithms), threads.
GENES = 5
#: What a network takes one of whose layers cannot run at all: more than anything that runs.
NOTHING = 1e15
#: Corner of the hypervolume, in units of the default geometry's time, multipliers and buffer bits.
CORNER = (8.0, 1.05, 1.05)


class SpentError(Exception):
    """The evaluations are spent."""


class Draft:
    """The draft model in another process, and what it said."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.cycles, self.schedules = {}, {}

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the draft model ended")
        return json.loads(line)

    def schedules_of(self, layer, geometry):
        """Every schedule that a geometry can run, and its tiles as logarithms."""
        key = layer, geometry["geometry"]
        if key not in self.schedules:
            tiles = self.ask({"layer": layer, "geometry": geometry["geometry"]})
            rows = np.array(tiles, dtype=float).reshape(-1, 6)
            channels = rows * np.array([1, 1, 2 ** geometry["core"][1], 2 ** geometry["core"][2], 1, 1])
            self.schedules[key] = tiles, np.log2(channels)
        return self.schedules[key]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class CoDesign(ElementwiseProblem):
    """Geometry and schedules as a vector of numbers between 0 and 1."""

    def __init__(self, problem, pool, draft, budget):
        self.described, self.draft, self.budget = problem, draft, budget
        self.layers, self.pool = problem["layers"], pool
        # Each program once, with the question that was asked of it.
        self.known, self.curve = {}, []
        self.best = float("inf")
        super().__init__(n_var=1 + GENES * len(self.layers), n_obj=3, xl=0.0, xu=1.0)

    def _evaluate(self, x, out, *_args, **_kwargs):
        geometry = self.pool[min(int(x[0] * len(self.pool)), len(self.pool) - 1)]
        total = 0.0
        for number, layer in enumerate(self.layers):
            cycles = self.layer(number, geometry, x[1 + GENES * number : 1 + GENES * (number + 1)])
            if cycles is None:
                total = NOTHING
                continue
            total += layer["uses"] * (cycles + geometry["repack_cycles"][number])
        score = total / geometry["batch"] if self.described["objective"] == "throughput" else total
        out["F"] = [score, geometry["macs"], geometry["sram_bits"]]
        if total < NOTHING and score < self.best:
            self.best, self.best_geometry = score, geometry["geometry"]
        self.curve.append((len(self.known), self.best if self.best < NOTHING else None))

    def layer(self, number, geometry, genes):
        """Cycles of the schedule that is nearest to what the genes wish for."""
        tiles, logarithms = self.draft.schedules_of(number, geometry)
        if not tiles:
            return None
        layer = self.layers[number]
        axes = [layer["output"][1], layer["output"][2], layer["input"][0], layer["output"][0]]
        wish = [gene * np.log2(axis) for gene, axis in zip(genes[:4], axes, strict=True)]
        threads = [(0, 0), (1, 0), (0, 1)][min(int(genes[4] * 3), 2)]
        distance = np.abs(logarithms - np.array([*wish, *threads])).sum(axis=1)
        chosen = tuple(tiles[int(distance.argmin())])
        key = number, tuple(geometry["core"]), chosen
        if key not in self.known:
            if len(self.known) >= self.budget:
                raise SpentError
            self.known[key] = {"layer": number, "geometry": geometry["geometry"], "tiles": chosen}
        if key not in self.draft.cycles:
            self.draft.cycles[key] = self.draft.ask(self.known[key])
        return self.draft.cycles[key]


def search(problem, draft, budget, seed, chooser):
    """One run; pymoo's defaults with a population of 40."""
    largest = chooser == "nsga-ii-largest"
    pool = [geometry for geometry in problem["geometries"] if geometry["largest"] or not largest]
    design = CoDesign(problem, pool, draft, budget)
    with contextlib.suppress(SpentError):
        minimize(design, NSGA2(pop_size=40), ("n_gen", 100_000), seed=seed, verbose=False)
    return {
        "chooser": chooser,
        "seed": seed,
        "evaluations": len(design.known),
        "geometry": getattr(design, "best_geometry", None),
        "score": design.best if design.best < NOTHING else None,
        "curve": [(n, score) for n, score in design.curve if score is not None],
        "front": draft.ask({"front": list(design.known.values())}),
    }


def hypervolumes(compare, problem):
    """The hypervolume of each line's front; 1 is the whole box below the corner."""
    unit = problem["default_geometry"]
    reference = problem["default"]["score"] if problem["default"] else None
    with open(compare) as file:
        lines = [json.loads(line) for line in file]
    if reference is None:
        fixed = [line["score"] for line in lines if line["chooser"] == "fixed" and line["score"]]
        reference = min(fixed)
    scale = np.array([reference, unit["macs"], unit["sram_bits"]])
    box = float(np.prod(CORNER))
    measure = HV(ref_point=np.array(CORNER))
    found = []
    for line in lines:
        points = np.array(line["front"], dtype=float).reshape(-1, 3) / scale
        volume = float(measure(points)) / box if len(points) else 0.0
        found.append({"chooser": line["chooser"], "seed": line["seed"], "hypervolume": volume})
    return found


def main():
    if sys.argv[1] == "--hypervolume":
        with open(sys.argv[3]) as file:
            problem = json.load(file)
        print(json.dumps(hypervolumes(sys.argv[2], problem)))
        return
    path, evaluations, seeds, out, _, *command = sys.argv[1:]
    with open(path) as file:
        problem = json.load(file)
    draft = Draft(command)
    with open(out, "w") as file:
        for chooser in ("nsga-ii", "nsga-ii-largest"):
            for seed in range(int(seeds)):
                run = search(problem, draft, int(evaluations), seed, chooser)
                file.write(json.dumps(run) + "\n")
                file.flush()
    draft.close()


if __name__ == "__main__":
    main()
