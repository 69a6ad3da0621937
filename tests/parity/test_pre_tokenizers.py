"""Every pre-tokenizer with every parameter: pieces, their offsets, and JSON."""
import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from probes import Probe
from reference import attempt, compare_encode, component_json, load, same_list
from strings import LONG, every_code_point, every_code_point_spaced, texts

P = pre_tokenizers
BEHAVIORS = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
PATTERNS = {"dash": "-", "space": " ", "word": "an", "special": ".*", "regex-space": Regex(r"\s+"), "regex-word": Regex(r"\w+"), "regex-empty": Regex(r"a*"),
            "regex-gpt2": Regex(GPT2), "regex-llama3": Regex(LLAMA3), "regex-digits": Regex(r"\d"), "regex-upper": Regex(r"(?<=[a-z])(?=[A-Z])"),
            "regex-scripts": Regex(r"[\p{Han}\p{Hiragana}\p{Katakana}]+")}

COMPONENTS = {
    "bert": P.BertPreTokenizer, "whitespace": P.Whitespace, "whitespace-split": P.WhitespaceSplit, "scripts": P.UnicodeScripts,
    **{f"byte-level-{a:d}{r:d}": (lambda a=a, r=r: P.ByteLevel(add_prefix_space=a, use_regex=r)) for a in (False, True) for r in (False, True)},
    "byte-level-no-trim": lambda: P.ByteLevel(trim_offsets=False),
    **{f"delimiter-{ord(c):x}": (lambda c=c: P.CharDelimiterSplit(c)) for c in ("-", " ", "é", "中", "😀")},
    **{f"metaspace-{m}-{s}-{split:d}": (lambda m=m, s=s, split=split: P.Metaspace(m, s, split))
       for m in ("▁", "_", "😀") for s in ("always", "first", "never") for split in (False, True)},
    **{f"punctuation-{b}": (lambda b=b: P.Punctuation(b)) for b in BEHAVIORS},
    "digits": lambda: P.Digits(False), "digits-each": lambda: P.Digits(True),
    **{f"fixed-{n}": (lambda n=n: P.FixedLength(n)) for n in (1, 2, 5, 1000)},
    **{f"split-{name}-{b}-{i:d}": (lambda p=p, b=b, i=i: P.Split(p, b, i))
       for name, p in PATTERNS.items() for b in BEHAVIORS for i in (False, True)},
    "sequence-empty": lambda: P.Sequence([]),
    "sequence-code": lambda: P.Sequence([P.Digits(True), P.ByteLevel(add_prefix_space=False)]),
    "sequence-llama3": lambda: P.Sequence([P.Split(Regex(LLAMA3), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)]),
    "sequence-t5": lambda: P.Sequence([P.WhitespaceSplit(), P.Metaspace()]),
    "sequence-nested": lambda: P.Sequence([P.Sequence([P.UnicodeScripts(), P.Punctuation("merged_with_next")]), P.FixedLength(3)]),
    "sequence-bytes-twice": lambda: P.Sequence([P.ByteLevel(), P.Metaspace(prepend_scheme="first"), P.ByteLevel(use_regex=False)]),
}
COUNT = 5_000 if LONG else 250


@pytest.fixture(scope="module")
def probe():
    with Probe("tokenizer_probe") as running:
        yield running


@pytest.fixture(params=COMPONENTS)
def component(request):
    return COMPONENTS[request.param]()


def pieces(component, item):
    return [[piece, list(offsets)] for piece, offsets in component.pre_tokenize_str(item)]


def compare_pieces(probe, component, inputs):
    answers = probe.ask({"op": "pre_tokenize", "component": component_json(component), "texts": inputs})
    same_list([attempt(lambda item=item: pieces(component, item)) for item in inputs], answers, inputs)


def test_generated_texts(probe, component):
    compare_pieces(probe, component, texts(COUNT, seed=21))


@pytest.mark.parametrize("name", [name for name in COMPONENTS if LONG or not name.startswith(("split-", "metaspace-", "delimiter-", "fixed-", "sequence-"))] + ([] if LONG else ["split-regex-llama3-isolated-0"]))
def test_every_code_point(probe, name):
    compare_pieces(probe, COMPONENTS[name](), every_code_point())
    compare_pieces(probe, COMPONENTS[name](), every_code_point_spaced())


@pytest.mark.parametrize("normalizer", [None, normalizers.NFD(), normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
                                        normalizers.BertNormalizer()], ids=["none", "nfd", "llama", "bert"])
def test_offsets_behind_a_normalizer(probe, component, normalizer):
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "the": 2}, unk_token="[UNK]"))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = component
    load(probe, tokenizer)
    compare_encode(probe, tokenizer, texts(COUNT // (1 if LONG else 4), seed=22))
