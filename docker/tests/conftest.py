"""A farm for all tests of a run, and what an undisturbed run of the tuner comes to."""

import os
from collections.abc import Iterator

import pytest
from farm import Farm, Files, Tuner, docker


@pytest.fixture(scope="session")
def farm() -> Iterator[Farm]:
    """Started once: each test leaves it complete."""
    farm = Farm(f"arco-test-{os.getpid()}")
    try:
        farm.start()
        yield farm
    finally:
        farm.end()


@pytest.fixture(scope="session")
def undisturbed(farm: Farm) -> Files:
    """A run to which nothing happens."""
    tuner = Tuner(farm, "undisturbed.log")
    assert tuner.wait() == 0, tuner.said()
    docker("rm", tuner.name)
    files = Files.of(f"{farm.project}_log", "undisturbed.log")
    assert all(error == 0 for _, error in files.records().values())
    return files


@pytest.fixture
def volume(farm: Farm, undisturbed: Files) -> str:
    """The volume of the tuner's logs, on a farm where everything is there."""
    farm.wait_until_complete()
    return f"{farm.project}_log"
