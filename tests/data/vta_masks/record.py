"""Which configurations of small tasks of VTA's templates can be built and run, all of them or a sample.

    .venv/bin/python tests/data/vta_masks/record.py | gzip -9n > tests/data/vta_masks/tasks.jsonl.gz

One line for each task: its description as `arco_tvm` gives it, `"ran"` and `"failed"`: indices. It takes
a few minutes.
"""

import json
import os
import random
import sys
import tempfile
from pathlib import Path

import tvm

import vta  # noqa: F401
from arco_tvm import builder
from arco_tvm.description import create_task, describe
from vta.testing import simulator

#: Configurations of a task at most.
SAMPLE = 400
DEFAULT, SMALL = "sim_1x16_i8w8a32_15_15_18_17", "sim_1x8_i8w8a32_13_13_14_15"


def task(name: str, shapes, *rest, model: str = DEFAULT) -> dict:
    target = f"ext_dev -keys=vta,cpu -device=vta -model={model}"
    return {
        "name": name,
        "args": [*(["TENSOR", s, "int8"] for s in shapes), *rest],
        "target": target,
        "host": "llvm",
    }


def group(blocks_in, size, blocks_out, blocks_in_group, kernel, stride, padding, block=16, model=DEFAULT):
    shapes = [1, blocks_in, size, size, 1, block], [blocks_out, blocks_in_group, kernel, kernel, block, block]
    rest = [stride] * 2, [padding] * 4, [1, 1], blocks_in // blocks_in_group, "int32"
    return task("group_conv2d_packed.vta", shapes, *rest, model=model)


def transposed(blocks_in, size, blocks_out, kernel, stride, padding, more=0, block=16, model=DEFAULT):
    shapes = [1, blocks_in, size, size, 1, block], [blocks_out, blocks_in, kernel, kernel, block, block]
    rest = [stride] * 2, [padding] * 4, "int32", [more, more]
    return task("conv2d_transpose_packed.vta", shapes, *rest, model=model)


def dense(rows, blocks_in, blocks_out, block=16, model=DEFAULT):
    shapes = [rows, blocks_in, 1, block], [blocks_out, blocks_in, block, block]
    return task("dense_packed.vta", shapes, None, "int32", model=model)


TASKS = [
    group(8, 14, 8, 2, 3, 1, 1),
    group(8, 14, 8, 1, 3, 1, 1),
    group(8, 14, 16, 2, 1, 1, 0),
    group(4, 14, 4, 2, 3, 2, 1),
    group(8, 28, 8, 4, 1, 2, 0),
    group(4, 12, 8, 2, 3, 1, 0),
    group(16, 7, 16, 4, 3, 1, 1),
    group(4, 8, 4, 2, 3, 1, 1, block=8, model=SMALL),
    transposed(4, 7, 4, 4, 2, 1),
    transposed(8, 4, 4, 4, 2, 1),
    transposed(4, 8, 2, 2, 2, 0),
    transposed(2, 14, 4, 3, 1, 1),
    transposed(4, 8, 4, 3, 2, 1, more=1),
    transposed(2, 16, 2, 4, 2, 1),
    transposed(2, 6, 4, 1, 1, 0),
    transposed(2, 8, 2, 4, 2, 1, block=8, model=SMALL),
    dense(1, 32, 64),
    dense(4, 16, 16),
    dense(1, 256, 64),
    dense(16, 32, 8),
    dense(2, 64, 256),
    dense(4, 12, 12, block=8, model=SMALL),
]


def runs(described: dict, config: dict, folder: str) -> bool:
    """Whether a configuration can be built, and run on a new device."""
    answer = builder.build(described, config, {})
    if not answer["ok"]:
        return False
    path = Path(folder, f"kernel.{answer['format']}")
    path.write_bytes(builder.fetch(answer["token"]))
    tvm.get_global_func("arco.vta.set_config")(described["target"].partition("-model=")[2])
    simulator.mode("timing")
    arrays = [tvm.nd.empty(spec["shape"], spec["dtype"], tvm.ext_dev(0)) for spec in answer["args"]]
    try:
        tvm.runtime.load_module(str(path))[builder.ENTRY](*arrays)
    except tvm.TVMError:
        return False
    return True


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for described in TASKS:
            created = create_task(described)
            space = created.config_space
            indices = sorted(random.Random(1).sample(range(len(space)), min(SAMPLE, len(space))))
            line = {**describe(created), "ran": [], "failed": []}
            for index in indices:
                # A process each: what goes wrong in one stays there.
                child = os.fork()
                if not child:
                    ran = runs(described, space.get(index).to_json_dict(), folder)
                    os._exit(0 if ran else 1)
                line["failed" if os.waitpid(child, 0)[1] else "ran"].append(index)
            print(json.dumps(line, separators=(",", ":")), flush=True)
            print(f"{described['name']}: {len(line['ran'])} of {len(indices)} run", file=sys.stderr)


if __name__ == "__main__":
    main()
