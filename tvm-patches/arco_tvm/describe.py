"""`python -m arco_tvm.describe --model NAME --target T`: print the tasks of a model as JSON.

With `--sample N` each task also gets N random indices with the configurations that AutoTVM makes of them.
"""

import argparse
import json
import random
import sys
from typing import Any

from arco_tvm.errors import ArcoError, dumps


def main(argv: list[str] | None = None) -> int:
    """Command line entry; returns the exit code (0, or 1 after printing an error value)."""
    parser = argparse.ArgumentParser(prog="python -m arco_tvm.describe", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="name of a built-in network")
    what.add_argument("--path", help="model file")
    parser.add_argument("--params", help="parameter file of a saved Relay module")
    parser.add_argument("--batch", type=int, help="batch size")
    parser.add_argument("--target", required=True, help="target string, e.g. 'llvm -mcpu=native'")
    parser.add_argument("--host", help="target string of the host code")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="configurations to show per task")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sample")
    args = parser.parse_args(argv)
    request = {k: v for k, v in vars(args).items() if k not in ("sample", "seed")}
    try:
        from arco_tvm import frontend

        answer = frontend.tasks(request)
        if args.sample:
            add_samples(answer["tasks"], args.sample, args.seed)
    except ArcoError as exc:
        print(dumps(exc.to_value()))
        return 1
    print(json.dumps({"ok": True, **answer}))
    return 0


def add_samples(tasks: list[dict[str, Any]], count: int, seed: int) -> None:
    """Give each description `"samples": [{"index", "valid", "config"}]`.

    `config` is AutoTVM's `to_json_dict()`; null where the space's filter rejects the index.
    """
    from arco_tvm.description import config_at, create_task

    rng = random.Random(seed)
    for described in tasks:
        space = create_task(described).config_space
        length = described["range_length"]
        # The ends of the space are where an off-by-one shows.
        indices = [0, length - 1] + [rng.randrange(length) for _ in range(max(0, count - 2))]
        samples = []
        for index in indices[:count]:
            config = config_at(space, index) if described["filtered"] else space.get(index)
            samples.append(
                {
                    "index": index,
                    "valid": config is not None,
                    "config": None if config is None else config.to_json_dict(),
                }
            )
        described["samples"] = samples


if __name__ == "__main__":
    sys.exit(main())
