"""Faults: killed processes, full and read-only disks, damaged files. Every test has a hub of its own."""
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from harness.hub import Hub
from harness.people import settle
from harness.wire import Wire


def pytest_addoption(parser):
    parser.addoption("--kill-rounds", type=int, default=3, help="how often the hub is killed during each operation")
    parser.addoption("--kill-seed", type=int, default=20261121, help="seed of the moments at which it is killed")


@pytest.fixture
def folder():
    """A fresh folder; whatever a test mounted below it is unmounted first."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="hearth-fault-"))
    yield path
    mounted = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    for point in sorted((point for point in mounted if point.startswith(str(path) + "/")), reverse=True):
        subprocess.run(["umount", "-l", point], check=False)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def hub(folder):
    hub = Hub(folder / "data")
    yield hub
    hub.kill()


class Place:
    """A running hub with people; `bob` is a wire client that follows the hub over restarts (the port stays)."""

    def __init__(self, hub):
        self.hub = hub.start()
        self.tokens = settle(hub)
        self.wire = Wire(hub.url)
        self.bob = self.wire.as_(self.tokens["bob"])

    def restart_clean(self):
        """fsck, repaired when it complains; then the hub starts on the same address."""
        check = self.hub.fsck()
        if check.returncode != 0:
            repair = self.hub.fsck(repair=True)
            assert repair.returncode == 0, f"{check.stdout}{check.stderr}\n{repair.stdout}{repair.stderr}"
            again = self.hub.fsck()
            assert again.returncode == 0, again.stdout + again.stderr
        self.hub.start()


@pytest.fixture
def place(hub):
    return Place(hub)


@pytest.fixture
def converting_place(hub):
    """A hub that begins at once to turn whole objects into chunks."""
    hub.environment["HEARTH_XET_CONVERT_AFTER"] = "0"
    return Place(hub)
