"""Models from files: TVM's own importers (through tvmc), and Relay modules saved by TVM."""

from pathlib import Path
from typing import Any

import tvm
from tvm import relay
from tvm.driver.tvmc import TVMCException, frontends

from arco_tvm.errors import ArcoError, summary
from arco_tvm.models.model import Model

_RELAY_SUFFIXES = (".json", ".relay", ".txt")


def load(
    path: str,
    params: str | None = None,
    model_format: str | None = None,
    shapes: dict[str, list[int]] | None = None,
    batch: int | None = None,
) -> Model:
    """Read a model file.

    `.json` (tvm.ir.save_json), `.relay` and `.txt` (Relay text) are Relay modules; their parameters are read
    from `params` or from the file of the same stem with suffix `.params`. Anything else goes to the importer
    of TVM for `model_format`, by default the one of its suffix.

    # Errors
    "unreadable-model" with the importer's reason; "bad-request" for shapes that do not fit the model.
    """
    file = Path(path)
    if not file.is_file():
        raise ArcoError("unreadable-model", f"{path} is not a file", "check the path")
    if model_format == "relay" or (model_format is None and file.suffix.lower() in _RELAY_SUFFIXES):
        return _load_relay(file, Path(params) if params else file.with_suffix(".params"), batch)
    return _load_with_importer(file, model_format, shapes, batch)


def _load_relay(file: Path, params_file: Path, batch: int | None) -> Model:
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        mod = tvm.ir.load_json(text) if text.lstrip().startswith("{") else relay.fromtext(text)
        if isinstance(mod, relay.Function):
            mod = tvm.IRModule.from_expr(mod)
        mod = relay.transform.InferType()(mod)
        main = mod["main"]
    except Exception as exc:
        raise ArcoError(
            "unreadable-model",
            f"{file} is not a Relay module that this TVM reads: {summary(exc)}",
            "save it with tvm.ir.save_json(mod) or mod.astext(show_meta_data=True) from TVM 0.19",
        ) from exc
    params: dict[str, Any] = {}
    if params_file.is_file():
        try:
            params = relay.load_param_dict(params_file.read_bytes())
        except Exception as exc:
            raise ArcoError(
                "unreadable-model",
                f"{params_file} is not a parameter file: {summary(exc)}",
                "write it with relay.save_param_dict(params)",
            ) from exc
    extra = sorted(set(params) - {var.name_hint for var in main.params})
    if extra:
        raise ArcoError(
            "unreadable-model", f"{params_file} has parameters that {file} does not: {', '.join(extra[:5])}"
        )
    model = Model(file.stem, mod, lambda: params)
    _check_batch(model, batch)
    return model


def _load_with_importer(
    file: Path, model_format: str | None, shapes: dict[str, list[int]] | None, batch: int | None
) -> Model:
    try:
        if model_format:
            name = frontends.get_frontend_by_name(model_format).name()
        else:
            name = frontends.guess_frontend(str(file)).name()
    except TVMCException as exc:
        raise ArcoError(
            "unreadable-model",
            f"{file}: its format is not known"
            if model_format is None
            else f"{file}: there is no importer for the format {model_format!r}",
            f"give the format (--format), one of {', '.join(frontends.get_frontend_names())}",
        ) from exc
    try:
        if name == "onnx":
            shapes = onnx_shapes(file, shapes or {}, batch)
        loaded = frontends.load_model(str(file), name, shapes)
        mod, params = relay.transform.InferType()(loaded.mod), loaded.params
    except ArcoError:
        raise
    except ImportError as exc:
        raise ArcoError(
            "unreadable-model", f"{file}: {exc}", f"install the package that reads {name} models"
        ) from exc
    except Exception as exc:
        raise ArcoError("unreadable-model", f"TVM's {name} importer rejects {file}: {summary(exc)}") from exc
    # tvmc gives NumPy arrays for some formats and NDArrays for others.
    params = {k: v if isinstance(v, tvm.nd.NDArray) else tvm.nd.array(v) for k, v in params.items()}
    model = Model(file.stem, mod, lambda: params)
    _check_batch(model, batch)
    return model


def onnx_shapes(file: Path, shapes: dict[str, list[int]], batch: int | None) -> dict[str, list[int]]:
    """Shapes of all inputs of an ONNX model: the given ones, else the file's with `batch` as first dimension.

    A first dimension that the file leaves open is the batch (1 if not given).
    """
    import onnx

    try:
        graph = onnx.load(str(file)).graph
    except Exception as exc:
        raise ArcoError(
            "unreadable-model",
            f"{file} is not an ONNX model: {summary(exc)}",
            "check that the file is complete; onnx.checker.check_model(path) says more",
        ) from exc
    if not graph.node:
        raise ArcoError(
            "unreadable-model",
            f"{file} is not an ONNX model: it has no operators",
            "check that the file is complete",
        )
    weights = {tensor.name for tensor in graph.initializer}
    fed = [value for value in graph.input if value.name not in weights]
    for name in shapes:
        if name not in {value.name for value in fed}:
            raise ArcoError(
                "bad-request",
                f"{file} has no input {name!r}",
                f"its inputs: {', '.join(value.name for value in fed)}",
            )
    result = {}
    for value in fed:
        if value.name in shapes:
            result[value.name] = [int(dim) for dim in shapes[value.name]]
            continue
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if dims and (batch is not None or not dims[0]):
            dims[0] = batch or 1
        if any(dim <= 0 for dim in dims):
            raise ArcoError(
                "dynamic-shape",
                f"input {value.name} of {file} has open dimensions: {[d or '?' for d in dims]}",
                f"give its shape, for example --input-shape {value.name}=1,3,224,224",
            )
        result[value.name] = dims
    return result


def _check_batch(model: Model, batch: int | None) -> None:
    """Refuse a batch size that the file has not got: only ONNX can be given another one here."""
    if batch is None:
        return
    for name, fed in model.inputs().items():
        if fed["shape"] and fed["shape"][0] != batch:
            raise ArcoError(
                "bad-request",
                f"batch {batch} asked, but input {name} of {model.name} is {fed['shape']}",
                "leave the batch out, or give --input-shape if the format allows it",
            )
