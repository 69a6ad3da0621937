"""transformers reads a real model from the hub: tokenizer, configuration and weights."""
import pytest
import transformers
from safetensors import safe_open
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast

SENTENCE = "The hub stands; it hands every byte back, café and 東京 included."


@pytest.fixture(scope="module")
def model(api, data):
    repo_id = "bob/minilm-for-transformers"
    api.create_repo(repo_id)
    api.upload_folder(repo_id=repo_id, folder_path=data / "minilm")
    return repo_id


@pytest.fixture(scope="module")
def private_model(api, data):
    repo_id = "bob/private-minilm"
    api.create_repo(repo_id, private=True)
    api.upload_folder(repo_id=repo_id, folder_path=data / "minilm", allow_patterns=["*.json", "vocab.txt"])
    return repo_id


def test_tokenizer(model, data, cache):
    remote = AutoTokenizer.from_pretrained(model, cache_dir=cache)
    local = AutoTokenizer.from_pretrained(data / "minilm")
    assert remote(SENTENCE)["input_ids"] == local(SENTENCE)["input_ids"]
    assert remote.decode(remote(SENTENCE)["input_ids"], skip_special_tokens=True).startswith("the hub stands")


def test_configuration(model, data, cache):
    remote = AutoConfig.from_pretrained(model, cache_dir=cache)
    local = AutoConfig.from_pretrained(data / "minilm")
    assert (remote.model_type, remote.hidden_size, remote.num_hidden_layers) == ("bert", 384, 6)
    assert remote.to_dict() | {"_name_or_path": ""} == local.to_dict() | {"_name_or_path": ""}


def test_configuration_at_a_revision(model, api, cache):
    first = api.list_repo_commits(model)[0].commit_id
    assert AutoConfig.from_pretrained(model, revision=first, cache_dir=cache).hidden_size == 384
    with pytest.raises(OSError, match="nowhere"):
        AutoConfig.from_pretrained(model, revision="nowhere", cache_dir=cache)


def test_weights(model, api, data, cache):
    path = api.hf_hub_download(model, "model.safetensors", cache_dir=cache)
    with safe_open(path, "np") as remote, safe_open(data / "minilm" / "model.safetensors", "np") as local:
        assert set(remote.keys()) == set(local.keys())
        for name in ("embeddings.word_embeddings.weight", "encoder.layer.5.output.dense.weight"):
            assert (remote.get_tensor(name) == local.get_tensor(name)).all()


def test_a_private_model_needs_the_token(private_model, tokens, cache):
    with pytest.raises(OSError):
        AutoTokenizer.from_pretrained(private_model, cache_dir=cache / "none", token=False)
    with pytest.raises(OSError):
        AutoTokenizer.from_pretrained(private_model, cache_dir=cache / "mallory", token=tokens["mallory"])
    tokenizer = AutoTokenizer.from_pretrained(private_model, cache_dir=cache / "bob", token=tokens["bob"])
    assert tokenizer.vocab_size == 30522


def test_a_missing_model_says_so(cache):
    with pytest.raises(OSError, match="is not a local folder and is not a valid model identifier"):
        AutoConfig.from_pretrained("bob/never-made", cache_dir=cache)


def test_a_model_of_a_configuration_alone(api, new_id, cache):
    repo_id = new_id()
    api.create_repo(repo_id)
    api.upload_file(path_or_fileobj=b'{"model_type": "bert"}', path_in_repo="config.json", repo_id=repo_id)
    assert AutoConfig.from_pretrained(repo_id, cache_dir=cache).model_type == "bert"


def test_a_tokenizer_pushed_to_the_hub(data, new_id, tokens, cache):
    repo_id = new_id()
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(data / "minilm" / "tokenizer.json"), unk_token="[UNK]")
    tokenizer.push_to_hub(repo_id, token=tokens["bob"])
    again = PreTrainedTokenizerFast.from_pretrained(repo_id, cache_dir=cache)
    assert again(SENTENCE)["input_ids"] == tokenizer(SENTENCE)["input_ids"]


def test_a_configuration_pushed_to_the_hub(new_id, tokens, cache):
    repo_id = new_id()
    transformers.BertConfig(hidden_size=48, num_attention_heads=4).push_to_hub(repo_id, token=tokens["bob"])
    assert AutoConfig.from_pretrained(repo_id, cache_dir=cache).hidden_size == 48
