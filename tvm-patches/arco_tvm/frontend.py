"""What the frontend answers: a model's tasks, a target's normal form."""

from typing import Any

from arco_tvm import hooks, models, targets
from arco_tvm.description import describe_all
from arco_tvm.errors import ArcoError
from arco_tvm.extract import extract


def tasks(request: dict[str, Any]) -> dict[str, Any]:
    """The tasks of a model: `{"model"|"path", ..., "target", "host"?}` -> `{"target", "inputs", "tasks"}`.

    # Errors
    ArcoError of models.load, targets.resolve and extract.
    """
    if not isinstance(request.get("target"), str):
        raise ArcoError("bad-request", 'a request needs "target", a target string')
    resolved = targets.resolve(request["target"], request.get("host"))
    target = resolved.object()
    model = hooks.of(target).prepare_model(models.load(request))
    inputs = model.inputs()
    described = describe_all(extract(model, target))
    return {"model": model.name, "inputs": inputs, "target": resolved.to_json(), "tasks": described}
