"""Real tokenizers whole: corpora and generated text, one by one and in pairs, ids alone, decoding and streams."""
import json
import random

import pytest
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from probes import Probe, data_folder
from reference import attempt, compare_encode, load, ours, same_list
from strings import LONG, texts

NAMES = ("bert", "gemma", "gpt2", "llama2", "llama3", "mistral-v1", "mistral-v3", "qwen2", "starcoder", "tekken", "xlmr", "minilm")
GENERATED = 200_000 if LONG else 2_500
LINES = 20_000 if LONG else 600


def path_of(name):
    folder = data_folder()
    return folder / "minilm" / "tokenizer.json" if name == "minilm" else folder / "tokenizers" / name / "tokenizer.json"


def corpus(name, count):
    """Lines, and a few stretches of several thousand characters, from all over the file."""
    text = (data_folder() / "text" / f"{name}.txt").read_text(encoding="utf-8")
    rng = random.Random(name)
    lines = text.split("\n")
    stretches = [text[start:start + 4000] for start in (rng.randrange(len(text)) for _ in range(max(3, count // 200)))]
    return [lines[rng.randrange(len(lines))] for _ in range(count)] + stretches


@pytest.fixture(scope="module")
def probe():
    with Probe("tokenizer_probe") as running:
        yield running


@pytest.fixture(scope="module", params=NAMES)
def tokenizer(request, probe):
    loaded = Tokenizer.from_file(str(path_of(request.param)))
    answer = load(probe, loaded)
    assert "fast_path" in answer
    loaded.no_padding()
    loaded.no_truncation()
    probe.ask({"op": "set", "truncation": None, "padding": None})
    return loaded


def compare_ids(probe, tokenizer, items, add_special_tokens=True):
    for start in range(0, len(items), 1000):
        part = items[start:start + 1000]
        expected = [answer.ids for answer in tokenizer.encode_batch_fast(part, add_special_tokens=add_special_tokens)]
        same_list(expected, probe.ask({"op": "ids", "texts": part, "add_special_tokens": add_special_tokens}), part)


@pytest.mark.parametrize("name", ["english", "code", "multilingual"])
def test_corpora(probe, tokenizer, name):
    items = corpus(name, LINES)
    compare_encode(probe, tokenizer, items)
    compare_ids(probe, tokenizer, items)


@pytest.mark.timeout(3600)
def test_generated_texts(probe, tokenizer):
    items = texts(GENERATED, seed=51)
    compare_encode(probe, tokenizer, items)
    compare_ids(probe, tokenizer, items)
    compare_ids(probe, tokenizer, items[:: 10], add_special_tokens=False)


def test_pairs_and_words(probe, tokenizer):
    rng = random.Random(52)
    made = texts(GENERATED // 20, seed=53)
    inputs = [{"first": rng.choice(made), "second": rng.choice(made)} for _ in range(len(made) // 2)]
    inputs += [{"words": rng.choice(made).split()} for _ in range(len(made) // 2)]
    inputs += [{"first": {"words": rng.choice(made).split()}, "second": {"words": rng.choice(made).split()}} for _ in range(len(made) // 4)]
    compare_encode(probe, tokenizer, inputs)
    compare_encode(probe, tokenizer, inputs[:: 5], add_special_tokens=False)


def test_decoding(probe, tokenizer):
    rng = random.Random(54)
    size = tokenizer.get_vocab_size()
    lists = [tokenizer.encode(text).ids for text in texts(GENERATED // 10, seed=55)]
    lists += [[rng.randrange(size + 5) for _ in range(rng.randint(1, 12))] for _ in range(GENERATED // 10)]
    for skip in (True, False):
        same_list([attempt(lambda item=item: tokenizer.decode(item, skip_special_tokens=skip)) for item in lists],
                  probe.ask({"op": "decode", "ids": lists, "skip_special_tokens": skip}), lists)


def test_streams(probe, tokenizer):
    rng = random.Random(56)
    size = tokenizer.get_vocab_size()
    lists = [tokenizer.encode(text).ids for text in texts(GENERATED // 25, seed=57)]
    lists += [[rng.randrange(size) for _ in range(rng.randint(1, 20))] for _ in range(GENERATED // 25)]
    for ids in lists:
        stream = DecodeStream(skip_special_tokens=True)
        expected = [attempt(lambda id=id: stream.step(tokenizer, id)) for id in ids]
        answers = [ours(answer) for answer in probe.ask({"op": "stream", "ids": ids})]
        assert expected == answers, (ids, expected, answers)


def test_vocabulary(probe, tokenizer):
    vocab = tokenizer.get_vocab()
    names = list(vocab)[:: 1 if LONG else 37] + ["never-a-token", ""]
    found = probe.ask({"op": "find", "tokens": names, "ids": list(range(0, len(vocab) + 10, 1 if LONG else 37))})
    assert found["ids"] == [tokenizer.token_to_id(name) for name in names]
    assert found["tokens"] == [tokenizer.id_to_token(id) for id in range(0, len(vocab) + 10, 1 if LONG else 37)]
    assert (found["size"], found["model_size"]) == (tokenizer.get_vocab_size(True), tokenizer.get_vocab_size(False))


THREE_DIGITS = {"type": "Split", "pattern": {"Regex": "[0-9][0-9][0-9]"}, "behavior": "Isolated", "invert": False}
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
FALCON = {
    "published": [{"type": "Punctuation", "behavior": "Contiguous"}, {**BYTES, "use_regex": True},
                  {"type": "Digits", "individual_digits": False}, THREE_DIGITS],
    "gguf": [{**THREE_DIGITS, "pattern": {"Regex": pattern}} for pattern in (r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]")]
            + [{**BYTES, "use_regex": False}],
}


@pytest.mark.parametrize("form", FALCON)
def test_the_split_of_falcon(form):
    """Its stages over GPT-2's vocabulary; pieces of the published form begin and end inside characters."""
    raw = json.loads(path_of("gpt2").read_text())
    raw["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": FALCON[form]}
    loaded = Tokenizer.from_str(json.dumps(raw))
    with Probe("tokenizer_probe") as probe:
        assert load(probe, loaded)["fast_path"]
        for items in (*(corpus(name, LINES) for name in ("english", "code", "multilingual")), texts(GENERATED, seed=58)):
            compare_encode(probe, loaded, items)
            compare_ids(probe, loaded, items)
