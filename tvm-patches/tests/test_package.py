import os
import subprocess
import sys

import numpy as np

from arco_tvm import compat


def test_importing_the_package_does_not_import_tvm():
    code = "import sys, arco_tvm; assert 'tvm' not in sys.modules, 'tvm'; print(arco_tvm.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.1.0"


def test_tophub_is_switched_off_even_if_the_environment_names_one(monkeypatch):
    monkeypatch.setenv("TOPHUB_LOCATION", "https://example.org/tophub")
    compat.prepare()
    assert os.environ["TOPHUB_LOCATION"] == "NONE"


def test_relay_quantize_finds_the_math_that_numpy_2_dropped():
    assert np.math.ceil(np.math.log(5.0, 2)) == 3


def test_dimensions_are_still_what_tvm_makes_of_them():
    from tvm import tir
    from tvm.relay.backend import te_compiler

    compat.quicken_relay()
    shape = te_compiler.get_shape([tir.IntImm("int64", 3), tir.IntImm("int32", 4)])
    assert [int(dim) for dim in shape] == [3, 4]
