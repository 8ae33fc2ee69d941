"""Target strings: TVM's own normal form, with `-mcpu=native` resolved and mistakes named."""

from dataclasses import dataclass, field
from typing import Any

import tvm
from tvm.target import Target, codegen

from arco_tvm import compat, hooks  # noqa: F401
from arco_tvm.errors import ArcoError, summary, unknown_name

#: Target kinds that a person may mean (TVM knows more, for its own use).
_KINDS = ["llvm", "cuda", "opencl", "ext_dev", "c", "metal", "vulkan", "rocm", "nvptx", "hexagon"]
#: The CPU features that each level of the x86-64 ABI asks for (the ones that tell the levels apart).
_X86_LEVELS = (
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ("x86-64-v3", {"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}),
    ("x86-64-v2", {"cx16", "sahf", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"}),
)


@dataclass
class ResolvedTarget:
    """A target as TVM normalises it.

    `target` is `str(Target)`, the string that goes into logs; `host` compiles the code around the kernels.
    `can_build` is false where this TVM can describe the tasks but not generate code; `why_not` says why.
    """

    target: str
    host: str
    can_build: bool
    why_not: str
    warnings: list[str] = field(default_factory=list)

    def object(self) -> Target:
        """The TVM target, with its host."""
        return Target(self.target, host=self.host)

    def to_json(self) -> dict[str, Any]:
        """What `arco.target` answers."""
        target = Target(self.target)
        return {
            "target": self.target,
            "host": self.host,
            "kind": target.kind.name,
            "keys": [str(key) for key in target.keys],
            "model": str(target.model),
            "mcpu": str(target.attrs.get("mcpu", "")),
            "arch": str(target.attrs.get("arch", "")),
            "device_type": int(target.get_target_device_type()),
            "limits": gpu_limits(target),
            "can_build": self.can_build,
            "why_not": self.why_not,
            "warnings": self.warnings,
        }


def resolve(text: str, host: str | None = None) -> ResolvedTarget:
    """Normalise a target string (or tag, or JSON) as TVM does.

    # Errors
    "unknown-target" for what TVM cannot parse, "unknown-cpu" for a CPU that its LLVM does not know.
    """
    target = _parse(hooks.expand(text))
    warnings: list[str] = []
    if host is not None:
        host_target = _parse(host)
    elif target.host is not None:
        host_target = target.host
    elif target.kind.name == "llvm":
        host_target = target
    else:
        host_target = Target("llvm")
    target = _with_known_cpu(Target(_without_host(target)), warnings)
    host_target = _with_known_cpu(Target(_without_host(host_target)), [])
    if target.kind.name == "llvm" and not target.attrs.get("mcpu") and _is_host_triple(target):
        warnings.append(
            "no -mcpu: LLVM generates code for the oldest CPU of the architecture; "
            f"-mcpu=native means {host_cpu()} here"
        )
    if target.kind.name == "cuda" and not _names_arch(text) and not tvm.cuda(0).exist:
        warnings.append(
            f"no -arch, and no GPU here to ask: TVM takes {target.attrs['arch']}, which fits hardly any; "
            "name the GPU's, for example -arch=sm_80"
        )
    why_not = _why_no_code(target)
    return ResolvedTarget(str(target), str(host_target), not why_not, why_not, warnings)


def _names_arch(text: str) -> bool:
    """Whether a target string names the GPU: by an attribute, or as a tag (`nvidia/nvidia-a100`)."""
    return "arch" in text or "/" in text.split(maxsplit=1)[0]


def host_cpu() -> str:
    """The name of this machine's CPU that TVM's LLVM knows ("" without LLVM).

    LLVM's own detection if it gives a name of its own list, else the highest x86-64 ABI level that fits.
    """
    if not has_codegen("llvm"):
        return ""
    name = str(codegen.llvm_get_system_cpu())
    known = _cpu_names(Target("llvm"))
    if name in known and name != "generic":
        return name
    detect = tvm.get_global_func("tvm.codegen.llvm.GetHostCPUFeatures")
    features = {str(feature) for feature in detect() or {}}
    for level, needed in _X86_LEVELS:
        if level in known and needed <= features:
            return level
    return "generic"


def has_codegen(kind: str) -> bool:
    """Whether this TVM can generate code for a target kind."""
    return tvm.get_global_func(f"target.build.{kind}", allow_missing=True) is not None


def codegens() -> list[str]:
    """The target kinds that this TVM generates code for."""
    names, prefix = tvm._ffi.registry.list_global_func_names(), "target.build."
    return sorted(name[len(prefix) :] for name in names if name.startswith(prefix))


def gpu_limits(target: Target) -> dict[str, int]:
    """A GPU's limits as far as the target says them, under the names that TVM's `verify_gpu_code` uses.

    Threads per block; bytes of shared memory per block. Empty for a target that isn't a GPU.
    """
    if "gpu" not in target.keys:
        return {}
    limits = {}
    threads = target.attrs.get("max_threads_per_block") or target.attrs.get("max_num_threads")
    if threads:
        limits["max_threads_per_block"] = int(threads)
    shared = target.attrs.get("max_shared_memory_per_block")
    if shared:
        limits["max_shared_memory_per_block"] = int(shared)
    return limits


def _parse(text: str) -> Target:
    try:
        return Target(text)
    except Exception as exc:
        kind = text.split()[0] if text.split() else ""
        known = [str(name) for name in Target.list_kinds()]
        if kind and not kind.startswith("{") and "/" not in kind and kind not in known:
            raise unknown_name("unknown-target", "target", kind, _KINDS) from exc
        raise ArcoError(
            "unknown-target",
            f"TVM does not understand the target {text!r}: {summary(exc)}",
            'examples: "llvm -mcpu=native", "cuda -arch=sm_80", "opencl -device=mali", "vta"',
        ) from exc


def _without_host(target: Target) -> dict[str, Any]:
    # `export` spells the keys and every attribute out, so that nothing is detected a second time.
    exported = {str(key): value for key, value in target.export().items()}
    exported.pop("host", None)
    return exported


def _with_known_cpu(target: Target, warnings: list[str]) -> Target:
    """The target with `-mcpu=native` replaced by a name that LLVM knows.

    LLVM >= 19 rejects "native" and any unknown name with a line on stderr, and goes on with the oldest CPU.
    """
    mcpu = str(target.attrs.get("mcpu", ""))
    if target.kind.name != "llvm" or not mcpu or not has_codegen("llvm"):
        return target
    if mcpu == "native":
        if not _is_host_triple(target):
            raise ArcoError(
                "unknown-cpu",
                f"-mcpu=native means this machine, but -mtriple={target.attrs['mtriple']} is another",
                "name the CPU, e.g. -mcpu=cortex-a76",
            )
        exported = _without_host(target)
        exported["mcpu"] = host_cpu()
        warnings.append(f"-mcpu=native is {exported['mcpu']}")
        return Target(exported)
    known = _cpu_names(target)
    if known and mcpu not in known:
        error = unknown_name("unknown-cpu", "CPU", mcpu, known)
        error.hint = f"-mcpu=native names this machine's CPU, {host_cpu()}; {error.hint}"
        raise error
    return target


def _cpu_names(target: Target) -> list[str]:
    # Asked without the CPU: LLVM complains on stderr about each unknown one that it is shown.
    triple = {"mtriple": str(target.attrs["mtriple"])} if "mtriple" in target.attrs else {}
    return [str(name) for name in codegen.llvm_get_cpu_archlist(Target({"kind": "llvm", **triple}))]


def _is_host_triple(target: Target) -> bool:
    triple = str(target.attrs.get("mtriple", ""))
    if not triple:
        return True
    if not has_codegen("llvm"):
        return True
    return triple.split("-")[0] == str(codegen.llvm_get_system_triple()).split("-")[0]


def _why_no_code(target: Target) -> str:
    kind = target.kind.name
    # `ext_dev` (VTA) kernels are host code that calls the accelerator's runtime.
    if kind == "ext_dev":
        return "" if has_codegen("llvm") else "this TVM was built without LLVM"
    if not has_codegen(kind):
        return f"this TVM has no code generator for {kind} (it has: {', '.join(codegens())})"
    if kind == "nvptx" and int(codegen.llvm_version_major(allow_none=True) or 0) >= 21:
        return "TVM 0.19's nvptx code generator does not work with LLVM 21 or later; use target cuda"
    return ""
