"""hearth's regular expressions against Oniguruma (tokenizers.Regex): real patterns, random ones, named classes."""
import functools
import os
import random
import unicodedata

import pytest
import regex_cases
from probes import Probe, data_folder
from tokenizers import Regex, pre_tokenizers

LONG = os.environ.get("HEARTH_LONG") == "1"
RANDOM_PATTERNS = 60_000 if LONG else 700
CLASSES = ["\\p{L}", "\\p{N}", "\\p{Lu}", "\\p{M}", "\\p{P}", "\\p{S}", "\\p{Han}", "\\w", "[\\w]", "\\d", "\\s", "[[:punct:]]", "\\p{Punct}"]
CHARACTERS = [chr(i) for i in range(0x110000) if not 0xD800 <= i <= 0xDFFF]
# Those of which something is to be said about clusters, and some others.
CLUSTERING = CHARACTERS if LONG else [c for c in CHARACTERS if unicodedata.category(c) in ("Mn", "Mc", "Me", "Cf", "Cc", "Zl", "Zp") or
                                      "\u1100" <= c <= "\u11ff" or "\ua960" <= c <= "\ua97f" or "\ud7b0" <= c <= "\ud7ff" or
                                      "\U00016d40" <= c <= "\U00016d7f" or "\U0001f1e0" <= c <= "\U0001f6ff"] + CHARACTERS[::331]
# One or two of each class that decides about clusters, and beginnings that something may be remembered of.
SEGMENTS = ["a", "\u0915", "\u00e9", "\u0301", "\u094d", "\u0903", "\u200d", "\u200c", "\u0600", "\u1100", "\u1161", "\u11a8",
            "\uac00", "\uac01", "\U00016d63", "\U0001f1e9", "\U0001f44d", "\U0001f3fd", "\u00a9", "\r", "\n", "\u00ad",
            "\u0915\u094d", "\U0001f44d\u200d", "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea"]


@pytest.fixture(scope="module")
def probe():
    with Probe("text_probe") as running:
        yield running


@functools.lru_cache(maxsize=64)
def onig(pattern):
    return Regex(pattern)


def by_onig(pattern, text):
    """What find_iter shows through Split: all pieces, and those outside of matches with their offsets."""
    regex = onig(pattern)
    isolated = [piece for piece, _ in pre_tokenizers.Split(regex, behavior="isolated").pre_tokenize_str(text)]
    return isolated, pre_tokenizers.Split(regex, behavior="removed").pre_tokenize_str(text)


def by_hearth(spans, text):
    data = text.encode()
    isolated, outside, end = [], [], 0

    def keep(begin, stop, match):
        if begin == stop:
            return
        piece = data[begin:stop].decode()
        isolated.append(piece)
        if not match:
            start = len(data[:begin].decode())
            outside.append((piece, (start, start + len(piece))))

    for begin, stop in zip(spans[::2], spans[1::2]):
        keep(end, begin, False)
        keep(begin, stop, True)
        end = stop
    keep(end, len(data), False)
    return isolated, outside


def compare(probe, pattern, text):
    """False when both refuse the pattern, or when Hearth gives up on one that takes forever."""
    answer = probe.ask(["find_all", pattern, text])
    try:
        onig(pattern)
    except Exception as fault:  # its own type is not exported
        assert isinstance(answer, dict), f"Oniguruma refuses {pattern!r} ({fault}), Hearth does not"
        return False
    if isinstance(answer, dict) and "took more than" in answer["message"]:
        return False
    assert isinstance(answer, list), f"Hearth refuses {pattern!r}: {answer}"
    assert by_hearth(answer, text) == by_onig(pattern, text), (pattern, text)
    return True


@pytest.mark.parametrize("name", regex_cases.PATTERNS)
def test_real_pattern_on_random_text(probe, name):
    random_ = random.Random(name)
    for _ in range(4000 if LONG else 60):
        assert compare(probe, regex_cases.PATTERNS[name], regex_cases.text(random_, 40))


@pytest.mark.parametrize("name", regex_cases.PATTERNS)
def test_real_pattern_on_real_text(probe, name):
    for kind in ("english", "code", "multilingual"):
        text = (data_folder() / "text" / f"{kind}.txt").read_text(encoding="utf-8", errors="replace")
        size = len(text) if LONG else 30_000
        for start in (0, len(text) // 2):
            assert compare(probe, regex_cases.PATTERNS[name], text[start:start + size])


def test_random_patterns(probe):
    compared = 0
    for seed in range(RANDOM_PATTERNS):
        pattern, texts = regex_cases.generate(seed)
        compared += sum(compare(probe, pattern, text) for text in texts)
    assert compared > RANDOM_PATTERNS * 4  # most patterns are good ones


@pytest.mark.parametrize("pattern", CLASSES)
def test_class_over_all_code_points(probe, pattern):
    text = "".join(chr(i) for i in range(0x110000) if not 0xD800 <= i <= 0xDFFF)
    assert compare(probe, f"{pattern}+", text)


def test_every_named_class(probe):
    import make_unicode_tables as tables
    text = "".join(chr(i) for i in range(0x110000) if not 0xD800 <= i <= 0xDFFF)
    names = [*tables.CATEGORIES, *tables.POSIX, *tables.PROPERTIES]
    for name in names if LONG else random.Random(0).sample(names, 5):
        assert compare(probe, f"\\p{{{name}}}+", text), name


def test_case_variants_of_every_cased_character(probe):
    cased = [c for c in map(chr, range(0x110000)) if not 0xD800 <= ord(c) <= 0xDFFF and
             (c.lower() != c or c.upper() != c or c.casefold() != c)]
    everything = "\n".join([*cased, *sorted({c.casefold() for c in cased if len(c.casefold()) > 1})])
    for c in cased if LONG else random.Random(1).sample(cased, 40):
        assert compare(probe, f"(?i:\\x{{{ord(c):x}}})", everything)
        assert compare(probe, f"(?i:[\\x{{{ord(c):x}}}])", everything)
        assert compare(probe, f"(?i:{c.casefold()})", everything)


def compare_clusters(probe, texts):
    """Many texts at once: a line feed has no part in any cluster but that of a carriage return. The reference takes time
    that grows with the square of the number of pieces, so not all of them in one."""
    for start in range(0, len(texts), 500):
        assert compare(probe, r"\X", "\n".join(texts[start:start + 500]))


@pytest.mark.parametrize("neighbour", SEGMENTS, ids=ascii)
def test_clusters_of_every_character_beside_one_of_each_class(probe, neighbour):
    compare_clusters(probe, [pair for c in CLUSTERING for pair in (neighbour + c, c + neighbour)])


@pytest.mark.parametrize("left, right", [("\U0001f44d", "\u200d\U0001f44d"), ("\U0001f1e9", "\U0001f1e9"), ("\u1100", "\u11a8"),
                                         ("\u0915", "\u094d\u0915"), ("\u0600", "a")], ids=ascii)
def test_clusters_of_every_character_between_two(probe, left, right):
    compare_clusters(probe, [left + c + right for c in CLUSTERING])


def test_clusters_of_mixtures(probe):
    random_ = random.Random(3)
    marks = [c for c in CHARACTERS if unicodedata.category(c) in ("Mn", "Mc", "Me", "Cf", "So", "Cc")]
    patterns = [r"\X"] * 8 + [r"\X{2}", r"\X+?b", r"(?<=\p{So})\X", r"\G[\x{1f1e6}-\x{1f1ff}]|\X", r"(?:a|\p{M})\X", r"\X(?!\X)",
                              r"(?>\X)\p{M}", r"\S\X\s"]
    for _ in range(40_000 if LONG else 3000):
        pool = SEGMENTS if random_.random() < 0.7 else SEGMENTS + random_.sample(marks, 20)
        text = "".join(random_.choices(pool, k=random_.randint(2, 14)))
        assert compare(probe, random_.choice(patterns), text)
