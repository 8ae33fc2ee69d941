"""How built code travels to its device: linked here where that can be, as objects where only the device can.

| the device | what is sent |
|---|---|
| of this machine's kind (triples agree) | a shared library, linked by this machine's linker |
| of another kind, and a cross compiler is named | a shared library, linked by it |
| an Android phone, and `TVM_NDK_CC` names the NDK's compiler | a shared library, linked by the NDK |
| any other | a `.tar` of object files, which TVM's RPC server links when it loads it |
"""

import os
from collections.abc import Callable
from typing import Any

from tvm.contrib import ndk, tar
from tvm.target import Target, codegen

from arco_tvm.link import link


def library_format(target: Target, compiler: str | None) -> str:
    """`"so"` if the code for `target` can be linked here, `"tar"` if the device must link it."""
    triple = host_triple(target)
    return "so" if compiler or is_native(triple) or _ndk_for(triple) else "tar"


def host_triple(target: Target) -> str:
    """The triple of the CPU that runs a target's host code; empty for this machine's own."""
    for candidate in (target.host, target):
        if candidate is not None and candidate.kind.name == "llvm":
            return str(candidate.attrs.get("mtriple", ""))
    return ""


def is_native(triple: str) -> bool:
    """Whether a triple names machines that load what this machine's linker makes."""
    if not triple:
        return True
    here = str(codegen.llvm_get_system_triple())
    return _kind(triple) == _kind(here)


def exporter(target: Target, compiler: str | None, timeout: float | None) -> Callable:
    """The `fcompile` of `export_library` for a path that ends in the library's format."""
    triple = host_triple(target)

    def fcompile(output: str, objects: list[str], **kwargs: Any) -> None:
        if output.endswith(".tar"):
            tar.tar(output, objects)
        elif not compiler and not is_native(triple) and _ndk_for(triple):
            ndk.create_shared(output, objects)
        else:
            open_ended = target.kind.name == "ext_dev"
            link(output, objects, compiler, timeout, open_ended, **kwargs)

    # `export_library` asks this attribute what kind of objects to write.
    fcompile.output_format = "o"
    return fcompile


def _kind(triple: str) -> tuple[str, bool]:
    architecture = {"amd64": "x86_64", "arm64": "aarch64"}.get(part := triple.split("-")[0], part)
    return architecture, "android" in triple


def _ndk_for(triple: str) -> bool:
    return "android" in triple and bool(os.environ.get("TVM_NDK_CC"))
