"""The hosts of docker/compose.yaml as a test sees them, and the files of a tuner on their volume."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

COMPOSE_FILE = Path(__file__).resolve().parent.parent / "compose.yaml"
IMAGE = os.environ.get("ARCO_IMAGE", "arco-tvm")
#: It has eight tasks on the accelerator.
NETWORK = "resnet-8"
#: Enough for a run to last some seconds: what happens to a host happens in its middle.
TRIALS_PER_TASK = 24
DEVICES = 2
BUILDERS = 2
#: How long anything may take on a busy machine with two cores.
LIMIT_S = 240


def docker(*arguments: str, check: bool = True) -> str:
    """What a command of docker prints, errors included."""
    done = subprocess.run(
        ["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0 or not check, f"docker {' '.join(arguments)}: {done.stdout}"
    return done.stdout


def wait_until(found: Callable[[], bool], what: str, limit: float = LIMIT_S, pause: float = 0.3) -> None:
    """Fails if it does not come about in time."""
    end = time.monotonic() + limit
    while not found():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(pause)


def _compose() -> list[str]:
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    assert shutil.which("docker-compose"), "neither `docker compose` nor `docker-compose` is installed"
    return ["docker-compose"]


@dataclass
class Farm:
    """One tracker, devices and builders in a network of their own."""

    project: str
    command: list[str] = field(default_factory=_compose)

    def compose(self, *arguments: str) -> str:
        """Runs Compose on the file that users have."""
        environment = {
            **os.environ,
            "ARCO_IMAGE": IMAGE,
            "ARCO_DEVICES": str(DEVICES),
            "ARCO_BUILDERS": str(BUILDERS),
        }
        done = subprocess.run(
            [*self.command, "-f", str(COMPOSE_FILE), "-p", self.project, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=environment,
        )
        assert done.returncode == 0, f"compose {' '.join(arguments)}: {done.stdout}"
        return done.stdout

    def start(self) -> None:
        """Starts everything but a tuner, and waits until all are healthy and registered."""
        self.compose("up", "-d", "tracker", "device", "builder")
        self.wait_until_complete()

    def end(self) -> None:
        """Removes everything, volumes too."""
        for tuner in self.containers("tuner"):
            docker("rm", "-f", tuner, check=False)
        self.compose("down", "-v", "-t", "1")

    def containers(self, service: str) -> list[str]:
        """Containers of a service, ended ones too."""
        of_project = f"label=com.docker.compose.project={self.project}"
        of_service = f"label=com.docker.compose.service={service}"
        return docker("ps", "-aq", "--filter", of_project, "--filter", of_service).split()

    @property
    def network(self) -> str:
        """The name of the network."""
        return f"{self.project}_farm"

    def servers(self) -> dict[str, set[str]]:
        """The addresses that are registered at the tracker for each key.

        TVM's tracker keeps a server whose network was cut: its connection never ended.
        """
        summary = docker(
            "exec",
            self.containers("tracker")[0],
            "python",
            "-c",
            # TVM's own client takes seconds to import; this is its protocol.
            "import json, socket, struct\n"
            "s = socket.create_connection(('127.0.0.1', 9190), 5)\n"
            "s.settimeout(5)\n"
            "read = s.makefile('rb').read\n"
            "s.sendall(struct.pack('<i', 0x2F271)); read(4)\n"
            "s.sendall(struct.pack('<i', 3) + b'[6]')\n"
            "print(read(struct.unpack('<i', read(4))[0]).decode())",
            check=False,
        )
        try:
            _, about = json.loads(summary)
        except ValueError:
            return {}
        found: dict[str, set[str]] = {}
        for server in about["server_info"]:
            found.setdefault(server["key"].removeprefix("server:"), set()).add(server["addr"][0])
        return found

    def missing(self) -> set[str]:
        """Addresses of devices and builders that the tracker does not know."""
        known = self.servers()
        missing = set()
        for service, key in (("device", "vta"), ("builder", "arco-builder")):
            for container in self.containers(service):
                address = docker(
                    "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container
                ).strip()
                if not address or address not in known.get(key, set()):
                    missing.add(f"{service} {address or 'without a network'}")
        return missing

    def wait_until_complete(self) -> None:
        """Waits until the tracker knows of every device and every builder."""
        wait_until(lambda: not self.missing(), "every device and builder is registered")


class Tuner:
    """A run of `arco-tvm tune` in a container of its own."""

    def __init__(self, farm: Farm, log: str, volume: str | None = None):
        self.log = log
        mount = ["-v", f"{volume}:/log"] if volume else []
        self.path = f"/log/{log}" if volume else f"/work/{log}"
        self.name = f"{farm.project}-tuner-{time.monotonic_ns()}"
        farm.compose(
            *("run", "-d", "--no-deps", "--name", self.name, *mount, "tuner"),
            *("tune", NETWORK, "--target", "vta", "--strategy", "random", "--seed", "5"),
            *("--trials-per-task", str(TRIALS_PER_TASK), "-o", self.path),
            *("--tracker", "tracker:9190", "--key", "vta"),
            *("--devices", str(DEVICES), "--remote-builders", str(BUILDERS)),
        )

    def read(self, name: str) -> str:
        """A file of the volume, while the run goes on; empty if there is none."""
        return docker("exec", self.name, "cat", name, check=False) if self.runs() else ""

    def runs(self) -> bool:
        """Whether it goes on."""
        return docker("inspect", "--format", "{{.State.Running}}", self.name).strip() == "true"

    def wait_for_trials(self, trials: int) -> None:
        """Waits until its journal has so many."""
        wait_until(
            lambda: self.read(f"{self.path}.journal").count('"event":"trial"') >= trials or not self.runs(),
            f"{trials} trials",
        )
        assert self.runs(), f"it ended too early: {self.said()}"

    def wait(self) -> int:
        """Waits for its end; its exit code."""
        wait_until(lambda: not self.runs(), f"the end of the run, which said {self.said()}")
        return int(docker("inspect", "--format", "{{.State.ExitCode}}", self.name))

    def said(self) -> str:
        """What it printed."""
        return docker("logs", self.name)

    def kill(self) -> None:
        """Ends it at once, with all that it started."""
        docker("kill", self.name)
        docker("rm", self.name)


@dataclass
class Files:
    """A log and its journal, as they stand on a volume."""

    log: list[str]
    journal: list[dict]

    @classmethod
    def of(cls, volume: str, log: str) -> "Files":
        """Reads them in a container of their own."""

        def read(name: str) -> list[str]:
            run = ["run", "--rm", "--network", "none", "-v", f"{volume}:/log:ro", "--entrypoint", "cat"]
            text = docker(*run, IMAGE, f"/log/{name}")
            assert text.endswith("\n"), f"{name} ends in the middle of a line"
            return text.splitlines()

        return cls(read(log), [json.loads(line) for line in read(f"{log}.journal")])

    def records(self) -> dict[str, list]:
        """Costs and error number by task and configuration. Fails when one comes twice."""
        found: dict[str, list] = {}
        for line in self.log:
            record = json.loads(line)
            key = json.dumps([record["input"][:3], record["config"]["index"]])
            assert key not in found, f"twice in the log: {key}"
            found[key] = record["result"][:2]
        return found

    def trials(self) -> list[str]:
        """The log lines of all trials that were measured, in the order in which they were finished."""
        return [event["record"] for event in self.journal if event["event"] == "trial"]

    def runs(self) -> int:
        """How many runs wrote to them."""
        return sum(event["event"] == "run" for event in self.journal)


def check(files: Files, undisturbed: Files, faults: int) -> None:
    """Nothing is lost, nothing is measured twice, and a fault costs at most one candidate.

    The device is deterministic: what did not fail has the time that it has in an undisturbed run.
    """
    records, reference = files.records(), undisturbed.records()
    assert len(records) == len(reference), f"{len(records)} trials in place of {len(reference)}"
    measured = files.trials()
    keys = {json.dumps([json.loads(line)["input"], json.loads(line)["config"]]) for line in measured}
    assert len(keys) == len(measured), "a configuration was measured twice"
    lost = set(measured) - set(files.log)
    assert not lost, f"measured, and not in the log: {lost}"
    failed = [key for key, (_, error) in records.items() if error != 0]
    assert len(failed) <= faults, f"{len(failed)} candidates failed for {faults} faults: {failed}"
    common = [key for key in records if key in reference and key not in failed]
    assert len(common) >= len(records) / 2
    for key in common:
        assert records[key] == reference[key], f"another time: {key}"
