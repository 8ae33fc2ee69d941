"""Servers that are started for a test."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent


class Process:
    """A server process with its ready line; what it says on standard error goes to a file in `folder`."""

    def __init__(self, folder: Path, *arguments: str, owned: bool = True):
        self._stderr = folder / "stderr"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(PACKAGE), str(TESTS)]),
            "TMPDIR": str(self.temporary),
        }
        command = [sys.executable, "-m", "arco_tvm.serve", *arguments, *(["--owned"] if owned else [])]
        with open(self._stderr, "w") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                text=True,
            )
        line = self.process.stdout.readline()
        assert line, self.stderr()
        self.ready = json.loads(line)
        self.port = self.ready["port"]

    def stderr(self) -> str:
        """What the server has said so far."""
        return self._stderr.read_text()

    def end(self) -> str:
        """Close standard input, wait, and return what is left on standard output."""
        if self.process.stdin:
            self.process.stdin.close()
            self.process.stdin = None
        try:
            return self.process.communicate(timeout=10)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def wait_until(condition, seconds: float = 5.0) -> bool:
    """Whether the condition becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
