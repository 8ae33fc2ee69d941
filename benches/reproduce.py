"""Makes the tables of docs/ anew, each by the command that the page names, and says where a figure moved.

    python benches/reproduce.py                     # tables that depend on seeds alone
    python benches/reproduce.py --only replay.md    # of pages whose path contains this
    python benches/reproduce.py --times             # run what measures time, too
    python benches/reproduce.py --list              # what there is

A comment before a table says what made it:

    <!-- made by: arco-tvm replay a.json.gz --seeds 50; not: hours, CPU ms -->

`not` names columns that are times of this machine: they are not compared. `<!-- timed by: COMMAND -->` stands
before a table in which all of them are: it is made again with `--times` alone, and printed, for its figures
are this machine's. Commands run in the root of the checkout, `arco-tvm` is what `make build` makes.

A row of the page is looked for in what the command prints by its words, in order; the page may show a part.
Exits with 1 when a figure moved or a row is gone.
"""

import argparse
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"<!-- (?P<kind>made|timed) by: (?P<command>.*?)(?:; not: (?P<columns>.*?))? -->")
NUMBER = re.compile(r"(?<![\w.])[<>]?[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\w.]*[A-Za-z_])")


@dataclass
class Table:
    """A table of a page, and what made it."""

    page: Path
    line: int
    timed: bool
    command: str
    columns: list[str]
    rows: list[tuple[int, str]]

    @property
    def place(self) -> str:
        """Page and line."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def tables_of(page: Path) -> Iterator[Table]:
    """The marked tables of a page.

    # Errors
    ValueError if a mark has no table behind it.
    """
    lines = page.read_text().splitlines()
    for at, line in enumerate(lines):
        mark = MARK.fullmatch(line.strip())
        if not mark:
            continue
        start = at + 1
        while start < len(lines) and not lines[start].strip():
            start += 1
        fenced = start < len(lines) and lines[start].startswith("```")
        start += fenced
        end = start
        while end < len(lines) and (
            not lines[end].startswith("```") if fenced else lines[end].startswith("|")
        ):
            end += 1
        if end == start:
            raise ValueError(f"{page}:{at + 1}: no table follows")
        rows = [(number + 1, lines[number]) for number in range(start, end) if lines[number].strip()]
        columns = [name.strip() for name in (mark["columns"] or "").split(",") if name.strip()]
        yield Table(page, at + 1, mark["kind"] == "timed", mark["command"], columns, rows)


def shape(row: str) -> str:
    """A row with its figures left out."""
    return " ".join(NUMBER.sub("#", row).split())


def without(rows: list[str], columns: list[str]) -> list[str]:
    """Rows without the columns that a header above them names; columns end where their name does."""
    cut: list[tuple[int, int]] = []
    kept = []
    for row in rows:
        found = [re.search(rf"(?<=\s){re.escape(name)}(?=\s|$)", row) for name in columns]
        if columns and all(found):
            # From where the column before it ends.
            cut = [(len(row[: hit.start()].rstrip()), hit.end()) for hit in found if hit]
        for start, end in sorted(cut, reverse=True):
            row = row[:start] + row[end:]
        kept.append(row)
    return kept


def differences(table: Table, printed: str) -> Iterator[str]:
    """What the page says and the command does not."""
    numbers = [number for number, _ in table.rows]
    wanted = without([row for _, row in table.rows], table.columns)
    there = without(printed.splitlines(), table.columns)
    shapes = [shape(row) for row in there]
    at = 0
    for number, row in zip(numbers, wanted, strict=True):
        try:
            found = shapes.index(shape(row), at)
        except ValueError:
            yield f"{table.page.relative_to(ROOT)}:{number}: gone: {row.strip()}"
            continue
        at = found + 1
        before, now = NUMBER.findall(row), NUMBER.findall(there[found])
        moved = [f"{old} is now {new}" for old, new in zip(before, now, strict=True) if old != new]
        if moved:
            yield (
                f"{table.page.relative_to(ROOT)}:{number}: {row.split('  ')[0].strip() or row.strip()}: "
                + (", ".join(moved))
            )


def run(command: str, program: Path) -> str:
    """What a command prints; its errors go to the terminal, for a long run says there how far it is."""
    words = shlex.split(command)
    if words[0] == "arco-tvm":
        words[0] = str(program)
    elif words[0] == "python":
        words[0] = sys.executable
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(f"error: `{command}` ended with {done.returncode}", file=sys.stderr)
    return done.stdout


def main() -> int:
    """Run the commands, compare, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="PART", help="pages whose path contains this")
    parser.add_argument("--times", action="store_true", help="run what measures time, too")
    parser.add_argument("--list", action="store_true", help="list the tables and run nothing")
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "arco-tvm")
    args = parser.parse_args()
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    tables = [t for page in pages if args.only in str(page.relative_to(ROOT)) for t in tables_of(page)]
    printed: dict[str, str] = {}
    moved = compared = 0
    for table in tables:
        kind = "time" if table.timed else "seeds"
        if args.list:
            print(f"{table.place}: {kind}: {table.command}")
            continue
        if table.timed and not args.times:
            print(f"{table.place}: time, not run: {table.command}")
            continue
        begin = time.monotonic()
        print(f"{table.place}: {table.command}", flush=True)
        if table.command not in printed:
            printed[table.command] = run(table.command, args.program)
        if table.timed:
            print(printed[table.command])
            continue
        found = list(differences(table, printed[table.command]))
        moved += len(found)
        compared += len(table.rows)
        for line in found:
            print(f"  {line}")
        verdict = f"{len(found)} of {len(table.rows)} rows moved" if found else f"{len(table.rows)} rows hold"
        print(f"  {verdict} ({time.monotonic() - begin:.0f} s)", flush=True)
    if not args.list:
        print(f"{compared} rows compared, {moved} moved")
    return 1 if moved else 0


if __name__ == "__main__":
    sys.exit(main())
