"""A real sentence-embedding model of 90 MB goes up and comes back byte for byte."""
import hashlib
import pathlib
import time

import pytest


def digests(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file() and ".cache" not in path.relative_to(folder).parts}


@pytest.fixture(scope="module")
def pushed(api, data):
    repo_id = "bob/all-minilm"
    api.create_repo(repo_id)
    api.upload_folder(repo_id=repo_id, folder_path=data / "minilm")
    return repo_id


def test_every_byte_comes_back(anonymous, pushed, data, cache):
    path = anonymous.snapshot_download(pushed, cache_dir=cache)
    assert digests(path) == digests(data / "minilm")


def test_every_byte_comes_back_into_a_folder(anonymous, pushed, data, tmp_path):
    anonymous.snapshot_download(pushed, local_dir=tmp_path / "model", cache_dir=tmp_path / "cache")
    assert digests(tmp_path / "model") == digests(data / "minilm")


def test_the_weights_are_in_lfs_and_the_rest_is_not(anonymous, pushed):
    info = anonymous.model_info(pushed, files_metadata=True)
    lfs = {item.rfilename: item.lfs for item in info.siblings if item.lfs}
    assert list(lfs) == ["model.safetensors"]
    assert lfs["model.safetensors"].sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert lfs["model.safetensors"].size == 90_868_376


def test_facts_of_the_model(anonymous, pushed):
    deadline = time.monotonic() + 15
    while True:
        info = anonymous.model_info(pushed)
        if info.safetensors or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert (dict(info.safetensors.parameters), info.safetensors.total) == ({"F32": 22_713_216, "I64": 512}, 22_713_728)
    assert info.library_name == "sentence-transformers"
    assert info.config["model_type"] == "bert"
    for tag in ("sentence-transformers", "safetensors", "bert", "license:apache-2.0", "en", "dataset:s2orc"):
        assert tag in info.tags, tag


def test_safetensors_metadata_of_the_model(anonymous, pushed):
    meta = anonymous.get_safetensors_metadata(pushed)
    assert "embeddings.word_embeddings.weight" in meta.files_metadata["model.safetensors"].tensors


def test_a_second_push_of_the_same_folder_changes_nothing(api, pushed, data):
    before = api.model_info(pushed).sha
    api.upload_folder(repo_id=pushed, folder_path=data / "minilm")
    assert api.model_info(pushed).sha == before


def test_a_large_download_in_many_ranges(wire, pushed, data):
    whole = (data / "minilm" / "model.safetensors").read_bytes()
    step = 20_000_000
    parts = []
    for start in range(0, len(whole), step):
        answer = wire.get(f"/{pushed}/resolve/main/model.safetensors", {"Range": f"bytes={start}-{start + step - 1}"})
        assert answer.status == 206
        parts.append(answer.body)
    assert hashlib.sha256(b"".join(parts)).digest() == hashlib.sha256(whole).digest()
