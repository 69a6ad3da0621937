"""Facts that the hub reads from a repository's own files: card, tags, config, safetensors and GGUF headers."""
import json
import struct
import time

import huggingface_hub
import pytest
from huggingface_hub import CommitOperationAdd, ModelCard, ModelCardData, metadata_update
from huggingface_hub.errors import HfHubHTTPError, NotASafetensorsRepoError

CARD = """---
license: apache-2.0
language:
- en
- fr
library_name: transformers
pipeline_tag: text-classification
tags:
- custom-tag
datasets:
- glue
metrics:
- accuracy
base_model: bob/base
widget:
- text: I like it
unknown_key:
  nested: [1, 2]
model-index:
- name: Demo
  results:
  - task: {type: text-classification}
    dataset: {type: glue, name: GLUE}
    metrics:
    - {type: accuracy, value: 0.91}
---
# Demo

See arxiv.org/abs/1810.04805 for more.
"""


def safetensors(tensors, metadata=None):
    """The bytes of a safetensors file: tensors is {name: (dtype, shape, bytes)}."""
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def put(api, repo, files, **extra):
    api.create_commit(repo, commit_message="files", operations=[
        CommitOperationAdd(name, content if isinstance(content, bytes) else content.encode())
        for name, content in files.items()], **extra)


def eventually(read, good, seconds=10):
    deadline = time.monotonic() + seconds
    while True:
        found = read()
        if good(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_model_info_from_the_card(api, repo):
    put(api, repo, {"README.md": CARD})
    info = eventually(lambda: api.model_info(repo), lambda found: found.pipeline_tag)
    assert (info.id, info.author, info.private, info.gated, info.disabled) == (repo, "bob", False, False, False)
    assert len(info.sha) == 40
    assert info.pipeline_tag == "text-classification"
    assert info.library_name == "transformers"
    assert info.likes == 0 and info.downloads == 0
    assert info.created_at <= info.last_modified
    assert info.card_data["unknown_key"] == {"nested": [1, 2]}
    assert info.card_data["language"] == ["en", "fr"]
    assert info.widget_data == [{"text": "I like it"}]
    assert info.model_index[0]["results"][0]["metrics"][0]["value"] == 0.91
    for tag in ("transformers", "custom-tag", "text-classification", "en", "fr", "dataset:glue", "license:apache-2.0",
                "base_model:bob/base", "base_model:finetune:bob/base", "arxiv:1810.04805", "model-index", "region:us"):
        assert tag in info.tags, tag
    assert info.tags[-1] == "region:us"
    assert [sibling.rfilename for sibling in info.siblings] == [".gitattributes", "README.md"]


def test_blobs_give_sizes_and_lfs(api, repo):
    put(api, repo, {"a.txt": "text", "w.bin": b"\0" * 1234})
    siblings = {item.rfilename: item for item in api.model_info(repo, files_metadata=True).siblings}
    assert (siblings["a.txt"].size, siblings["a.txt"].lfs) == (4, None)
    assert siblings["w.bin"].size == siblings["w.bin"].lfs.size == 1234
    assert len(siblings["w.bin"].lfs.sha256) == 64 and siblings["w.bin"].lfs.pointer_size > 100
    plain = {item.rfilename: item for item in api.model_info(repo).siblings}
    assert plain["a.txt"].size is None


def test_info_of_an_old_commit(api, repo):
    put(api, repo, {"a.txt": "1"})
    old = api.model_info(repo).sha
    put(api, repo, {"b.txt": "2"})
    info = api.model_info(repo, revision=old)
    assert info.sha == old
    assert [item.rfilename for item in info.siblings] == [".gitattributes", "a.txt"]


def test_config_and_transformers_info(api, repo):
    put(api, repo, {
        "config.json": json.dumps({"architectures": ["BertForMaskedLM"], "model_type": "bert", "hidden_size": 8}),
        "tokenizer_config.json": json.dumps({"mask_token": "[MASK]", "cls_token": "[CLS]"}),
        "README.md": "---\nlibrary_name: transformers\n---\n"})
    info = eventually(lambda: api.model_info(repo), lambda found: found.config and found.pipeline_tag)
    assert info.config["architectures"] == ["BertForMaskedLM"]
    assert info.config["model_type"] == "bert"
    assert info.pipeline_tag == "fill-mask"
    assert info.mask_token == "[MASK]"
    assert info.transformers_info.auto_model == "AutoModelForMaskedLM"
    assert "bert" in info.tags


def test_parameter_counts_from_safetensors(api, repo):
    content = safetensors({"a": ("F32", [2, 3], bytes(24)), "b": ("BF16", [5], bytes(10))}, {"format": "pt"})
    put(api, repo, {"model.safetensors": content})
    info = eventually(lambda: api.model_info(repo), lambda found: found.safetensors)
    assert dict(info.safetensors.parameters) == {"F32": 6, "BF16": 5}
    assert info.safetensors.total == 11
    assert "safetensors" in info.tags


def test_parameter_counts_over_shards(api, repo):
    put(api, repo, {
        "model-00001-of-00002.safetensors": safetensors({"a": ("F16", [4], bytes(8))}),
        "model-00002-of-00002.safetensors": safetensors({"b": ("F16", [6], bytes(12))}),
        "model.safetensors.index.json": json.dumps({"metadata": {"total_size": 20}, "weight_map": {
            "a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})})
    info = eventually(lambda: api.model_info(repo), lambda found: found.safetensors)
    assert (dict(info.safetensors.parameters), info.safetensors.total) == ({"F16": 10}, 10)
    meta = api.get_safetensors_metadata(repo)
    assert meta.sharded and meta.parameter_count == {"F16": 10}
    assert meta.weight_map["b"] == "model-00002-of-00002.safetensors"


def test_safetensors_metadata_read_by_ranges(api, repo):
    content = safetensors({"layer.weight": ("F32", [16, 16], bytes(1024))}, {"format": "pt"})
    put(api, repo, {"model.safetensors": content, "other/one.safetensors": content})
    meta = api.get_safetensors_metadata(repo)
    assert not meta.sharded
    assert meta.files_metadata["model.safetensors"].tensors["layer.weight"].shape == [16, 16]
    parsed = api.parse_safetensors_file_metadata(repo, "other/one.safetensors")
    assert parsed.metadata == {"format": "pt"}
    assert parsed.tensors["layer.weight"].parameter_count == 256


def test_a_safetensors_header_larger_than_the_first_read(api, repo):
    tensors = {f"layer.{number}.with.a.rather.long.name.weight": ("F32", [1], bytes(4)) for number in range(2000)}
    put(api, repo, {"model.safetensors": safetensors(tensors)})
    parsed = api.parse_safetensors_file_metadata(repo, "model.safetensors")
    assert len(parsed.tensors) == 2000


def test_not_a_safetensors_repository(api, repo):
    with pytest.raises(NotASafetensorsRepoError):
        api.get_safetensors_metadata(repo)


def test_a_broken_weights_file_hurts_no_one(api, repo, cache):
    put(api, repo, {"model.safetensors": b"\xff" * 64, "README.md": "---\nlicense: mit\n---\n"})
    info = eventually(lambda: api.model_info(repo), lambda found: "license:mit" in found.tags)
    assert "license:mit" in info.tags
    assert info.safetensors is None
    assert open(api.hf_hub_download(repo, "model.safetensors", cache_dir=cache), "rb").read() == b"\xff" * 64


@pytest.mark.parametrize("name, architecture", [("gpt-2.gguf", "gpt2"), ("llama-bpe.gguf", "llama"),
                                                ("bert-bge.gguf", "bert")])
def test_gguf_object_from_a_real_vocabulary(api, repo, data, name, architecture):
    api.upload_file(path_or_fileobj=data / "gguf" / name, path_in_repo=name, repo_id=repo)
    info = eventually(lambda: api.model_info(repo), lambda found: found.gguf)
    assert info.gguf["architecture"] == architecture
    assert isinstance(info.gguf["total"], int)
    assert "gguf" in info.tags


def test_data_set_info(api, new_id):
    repo_id = new_id()
    api.create_repo(repo_id, repo_type="dataset")
    put(api, repo_id, {"README.md": "---\nlicense: mit\ntask_categories:\n- text-classification\nlanguage: en\n"
                       "size_categories:\n- n<1K\n---\nSome words.\n"}, repo_type="dataset")
    info = eventually(lambda: api.dataset_info(repo_id), lambda found: "license:mit" in found.tags)
    for tag in ("task_categories:text-classification", "language:en", "size_categories:n<1K", "license:mit", "region:us"):
        assert tag in info.tags, tag
    assert info.card_data["license"] == "mit"


def test_space_info(api, new_id):
    repo_id = new_id()
    api.create_repo(repo_id, repo_type="space", space_sdk="gradio")
    put(api, repo_id, {"README.md": "---\ntitle: T\nemoji: X\nsdk: gradio\nmodels: [bob/a]\ndatasets: [bob/b]\n---\n"},
        repo_type="space")
    info = eventually(lambda: api.space_info(repo_id), lambda found: found.models)
    assert (info.sdk, info.models, info.datasets) == ("gradio", ["bob/a"], ["bob/b"])
    assert info.subdomain == repo_id.replace("/", "-").lower()


@pytest.mark.parametrize("kind, fields", [
    ("model", ["author", "cardData", "config", "createdAt", "downloads", "gated", "gguf", "lastModified", "likes",
               "pipeline_tag", "private", "safetensors", "sha", "siblings", "tags", "transformersInfo", "usedStorage"]),
])
def test_info_with_expansion(api, wire, repo, kind, fields):
    put(api, repo, {"README.md": CARD, "w.bin": b"\0" * 100})
    info = api.model_info(repo, expand=["likes", "sha"])
    assert len(info.sha) == 40 and info.siblings is None
    row = wire.get(f"/api/models/{repo}?expand=likes&expand=author").json()
    assert set(row) == {"_id", "id", "likes", "author"}
    for field in fields:
        assert set(wire.get(f"/api/models/{repo}?expand={field}").json()) <= {"_id", "id", field}
    assert wire.get(f"/api/models/{repo}?expand=noSuchField").status == 400


def test_used_storage_counts_bytes(api, wire, repo):
    put(api, repo, {"w.bin": b"\0" * 100_000})
    used = eventually(lambda: wire.get(f"/api/models/{repo}?expand=usedStorage").json()["usedStorage"],
                      lambda found: found >= 100_000)
    assert 100_000 <= used < 200_000


def test_model_card_round_trip(api, repo, hub, cache):
    card = ModelCard("---\nlicense: other\nlanguage: en\n---\n\n# My card\n")
    card.data = ModelCardData(license="mit", language="en", library_name="keras")
    api.upload_file(path_or_fileobj=str(card).encode(), path_in_repo="README.md", repo_id=repo)
    loaded = ModelCard.load(repo, token=api.token)
    assert loaded.data.license == "mit" and loaded.data.library_name == "keras"
    assert "# My card" in loaded.text


def test_metadata_update_commits_the_card(api, repo, tokens, monkeypatch):
    if huggingface_hub.__version__.startswith("1."):
        # All of 1.x validates cards at a fixed public address, whatever HF_ENDPOINT says.
        monkeypatch.setattr(ModelCard, "validate", lambda self, repo_type=None: None)
    put(api, repo, {"README.md": "---\nlicense: mit\n---\n# Words stay\n"})
    metadata_update(repo, {"language": "de", "license": "mit"}, token=tokens["bob"])
    text = open(api.hf_hub_download(repo, "README.md", force_download=True)).read()
    assert "language: de" in text and "# Words stay" in text


def test_an_invalid_card_is_refused_before_anything_is_stored(api, bob, repo):
    broken = "---\nlicense: [unclosed\n---\n# Demo\n"
    with pytest.raises((HfHubHTTPError, ValueError)):
        put(api, repo, {"README.md": broken, "other.txt": "x"})
    assert api.list_repo_files(repo) == [".gitattributes"]
    from harness.repos import commit, file_row
    answer = commit(bob, repo, [file_row("README.md", broken)])
    assert answer.status == 400, answer
    assert api.list_repo_files(repo) == [".gitattributes"]


def test_validate_yaml(wire):
    answer = wire.post("/api/validate-yaml", {"content": CARD, "repoType": "model"})
    assert answer.status == 200 and answer.json().get("errors", []) == []
    answer = wire.post("/api/validate-yaml", {"content": "---\nlicense: [\n---\n", "repoType": "model"})
    assert answer.status == 400
    assert answer.json()["errors"][0]["message"]
    answer = wire.post("/api/validate-yaml", {"content": "---\nlicense: no-such-licence\n---\n", "repoType": "model"})
    assert answer.status == 200
    assert answer.json()["warnings"][0]["message"]
