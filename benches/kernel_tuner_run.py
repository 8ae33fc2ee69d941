"""One process of Kernel Tuner in its simulation mode: several seeds of one strategy on one recorded space.

Run by benches/gpu_strategies.py with the Python of an environment that has a release of Kernel Tuner.
Prints one line of JSON for each seed: milliseconds of the configurations in the order of their
evaluation, null for a failure.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import numpy as np


def main() -> int:
    """Run the seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path, help="recorded space, not compressed")
    parser.add_argument("conditions", type=Path, help="T1 file of the kernel")
    parser.add_argument("strategy")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--budget", type=int, default=200)
    args = parser.parse_args()
    import kernel_tuner

    recorded = json.loads(args.cache.read_text())
    space = json.loads(args.conditions.read_text())["ConfigurationSpace"]
    restrictions = [condition["Expression"] for condition in space.get("Conditions", [])]
    for seed in args.seeds:
        random.seed(seed)
        np.random.seed(seed)
        before = time.process_time()
        results, _ = kernel_tuner.tune_kernel(
            recorded["kernel_name"],
            "",
            recorded["problem_size"],
            [],
            recorded["tune_params"],
            restrictions=restrictions,
            strategy=args.strategy,
            strategy_options={"max_fevals": args.budget},
            simulation_mode=True,
            cache=str(args.cache),
            quiet=True,
        )
        costs = [result["time"] if isinstance(result["time"], int | float) else None for result in results]
        line = {"seed": seed, "costs": costs[: args.budget], "cpu_s": time.process_time() - before}
        # Kernel Tuner prints on standard output, too.
        print("RUN " + json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
