"""The licences of all Rust packages that are linked in, built with or tested with, against deny.toml's list.

What `cargo deny check licenses` does, for machines that do not have it.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

#: Packages whose manifest names a file: the file's SHA-256 and what it is.
FILES = {
    "forust-ml": ("ff5369922a69b44cf7ffae45bfb3e730f16d6bcc2fa49d3bb5e15aade548bb73", "Apache-2.0"),
}


def allowed(expression: str, allow: set[str]) -> bool:
    """Whether an SPDX expression can be met with licences of the list; the old `MIT/Apache-2.0` means OR."""
    tokens = re.findall(r"[()]|\bWITH\b|\bAND\b|\bOR\b|[\w.+-]+", expression.replace("/", " OR "))

    def either() -> bool:
        met = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = both() or met
        return met

    def both() -> bool:
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one() -> bool:
        name = tokens.pop(0)
        if name == "(":
            met = either()
            tokens.pop(0)
            return met
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            name += " WITH " + tokens.pop(0)
        return name in allow

    return either()


def licence(package: dict) -> str:
    """A package's SPDX expression, or "" if it is not known."""
    if package["license"]:
        return package["license"]
    digest, name = FILES.get(package["name"], ("", ""))
    file = Path(package["manifest_path"]).parent / (package["license_file"] or "LICENSE")
    found = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
    return name if found == digest else ""


def main() -> int:
    # Python 3.10 has no TOML reader.
    listed = re.search(r"^allow = \[(.*?)\]", Path("deny.toml").read_text(), re.DOTALL | re.MULTILINE)[1]
    allow = set(re.findall(r'"([^"]+)"', listed))
    host = re.search(r"host: (\S+)", subprocess.check_output(["rustc", "-vV"], text=True))[1]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
    metadata = json.loads(subprocess.check_output(command))
    built = {node["id"] for node in metadata["resolve"]["nodes"]}
    packages = [package for package in metadata["packages"] if package["id"] in built]
    bad = [p for p in packages if not (licence(p) and allowed(licence(p), allow))]
    for package in bad:
        print(f"{package['name']} {package['version']}: {licence(package) or 'licence not known'}")
    print(f"licences of {len(packages) - len(bad)} of {len(packages)} Rust packages are in deny.toml's list")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
