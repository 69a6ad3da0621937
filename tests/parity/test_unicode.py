"""text/unicode.h against tokenizers 0.23.3: every code point alone, and strings of what is interesting together."""
import os
import random

import pytest
from probes import Probe
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

import make_unicode_tables as tables

LONG = os.environ.get("HEARTH_LONG") == "1"
STRINGS = 100_000 if LONG else 6_000
FORMS = {"NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD()}
HANGUL = "\u1100\u1112\u1161\u1175\u11a7\u11a8\u11c2\uac00\uac01\ud7a3\ua960\ud7b0"
MARKS = "\u0300\u0301\u0302\u0303\u0308\u0323\u0327\u0328\u0334\u0338\u0345\u05b0\u064b\u093c\u094d\u0f71\u3099\u302a\U0001d165\u20d0"
BASES = "aeoAOE\u00c5\u00e9\u1ea1\u03b1\u03c9\u0399\u0627\u0915\u304b\ufb01\u2126\u212b\u01d5\u1e9b\u00bd\uff76\ufdfa\u3392 x"


@pytest.fixture(scope="module")
def probe():
    with Probe("text_probe") as running:
        yield running


def points_of(probe, name):
    ranges = probe.ask(["property", name])
    return {i for first, last in zip(ranges[::2], ranges[1::2]) for i in range(first, last + 1)
            if not 0xD800 <= i <= 0xDFFF}


def all_strings(size=4000):
    for start in range(0, len(tables.POINTS), size):
        yield "".join("x" + chr(i) for i in tables.POINTS[start:start + size])


def mixed(random_, pool, size=9):
    return "".join(random_.choice(pool) for _ in range(1 + random_.randrange(size)))


def test_properties_of_every_code_point(probe):
    measured = tables.measure_rust()
    names = {"whitespace": "whitespace", "numeric": "numeric", "punctuation": "punctuation", "crate_word": "crate_word",
             "bert_control": "clean", "nonspacing": "nonspacing", "combining": "combining", "chinese": "chinese"}
    decomposing = {i for i in tables.POINTS if FORMS["NFD"].normalize_str(chr(i)) != chr(i)}
    for ours, theirs in names.items():
        # Accents are stripped behind NFD: what decomposes is never asked about.
        left_out = decomposing if ours == "nonspacing" else set()
        assert points_of(probe, ours) - left_out == measured[theirs] - left_out, ours


def test_nmt_sets(probe):
    nmt = normalizers.Nmt().normalize_str
    assert points_of(probe, "nmt_control") == {i for i in tables.POINTS if nmt(chr(i)) == ""}
    assert points_of(probe, "nmt_space") == {i for i in tables.POINTS if i != 32 and nmt(chr(i)) == " "}


def test_lower_case_of_every_code_point(probe):
    lower = normalizers.Lowercase().normalize_str
    for text in all_strings():
        assert probe.ask(["lower", text]) == lower(text)


@pytest.mark.parametrize("form", FORMS)
def test_normal_form_of_every_code_point(probe, form):
    normalize = FORMS[form].normalize_str
    for text in all_strings():
        assert probe.ask(["normal_text", form, text]) == normalize(text)


@pytest.mark.parametrize("form", FORMS)
def test_normal_form_of_every_code_point_between_marks(probe, form):
    """Shows combining classes and compositions: a character behind a base with a mark of class 220 or 230."""
    normalize = FORMS[form].normalize_str
    for text in all_strings():
        for mark in ("\u0323", "\u0301", "\u0334", "\u0345") if LONG else ("\u0323",):
            marked = text.replace("x", "a" + mark)
            assert probe.ask(["normal_text", form, marked]) == normalize(marked)
            marked = text.replace("x", mark + "a")
            assert probe.ask(["normal_text", form, marked]) == normalize(marked)


def offsets_of(stream):
    """Where each normalized character came from, in characters: the reference's NormalizedString::transform."""
    offsets, at = [], 0
    for change in stream[1::2]:
        source = at if change <= 0 else max(at - 1, 0)
        offsets.append((source, source + 1))
        at += 1 - change if change <= 0 else 0
    return offsets


@pytest.mark.parametrize("form", FORMS)
def test_alignment(probe, form):
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.normalizer = FORMS[form]
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(?m:.)"), "isolated")
    random_ = random.Random(form)
    decomposing = "".join(chr(i) for i in tables.POINTS if FORMS["NFKD"].normalize_str(chr(i)) != chr(i))
    pools = [BASES + MARKS, HANGUL, HANGUL + MARKS, BASES + MARKS + HANGUL, decomposing, decomposing + MARKS * 40]
    for _ in range(STRINGS):
        text = mixed(random_, random_.choice(pools))
        stream = probe.ask(["normalize", form, text])
        assert "".join(map(chr, stream[::2])) == FORMS[form].normalize_str(text), text
        assert offsets_of(stream) == tokenizer.encode(text).offsets, text


def test_scripts(probe):
    split = pre_tokenizers.UnicodeScripts().pre_tokenize_str

    def cuts(text):
        lengths, last = [], None
        for c, script in zip(text, probe.ask(["scripts", text])):
            if script != 0 and script != last:
                lengths.append(0)
            elif not lengths:
                lengths.append(0)
            lengths[-1] += 1
            last = script or last
        return lengths

    random_ = random.Random(1)
    samples = random_.sample(tables.POINTS, 3000)
    for _ in range(STRINGS // 4):
        text = mixed(random_, [chr(i) for i in samples[:500]] if random_.random() < 0.1 else list(map(chr, samples)), 12)
        text = "a" + text  # a text that begins with a character of any script loses it in the reference
        assert cuts(text) == [len(piece) for piece, _ in split(text)], text
    everything = "a" + "".join(map(chr, tables.POINTS))
    for start in range(0, len(everything), 20_000):
        text = "a" + everything[start:start + 20_000]
        assert cuts(text) == [len(piece) for piece, _ in split(text)]


def test_grapheme_clusters(probe):
    """Through Precompiled, which maps a whole cluster of at most five bytes: see measure_graphemes."""
    run = tables.precompiled_probe()
    random_ = random.Random(2)
    measured = tables.measure_graphemes() if LONG else None
    pool = ("a\r\n\x01\u00a9\u00ae\u0300\u0308\u200d\u200c\ufe0f\u0600\u070f\u0903\u0915\u0937\u094d\u0d4e\u0d15\u0d4d\u0e33\u1100\u1161"
            "\u11a8\uac00\uac01\u2764\u00ad\u2028 \U0001f468\U0001f3fd\U0001f1e9\U0001f1ea\U000e0020\U00011103")
    if measured:
        pool += "".join(map(chr, random_.sample(sorted(set().union(*measured.values()) - {0}), 400)))
    for _ in range(STRINGS):
        text = mixed(random_, pool, 10)
        data, at, expected = text.encode(), 0, 0
        for length in probe.ask(["graphemes", text]):
            expected += 1 if length < 6 else len(data[at:at + length].decode())
            at += length
        assert at == len(data)
        assert run(text).count("|") == expected, ascii(text)
