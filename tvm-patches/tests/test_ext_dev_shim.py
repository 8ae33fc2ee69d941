"""Where the C++ part of the device comes from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import tvm


def test_a_missing_compiler_and_missing_headers_are_named(tmp_path, native):
    def first_use(**environment) -> str:
        code = f"""if True:
            import ctypes, tvm
            ctypes.CDLL({native._name!r}, ctypes.RTLD_GLOBAL)
            assert tvm.ext_dev(0).exist
            print("device", tvm.nd.array([1.0], tvm.ext_dev(0)).numpy())
        """
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), **environment}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300
        )
        return done.stdout + done.stderr

    assert "does not name TVM's headers" in first_use(ARCO_TVM_INCLUDE=str(tmp_path))
    # Another TVM, as far as the key tells: nothing embedded fits it.
    other = tmp_path / "tvm"
    for folder in ("include", "3rdparty"):
        shutil.copytree(Path(tvm.__file__).parent / folder, other / folder)
    header = other / "include/tvm/runtime/device_api.h"
    header.write_text(header.read_text() + "\n// another\n")
    include = str(other / "include")
    assert "none of no-such-compiler is there" in first_use(ARCO_TVM_INCLUDE=include, CXX="no-such-compiler")
    assert "cannot compile TVM's C++ device" in first_use(ARCO_TVM_INCLUDE=include, CXX="false")
    assert "device [1.]" in first_use(ARCO_TVM_INCLUDE=include)
    (compiled,) = (tmp_path / "cache/arco-tvm").glob("ext_dev-*.so")
    # The second time needs no compiler.
    stamp = compiled.stat().st_mtime_ns
    assert "device [1.]" in first_use(ARCO_TVM_INCLUDE=include, CXX="no-such-compiler")
    assert compiled.stat().st_mtime_ns == stamp
