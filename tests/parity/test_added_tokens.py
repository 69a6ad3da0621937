"""Added tokens with every flag, behind several normalizers; ids, look-ups and decoding."""
import random

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from probes import Probe
from reference import attempt, compare_encode, load, same_list
from strings import LONG, texts

N = normalizers
NORMALIZERS = {"none": None, "lowercase": N.Lowercase(), "nfkd-strip": N.Sequence([N.NFKD(), N.StripAccents()]), "byte-level": N.ByteLevel(),
               "llama": N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), "strip": N.Strip(), "replace-out": N.Replace("e", "")}
CONTENTS = ["[MASK]", "<s>", "</s>", "<mask>", "ab", "abc", "bc", "b", "the", "The", " the", "é", "e\u0301", "▁", "▁▁", "  ", "\n\n", "中", "<|endoftext|>", "<|", "end",
            "self", "self.attention", "😀", "👍🏽", "1", "10", "#", "##", "a b", "ﬁ", "x\u3000", "\u0301"]
VOCAB = {token: id for id, token in enumerate(["[UNK]", "a", "b", "ab", "the", "<s>", "1"])}


@pytest.fixture(scope="module")
def probe():
    with Probe("tokenizer_probe") as running:
        yield running


def flags(rng):
    return {name: rng.random() < 0.35 for name in ("single_word", "lstrip", "rstrip", "normalized", "special")}


def random_texts(rng, contents, count):
    made = texts(count, rng.random())
    for _ in range(count):
        parts = [rng.choice(contents) if rng.random() < 0.5 else rng.choice([" ", "  ", "a", "b", "é", "word", "_", "\u3000", "-", "c", "\n", ""])
                 for _ in range(rng.randint(1, 12))]
        made.append("".join(parts))
    return made


def distinct(tokens, normalizer):
    """Tokens that become equal are matched in the reference's random order; those are left out."""
    seen, kept = set(), []
    for token in tokens:
        form = normalizer.normalize_str(token.content) if normalizer and token.normalized else token.content
        if form and (form, token.normalized) not in seen:
            seen.add((form, token.normalized))
            kept.append(token)
    return kept


@pytest.mark.parametrize("name", NORMALIZERS)
def test_random_flags(probe, name):
    rng = random.Random(f"flags {name}")
    for _ in range(120 if LONG else 15):
        normalizer = NORMALIZERS[name]
        tokenizer = Tokenizer(models.WordLevel(VOCAB, unk_token="[UNK]"))
        if normalizer:
            tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = rng.choice([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.FixedLength(2), pre_tokenizers.Metaspace(prepend_scheme="first")])
        chosen = rng.sample(CONTENTS, rng.randint(1, 8))
        tokens = distinct([AddedToken(content, **flags(rng)) for content in chosen], normalizer)
        tokenizer.add_tokens(tokens)
        load(probe, tokenizer)
        items = random_texts(rng, chosen, 40)
        compare_encode(probe, tokenizer, items)
        same_list([attempt(lambda item=item: tokenizer.encode(item).ids) for item in items], probe.ask({"op": "ids", "texts": items}), items)
        tokenizer.encode_special_tokens = True
        probe.ask({"op": "set", "encode_special_tokens": True})
        compare_encode(probe, tokenizer, items)
        same_list([attempt(lambda item=item: tokenizer.encode(item).ids) for item in items], probe.ask({"op": "ids", "texts": items}), items)


def test_look_ups_and_decoding(probe):
    rng = random.Random(41)
    for _ in range(100 if LONG else 20):
        tokenizer = Tokenizer(models.WordLevel(VOCAB, unk_token="[UNK]"))
        tokenizer.normalizer = rng.choice([N.Lowercase(), N.NFKD(), N.ByteLevel()])
        tokenizer.decoder = rng.choice([decoders.WordPiece(), decoders.ByteLevel(), decoders.Fuse(), decoders.Metaspace()])
        load(probe, tokenizer)
        for _ in range(3):  # some tokens come again with other flags
            tokens = distinct([AddedToken(content, **flags(rng)) for content in rng.sample(CONTENTS, 6)], tokenizer.normalizer)
            form = [{"id": 0, "content": token.content, "single_word": token.single_word, "lstrip": token.lstrip, "rstrip": token.rstrip,
                     "normalized": token.normalized, "special": token.special} for token in tokens]
            assert probe.ask({"op": "add_tokens", "tokens": form}) == tokenizer.add_tokens(tokens)
        assert probe.ask({"op": "to_str"}) == tokenizer.to_str()
        names, ids = CONTENTS + list(VOCAB) + ["nothing"], list(range(40))
        found = probe.ask({"op": "find", "tokens": names, "ids": ids})
        assert found["ids"] == [tokenizer.token_to_id(name) for name in names]
        assert found["tokens"] == [tokenizer.id_to_token(id) for id in ids]
        assert (found["size"], found["model_size"]) == (tokenizer.get_vocab_size(True), tokenizer.get_vocab_size(False))
        lists = [[rng.randrange(40) for _ in range(rng.randint(0, 9))] for _ in range(60)]
        for skip in (True, False):
            same_list([attempt(lambda item=item: tokenizer.decode(item, skip_special_tokens=skip)) for item in lists],
                      probe.ask({"op": "decode", "ids": lists, "skip_special_tokens": skip}), lists)


def test_token_that_normalizes_to_nothing(probe):
    """It matches between all characters: the text falls into them."""
    tokenizer = Tokenizer(models.WordLevel(VOCAB, unk_token="[UNK]"))
    tokenizer.normalizer = N.Replace("e", "")
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_tokens([AddedToken("e", normalized=True), AddedToken("the", normalized=False)])
    load(probe, tokenizer)
    compare_encode(probe, tokenizer, ["", "abc", "a b", "xthe ab", "eab"])
