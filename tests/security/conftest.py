"""One hub for the attacks of this folder. After every test it must still be the same living process."""
import itertools
import pathlib
import shutil
import tempfile

import pytest

from harness.hub import Hub
from harness.people import settle
from harness.repos import create
from harness.wire import Wire


@pytest.fixture(scope="session")
def hub():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hearth-security-"))
    hub = Hub(folder / "data").start()
    try:
        yield hub
        hub.stop()
    finally:
        hub.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def tokens(hub):
    return settle(hub)


@pytest.fixture(scope="session")
def wire(hub):
    return Wire(hub.url, timeout=30)


@pytest.fixture(scope="session")
def bob(wire, tokens):
    return wire.as_(tokens["bob"])


@pytest.fixture(scope="session")
def mallory(wire, tokens):
    return wire.as_(tokens["mallory"])


@pytest.fixture(autouse=True)
def unhurt(hub):
    pid = hub.process.pid
    yield
    assert hub.alive() and hub.process.pid == pid, hub.log_tail()
    assert Wire(hub.url, timeout=10).get("/healthz").status == 200


NUMBERS = itertools.count()


@pytest.fixture
def new_id(request):
    words = "".join(c if c.isalnum() else "-" for c in request.node.name.removeprefix("test_"))[:48].strip("-")
    while "--" in words:
        words = words.replace("--", "-")

    def make(namespace="bob"):
        return f"{namespace}/{words}-{next(NUMBERS)}"
    return make


@pytest.fixture
def repo(bob, new_id):
    repo_id = new_id()
    create(bob, repo_id)
    return repo_id


@pytest.fixture
def private_repo(bob, new_id):
    repo_id = new_id()
    create(bob, repo_id, private=True)
    return repo_id
