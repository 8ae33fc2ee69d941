import io
import struct
import tarfile

from tvm.target import Target

from arco_tvm import builder, packaging

DENSE = {
    "name": "dense_nopack.x86",
    "args": [["TENSOR", [1, 64], "float32"], ["TENSOR", [32, 64], "float32"], None, "float32"],
}
E_MACHINE_AARCH64 = 183


def elf_machine(data: bytes) -> int:
    assert data[:4] == b"\x7fELF"
    return struct.unpack_from("<H", data, 18)[0]


def build(target: str, options: dict | None = None) -> tuple[dict, bytes]:
    answer = builder.build({**DENSE, "target": target}, None, options or {})
    assert answer["ok"], answer
    return answer, bytes(builder.fetch(answer["token"]))


def test_code_for_this_machine_is_linked_here():
    answer, library = build("llvm")
    assert answer["format"] == "so"
    assert library[:4] == b"\x7fELF"


def test_code_for_a_raspberry_pi_goes_as_objects_for_its_own_linker():
    answer, library = build("llvm -mtriple=aarch64-linux-gnu -mattr=+neon")
    assert answer["format"] == "tar"
    with tarfile.open(fileobj=io.BytesIO(library)) as archive:
        objects = [archive.extractfile(m).read() for m in archive.getmembers() if m.name.endswith(".o")]
    assert objects
    assert {elf_machine(data) for data in objects} == {E_MACHINE_AARCH64}


def test_a_cross_compiler_that_is_named_links_here(tmp_path):
    # A stand-in for aarch64-linux-gnu-g++ that records what it was asked to link.
    script = tmp_path / "cross-g++"
    script.write_text(
        '#!/bin/sh\nfor a in "$@"; do [ "$prev" = -o ] && out=$a; prev=$a; done\necho "$@" > "$out"\n'
    )
    script.chmod(0o755)
    answer, library = build("llvm -mtriple=aarch64-linux-gnu", {"compiler": str(script)})
    assert answer["format"] == "so"
    assert b".o" in library


def test_an_android_phone_is_not_this_machine_even_with_the_same_architecture(monkeypatch):
    monkeypatch.delenv("TVM_NDK_CC", raising=False)
    here = Target("llvm -mtriple=x86_64-linux-android")
    assert packaging.library_format(here, None) == "tar"
    monkeypatch.setenv("TVM_NDK_CC", "/opt/ndk/bin/x86_64-linux-android-clang++")
    assert packaging.library_format(here, None) == "so"


def test_a_gpu_is_judged_by_its_host():
    mali = Target("opencl -device=mali", host="llvm -mtriple=aarch64-linux-gnu")
    assert packaging.library_format(mali, None) == "tar"
    assert packaging.library_format(Target("opencl", host="llvm"), None) == "so"
