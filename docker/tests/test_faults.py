"""Hosts that die, are cut off, restart and run full while a network is tuned across them.

Real containers in a network of their own, started from docker/compose.yaml; nothing is replaced.
"""

from collections.abc import Iterator

import pytest
from farm import DEVICES, IMAGE, Farm, Files, Tuner, check, docker

#: Trials after which something happens: the run is in the middle of its work.
EARLY = 6


def test_the_same_seed_makes_the_same_log_on_a_network_of_hosts(farm: Farm, volume: str, undisturbed: Files):
    tuner = Tuner(farm, "again.log")
    assert tuner.wait() == 0, tuner.said()
    assert list(Files.of(volume, "again.log").records().items()) == list(undisturbed.records().items())


def test_a_device_that_is_killed_costs_one_candidate(farm: Farm, volume: str, undisturbed: Files):
    tuner = Tuner(farm, "killed.log")
    tuner.wait_for_trials(EARLY)
    victim = farm.containers("device")[0]
    docker("kill", victim)
    assert tuner.wait() == 0, tuner.said()
    check(Files.of(volume, "killed.log"), undisturbed, faults=1)
    docker("start", victim)


def test_a_device_that_is_cut_off_costs_one_candidate_and_serves_again_when_it_is_back(
    farm: Farm, volume: str, undisturbed: Files
):
    tuner = Tuner(farm, "cut.log")
    tuner.wait_for_trials(EARLY)
    victim = farm.containers("device")[0]
    docker("network", "disconnect", farm.network, victim)
    assert tuner.wait() == 0, tuner.said()
    check(Files.of(volume, "cut.log"), undisturbed, faults=1)
    # Another host has its address meanwhile, and it gets a new one.
    stranger = f"{farm.project}-stranger"
    docker("run", "-d", "--network", farm.network, "--name", stranger, "--entrypoint", "sleep", IMAGE, "1000")
    docker("network", "connect", "--alias", "device", farm.network, victim)
    docker("rm", "-f", stranger)
    farm.wait_until_complete()
    # Its turn comes: with as many devices as there are, the run needs it.
    tuner = Tuner(farm, "back.log")
    assert tuner.wait() == 0, tuner.said()
    check(Files.of(volume, "back.log"), undisturbed, faults=0)


def test_a_restarted_tracker_gives_the_devices_that_come_back(farm: Farm, volume: str, undisturbed: Files):
    tuner = Tuner(farm, "tracker.log")
    tuner.wait_for_trials(EARLY)
    docker("restart", "-t", "1", *farm.containers("tracker"))
    # Sessions do not need the tracker; who loses his device does.
    docker("restart", "-t", "1", farm.containers("device")[0])
    assert tuner.wait() == 0, tuner.said()
    check(Files.of(volume, "tracker.log"), undisturbed, faults=1)
    farm.wait_until_complete()


def test_all_devices_killed_end_the_run_with_what_to_do_and_a_new_container_goes_on(
    farm: Farm, volume: str, undisturbed: Files
):
    tuner = Tuner(farm, "none.log")
    tuner.wait_for_trials(EARLY)
    victims = farm.containers("device")
    docker("kill", *victims)
    assert tuner.wait() == 7, tuner.said()
    said = tuner.said()
    assert "no device with the key `vta` became free at tracker:9190 within" in said, said
    before = Files.of(volume, "none.log")
    docker("start", *victims)
    farm.wait_until_complete()

    tuner = Tuner(farm, "none.log")
    assert tuner.wait() == 0, tuner.said()
    after = Files.of(volume, "none.log")
    assert after.log[: len(before.log)] == before.log
    assert after.runs() == 2
    check(after, undisturbed, faults=DEVICES)


def test_a_tuner_that_is_killed_goes_on_in_a_new_container(farm: Farm, volume: str, undisturbed: Files):
    tuner = Tuner(farm, "resumed.log")
    tuner.wait_for_trials(EARLY)
    tuner.kill()
    before = Files.of(volume, "resumed.log")
    # Sessions of the dead are ended by their servers.
    tuner = Tuner(farm, "resumed.log")
    assert tuner.wait() == 0, tuner.said()
    after = Files.of(volume, "resumed.log")
    assert after.log[: len(before.log)] == before.log
    assert after.runs() == 2
    check(after, undisturbed, faults=0)


@pytest.fixture
def small(farm: Farm) -> Iterator[str]:
    """A volume with room for some files of 4 kB, and a container that keeps it while no tuner does."""
    name = f"{farm.project}_small"
    options = ["type=tmpfs", "device=tmpfs", "o=size=1m,uid=1000,gid=1000"]
    docker("volume", "create", *(word for option in options for word in ("--opt", option)), name)
    keeper = f"{farm.project}-keeper"
    run = ["run", "-d", "--init", "--network", "none", "--name", keeper, "-v", f"{name}:/log"]
    docker(*run, "--entrypoint", "sleep", IMAGE, "1000")
    try:
        yield name
    finally:
        for tuner in farm.containers("tuner"):
            docker("rm", "-f", tuner, check=False)
        docker("rm", "-f", keeper, check=False)
        docker("volume", "rm", name, check=False)


def test_a_full_volume_ends_the_run_with_what_to_do_and_a_new_container_goes_on(
    farm: Farm, volume: str, small: str, undisturbed: Files
):
    keeper = f"{farm.project}-keeper"
    tuner = Tuner(farm, "full.log", small)
    tuner.wait_for_trials(EARLY)
    # It takes every block that is left, and goes on while the run writes into its last one.
    docker("exec", keeper, "sh", "-c", "cat /dev/zero > /log/filler", check=False)
    assert tuner.wait() == 6, tuner.said()
    said = tuner.said()
    assert "cannot append to /log/full.log" in said, said
    assert "make room and give the same command again" in said, said
    before = Files.of(small, "full.log")

    docker("exec", keeper, "rm", "/log/filler")
    tuner = Tuner(farm, "full.log", small)
    assert tuner.wait() == 0, tuner.said()
    after = Files.of(small, "full.log")
    assert after.log[: len(before.log)] == before.log
    assert after.runs() == 2
    check(after, undisturbed, faults=0)


def test_a_frozen_device_costs_one_candidate(farm: Farm, volume: str, undisturbed: Files):
    tuner = Tuner(farm, "frozen.log")
    tuner.wait_for_trials(EARLY)
    victim = farm.containers("device")[0]
    docker("pause", victim)
    try:
        assert tuner.wait() == 0, tuner.said()
        check(Files.of(volume, "frozen.log"), undisturbed, faults=1)
    finally:
        docker("unpause", victim)
    farm.wait_until_complete()
