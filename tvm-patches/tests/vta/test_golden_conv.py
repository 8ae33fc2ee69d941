"""Recorded convolutions of the original: the same candidates are valid, and the valid ones do the same work.

The suite takes a part; `VTA_GOLDEN=all` (`make test-vta-golden`) takes every record.
"""

import json
import os

import numpy as np
import pytest
import tvm
from golden_conv import DATA, ERROR_CLASSES, Convolution, digest, records

import vta

FILES = ("conv2d_1x16.jsonl.gz", "conv2d_b1x32.jsonl.gz")
EVERYTHING = os.environ.get("VTA_GOLDEN") == "all"


def chosen() -> list[dict]:
    found = [record for name in FILES for record in records(name)]
    if EVERYTHING:
        return found
    valid = [record for record in found if record["valid"]]
    return valid[::8] + [record for record in found if not record["valid"]][::2]


def name_of(record: dict) -> str:
    return f"{record['name']}-{'-'.join(str(value) for value in record['config'].values())}"


@pytest.mark.parametrize("record", [r for r in chosen() if r["valid"]], ids=name_of)
def test_a_recorded_kernel_computes_the_same_and_moves_the_same(record):
    case = Convolution(record["workload"], vta.Environment(record["geometry"]))
    output, counters = case.run(case.build(record["config"]))
    assert {name: counters[name] for name in record["stats"]} == record["stats"]
    assert digest(output) == record["out_sha256_packed"]
    assert int(np.count_nonzero(output)) == record["out_nonzero"]


@pytest.mark.parametrize("record", [r for r in chosen() if not r["valid"]], ids=name_of)
def test_a_candidate_that_was_refused_is_refused_for_the_same_reason(record):
    case = Convolution(record["workload"], vta.Environment(record["geometry"]))
    # The original's assertion in the ALU pass has a text here.
    expected = next(
        (ours for theirs, ours in ERROR_CLASSES if theirs in record["error"]), "over one of its operands"
    )
    with pytest.raises((tvm.TVMError, RuntimeError), match=expected):
        case.run(case.build(record["config"]))


def timed() -> list[dict]:
    """The programs that were run on the RTL, default geometry and memory."""
    lines = (DATA / "rtl_cycles.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    found = [row for row in rows if row["rtl"] == "de10" and row["program"].startswith("programs/")]
    return found if EVERYTHING else [row for row in found if row["macs"] < 10_000_000]


@pytest.mark.parametrize("row", timed(), ids=lambda row: row["program"].split("/")[1].split(".")[0])
def test_a_compiled_kernel_takes_as_many_cycles_as_the_originals_did_on_the_rtl(row):
    case = Convolution(row["workload"], vta.Environment("sim"))
    _, counters = case.run(case.build(row["config"]))
    assert counters["cycle_count"] == row["tsim"]["cycles"]
