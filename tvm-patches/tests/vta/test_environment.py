import pytest
import tvm

import vta
from vta.environment import env_of


def test_the_first_environment_is_the_default_geometry():
    env = vta.get_env()
    assert env.MODEL == "sim_1x16_i8w8a32_15_15_18_17"
    assert (env.BATCH, env.BLOCK_IN, env.BLOCK_OUT) == (1, 16, 16)
    assert (env.INP_ELEM_BYTES, env.WGT_ELEM_BYTES, env.ACC_ELEM_BYTES, env.OUT_ELEM_BYTES) == (
        16,
        256,
        64,
        16,
    )
    assert env.OUT_BUFF_SIZE == 1 << 15
    assert (env.inp_dtype, env.acc_dtype, env.out_dtype) == ("int8", "int32", "int8")


def test_a_configuration_file_of_the_original_is_the_first_environment(tmp_path, monkeypatch):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "vta_config.json").write_text(
        '{"TARGET": "pynq", "HW_VER": "0.0.2", "LOG_INP_WIDTH": 3, "LOG_WGT_WIDTH": 3, "LOG_ACC_WIDTH": 5,'
        '"LOG_BATCH": 0, "LOG_BLOCK": 3, "LOG_UOP_BUFF_SIZE": 15, "LOG_INP_BUFF_SIZE": 14,'
        '"LOG_WGT_BUFF_SIZE": 16, "LOG_ACC_BUFF_SIZE": 16}'
    )
    monkeypatch.setenv("VTA_HW_PATH", str(tmp_path))
    assert vta.get_env().MODEL == "pynq_1x8_i8w8a32_15_14_16_16"
    assert vta.get_env().TARGET == "pynq"


def test_environments_nest_and_may_be_entered_twice():
    outer = vta.get_env()
    wide = vta.Environment("1x32_i8w8a32_15_16_19_18")
    with wide, vta.Environment("2x16_i8w8a32_15_16_18_18") as inner:
        assert vta.get_env() is inner
        with wide:
            assert vta.get_env() is wide
        assert vta.get_env() is inner
    assert vta.get_env() is outer


def test_a_target_names_its_geometry():
    with vta.Environment("1x32_i8w8a32_15_16_19_18") as env:
        target = vta.target()
        assert str(target.model) == env.MODEL
        assert {"vta", "cpu"} == set(map(str, target.keys))
        assert env_of(target) is env
    assert env_of(target).MODEL == env.MODEL
    assert env_of(tvm.target.vta()) is vta.get_env()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("1x3_i8w8a32_15_15_18_17", "is not a geometry name"),
        ({"LOG_BLOCK": 4}, "missing field"),
        ("1x16_i8w8a32_15_15_18_30", "LOG_ACC_BUFF_SIZE|accumulator|acc"),
    ],
)
def test_a_bad_configuration_is_refused_with_the_reason(config, message):
    with pytest.raises(vta.VTAConfigError, match=message):
        vta.Environment(config)


def test_a_mock_environment_leaves_work_out():
    env = vta.get_env()
    assert (env.mock.dma_copy, env.mock.alu) == ("skip_dma_copy", "skip_alu")
    assert env.mock.mock is env.mock
    assert env.mock.gemm is not env.gemm
