"""What the frontend answers: a model's tasks, a target's normal form."""

from dataclasses import asdict
from typing import Any

from arco_tvm import hooks, models, targets
from arco_tvm.description import describe_all
from arco_tvm.errors import ArcoError
from arco_tvm.extract import extract


def tasks(request: dict[str, Any]) -> dict[str, Any]:
    """The tasks of a model.

    `{"model"|"path", ..., "target", "host"?}` -> `{"target", "inputs", "tasks", "links"}`.

    A link is `{"first", "second", "join", "bytes", "count"}`: see `links.Link`; tasks are named by position.

    # Errors
    ArcoError of models.load, targets.resolve and extract.
    """
    if not isinstance(request.get("target"), str):
        raise ArcoError("bad-request", 'a request needs "target", a target string')
    resolved = targets.resolve(request["target"], request.get("host"))
    target = resolved.object()
    target_hooks = hooks.of(target)
    with target_hooks.scope(target):
        model = target_hooks.prepare_model(models.load(request))
    inputs = model.inputs()
    extracted = extract(model, target)
    links = [{**asdict(link), "count": count} for link, count in extracted.links.items()]
    return {
        "model": model.name,
        "inputs": inputs,
        "target": resolved.to_json(),
        "tasks": describe_all(extracted.tasks),
        "links": links,
    }
