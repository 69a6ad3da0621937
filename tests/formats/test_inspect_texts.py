"""What `hearth inspect` says of the small files of a repository: configurations, tokenizers, vocabularies."""
import json
import random

import pytest
from conftest import run


def facts(report):
    return {fact["key"]: fact["value"] for fact in report["facts"]}


def places(report):
    return {fact["key"]: fact["evidence"] for fact in report["facts"]}


@pytest.fixture
def write(tmp_path):
    def call(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path
    return call


def test_a_real_tokenizer(testdata, inspect):
    path = testdata / "minilm" / "tokenizer.json"
    whole = json.loads(path.read_text())
    report = inspect(path)
    found = facts(report)
    assert report["format"] == "tokenizer"
    assert found["model"] == "WordPiece" and found["vocabulary"] == len(whole["model"]["vocab"]) == 30522
    assert found["normalizer"] == "BertNormalizer" and found["pre_tokenizer"] == "BertPreTokenizer"
    assert found["added tokens"] == len(whole["added_tokens"]) and found["model.unk_token"] == "[UNK]"
    assert report["metadata"]["added token 101"] == "[CLS]"


def test_stages_inside_of_stages(write, inspect):
    found = facts(inspect(write("tokenizer.json", {
        "version": "1.0", "added_tokens": [{"id": 0, "content": "<s>", "special": True}, {"id": 1, "content": "x"}],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
        "decoder": {"type": "Sequence", "decoders": [{"type": "Replace"}, {"type": "Fuse"}]},
        "model": {"vocab": {"a": 0, "b": 1}, "merges": ["a b"], "byte_fallback": True}})))
    assert found["model"] == "BPE" and found["merges"] == 1 and found["vocabulary"] == 2
    assert found["normalizer"] == "Sequence(NFC, Lowercase)" and found["decoder"] == "Sequence(Replace, Fuse)"
    assert found["special tokens"] == 1 and found["added tokens"] == 2 and found["model.byte_fallback"] is True


def test_the_tokenizers_configuration(testdata, write, inspect):
    report = inspect(testdata / "minilm" / "tokenizer_config.json")
    assert report["format"] == "tokenizer configuration" and facts(report)["tokenizer_class"] == "BertTokenizer"
    report = inspect(write("tokenizer_config.json", {
        "bos_token": {"content": "<s>", "lstrip": False}, "eos_token": "</s>", "pad_token": None, "model_max_length": 4096,
        "added_tokens_decoder": {"0": {}, "1": {}},
        "chat_template": [{"name": "default", "template": "abc"}, {"name": "tool_use", "template": "abcd"}]}))
    found = facts(report)
    assert found["bos_token"] == "<s>" and found["eos_token"] == "</s>" and "pad_token" not in found
    assert found["chat template default"] == "3 bytes" and found["chat template tool_use"] == "4 bytes"
    assert found["added tokens"] == 2 and places(report)["bos_token"] == "key bos_token.content"


def test_configurations(write, inspect):
    report = inspect(write("config.json", {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 32000}))
    assert report["format"] == "model configuration" and facts(report)["model_type"] == "llama"
    report = inspect(write("generation_config.json", {"do_sample": True, "temperature": 0.6, "eos_token_id": [1, 2], "top_p": None}))
    assert report["format"] == "generation configuration"
    assert facts(report) == {"do_sample": True, "temperature": 0.6, "eos_token_id": [1, 2]}
    report = inspect(write("adapter_config.json", {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "base_model_name_or_path": "a/b",
                                                   "target_modules": ["q_proj", "v_proj"]}))
    assert report["format"] == "adapter configuration"
    assert facts(report)["base_model_name_or_path"] == "a/b" and facts(report)["target_modules"] == ["q_proj", "v_proj"]
    report = inspect(write("model.safetensors.index.json", {"metadata": {"total_size": 10}, "weight_map": {"a": "x.safetensors"}}))
    assert report["format"] == "safetensors index" and facts(report)["tensors"] == 1


def test_vocabularies(testdata, write, inspect):
    path = testdata / "minilm" / "vocab.txt"
    report = inspect(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert report["format"] == "vocabulary"
    assert facts(report)["vocabulary"] == len(lines)
    assert facts(report)["pieces inside of words"] == sum(line.startswith("##") for line in lines)
    assert facts(report)["token [CLS]"] == lines.index("[CLS]") and places(report)["token [CLS]"] == f"line {lines.index('[CLS]') + 1}"
    report = inspect(write("merges.txt", "#version: 0.2\na b\nab c\nodd\n\n"))
    assert facts(report) == {"version": "#version: 0.2", "merges": 2}
    assert report["warnings"] == ["1 lines are no pair of pieces, the first is line 4"]
    report = inspect(write("vocab.json", {"a": 0, "b": 7, "c": "x"}))
    assert facts(report) == {"vocabulary": 3, "largest id": 7} and report["warnings"] == ["1 pieces have no id"]


@pytest.mark.parametrize("name, pieces, algorithm", [("tokenizer.model.v1", 32000, "bpe"), ("tokenizer.model.v3", 32768, "bpe")])
def test_real_sentencepiece_models(testdata, inspect, name, pieces, algorithm):
    report = inspect(testdata / "mistral" / name)
    found = facts(report)
    assert report["format"] == "sentencepiece"
    assert found["pieces"] == pieces == found["vocab_size"] and found["algorithm"] == algorithm
    assert found["byte pieces"] == 256 and found["byte_fallback"] is True and found["normalizer"] == "identity"
    assert (found["unk_id"], found["bos_id"], found["eos_id"], found["pad_id"]) == (0, 1, 2, -1)
    assert report["metadata"]["piece 1 (control)"] == "<s>"


def test_cut_and_damaged_files(testdata, write, tmp_path, inspect):
    for name, content in [("config.json", "[1, 2]"), ("tokenizer.json", '{"model": {"type"'), ("generation_config.json", ""),
                          ("adapter_config.json", "\x00"), ("vocab.json", "[]")]:
        report = inspect(write(name, content))
        assert report["warnings"] and report["facts"] == [], name
    # A tokenizer whose keys have other types than they should.
    report = inspect(write("tokenizer.json", {"model": 5, "normalizer": "x", "added_tokens": {"a": 1}, "decoder": []}))
    assert report["warnings"] == ["the tokenizer has no model"]
    whole = (testdata / "mistral" / "tokenizer.model.v1").read_bytes()
    choice = random.Random(3)
    folder = tmp_path / "cut"
    folder.mkdir()
    for i in range(30):
        (folder / f"cut{i}.model").write_bytes(whole[:choice.randrange(20, len(whole))])
        damaged = bytearray(whole)
        for _ in range(20):
            damaged[choice.randrange(len(damaged))] = choice.randrange(256)
        (folder / f"flip{i}.model").write_bytes(damaged)
    code, out, err = run("inspect", "--json", "--no-scan", folder)
    assert code == 0, err
    assert len(json.loads(out)["files"]) == 60


def test_a_folder_says_what_the_model_is(testdata):
    code, out, _ = run("inspect", testdata / "minilm")
    assert code == 0
    assert "tokenizer.json" in out and "WordPiece" in out and "BertNormalizer" in out
