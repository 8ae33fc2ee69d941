"""What arco-tvm adds to TVM 0.19 in Python: model import, task extraction, the builder server, ArcoTuner.

Importing this package costs nothing: TVM is imported by the modules that need it.
"""

__version__ = "0.1.0"
