"""The four models against the reference: tokens with offsets, vocabularies and JSON, on made models and pieces."""
import json
import random

import pytest
from tokenizers import Tokenizer

from model_probe import Probe, ProbeError

ALPHABET = ["a", "b", "c", "d", "é", "ß", "中", "𝄞", " ", "▁", "x", "\n", "<", "\u0301"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


@pytest.fixture(scope="module")
def probe():
    probe = Probe()
    yield probe
    probe.close()


def reference(model):
    """A reference model from the "model" object; raises when the reference refuses it."""
    return Tokenizer.from_str(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model}, ensure_ascii=False))


def pieces(rng, count=150):
    made = ["", "a", "<unk>", "[UNK]", "é" * 7, "ab" * 60]
    made += ["".join(rng.choices(ALPHABET, k=rng.randint(1, 24))) for _ in range(count)]
    return made


def expected_tokens(model, piece):
    try:
        tokens = model.tokenize(piece)
    except Exception:  # the binding has one exception type
        return "error"
    return [[token.id, token.value, *token.offsets] for token in tokens]


def compare(probe, model, rng):
    theirs = reference(model)
    loaded = probe.raw(json.dumps({"load": model}))
    assert "error" not in json.loads(loaded), loaded
    their_text = theirs.to_str()
    start = their_text.index('"model":')
    assert loaded.startswith("{" + their_text[start:-1] + ","), (loaded, their_text[start:])
    texts = pieces(rng)
    for piece, ours in zip(texts, probe.ask(tokenize=texts)["tokens"]):
        expected = expected_tokens(theirs.model, piece)
        assert ("error" if isinstance(ours, dict) else ours) == expected, (model, piece)
    vocab = theirs.get_vocab()
    assert json.loads(loaded)["size"] == theirs.get_vocab_size()
    names = sorted(vocab) + ["never-a-token"]
    ids = sorted(set(vocab.values())) + [1 << 30]
    looked = probe.ask(ids=names, tokens=ids)
    assert looked["ids"] == [vocab.get(name) for name in names]
    assert looked["tokens"] == [theirs.id_to_token(number) for number in ids]


def words(rng, count, longest=4, alphabet=ALPHABET):
    return list(dict.fromkeys("".join(rng.choices(alphabet, k=rng.randint(1, longest))) for _ in range(count)))


def sparse_ids(rng, tokens):
    ids = rng.sample(range(len(tokens) * rng.choice([1, 1, 3, 40])), len(tokens))
    return dict(zip(tokens, ids))


@pytest.mark.parametrize("seed", range(12))
def test_word_level(probe, seed):
    rng = random.Random(seed)
    tokens = ALPHABET + words(rng, 40)
    if seed % 3:
        tokens.append("<unk>")
    compare(probe, {"type": "WordLevel", "vocab": sparse_ids(rng, list(dict.fromkeys(tokens))),
                    "unk_token": "<unk>"}, rng)


@pytest.mark.parametrize("seed", range(30))
def test_word_piece(probe, seed):
    rng = random.Random(seed)
    prefix = rng.choice(["##", "##", "", "▁", "é"])
    tokens = words(rng, 80) + [prefix + word for word in words(rng, 120, 3)]
    tokens += rng.sample(ALPHABET, 9) + [prefix + character for character in rng.sample(ALPHABET, 9)]
    if seed % 4:
        tokens.append("[UNK]")
    compare(probe, {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": prefix,
                    "max_input_chars_per_word": rng.choice([0, 5, 20, 100]),
                    "vocab": sparse_ids(rng, list(dict.fromkeys(tokens)))}, rng)


def made_bpe(rng):
    """A vocabulary whose merges build on each other, as training gives; with prefix and suffix at times."""
    prefix = rng.choice([None, None, None, "##", ""])
    suffix = rng.choice([None, None, None, "</w>"])
    known = rng.sample(ALPHABET, rng.randint(6, len(ALPHABET)))
    tokens = list(known)
    tokens += [prefix + character for character in known] if prefix else []
    for head in list(tokens):
        tokens += [head + suffix] if suffix else []
    merges = []
    for _ in range(120):
        left, right = rng.choice(tokens[-60:] + known), rng.choice(tokens)
        if prefix and not right.startswith(prefix):
            continue
        merges.append([left, right])
        tokens.append(left + right[len(prefix or ""):])
    rng.shuffle(merges)
    tokens += ["<unk>"] if rng.random() < 0.7 else []
    tokens += BYTES if rng.random() < 0.4 else BYTES[:0xC0] if rng.random() < 0.3 else []
    return list(dict.fromkeys(tokens)), merges, prefix, suffix


@pytest.mark.parametrize("seed", range(80))
def test_bpe(probe, seed):
    rng = random.Random(seed)
    tokens, merges, prefix, suffix = made_bpe(rng)
    legacy = seed % 5 == 0 and not any(" " in part for merge in merges for part in merge)
    compare(probe, {
        "type": "BPE", "dropout": rng.choice([None, None, 0.0]), "unk_token": rng.choice([None, "<unk>"]),
        "continuing_subword_prefix": prefix, "end_of_word_suffix": suffix, "fuse_unk": rng.random() < 0.5,
        "byte_fallback": rng.random() < 0.5, "ignore_merges": rng.random() < 0.4,
        "vocab": sparse_ids(rng, tokens),
        "merges": ["#version: 0.2"] * (seed % 2) + [" ".join(merge) for merge in merges] if legacy else merges}, rng)


@pytest.mark.parametrize("dropout", [0.1, 0.25, 0.333, 1.0, 1e-6])
def test_bpe_dropout_is_written_as_a_float(probe, dropout):
    model = {"type": "BPE", "dropout": dropout, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
             "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
    theirs = json.loads(reference(model).to_str())["model"]["dropout"]
    assert probe.ask(load=model)["model"]["dropout"] == theirs


def test_bpe_dropout_drops_at_its_rate(probe):
    model = {"type": "BPE", "dropout": 0.3, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
    probe.ask(load=model)
    answers = probe.ask(tokenize=["ab"] * 4000)["tokens"]
    assert 0.25 < sum(len(tokens) == 2 for tokens in answers) / 4000 < 0.35


@pytest.mark.parametrize("seed", range(60))
def test_unigram(probe, seed):
    rng = random.Random(seed)
    tokens = words(rng, 120, 5) + rng.sample(ALPHABET, rng.randint(3, len(ALPHABET)))
    tokens += BYTES if seed % 3 == 0 else BYTES[:0xC0] if seed % 3 == 1 else []
    tokens += rng.choices(tokens, k=3)  # some texts twice
    scores = rng.choice([lambda: -rng.random() * 12, lambda: float(-rng.randint(1, 4)), lambda: 0.0])
    pairs = [["<unk>", 0.0]] + [[token, scores()] for token in tokens]
    compare(probe, {"type": "Unigram", "unk_id": None if seed % 7 == 6 else rng.choice([0, 0, 3]), "vocab": pairs,
                    "byte_fallback": rng.random() < 0.5}, rng)


REFUSED = [
    {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]},
    {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": [["a", "b"]]},
    {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b", ["a", "b"]]},
    {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a  b"]},
    {"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 1.5},
    {"type": "BPE", "vocab": {"a": 0}},
    {"type": "BPE", "vocab": {"a": -1}, "merges": []},
    {"type": "BPE", "vocab": {"a": 1.5}, "merges": []},
    {"type": "BPE", "vocab": {"a": 0}, "merges": [], "fuse_unk": 1},
    {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "u", "continuing_subword_prefix": "##"},
    {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": None, "continuing_subword_prefix": "##",
     "max_input_chars_per_word": 100},
    {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "u", "continuing_subword_prefix": "##",
     "max_input_chars_per_word": -1},
    {"type": "WordLevel", "vocab": {"a": 0}},
    {"type": "WordLevel", "vocab": [], "unk_token": "u"},
    {"type": "Unigram", "vocab": [["a", 0]], "unk_id": 1},
    {"type": "Unigram", "vocab": [], "unk_id": 0},
    {"type": "Unigram", "vocab": [["a"]], "unk_id": 0},
    {"type": "Unigram", "vocab": [["a", "0"]], "unk_id": 0},
    {"type": "Unigram", "vocab": [["a", 0]], "unk_id": 0, "byte_fallback": None},
    {"type": "unigram", "vocab": [["a", 0]], "unk_id": 0},
    {"type": None, "vocab": {}, "merges": []},
    {"unk_token": "u"},
    {},
]


@pytest.mark.parametrize("model", REFUSED, ids=range(len(REFUSED)))
def test_what_the_reference_refuses_is_refused(probe, model):
    with pytest.raises(BaseException):  # a Rust panic is no Exception
        reference(model)
    with pytest.raises(ProbeError):
        probe.ask(load=model)


ACCEPTED = [
    {"vocab": {"a": 0}, "merges": []},
    {"vocab": {"a": 0}, "unk_token": "u"},
    {"vocab": {"a": 0}, "unk_token": "u", "continuing_subword_prefix": "", "max_input_chars_per_word": 3},
    {"vocab": [["a", -1]]},
    {"type": "BPE", "vocab": {"a": 0}, "merges": [], "other": [1], "fuse_unk": None},
    {"type": "Unigram", "vocab": []},
]


@pytest.mark.parametrize("model", ACCEPTED, ids=range(len(ACCEPTED)))
def test_what_the_reference_completes_is_completed(probe, model):
    assert probe.ask(load=model)["model"] == json.loads(reference(model).to_str())["model"]
