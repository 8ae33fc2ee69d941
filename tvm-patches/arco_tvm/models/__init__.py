"""Model import: networks by name, files through TVM's importers, saved Relay modules."""

from typing import Any

from arco_tvm import compat  # noqa: F401
from arco_tvm.errors import ArcoError
from arco_tvm.models import files, zoo
from arco_tvm.models.model import Model

__all__ = ["Model", "load"]


def load(request: dict[str, Any]) -> Model:
    """The model that a request names.

    `{"model": name}` for a built-in network, `{"path": file, "params": file, "format": name}` for a file;
    both take `"batch"` (built-in: 1) and files take `"shapes": {input: [...]}`.

    # Errors
    ArcoError: "unknown-model", "unreadable-model", "dynamic-shape" or "bad-request".
    """
    name, path = request.get("model"), request.get("path")
    batch = request.get("batch")
    if batch is not None and (not isinstance(batch, int) or isinstance(batch, bool) or batch < 1):
        raise ArcoError("bad-request", f"batch must be a whole number from 1, not {batch!r}")
    if (name is None) == (path is None):
        raise ArcoError("bad-request", 'give either "model" (a name) or "path" (a file)')
    if name is not None:
        return zoo.load(name, 1 if batch is None else batch)
    return files.load(path, request.get("params"), request.get("format"), request.get("shapes"), batch)
