"""The PackedFuncs `arco.*` that servers offer over TVM's RPC: text in, text out, errors as values.

| function | arguments | answer |
|---|---|---|
| `arco.version` | | versions, code generators, device runtimes, host CPU (device servers too) |
| `arco.pid` | | process id of the session, a number: what to kill if it hangs (device servers too) |
| `arco.host_cpu` | | this machine's CPU as TVM's LLVM names it |
| `arco.target` | target, [host] | the target's normal form |
| `arco.tasks` | request | a model's tasks, described |
| `arco.filter` | task, list of indices | which of them the space's filter lets pass |
| `arco.build` | task, configuration or null, options | a token for the library |
| `arco.fetch` | token | the library's bytes, once |
| `arco.verify` | request | tuned against untuned: outputs and times |
"""

import os
import platform
from typing import Any

import tvm
from tvm.target import codegen

from arco_tvm import __version__, compat  # noqa: F401
from arco_tvm.errors import answering, parse_request


@answering
def version() -> dict[str, Any]:
    """What is installed here."""
    from arco_tvm import targets

    names = tvm._ffi.registry.list_global_func_names()
    llvm = tvm.support.libinfo().get("LLVM_VERSION", "")
    return {
        "arco_tvm": __version__,
        "tvm": tvm.__version__,
        "llvm": str(llvm) if targets.has_codegen("llvm") else "",
        "python": platform.python_version(),
        "codegens": targets.codegens(),
        "runtimes": sorted(name[len("device_api.") :] for name in names if name.startswith("device_api.")),
        "host_cpu": targets.host_cpu(),
        "triple": str(codegen.llvm_get_system_triple()) if targets.has_codegen("llvm") else "",
        "cores": len(os.sched_getaffinity(0)),
    }


@answering
def host_cpu() -> dict[str, Any]:
    """What `-mcpu=native` means here."""
    from arco_tvm import targets

    return {"host_cpu": targets.host_cpu()}


@answering
def target(text: str, host: str = "") -> dict[str, Any]:
    """A target's normal form."""
    from arco_tvm import targets

    return targets.resolve(text, host or None).to_json()


@answering
def tasks(request: str) -> dict[str, Any]:
    """A model's tasks."""
    from arco_tvm import frontend

    return frontend.tasks(parse_request(request, "the request"))


@answering
def filter_(task: str, indices: str) -> dict[str, Any]:
    """Which indices a space's filter lets pass."""
    from arco_tvm import description

    made = description.create_task(parse_request(task, "the task"))
    return {"valid": description.filter_indices(made, parse_request(indices, "the list of indices"))}


@answering
def build(task: str, config: str, options: str) -> dict[str, Any]:
    """Build a candidate."""
    from arco_tvm import builder

    return builder.build(
        parse_request(task, "the task"),
        parse_request(config, "the configuration"),
        parse_request(options, "the options") or {},
    )


def fetch(token: int) -> bytearray:
    """A built library's bytes."""
    from arco_tvm import builder

    return builder.fetch(token)


@answering
def verify(request: str) -> dict[str, Any]:
    """Compare a tuned model with the untuned one."""
    from arco_tvm import verify as verifier

    return verifier.verify(parse_request(request, "the request"))


#: What every server answers.
ABOUT = {"arco.version": version, "arco.pid": os.getpid}
#: What builders and frontends answer.
FUNCTIONS = {
    **ABOUT,
    "arco.host_cpu": host_cpu,
    "arco.target": target,
    "arco.tasks": tasks,
    "arco.filter": filter_,
    "arco.build": build,
    "arco.fetch": fetch,
    "arco.verify": verify,
}


def register(functions: dict[str, Any]) -> None:
    """Register functions in this process's TVM."""
    for name, function in functions.items():
        tvm.register_func(name, function, override=True)
