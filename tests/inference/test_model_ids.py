"""Models by their id: fetched from a hub into the cache that huggingface_hub shares, in both directions."""
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from huggingface_hub import HfApi

from conftest import BINARY, Worker
from harness.hub import ADMIN, ADMIN_TOKEN, Hub

PROMPT = ["text-generation", "the cat", "-p", "max_new_tokens=8", "--json"]
# What a model does not need; other forms of the same weights among it.
OTHERS = {"README.md": b"---\nlicense: mit\n---\n# A model", "pytorch_model.bin": b"not needed", "onnx/model.onnx": b"not needed",
          "model.msgpack": b"not needed"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("hub") / "data").start()
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def api(hub):
    return HfApi(endpoint=hub.url, token=ADMIN_TOKEN)


@pytest.fixture(scope="module")
def repository(api, llama_folder):
    """A private model of the administrator's."""
    name = f"{ADMIN}/tiny"
    api.create_repo(name, private=True)
    for path, content in OTHERS.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=name)
    api.upload_folder(repo_id=name, folder_path=llama_folder)
    return name


class Machine:
    """One user's machine: a cache of its own and the variables that clients read."""

    def __init__(self, folder, url):
        self.cache = folder / "hf" / "hub"
        self.variables = {"HF_HOME": str(folder / "hf"), "HF_ENDPOINT": url, "HF_TOKEN": ADMIN_TOKEN}

    def start(self, *arguments, **changes):
        variables = {**os.environ, **self.variables, **changes}
        variables = {name: value for name, value in variables.items() if value is not None}
        return subprocess.Popen([str(BINARY), *arguments], env=variables, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def hearth(self, *arguments, fails=False, **changes):
        process = self.start(*arguments, **changes)
        out, err = process.communicate(timeout=120)
        assert (process.returncode != 0) == fails, err
        return err if fails else (out, err)

    def folder(self, repository):
        return self.cache / ("models--" + repository.replace("/", "--"))

    def blobs(self, repository):
        return {path.name: path.stat().st_mtime_ns for path in (self.folder(repository) / "blobs").iterdir()}


@pytest.fixture
def machine(tmp_path, hub):
    return Machine(tmp_path, hub.url)


@pytest.fixture(scope="module")
def expected(llama_folder):
    out = subprocess.run([str(BINARY), "run", str(llama_folder), *PROMPT], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def test_a_model_runs_by_its_id_and_python_finds_it_in_the_cache(machine, api, repository, expected):
    out, _ = machine.hearth("run", repository, *PROMPT)
    assert json.loads(out) == expected
    before = machine.blobs(repository)
    # Only what it needs has come.
    snapshot = next((machine.folder(repository) / "snapshots").iterdir())
    fetched = {str(path.relative_to(snapshot)) for path in snapshot.rglob("*")}
    assert fetched == {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}
    # The library takes every one of them from the cache, and adds the rest beside them.
    for name in fetched:
        path = api.hf_hub_download(repository, name, cache_dir=machine.cache, local_files_only=True)
        assert pathlib.Path(path) == snapshot / name
    api.snapshot_download(repository, cache_dir=machine.cache)
    after = machine.blobs(repository)
    assert {name: after[name] for name in before} == before and len(after) > len(before)


def test_what_python_downloaded_is_used(machine, api, repository, expected):
    api.snapshot_download(repository, cache_dir=machine.cache)
    before = machine.blobs(repository)
    out, _ = machine.hearth("run", repository, *PROMPT)
    assert json.loads(out) == expected
    assert machine.blobs(repository) == before
    # And with no hub at all, by its names for that.
    out, err = machine.hearth("run", repository, *PROMPT, HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9")
    assert json.loads(out) == expected and "cached snapshot" in err and "HF_HUB_OFFLINE" in err


def test_a_hub_that_is_down_or_not_named_leaves_the_cache(machine, repository, expected):
    machine.hearth("run", repository, *PROMPT)
    out, err = machine.hearth("run", repository, *PROMPT, HF_ENDPOINT="http://127.0.0.1:9")
    assert json.loads(out) == expected and "does not answer" in err
    out, err = machine.hearth("run", repository, *PROMPT, HF_ENDPOINT=None)
    assert json.loads(out) == expected and "HF_ENDPOINT is not set" in err


def test_what_is_missing_is_said(machine, repository, tmp_path):
    assert "HF_ENDPOINT" in machine.hearth("run", repository, *PROMPT, fails=True, HF_ENDPOINT=None)
    assert "HF_HUB_OFFLINE" in machine.hearth("run", repository, *PROMPT, fails=True, HF_HUB_OFFLINE="1")
    assert "needs a token" in machine.hearth("run", repository, *PROMPT, fails=True, HF_TOKEN=None)
    assert "404" in machine.hearth("run", repository + "@nowhere", *PROMPT, fails=True)
    error = machine.hearth("run", str(tmp_path / "nothing"), *PROMPT, fails=True)
    assert "neither a folder nor a file" in error and "owner/name" in error
    assert not machine.cache.exists() or not list(machine.cache.rglob("blobs/*"))


def test_revisions_move_and_commits_stay(machine, api, repository, expected):
    commit = api.model_info(repository).sha
    api.create_branch(repository, branch="next")
    api.upload_file(path_or_fileobj=b'{"max_new_tokens": 3}', path_in_repo="generation_config.json", repo_id=repository,
                    revision="next")
    machine.hearth("run", repository + "@next", *PROMPT)
    out, _ = machine.hearth("run", f"{repository}@{commit}", *PROMPT)
    assert json.loads(out) == expected
    refs = machine.folder(repository) / "refs"
    assert {path.name for path in refs.iterdir()} == {"next"}
    assert (refs / "next").read_text() == api.model_info(repository, revision="next").sha != commit
    # The same bytes once: both snapshots link to one blob.
    weights = list(machine.folder(repository).glob("snapshots/*/model.safetensors"))
    assert len(weights) == 2 and len({path.resolve() for path in weights}) == 1


def test_a_broken_transfer_goes_on_and_a_wrong_beginning_is_found(machine, repository, llama_folder, expected):
    weights = (llama_folder / "model.safetensors").read_bytes()
    etag = hashlib.sha256(weights).hexdigest()
    blobs = machine.folder(repository) / "blobs"
    for beginning in (weights[:len(weights) // 2], b"x" * 1000, weights + b"more"):
        shutil.rmtree(machine.cache, ignore_errors=True)
        blobs.mkdir(parents=True)
        (blobs / f"{etag}.incomplete").write_bytes(beginning)
        out, _ = machine.hearth("run", repository, *PROMPT)
        assert json.loads(out) == expected
        assert (blobs / etag).read_bytes() == weights and not list(blobs.glob("*.incomplete"))


def test_a_blob_that_another_process_fetches_is_waited_for(machine, repository, llama_folder):
    etag = hashlib.sha256((llama_folder / "model.safetensors").read_bytes()).hexdigest()
    lock = machine.cache / ".locks" / machine.folder(repository).name / f"{etag}.lock"
    lock.parent.mkdir(parents=True)
    with open(lock, "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = machine.start("run", repository, *PROMPT)
        assert "another process fetches model.safetensors" in process.stderr.readline()
        assert process.poll() is None and not (machine.folder(repository) / "blobs" / etag).exists()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


def test_links_out_of_the_cache_are_refused(machine, repository, llama_folder):
    machine.hearth("run", repository, *PROMPT)
    snapshot = next((machine.folder(repository) / "snapshots").iterdir())
    (snapshot / "tokenizer.json").unlink()
    (snapshot / "tokenizer.json").symlink_to(llama_folder / "tokenizer.json")
    error = machine.hearth("run", repository, *PROMPT, fails=True, HF_HUB_OFFLINE="1")
    assert "leads out of the cache" in error


def test_gguf_files_by_name_and_tokenizers_alone(machine, api, llama_folder, tmp_path):
    for kind in ("Q8_0", "F16"):
        subprocess.run([str(BINARY), "convert", str(llama_folder), str(tmp_path / f"tiny.{kind}.gguf"), "--type", kind],
                       check=True, capture_output=True)
    name = f"{ADMIN}/tiny-gguf"
    api.create_repo(name, private=True)
    for kind in ("Q8_0", "F16"):
        api.upload_file(path_or_fileobj=tmp_path / f"tiny.{kind}.gguf", path_in_repo=f"tiny.{kind}.gguf", repo_id=name)
    error = machine.hearth("run", name, *PROMPT, fails=True)
    assert "tiny.F16.gguf" in error and "tiny.Q8_0.gguf" in error
    out, _ = machine.hearth("run", name + ":tiny.F16.gguf", *PROMPT)
    assert json.loads(out)[0]["generated_text"]
    assert len(list(machine.folder(name).glob("snapshots/*/*.gguf"))) == 1
    out, _ = machine.hearth("tokenize", "-t", f"{ADMIN}/tiny", "--ids", "the cat")
    assert len(out.split()) == 7
    assert not list(machine.folder(f"{ADMIN}/tiny").glob("snapshots/*/model.safetensors"))


def test_a_worker_serves_an_id_under_that_name(machine, repository):
    import requests
    worker = Worker(repository, environment=machine.variables, name=None)
    try:
        assert requests.get(worker.url + "/v1/models", timeout=10).json()["data"][0]["id"] == repository
    finally:
        assert worker.stop() == 0
