"""Our masks of TVM's GPU templates against TVM's own check, on sampled configurations.

    make bench-gpu-masks            # 2,000 configurations of each template, two devices: under an hour
    .venv/bin/python benches/gpu_masks.py --count 100 --template conv2d_nchw.cuda

For each template and each device's limits: the share of configurations that `verify_gpu_code` refuses, how
many are masked that it accepts (none may be), and the share that it refuses of what is not masked. No GPU is
needed: TVM lowers the candidates, and nothing is run.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tvm-patches" / "tests"))

import gpu_templates


def main() -> int:
    """Print the table; returns 1 if a mask is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000, help="configurations of each template")
    parser.add_argument("--template", action="append", help="only this template; can be given again")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(
        "| template | limits of a block | sampled | invalid | masked | masked wrongly | "
        "invalid of what is left | figures that differ |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    wrong = []
    for template in args.template or list(gpu_templates.TASKS):
        started = time.monotonic()
        for limits, found in gpu_templates.compare(template, args.count, args.seed).items():
            left = found.sampled - found.masked
            missed = sum(found.missed.values())
            print(
                f"| {template} | {limits} | {found.sampled} | {1 - found.accepted / found.sampled:.1%} | "
                f"{found.masked / found.sampled:.1%} | {len(found.wronged)} | "
                f"{missed / left if left else 0:.1%} | {len(found.inexact)} |",
                flush=True,
            )
            wrong += found.wronged
            for why, count in found.missed.most_common(3):
                print(f"{template}: {count} left: {why}", file=sys.stderr)
        print(f"{template}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    for what in wrong[:20]:
        print(f"masked wrongly: {what}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
