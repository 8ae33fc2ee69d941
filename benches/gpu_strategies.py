"""`arco` on recorded GPU spaces beside Kernel Tuner's own strategies in its simulation mode.

    make bench-gpu-strategies                             # 20 seeds, 200 evaluations
    python benches/gpu_strategies.py --spaces my/records  # with spaces of your own

Both know the conditions on a space's parameters, a failed configuration uses budget, and each strategy
has its defaults. Prints the mean over the seeds of optimum / best so far after 50, 100 and 200
evaluations. A strategy that ends before its budget is spent keeps what it has. Two releases of Kernel
Tuner: the hill climbers of 1.5.0 restart at random too early to climb, those of 1.3.0 do not. Each is
installed in an environment of its own below .build. Runs are kept in --out, and the same command again
does not repeat them.
"""

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import venv
from pathlib import Path

import strategies

ROOT = strategies.ROOT
BUILD = ROOT / ".build"
AT = (50, 100, 200)
HILL_CLIMBERS = ("mls", "greedy_mls", "ordered_greedy_mls", "greedy_ils")
#: Release -> its strategies that are run.
PEERS = {
    "1.5.0": (
        "random_sample",
        "genetic_algorithm",
        "adaptive_tabu_greywolf",
        "hybrid_vndx",
        "diff_evo",
        "pso",
        "firefly_algorithm",
        "simulated_annealing",
        "dual_annealing",
        "basinhopping",
        "bayes_opt",
        *HILL_CLIMBERS,
    ),
    "1.3.0": HILL_CLIMBERS,
}


def python_with(release: str) -> Path:
    """The Python of an environment that has this release."""
    folder = BUILD / f"kernel-tuner-{release}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        print(f"installing Kernel Tuner {release}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"kernel_tuner=={release}"], check=True)
        (folder / ".ready").touch()
    return python


def peer_runs(
    release: str, strategy: str, space: Path, conditions: Path, options: argparse.Namespace
) -> list[dict]:
    """The runs of one of Kernel Tuner's strategies, those that are missing made now."""
    name = space.name.removesuffix(".json.gz")
    kept = options.out / f"{name}-{release}-{strategy}.jsonl"
    runs = (
        {run["seed"]: run for run in map(json.loads, kept.read_text().splitlines())} if kept.exists() else {}
    )
    missing = [seed for seed in range(options.seeds) if seed not in runs]
    if missing:
        plain = options.out / f"{name}.json"
        if not plain.exists():
            plain.write_bytes(gzip.decompress(space.read_bytes()))
        command = [
            python_with(release),
            Path(__file__).with_name("kernel_tuner_run.py"),
            plain,
            conditions,
            strategy,
        ]
        command += ["--budget", max(AT), "--seeds", *missing]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        lines = [line[4:] for line in done.stdout.splitlines() if line.startswith("RUN ")]
        if len(lines) < len(missing):
            print(
                f"{strategy} of {release} on {name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr
            )
        with kept.open("a") as file:
            file.writelines(line + "\n" for line in lines)
        runs |= {run["seed"]: run for run in map(json.loads, lines)}
    return [runs[seed] for seed in range(options.seeds) if seed in runs]


def our_runs(space: Path, conditions: Path, options: argparse.Namespace) -> list[dict]:
    """Runs of our strategy, in the same form."""
    kept = options.out / f"{space.name.removesuffix('.json.gz')}-arco.jsonl"
    command = [options.program, "replay", space, "--conditions", conditions, "--strategy", "arco"]
    command += ["--seeds", options.seeds, "--budget", max(AT), "--json", kept, "--resume"]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    return [{"costs": line["costs"], "cpu_s": line["search_cpu_s"]} for line in lines]


def best(costs: list, after: int) -> float:
    """The lowest cost of the first evaluations; infinite without one."""
    return min((cost for cost in costs[:after] if cost is not None), default=float("inf"))


def main() -> int:
    """Run, and print a table for each space; returns 1 where a peer is ahead."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "target" / "release" / "arco-tvm", type=Path)
    parser.add_argument("--spaces", action="append", default=[], type=Path, help="a folder with more")
    parser.add_argument("--seeds", default=20, type=int)
    parser.add_argument("--out", default=BUILD / "bench-gpu-strategies", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    spaces, conditions = strategies.records([strategies.LANDSCAPES / "gpu", *options.spaces])
    behind = False
    for space in spaces:
        kernel = space.name.split("_")[0]
        t1 = next(path for path in conditions if path.name.startswith(kernel))
        recorded = json.loads(gzip.decompress(space.read_bytes()))["cache"].values()
        optimum = min(entry["time"] for entry in recorded if isinstance(entry["time"], int | float))
        rows = []
        for release, names in PEERS.items():
            for name in names:
                runs = peer_runs(release, name, space, t1, options)
                if runs:
                    rows.append((f"{name} ({release})", optimum, runs))
        # Our record is in seconds, Kernel Tuner's in milliseconds.
        ours = ("**arco**", optimum / 1e3, our_runs(space, t1, options))
        print(f"\n{space.name.removesuffix('.json.gz')}, {options.seeds} seeds\n")
        print("| strategy | " + " | ".join(f"@{n}" for n in AT) + " | CPU ms per evaluation |")
        print("|---" * (len(AT) + 2) + "|")
        table = {}
        for name, least, runs in [*rows, ours]:
            table[name] = [statistics.mean(least / best(run["costs"], n) for run in runs) for n in AT]
            cpu = 1e3 * sum(run["cpu_s"] for run in runs) / sum(len(run["costs"]) for run in runs)
            print(f"| {name} | " + " | ".join(f"{share:.3f}" for share in table[name]) + f" | {cpu:.2f} |")
        for place, n in enumerate(AT):
            peers = {name: shares[place] for name, shares in table.items() if name != "**arco**"}
            first = max(peers, key=peers.get)
            if peers[first] > table["**arco**"][place]:
                behind = True
                print(f"\nahead of arco after {n}: {first}")
        sys.stdout.flush()
    return int(behind)


if __name__ == "__main__":
    sys.exit(main())
