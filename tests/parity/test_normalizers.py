"""Every normalizer with every parameter: the text that it makes, where each character comes from, and its JSON."""
import base64
import json

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from probes import Probe, data_folder
from reference import attempt, compare_encode, component_json, load, same_list
from strings import LONG, every_code_point, every_code_point_spaced, texts

N = normalizers
CHARSMAPS = ("nfkc", "nfkc_cf", "nmt_nfkc", "nmt_nfkc_cf")

COMPONENTS = {
    **{f"bert-{c:d}{h:d}{s}{l:d}": (lambda c=c, h=h, s=s, l=l: N.BertNormalizer(c, h, s, l))
       for c in (False, True) for h in (False, True) for s in (None, False, True) for l in (False, True)},
    **{f"strip-{left:d}{right:d}": (lambda left=left, right=right: N.Strip(left, right)) for left in (False, True) for right in (False, True)},
    "strip-accents": N.StripAccents, "nfc": N.NFC, "nfd": N.NFD, "nfkc": N.NFKC, "nfkd": N.NFKD,
    "lowercase": N.Lowercase, "nmt": N.Nmt, "byte-level": N.ByteLevel,
    "prepend": lambda: N.Prepend("▁"), "prepend-long": lambda: N.Prepend("né "), "prepend-empty": lambda: N.Prepend(""),
    "replace-space": lambda: N.Replace(" ", "▁"), "replace-same-size": lambda: N.Replace("a", "b"), "replace-out": lambda: N.Replace("e", ""),
    "replace-longer": lambda: N.Replace("an", "é→é"), "replace-quotes": lambda: N.Replace("``", '"'),
    "replace-regex": lambda: N.Replace(Regex(r"\s+"), " "), "replace-regex-out": lambda: N.Replace(Regex(r"[^\w\s]|_"), ""),
    "replace-regex-marks": lambda: N.Replace(Regex(r"\p{M}+"), "̂"), "replace-regex-words": lambda: N.Replace(Regex(r"\p{L}{2,}"), "W"),
    "replace-regex-lookahead": lambda: N.Replace(Regex(r" {2,}(?=\S)"), "▁"), "replace-regex-empty": lambda: N.Replace(Regex(r"x*"), "-"),
    "sequence-empty": lambda: N.Sequence([]),
    "sequence-xlnet": lambda: N.Sequence([N.Replace("``", '"'), N.Replace("''", '"'), N.NFKD(), N.StripAccents(), N.Lowercase()]),
    "sequence-llama": lambda: N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]),
    "sequence-albert": lambda: N.Sequence([N.NFD(), N.Lowercase(), N.StripAccents(), N.NFC(), N.Strip()]),
    "sequence-nested": lambda: N.Sequence([N.Sequence([N.Nmt(), N.NFKC()]), N.Strip(True, False), N.Sequence([N.Replace(Regex(r"\s+"), " ")])]),
    "sequence-removed": lambda: N.Sequence([N.Replace(Regex(r"^\W+"), ""), N.NFD(), N.StripAccents(), N.Prepend("__"), N.NFC()]),
    "sequence-byte-level": lambda: N.Sequence([N.NFC(), N.ByteLevel(), N.Lowercase()]),
    **{f"precompiled-{name}": (lambda name=name: N.Precompiled((data_folder() / "charsmaps" / f"{name}.bin").read_bytes()))
       for name in CHARSMAPS},
}
COUNT = 20_000 if LONG else 400


@pytest.fixture(scope="module")
def probe():
    with Probe("tokenizer_probe") as running:
        yield running


@pytest.fixture(params=COMPONENTS)
def component(request):
    return COMPONENTS[request.param]()


def compare_text(probe, component, inputs):
    answers = probe.ask({"op": "normalize", "component": component_json(component), "texts": inputs})
    same_list([attempt(lambda item=item: component.normalize_str(item)) for item in inputs], answers, inputs)


def test_generated_texts(probe, component):
    compare_text(probe, component, texts(COUNT, seed=11))


@pytest.mark.parametrize("name", [name for name in COMPONENTS if LONG or not name.startswith(("bert-0", "bert-10", "prepend", "sequence", "replace"))])
def test_every_code_point(probe, name):
    compare_text(probe, COMPONENTS[name](), every_code_point())
    compare_text(probe, COMPONENTS[name](), every_code_point_spaced())


def test_offsets(probe, component):
    """One token for each character of the normalized text shows where that character comes from."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = component
    tokenizer.pre_tokenizer = pre_tokenizers.FixedLength(1)
    load(probe, tokenizer)
    compare_encode(probe, tokenizer, texts(COUNT, seed=12) + every_code_point()[:: 1 if LONG else 7])


INSERTIONS = {
    "start": N.Replace(Regex("^"), "▁"), "before-a": N.Replace(Regex("(?=a)"), "▁"), "end": N.Replace(Regex("$"), "▁"),
    "everywhere": N.Replace(Regex("x*"), "-"), "longer": N.Replace(Regex("^"), "▁-é"), "nothing": N.Prepend(""),
    "start-nothing": N.Sequence([N.Replace(Regex("^"), "▁"), N.Prepend("")]),
}


@pytest.mark.parametrize("add_prefix_space", [False, True])
@pytest.mark.parametrize("use_regex", [False, True])
@pytest.mark.parametrize("name", INSERTIONS)
def test_byte_level_pieces_that_stand_for_nothing(probe, name, use_regex, add_prefix_space):
    """What was inserted and then cut off stands for no character; the bytes come before it, and it stays."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = INSERTIONS[name]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex), pre_tokenizers.FixedLength(1)])
    load(probe, tokenizer)
    compare_encode(probe, tokenizer, ["a", "ab", "ba", "日本", "a b", "éa", " a", "", "xx"] + texts(60, seed=13))


@pytest.mark.parametrize("name", ["Bert", "BertNormalizer", None])
def test_old_forms(probe, name):
    """Files from before "type", and the name that only the reference's reader knows."""
    value = {"clean_text": True, "handle_chinese_chars": True, "lowercase": True}
    if name:
        value["type"] = name
    wrapped = {"version": "1.0", "added_tokens": [], "normalizer": value, "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}
    tokenizer = Tokenizer.from_str(json.dumps(wrapped))
    assert "error" not in probe.ask({"op": "load", "json": json.dumps(wrapped)})
    assert probe.ask({"op": "to_str"}) == tokenizer.to_str()


def test_hostile_charsmaps(probe):
    """A broken character map is refused, or used without harm."""
    for raw in (b"", b"\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\0\xff", b"\x08\0\0\0" + b"\xff" * 8, b"\x10\0\0\0" + bytes(range(16)) + b"abc\0"):
        value = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(raw).decode()}
        answer = probe.ask({"op": "normalize", "component": value, "texts": texts(20)})
        assert isinstance(answer, list) or "charsmap" in answer["error"]
