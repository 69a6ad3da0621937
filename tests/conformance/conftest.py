"""Runs unmodified client libraries against a hub of this session.

The libraries read HF_ENDPOINT and their cache folders when they are imported, so the hub must be up before the
test modules are: pytest_sessionstart comes before collection.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

from harness.hub import ADMIN_TOKEN, ROOT, Hub
from harness.people import settle
from harness.wire import Wire

CLIENT = os.environ.get("HEARTH_CLIENT", "hub2")
# hub_old stands for installations without hf_xet: they send LFS batches.
XET = CLIENT != "hub_old" and os.environ.get("HEARTH_XET", "1") != "0"


class Session:
    folder = None
    hub = None
    tokens = None
    numbers = 0


def pytest_sessionstart(session):
    Session.folder = pathlib.Path(tempfile.mkdtemp(prefix="hearth-conformance-"))
    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING_FACE_", "HUGGINGFACE_")):
            del os.environ[name]
    os.environ.update({
        "HF_HOME": str(Session.folder / "hf-home"),
        "HF_XET_CACHE": str(Session.folder / "xet-cache"),  # belongs to this store: clients deduplicate against it unasked
        "HF_XET_LOG_DEST": str(Session.folder / "xet-logs"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "HF_DATASETS_TRUST_REMOTE_CODE": "0",
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "GIT_CONFIG_GLOBAL": str(Session.folder / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "0",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    })
    if not XET:
        os.environ["HF_HUB_DISABLE_XET"] = "1"
    if session.config.option.collectonly:
        return
    # The access log, one JSON object per request, tells which way a client took.
    Session.hub = Hub(Session.folder / "data", environment={"HEARTH_LOG_FORMAT": "json"}).start()
    Session.tokens = settle(Session.hub)
    os.environ["HF_ENDPOINT"] = Session.hub.url


def pytest_collection_modifyitems(config, items):
    unwanted = [*(["without_xet"] if XET else []), *([] if CLIENT == "hub2" else ["newest_client"])]
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unwanted)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session, exitstatus):
    try:
        if Session.hub is not None:
            if exitstatus != 0 and Session.hub.log.exists():
                name = f"hub-of-conformance-{CLIENT}{'' if XET else '-lfs'}.log"
                shutil.copy(Session.hub.log, ROOT / "build" / name)
            Session.hub.stop()
    finally:
        if Session.hub is not None:
            Session.hub.kill()
        shutil.rmtree(Session.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def hub():
    return Session.hub


@pytest.fixture(scope="session")
def xet():
    """Whether the clients of this session store large files by Xet."""
    return XET


@pytest.fixture(scope="session")
def tokens():
    return Session.tokens


@pytest.fixture(scope="session")
def wire(hub):
    """Raw requests as nobody; wire.as_(token) acts as someone."""
    return Wire(hub.url)


@pytest.fixture(scope="session")
def bob(wire, tokens):
    return wire.as_(tokens["bob"])


def _api(token):
    from huggingface_hub import HfApi
    return HfApi(endpoint=Session.hub.url, token=token)


@pytest.fixture(scope="session")
def api(tokens):
    """The client acting as bob, an ordinary user."""
    return _api(tokens["bob"])


@pytest.fixture(scope="session")
def stranger(tokens):
    return _api(tokens["mallory"])


@pytest.fixture(scope="session")
def anonymous():
    return _api(False)


@pytest.fixture(scope="session")
def administrator():
    return _api(ADMIN_TOKEN)


@pytest.fixture(scope="session")
def acting(tokens):
    """acting("acme-writer") is the client with that person's token."""
    return lambda name: _api(tokens[name])


@pytest.fixture
def new_id(request):
    """new_id() names a repository that no other test has; new_id("acme") puts it elsewhere."""
    def make(namespace="bob"):
        Session.numbers += 1
        words = "".join(c if c.isalnum() else "-" for c in request.node.originalname or request.node.name)
        return f"{namespace}/{words.removeprefix('test_').strip('-').replace('--', '-')[:60].strip('-')}-{Session.numbers}"
    return make


@pytest.fixture
def repo(api, new_id):
    """A public, empty model of bob's."""
    repo_id = new_id()
    api.create_repo(repo_id)
    return repo_id


@pytest.fixture
def private_repo(api, new_id):
    repo_id = new_id()
    api.create_repo(repo_id, private=True)
    api.upload_file(path_or_fileobj=b"secret", path_in_repo="secret.txt", repo_id=repo_id)
    return repo_id


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def data():
    """The folder of real repositories and tables."""
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "test_data.py")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return pathlib.Path(done.stdout.strip().splitlines()[-1])
