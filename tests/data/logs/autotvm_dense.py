"""AutoTVM's own random tuner on a dense layer: a log that TVM itself writes.

`python autotvm_dense.py autotvm.log`
"""

import os
import sys

os.environ["TOPHUB_LOCATION"] = "NONE"

import tvm
from tvm import autotvm, relay
from tvm.autotvm.tuner import RandomTuner


def main(log: str) -> None:
    """Tune both templates of the layer."""
    data = relay.var("data", shape=(1, 128))
    weight = relay.var("weight", shape=(64, 128))
    module = tvm.IRModule.from_expr(relay.Function([data, weight], relay.nn.dense(data, weight)))
    runner = autotvm.LocalRunner(number=1, repeat=12, cooldown_interval=0)
    for task in autotvm.task.extract_from_program(module, {}, "llvm -mcpu=znver2"):
        RandomTuner(task).tune(
            12,
            autotvm.measure_option(autotvm.LocalBuilder(), runner),
            callbacks=[autotvm.callback.log_to_file(log)],
        )


if __name__ == "__main__":
    main(sys.argv[1])
