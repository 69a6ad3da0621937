"""Tokenizers from other kinds of files: their tokenizer.json, run by the reference, must give the ids of the file's own
program: llama.cpp's golden ids for GGUF vocabularies, sentencepiece, tiktoken, transformers."""
import base64
import json
import pathlib
import sys

import pytest
import sentencepiece
from tokenizers import Tokenizer

from probe import ROOT, Probe, ProbeError

sys.path.insert(0, str(ROOT / "tools"))
import tokenizer_data  # noqa: E402

DATA = tokenizer_data.ensure()
VOCABULARIES = DATA / "vocabularies"
GOLDEN = sorted(path.name[:-len(".gguf.inp")] for path in VOCABULARIES.glob("*.gguf.inp"))
UNKEYED = sorted({path.stem for path in VOCABULARIES.glob("*.gguf")} - set(GOLDEN))


@pytest.fixture(scope="module")
def probe():
    probe = Probe()
    yield probe
    probe.close()


def load(probe, path):
    return Tokenizer.from_str(json.dumps(probe.ask(files=str(path))["tokenizer"], ensure_ascii=False))


def golden(name):
    texts = (VOCABULARIES / f"{name}.gguf.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    ids = (VOCABULARIES / f"{name}.gguf.out").read_text().split("\n")
    rows = [[int(number) for number in line.split()] for line in ids]
    return list(zip(texts, rows))


def real_texts():
    lines = []
    for name in ("english", "code", "multilingual"):
        text = (DATA / "text" / f"{name}.txt").read_text()
        lines += [text[at:at + 400] for at in range(0, min(len(text), 2_000_000), 10_000)]
    return lines + ["", " ", "  two  spaces ", "\n\n", "a\tb", "🤗 é中𝄞", "café", "x" * 300, "▁"]


def differences(texts, ours, theirs):
    return [(text, mine, other) for text, mine, other in zip(texts, ours, theirs) if mine != other]


@pytest.mark.parametrize("name", GOLDEN)
def test_gguf_vocabularies_give_the_golden_ids(probe, name):
    tokenizer = load(probe, VOCABULARIES / f"{name}.gguf")
    rows = golden(name)
    assert len(rows) > 40
    wrong = [(text, ids, got) for text, ids in rows
             if (got := tokenizer.encode(text, add_special_tokens=False).ids) != ids]
    assert not wrong, (len(wrong), wrong[:3])


@pytest.mark.parametrize("name", UNKEYED)
def test_gguf_vocabularies_without_golden_ids_load_and_decode(probe, name):
    tokenizer = load(probe, VOCABULARIES / f"{name}.gguf")
    text = "Hello world, 1234 is a number."
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


MADE = {"gpt2": "vocabularies/gpt-2.gguf", "llama3": "vocabularies/llama-bpe.gguf", "qwen2": "vocabularies/qwen2.gguf",
        "starcoder": "vocabularies/starcoder.gguf", "gemma": "vocabularies/gemma-4.gguf",
        "llama2": "vocabularies/phi-3.gguf", "xlmr": "vocabularies/nomic-bert-moe.gguf",
        "mistral-v1": "mistral/tokenizer.model.v1", "mistral-v3": "mistral/tokenizer.model.v3",
        "tekken": "mistral/tekken.json"}


@pytest.mark.parametrize("name", MADE)
def test_equal_ids_to_the_tokenizer_made_in_python(probe, name):
    ours = load(probe, DATA / MADE[name])
    theirs = Tokenizer.from_file(str(DATA / "tokenizers" / name / "tokenizer.json"))
    texts = real_texts()
    wrong = differences(texts, [ours.encode(text, add_special_tokens=False).ids for text in texts],
                        [theirs.encode(text, add_special_tokens=False).ids for text in texts])
    assert not wrong, (len(wrong), wrong[:2])


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_mistral_models_give_sentencepiece_ids(probe, version):
    path = DATA / "mistral" / f"tokenizer.model.{version}"
    tokenizer, processor = load(probe, path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    texts = real_texts()
    wrong = differences(texts, [tokenizer.encode(text, add_special_tokens=False).ids for text in texts],
                        [processor.encode(text) for text in texts])
    assert not wrong, (len(wrong), wrong[:2])
    for text in texts[:50]:
        ids = processor.encode(text)
        assert tokenizer.decode(ids) == processor.decode(ids)
    assert tokenizer.encode("Hello").ids == [1, *processor.encode("Hello")]
