"""The recorded spaces of a network: measured again, a configuration costs what is written there."""

import gzip
import json
from pathlib import Path

import pytest
import tvm

from arco_tvm import builder
from vta.testing import simulator

SPACES = Path(__file__).resolve().parents[3] / "tests" / "data" / "vta_spaces"
NETWORK = json.loads((SPACES / "resnet18.json").read_text())


def recorded(name: str) -> list[dict]:
    with gzip.open(SPACES / name, "rt") as file:
        return [json.loads(line) for line in file if not line.startswith("#")]


def measured(record: dict, folder) -> float:
    target, name, args, _ = record["input"]
    task = {"name": name, "args": args, "target": target, "host": "llvm"}
    answer = builder.build(task, record["config"], {})
    assert answer["ok"], answer
    path = folder / f"kernel.{answer['format']}"
    path.write_bytes(builder.fetch(answer["token"]))
    simulator.mode("timing")
    tvm.get_global_func("arco.vta.set_config")(target.partition("-model=")[2].split()[0])
    device = tvm.ext_dev(0)
    arrays = [tvm.nd.empty(spec["shape"], spec["dtype"], device) for spec in answer["args"]]
    module = tvm.runtime.load_module(str(path))
    return module.time_evaluator(builder.ENTRY, device, number=1, repeat=1)(*arrays).results[0]


@pytest.mark.parametrize("name", [task["space"] for task in NETWORK["tasks"]])
def test_a_recorded_configuration_costs_the_same_again(name, tmp_path):
    records = sorted(recorded(name), key=lambda record: record["result"][0][0])
    for record in (records[0], records[len(records) // 3]):
        assert measured(record, tmp_path) == record["result"][0][0]
