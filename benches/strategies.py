"""Strategies on recorded spaces: `arco-tvm replay` on all of them, with masks and without.

    python benches/strategies.py                        # short: 15 seeds
    python benches/strategies.py --seeds 50             # full
    python benches/strategies.py --spaces my/records    # more spaces than those of tests/data/landscapes

Runs go to --out as they finish, and the same command again does not repeat them. The first strategy of
--strategies is compared with every other one; the last table gives each space the same weight. Spaces
whose masks refuse something are run without masks, too: there failures that could have been computed use
budget.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LANDSCAPES = ROOT / "tests" / "data" / "landscapes"
RECORDS = (".json", ".jsonl", ".log", ".json.gz", ".jsonl.gz", ".log.gz")


def records(folders):
    """Recorded spaces and T1 files in these folders, in the order of their paths.

    A T4 file is passed over where the same space is there as a cache.
    """
    spaces, conditions = [], []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if not path.name.endswith(RECORDS):
                continue
            if path.name.endswith("_T1.json"):
                conditions.append(path)
            elif "_T4." not in path.name or not path.with_name(path.name.replace("_T4.", ".")).exists():
                spaces.append(path)
    return spaces, conditions


def replay(options, spaces, conditions, name, *more):
    """Runs the program, which prints its tables; its runs and its picture go to --out."""
    command = [
        options.program,
        "replay",
        *spaces,
        "--strategy",
        options.strategies,
        "--seeds",
        options.seeds,
        "--budget",
        options.budget,
        *(argument for path in conditions for argument in ("--conditions", path)),
        "--json",
        options.out / f"{name}.jsonl",
        "--resume",
        "--svg",
        options.out / f"{name}.svg",
        *more,
    ]
    if options.jobs:
        command += ["--jobs", options.jobs]
    done = subprocess.run([str(word) for word in command], check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "target" / "release" / "arco-tvm", type=Path)
    parser.add_argument("--spaces", action="append", default=[], type=Path, help="a folder with more")
    parser.add_argument("--strategies", default="all", help="names, separated by commas [all]")
    parser.add_argument("--seeds", default=15, type=int)
    parser.add_argument("--budget", default=256, type=int)
    parser.add_argument("--jobs", type=int, help="runs at once [one for each core]")
    parser.add_argument("--out", default=ROOT / ".build" / "bench-strategies", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    spaces, conditions = records([LANDSCAPES, *options.spaces])
    print(f"{len(spaces)} recorded spaces, {options.seeds} seeds; masks for all\n", flush=True)
    replay(options, spaces, conditions, "masked")
    masked = [path for path in spaces if path.parent.name in {"vta", "gpu"} or "vta" in path.name]
    print("\nthe same without masks, where there are any\n", flush=True)
    replay(options, masked, conditions, "unmasked", "--no-masks")
    print(f"\nruns and pictures: {options.out}")


if __name__ == "__main__":
    main()
