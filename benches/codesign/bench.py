"""Co-design beside its baselines: on the draft model with many seeds, and the winners on the real path.

    python benches/codesign/bench.py          # 45 minutes on two free cores
    python benches/codesign/bench.py --full   # 20 seeds, exhaustive tables, 3 live seeds; hours
    python benches/codesign/bench.py --models resnet-18 --seeds 2 --live-seeds 1 --skip freedom

Two tables that no sentence mixes:

- *equal resources*: as many multipliers and buffer bits as the default geometry has, for one image (latency)
  and for BATCH images at once (throughput). First the bound, then every search on the draft model at equal
  evaluations (the choosers of `arco-tvm codesign --compare`, and NSGA-II of pymoo), then what the choice
  takes as measured: TVM lowers, the timing model times, `arco-tvm vta run` times each layer's program file
  again, and `arco-tvm verify` compares the network's output with that of the CPU bit by bit.
- *hardware freedom*: more multipliers, or what a named FPGA holds, beside AutoTVM's and CHAMELEON's way of
  tuning on the default geometry; each line with its multipliers and buffers.

Without --full there are 3 seeds with 32 evaluations for each layer in place of 96, one on the real path, no
exhaustive table, freedom for the first network alone, large networks for one image alone, and outputs are
compared where that takes minutes.

What is finished is kept in --out, and not run again. NSGA-II gets a virtual environment of its own there.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
MODELS = ("resnet-18", "vgg-16", "alexnet")
#: Evaluations of a search for each layer, as in the command; and without --full.
EVALUATIONS, FEWER_EVALUATIONS = 96, 32
#: Multiply-accumulates of all images up to which outputs are compared without --full: minutes on two cores.
QUICK_MACS = 3e10
#: Those of one image up to which searches for several images at once are compared without --full.
QUICK_BATCHED_MACS = 5e9
#: How often a task occurs, in the table of `arco-tvm tune`: the first number by itself.
USES = re.compile(r"  +(\d+)  ")
#: What the paper says of ARCO (arXiv 2407.08192), on hardware and with freedom that it doesn't describe.
PAPER = "the paper's: up to +37.95 % throughput, 1.17x on average, optimisation time up to -42.2 %"


class Bench:
    """Commands, each run once, and what they found."""

    def __init__(self, options):
        self.options, self.out = options, options.out
        self.python = None

    def program(self, *words):
        return [str(word) for word in (self.options.program, *words)]

    def run(self, folder, name, words):
        """A command's output, and the seconds it took; from an earlier run if there is one."""
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{name}.json"
        if kept.exists():
            return json.loads(kept.read_text())
        print(f"$ arco-tvm {' '.join(map(str, words[1:]))}", file=sys.stderr, flush=True)
        begun = time.perf_counter()
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"exit code {done.returncode}")
        answer = {"output": done.stdout, "seconds": time.perf_counter() - begun}
        kept.write_text(json.dumps(answer))
        return answer

    def pymoo(self):
        """The Python of the benchmark's own environment."""
        if self.python is None:
            folder = self.out / "venv"
            self.python = folder / "bin" / "python"
            if not self.python.exists():
                venv.create(folder, with_pip=True)
            pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
        return self.python


def heads(*names):
    """The first two lines of a table."""
    print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))


def count(number):
    return "none" if number is None else f"{round(number):,}"


def search_arguments(objective):
    """`throughput-64` is throughput with up to 64 images at once."""
    name, _, batch = objective.partition("-")
    return ["--objective", name] + (["--max-batch", batch] if batch else [])


def folder_of(bench, model, objective):
    """A folder for each budget: another one's runs say nothing about this one's."""
    options = bench.options
    return bench.out / f"{model}-{objective}-{options.evaluations_per_layer}x{options.seeds}"


def described(bench, model, objective):
    """What is searched."""
    folder = folder_of(bench, model, objective)
    words = ["codesign", model, "-o", folder, *search_arguments(objective), "--compare", 0]
    bench.run(folder, "layers", bench.program(*words))
    return json.loads((folder / "problem.json").read_text())


def compared_pairs(bench):
    """Networks with objectives."""
    options = bench.options
    for model in options.models:
        macs = described(bench, model, options.objectives[0])["macs"]
        for objective in options.objectives:
            if options.full or objective == "latency" or macs <= QUICK_BATCHED_MACS:
                yield model, objective


def compare(bench, model, objective):
    """Every chooser and NSGA-II on the draft model; lines of runs, the problem, and hypervolumes."""
    options = bench.options
    folder = folder_of(bench, model, objective)
    layers = described(bench, model, objective)["layers"]
    problem_file, lines_file = folder / "problem.json", folder / "compare.jsonl"
    evaluations = options.evaluations_per_layer * len(layers)
    arguments = ["codesign", model, "-o", folder, *search_arguments(objective), "--evaluations", evaluations]
    words = [*arguments, "--compare", options.seeds] + (["--exhaustive"] if options.full else [])
    bench.run(folder, "compare", bench.program(*words))
    problem = json.loads(problem_file.read_text())
    lines = [json.loads(line) for line in lines_file.read_text().splitlines()]
    nsga2 = folder / "nsga2.jsonl"
    if not nsga2.exists():
        print(f"NSGA-II: {model}, {objective}, {options.seeds} seeds", file=sys.stderr, flush=True)
        partial = nsga2.with_suffix(".partial")
        ask = bench.program(*arguments, "--evaluate", "--quiet")
        script = [bench.pymoo(), HERE / "nsga2.py", problem_file, evaluations, options.seeds, partial, "--"]
        subprocess.run([str(word) for word in script] + ask, check=True)
        partial.rename(nsga2)
    lines += [json.loads(line) for line in nsga2.read_text().splitlines()]
    together = folder / "all.jsonl"
    together.write_text("".join(json.dumps(line) + "\n" for line in lines))
    script = [bench.pymoo(), HERE / "nsga2.py", "--hypervolume", together, problem_file]
    done = subprocess.run([str(word) for word in script], stdout=subprocess.PIPE, text=True, check=True)
    volumes = {}
    for found in json.loads(done.stdout):
        volumes.setdefault(found["chooser"], []).append(found["hypervolume"])
    return problem, lines, volumes


def draft_table(model, objective, problem, lines, volumes):
    """What the searches found on the draft model."""
    evaluations = max(line["evaluations"] for line in lines)
    print(f"\n{model}, {objective}, {problem['limits']}: draft model, {evaluations} evaluations")
    print(
        f"{count(problem['macs'])} MACs, at least {count(problem['least_cycles'])} cycles an image at "
        f"{problem['default_geometry']['macs']} a cycle"
    )
    if problem["optimum"]:
        best, default = problem["optimum"], problem["default"]
        print(
            f"the best there is: {count(best['score'])} on {best['geometry']}; of the default geometry "
            f"{count(default['score'])}"
        )
    heads("who chooses", "seeds", "mean", "best", "worst", "hypervolume", "geometries found")
    for chooser in dict.fromkeys(line["chooser"] for line in lines):
        runs = [line for line in lines if line["chooser"] == chooser]
        scores = [run["score"] for run in runs if run["score"] is not None]
        names = sorted({run["geometry"] for run in runs if run["geometry"]})
        shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        cells = [chooser, str(len(runs))]
        if scores:
            cells += [count(statistics.fmean(scores)), count(min(scores)), count(max(scores))]
        else:
            cells += ["none"] * 3
        cells += [f"{statistics.fmean(volumes[chooser]):.4f}", shown]
        print("| " + " | ".join(cells) + " |")


def live(bench, model, objective, seed, extra=(), name=None):
    """One whole run of `codesign`: search, and both geometries measured."""
    folder = bench.out / f"live-{name or f'{model}-{objective}'}-{seed}"
    words = ["codesign", model, "-o", folder, "--seed", seed, *search_arguments(objective), *extra]
    words += ["--trials-per-task", bench.options.trials, "--front", bench.options.front]
    answer = bench.run(folder, "codesign", bench.program(*words))
    return json.loads((folder / "result.json").read_text()), answer["seconds"], folder


def verified(bench, model, folder, geometry):
    """Whether the network with the log of a run equals the CPU bit for bit, as `arco-tvm verify` says."""
    default = json.loads((folder / "result.json").read_text())["default"]["geometry"]
    log = folder / ("default.log" if geometry == default else "chosen.log")
    batch = int(geometry.split("x")[0])
    words = ["verify", model, "--target", f"vta:{geometry}", "--log", log, "--network-only"]
    words += ["--network-repeat", 1] + (["--batch", batch] if batch > 1 else [])
    output = bench.run(folder, "verify", bench.program(*words))["output"]
    return "outputs agree: largest difference of an output 0.00e0" in output


def reproduced(bench, folder, result):
    """How many of the layers take as long in `arco-tvm vta run` of their program files, and of how many."""
    same = asked = 0
    for side in (result["default"], result["chosen"]):
        for layer in side["layers"]:
            program = layer["program"]
            asked += 1
            if program:
                words = bench.program("vta", "run", folder / program["file"], "--timing-only", "--json")
                done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
                launches = json.loads(done.stdout)["launches"] if done.returncode == 0 else []
                same += sum(launches[program["first_launch"] :]) == layer["cycles"]
    return f"{same} of {asked}"


def label(side):
    unverified = "" if side["timing"] == "verified" else ", timing unverified"
    return (
        f"{side['geometry']} ({side['macs']} MACs, {side['sram_bits'] // 8192} KiB, "
        f"{side['alu_lanes']} lanes{unverified})"
    )


def image(side, cycles="cycles"):
    """Cycles an image."""
    batch = int(side["geometry"].split("x")[0])
    return None if side[cycles] is None else side[cycles] / batch


def equal_resources(bench):
    """The first table."""
    options = bench.options
    pairs = list(compared_pairs(bench))
    bench.pymoo()
    # Nothing that is reported of these depends on how long they take.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        compared = pool.map(lambda pair: compare(bench, *pair), pairs)
        for pair, found in zip(pairs, compared, strict=True):
            draft_table(*pair, *found)
            sys.stdout.flush()
    if not options.live_seeds:
        return
    print("\nEqual resources, measured (TVM lowers, the timing model times); cycles an image")
    heads(
        "network",
        "objective",
        "seed",
        "bound",
        "default, tuned",
        "chosen, tuned",
        "gap closed",
        "chosen",
        "program files as measured",
        "bits",
    )
    for model, objective in pairs:
        for seed in range(options.live_seeds):
            result, _, folder = live(bench, model, objective, seed)
            default, chosen = result["default"], result["chosen"]
            bound, before, after = default["least_cycles"], image(default), image(chosen)
            closed = (before - after) / (before - bound)
            exact = "not looked at"
            batch = int(chosen["geometry"].split("x")[0])
            macs = batch * sum(network["macs"] for network in result["models"])
            if options.verify and (options.full or macs <= QUICK_MACS):
                exact = "equal" if verified(bench, model, folder, chosen["geometry"]) else "DIFFER"
            cells = [model, objective, str(seed), count(bound), count(before), count(after)]
            cells += [f"{100 * closed:.1f} %", label(chosen), reproduced(bench, folder, result), exact]
            print("| " + " | ".join(cells) + " |", flush=True)


def tuned(bench, model, strategy, seed):
    """Cycles and seconds of tuning on the default geometry."""
    folder = bench.out / f"tune-{model}-{strategy}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "tune.log"
    words = ["tune", model, "--target", "vta", "--strategy", strategy, "--seed", seed, "-o", log, "--quiet"]
    words += ["--trials-per-task", bench.options.tune_trials]
    answer = bench.run(folder, "tune", bench.program(*words))
    best = {}
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            record = json.loads(line)
            if record["result"][1] == 0:
                key = json.dumps(record["input"][2])
                best[key] = min(best.get(key, float("inf")), record["result"][0][0])
    rows = [row for row in answer["output"].splitlines() if re.match(r" *conv2d_packed", row)]
    uses = [int(USES.search(row)[1]) for row in rows]
    if len(uses) != len(best):
        sys.exit(f"{log}: {len(best)} tasks in the log, {len(uses)} in the table")
    order = list(dict.fromkeys(best))
    return sum(u * best[key] for u, key in zip(uses, order, strict=True)) * 1e8, answer["seconds"]


def freedom(bench):
    """The second table."""
    options = bench.options
    print("\nHardware freedom, measured; images a second at the clock of each line")
    print(f"({PAPER})")
    heads(
        "network", "how", "hardware", "seeds", "cycles an image", "images a second", "to the first", "seconds"
    )
    seeds = range(max(options.live_seeds, 1))
    for model in options.models if options.full else options.models[:1]:
        first = None

        def line(model, how, hardware, cycles, clock, seconds):
            nonlocal first
            rate = clock * 1e6 / statistics.fmean(cycles)
            first = first or rate
            cells = [model, how, hardware, str(len(cycles)), count(statistics.fmean(cycles)), f"{rate:.2f}"]
            cells += [f"{rate / first:.3f}x", f"{statistics.fmean(seconds):.0f}"]
            print("| " + " | ".join(cells) + " |", flush=True)

        for strategy, how in (("sa-gbt", "AutoTVM-like"), ("chameleon", "CHAMELEON-like"), ("arco", "arco")):
            runs = [tuned(bench, model, strategy, seed) for seed in seeds]
            cycles, seconds = zip(*runs, strict=True)
            hardware = "1x16_i8w8a32_15_15_18_17 (256 MACs, 480 KiB)"
            line(model, f"{how} ({strategy}), default geometry", hardware, cycles, 100, seconds)
        for name, extra in options.freedoms:
            runs = [live(bench, model, "throughput", seed, extra, f"{model}-{name}") for seed in seeds]
            sides = [result["chosen"] for result, _, _ in runs]
            hardware = " / ".join(dict.fromkeys(label(side) for side in sides))
            cycles = [image(side) for side in sides]
            seconds = [took for _, took, _ in runs]
            line(model, f"codesign {' '.join(extra)}", hardware, cycles, sides[0]["clock_mhz"], seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "target" / "release" / "arco-tvm", type=Path)
    parser.add_argument("--out", default=ROOT / ".build" / "bench-codesign", type=Path)
    parser.add_argument("--full", action="store_true", help="20 seeds, exhaustive tables, 3 live seeds")
    parser.add_argument("--models", default=",".join(MODELS), type=lambda text: text.split(","))
    objectives = "latency,throughput,throughput-64"
    parser.add_argument("--objectives", default=objectives, type=lambda text: text.split(","))
    parser.add_argument("--seeds", type=int, help="on the draft model [3, or 20 with --full]")
    parser.add_argument("--live-seeds", type=int, help="on the real path [1, or 3 with --full]")
    each = f"of a search, for each layer [{FEWER_EVALUATIONS}, or {EVALUATIONS} with --full]"
    parser.add_argument("--evaluations-per-layer", type=int, help=each)
    trials = "for each layer and geometry on the real path [16, or 32 with --full]"
    parser.add_argument("--trials", type=int, help=trials)
    tune_trials = "for each task of the tuners beside it [32, or 64 with --full]"
    parser.add_argument("--tune-trials", type=int, help=tune_trials)
    parser.add_argument("--front", default=4, type=int, help="points of the front that are measured")
    parser.add_argument("--no-verify", dest="verify", action="store_false", help="compare no outputs")
    parser.add_argument("--skip", default="", help="`equal` or `freedom`")
    options = parser.parse_args()
    options.seeds = options.seeds or (20 if options.full else 3)
    options.trials = options.trials or (32 if options.full else 16)
    options.tune_trials = options.tune_trials or (64 if options.full else 32)
    evaluations = EVALUATIONS if options.full else FEWER_EVALUATIONS
    options.evaluations_per_layer = options.evaluations_per_layer or evaluations
    if options.live_seeds is None:
        options.live_seeds = 3 if options.full else 1
    options.freedoms = [
        ("twice", ("--max-macs", "512", "--max-sram", "960")),
        ("zcu104", ("--budget-fpga", "zcu104", "--geometry", "sim")),
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(options)
    if options.skip != "equal":
        equal_resources(bench)
    if options.skip != "freedom":
        freedom(bench)
    print(f"\nruns: {options.out}")


if __name__ == "__main__":
    main()
