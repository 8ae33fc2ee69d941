import json

import pytest
from tvm.target import Target

from arco_tvm import records
from arco_tvm.errors import ArcoError

ARGS = [["TENSOR", [1, 64], "float32"], ["TENSOR", [10, 64], "float32"], None, "float32"]


def line(target: str = "llvm -keys=cpu -mcpu=znver4", error_no: int = 0, **change) -> str:
    entity = [["tile_y", "sp", [-1, 1, 1]], ["tile_x", "sp", [-1, 1]], ["tile_k", "sp", [-1, 64]]]
    record = {
        "input": [target, "dense_nopack.x86", ARGS, {}],
        "config": {"index": 0, "code_hash": None, "entity": entity},
        "result": [[0.001] if error_no == 0 else [1e9], error_no, 0.1, 1.0],
        "version": 0.2,
        "tvm_version": "0.19.0",
    }
    return json.dumps({**record, **change})


@pytest.fixture
def read(tmp_path):
    def write_and_read(text: str) -> records.Log:
        (tmp_path / "log.json").write_text(text)
        return records.read([str(tmp_path / "log.json")])

    return write_and_read


def test_a_clean_log_gives_its_records_and_no_warning(read):
    log = read(line() + "\n" + line() + "\n")
    assert (len(log.records), log.warnings, log.failed) == (2, [], 0)


def test_a_truncated_last_line_is_skipped_with_a_warning(read):
    log = read(line() + "\n" + line()[:100])
    assert len(log.records) == 1
    assert len(log.warnings) == 1
    assert "log.json:2: skipped, the line is cut off" in log.warnings[0]


def test_a_blank_line_is_skipped_with_a_warning_that_autotvm_would_stop(read):
    log = read(line() + "\n\n" + line() + "\n")
    assert len(log.records) == 2
    assert "log.json:2: blank line" in log.warnings[0]


def test_lines_that_are_something_else_are_skipped_and_the_rest_is_read(read):
    log = read(
        '# comment\nnot json\n[1, 2]\n{"input": []}\n' + line(target="no-such-target") + "\n" + line() + "\n"
    )
    assert len(log.records) == 1
    assert [warning.split(": ")[0][-1] for warning in log.warnings] == ["2", "3", "4", "5"]


def test_failed_candidates_are_counted_and_not_applied(read):
    log = read(line(error_no=2) + "\n" + line() + "\n")
    assert (len(log.records), log.failed) == (1, 1)


def test_a_log_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(ArcoError) as error:
        records.read([str(tmp_path / "none.json")])
    assert error.value.kind == "unreadable-log"


def test_records_of_another_cpu_are_kept_with_a_warning_that_names_both(read):
    log = read(line() + "\n" + line() + "\n")
    kept = records.of_this_target(log, Target("llvm -mcpu=core-avx2"))
    assert len(kept) == 2
    assert len(log.warnings) == 1
    assert "mcpu znver4 there, core-avx2 here" in log.warnings[0]


def test_records_of_another_kind_of_device_are_left_out_with_a_warning(read):
    log = read(line() + "\n")
    assert records.of_this_target(log, Target("cuda -arch=sm_80")) == []
    assert "do not apply" in log.warnings[0]


def test_records_of_another_accelerator_geometry_are_refused(read):
    theirs = "ext_dev -keys=vta,cpu -device=vta -model=sim_1x16_i8w8a32_15_15_18_17"
    ours = "ext_dev -keys=vta,cpu -device=vta -model=sim_1x16_i8w8a32_14_14_18_17"
    log = read(line(target=theirs) + "\n" + line(target=ours) + "\n")
    kept = records.of_this_target(log, Target(ours))
    assert [str(inp.target.model) for inp, _ in kept] == ["sim_1x16_i8w8a32_14_14_18_17"]
    assert "refused records of another VTA geometry" in log.warnings[0]


def test_a_plain_llvm_target_is_the_same_machine_as_one_with_its_triple(read):
    log = read(line(target="llvm -keys=cpu -mtriple=x86_64-unknown-linux-gnu") + "\n")
    assert len(records.of_this_target(log, Target("llvm"))) == 1
    assert log.warnings == []
