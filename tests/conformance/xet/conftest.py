"""Xet with unmodified clients: what they store, what they read back, and what it cost."""
import os
import random
import shutil

import pytest

from harness.machine import Machine
from harness.repos import create
from harness.traffic import Traffic

# Files of gigabytes take minutes; the same tests run on tens of megabytes unless asked otherwise.
LONG = os.environ.get("HEARTH_LONG", "0") == "1"


@pytest.fixture
def machine(hub, tokens, tmp_path):
    """machine() is a fresh machine of bob's; machine("mallory") someone else's, machine(None) nobody's."""
    made = []

    def make(who="bob", **environment):
        made.append(None)
        return Machine(tmp_path / f"machine-{len(made)}", hub.url, tokens[who] if who else None, **environment)
    yield make
    shutil.rmtree(tmp_path, ignore_errors=True)  # gigabytes, in a long run


@pytest.fixture
def traffic(hub):
    return Traffic(hub)


@pytest.fixture
def repo(bob, new_id):
    """A public, empty model of bob's, made without a client."""
    repo_id = new_id()
    create(bob, repo_id)
    return repo_id


@pytest.fixture
def private_repo(bob, new_id):
    repo_id = new_id()
    create(bob, repo_id, private=True)
    return repo_id


@pytest.fixture
def rng(request):
    return random.Random(request.node.name)


@pytest.fixture
def store_folder(hub):
    return hub.data / "xet"


@pytest.fixture(scope="session")
def large_bytes():
    return 1 << 30 if LONG else 80 << 20  # two xorbs at least
