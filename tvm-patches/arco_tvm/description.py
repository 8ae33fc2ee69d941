"""A task as JSON: everything that a search needs to know, so that it needs no TVM.

    {"name", "args", "target", "flop", "weight", "group", "range_length", "filtered",
     "knobs": [{"name", "kind": "sp|re|an|ot", "entities": [...], "product"?}]}

A configuration's index is a mixed-radix number over the knobs in order, the first knob least significant.
"""

from collections import OrderedDict
from typing import Any

from tvm import autotvm, relay  # noqa: F401  relay registers the rest of them
from tvm.autotvm.task.space import (
    AnnotateEntity,
    ConfigEntity,
    ConfigSpace,
    OtherOptionEntity,
    ReorderEntity,
    SplitEntity,
    SplitSpace,
)

from arco_tvm import hooks
from arco_tvm.errors import ArcoError, summary
from arco_tvm.extract import ExtractedTask
from arco_tvm.targets import resolve

_created: dict[tuple, autotvm.task.Task] = {}


def describe(task: autotvm.task.Task, weight: int = 1, group: int = 0) -> dict[str, Any]:
    """The description of one task."""
    space = task.config_space
    knobs = []
    for name, knob in space.space_map.items():
        entities = [_entity_json(entity) for entity in knob.entities]
        entry = {"name": name, "kind": entities[0][0], "entities": [value for _, value in entities]}
        if isinstance(knob, SplitSpace):
            entry["product"] = int(knob.product)
        knobs.append(entry)
    return {
        "name": task.name,
        "args": task.args,
        "target": str(task.target),
        "host": str(task.target_host or task.target.host or ""),
        "flop": float(task.flop),
        "weight": weight,
        "group": group,
        "range_length": range_length(space),
        "filtered": space._shared_filter is not None,
        "knobs": knobs,
    }


def describe_all(tasks: list[ExtractedTask]) -> list[dict[str, Any]]:
    """The descriptions of extracted tasks."""
    return [describe(t.task, t.weight, t.group) for t in tasks]


def range_length(space: ConfigSpace) -> int:
    """The number of indices (exact: AutoTVM's own goes through NumPy and wraps beyond 2^63)."""
    length = 1
    for knob in space.space_map.values():
        length *= len(knob)
    return length


def create_task(task_json: dict[str, Any]) -> autotvm.task.Task:
    """The AutoTVM task of a description (only name, args, target and host are read), made once per process.

    # Errors
    "bad-request" if a field is missing, "unknown-task" if no template has the name, "bad-task" if the
    template rejects the arguments.
    """
    try:
        name, args, target = task_json["name"], to_tuple(task_json["args"]), task_json["target"]
    except (KeyError, TypeError) as exc:
        raise ArcoError("bad-request", f"a task needs name, args and target: {exc}") from exc
    key = (name, args, target, task_json.get("host") or None)
    if key not in _created:
        resolved = resolve(target, key[3])
        # Brings the templates of a package that has the target.
        hooks.of(resolved.object())
        if name not in autotvm.task.task.TASK_TABLE:
            raise ArcoError(
                "unknown-task",
                f"no AutoTVM template is called {name!r}",
                "if it is a template of your own, import its module in the server (--import MODULE)",
            )
        try:
            target = resolved.object()
            with hooks.of(target).scope(target):
                _created[key] = autotvm.task.create(name, args, target=target)
        except Exception as exc:
            raise ArcoError("bad-task", f"{name} rejects {args}: {summary(exc)}") from exc
    return _created[key]


def config_at(space: ConfigSpace, index: int) -> ConfigEntity | None:
    """The configuration at an index, or None where the space's filter rejects it.

    `ConfigSpace.get` would first run the filter on *every* index of the space.
    """
    entities = _entities_at(space, index)
    if space._shared_filter is not None and not space._shared_filter(entities):
        return None
    return ConfigEntity(index, space.code_hash, entities, space._constraints)


def filter_indices(task: autotvm.task.Task, indices: list[int]) -> list[bool]:
    """Which of the indices the space's filter lets pass (all of them if it has none).

    # Errors
    "bad-request" for an index outside of the space.
    """
    space = task.config_space
    length = range_length(space)
    for index in indices:
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < length:
            raise ArcoError("bad-request", f"index {index!r} is not in the space of {length} configurations")
    if space._shared_filter is None:
        return [True] * len(indices)
    return [bool(space._shared_filter(_entities_at(space, index))) for index in indices]


def to_tuple(value: Any) -> Any:
    """JSON's lists as tuples, as AutoTVM's `decode` does it (workloads are compared as tuples)."""
    return tuple(to_tuple(v) for v in value) if isinstance(value, list | tuple) else value


def _entities_at(space: ConfigSpace, index: int) -> OrderedDict:
    entities = OrderedDict()
    for name, knob in space.space_map.items():
        index, digit = divmod(index, len(knob))
        entities[name] = knob[digit]
    return entities


def _entity_json(entity: Any) -> tuple[str, Any]:
    """An entity's kind and value as AutoTVM's log has them."""
    if isinstance(entity, SplitEntity):
        return "sp", [int(size) for size in entity.size]
    if isinstance(entity, ReorderEntity):
        return "re", [int(axis) for axis in entity.perm]
    if isinstance(entity, AnnotateEntity):
        return "an", list(entity.anns)
    if isinstance(entity, OtherOptionEntity):
        return "ot", entity.val
    raise ArcoError("bad-task", f"unknown kind of knob: {type(entity).__name__}")


def entities_json(config: ConfigSpace) -> list[list[Any]]:
    """A configuration's entities as AutoTVM's log has them: `[[knob name, kind, value], ...]`."""
    return [[name, *_entity_json(entity)] for name, entity in config._entity_map.items()]
