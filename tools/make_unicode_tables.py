#!/usr/bin/env python3
"""Writes src/text/internal/unicode_tables_*.cc from the behaviour of the `tokenizers` Python package.

Tokenizer files mean what their reference implementation does, and that is built on four different ages
of Unicode. So no table is taken from the Unicode database: each is measured on tokenizers 0.23.3, over
every code point but the surrogates (which cannot stand in its strings). How, in one line each:

  category, posix, word     normalizers.Replace(Regex("\\p{Lu}+"), "") over a text of all code points: what is gone matched
  named properties          the same for \\p{Greek}, \\p{Emoji}, ... (the names are those that Regex accepts)
  case folding              Replace(Regex("(?i:c)")) over all characters that have any case relation, c by c
  whitespace                pre_tokenizers.WhitespaceSplit over a text of all code points: what is gone
  numeric                   pre_tokenizers.Digits(individual) of "x" + c: two pieces
  punctuation               pre_tokenizers.Punctuation("removed") over all code points: what is gone
  crate word                pre_tokenizers.Whitespace of "a" + c: one piece that holds c
  clean text                BertNormalizer(clean_text) of c: empty
  nonspacing mark           BertNormalizer(strip_accents) of c: empty
  combining mark            normalizers.StripAccents of c: empty
  decompositions            NFD and NFKD of c
  combining class           NFD of "a" + c + m and "a" + m + c, m one mark of each class: which order comes out
  compositions              NFC of a + b, (a, b) from every decomposition, all first with all second characters
  lower case                normalizers.Lowercase of c
  script                    pre_tokenizers.UnicodeScripts of pairs: is there a cut between them?
  grapheme classes          normalizers.Precompiled with a map that turns a whole cluster below 6 bytes into one "|":
                            how many "|" come out of short probes (see measure_graphemes)
  segment classes           pre_tokenizers.Split(Regex("\\X")) of short probes: one piece? (see measure_segments; Oniguruma's
                            clusters are of another age and know no Indic conjuncts)

Usage: /path/to/python tools/make_unicode_tables.py [--measurements FILE]
FILE keeps the measurements (minutes) so that a change of the table layout need not repeat them.
"""
import argparse
import base64
import hashlib
import itertools
import pathlib
import pickle
import struct
import sys
import time
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "src" / "text" / "internal"
VERSION = "0.23.3"
LIMIT = 0x110000
POINTS = [i for i in range(LIMIT) if not 0xD800 <= i <= 0xDFFF]

CATEGORIES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn").split()
POSIX = "alpha upper lower punct graph print space alnum blank cntrl digit xdigit word".split()
PROPERTIES = """
Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo
Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common
Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs
Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema
Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi
Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki
Khudawadi Kirat_Rai Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic
Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao
Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu
Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian
Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa
Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian
Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil
Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri Toto Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho
Warang_Citi Yezidi Yi Zanabazar_Square
Alphabetic Case_Ignorable Cased Changes_When_Casefolded Changes_When_Casemapped Changes_When_Lowercased
Changes_When_Titlecased Changes_When_Uppercased Dash Default_Ignorable_Code_Point Diacritic Emoji Emoji_Component
Emoji_Modifier Emoji_Modifier_Base Emoji_Presentation Extended_Pictographic Extender Grapheme_Base Grapheme_Extend
Hex_Digit ID_Continue ID_Start Ideographic Join_Control Lowercase Math Noncharacter_Code_Point Pattern_Syntax
Pattern_White_Space Quotation_Mark Radical Regional_Indicator Sentence_Terminal Soft_Dotted Terminal_Punctuation
Unified_Ideograph Uppercase Variation_Selector White_Space XID_Continue XID_Start
""".split()


def all_text():
    return "".join(map(chr, POINTS))


def measure_pattern(pattern):
    """The code points that match a pattern of one character."""
    from tokenizers import Regex, normalizers
    text = all_text()
    left = normalizers.Replace(Regex(f"(?:{pattern})+"), "").normalize_str(text)
    return set(map(ord, text)) - set(map(ord, left))


def precompiled_probe():
    """A Precompiled normalizer that turns whatever it maps into "|": a cluster of at most five bytes as a whole,
    longer ones character by character. The map is a double array over the first byte."""
    from tokenizers import normalizers
    root, leaf = 256, 256  # child c of the root is unit root ^ c, and its value unit root ^ c ^ leaf
    units = [0] * 1024
    units[0] = root << 10
    for label in range(1, 256):
        units[root ^ label] = label | (1 << 8) | (leaf << 10)
        units[(root ^ label) ^ leaf] = 1 << 31
    blob = struct.pack("<I", len(units) * 4) + struct.pack(f"<{len(units)}I", *units) + b"|\0"
    return normalizers.Precompiled(blob).normalize_str


def measure_graphemes():
    """Sets of code points; each is the answer to probes of one kind, and the rules of the walk follow from them.

    The number of "|" of precompiled_probe tells whether neighbours share a cluster; combining marks behind the
    probe (two bytes each) pull the interesting clusters over or under the limit.
    """
    run = precompiled_probe()

    def count(text):
        return run(text).count("|")

    assert count("ab") == 2 and count("a\u0300") == 1, "the probe map does not work"

    def short(c):  # below four bytes: what follows a longer character cannot bring its cluster under the limit
        return ord(c) < 0x10000

    extends = {i for i in POINTS if count("a" + chr(i)) == 1}  # Extend, ZWJ, SpacingMark
    # A control character (CR and LF too) takes no mark: the two marks then form a cluster of their own.
    # U+0000 ends the keys of the map and cannot be probed; it is one.
    extends -= {0}
    control = {i for i in POINTS if i == 0 or count(chr(i) + "\u0300\u0300") == 2} - extends
    prepends = {i for i in POINTS if i and count(chr(i) + "a") == 1}
    plain = [i for i in POINTS if i not in extends and i not in control]

    def where(points, probe):
        return {i for i in points if probe(chr(i))}

    result = {"extends": extends, "control": control, "prepends": prepends}
    # (c) (ZWJ (c)): one cluster of more than five bytes, or (c) ZWJ as one and the other alone.
    result["pictographic"] = where(plain, lambda c: count("\u00a9\u200d" + c) == 3)
    result["emoji_extend"] = where(extends, lambda c: count("\u00a9" + c + "\u200d\u00a9\u0300") == 5)
    for name, jamo in (("l", "\u1100"), ("v", "\u1161"), ("t", "\u11a8")):
        result["after_" + name] = where(plain, lambda c: short(c) and count(jamo + c + "\u0300") == 3)
        result["before_" + name] = where(plain, lambda c: count(c + jamo + "\u0300") == 3) - prepends
    result["consonant"] = where(plain, lambda c: count(c + "\u094d\u0915\u0300") == 4)
    right = where(plain, lambda c: short(c) and count("\u0915\u094d" + c + "\u0300") == 4)
    assert right == {i for i in result["consonant"] if i < 0x10000}, "consonants differ by side"
    result["linker"] = where(extends, lambda c: count("\u0915" + c + "\u0915\u0300") == 4)
    result["indic_extend"] = where(extends, lambda c: count("\u0915" + c + "\u094d\u0915\u0300") == 5)
    assert count("\r\n") == 1
    return result


def measure_segments():
    """Classes of the characters by which \\X cuts, in the words of UAX 29, and "pictographic", which goes across them."""
    from tokenizers import Regex, pre_tokenizers
    split = pre_tokenizers.Split(Regex(r"\X"), "isolated").pre_tokenize_str

    def one(text):
        return len(split(text)) == 1

    def where(points, probe):
        return {i for i in points if probe(chr(i))}

    zwj, copyright_ = "\u200d", "\u00a9"
    controls = where(POINTS, lambda c: not one(c + "\u0300"))
    joining = where(POINTS, lambda c: one("a" + c))
    prepend = where(POINTS, lambda c: one(c + "a"))
    plain = [i for i in POINTS if i not in controls and i not in joining and i not in prepend]
    result = {"prepend": prepend - controls - joining}
    result["cr"] = where(controls, lambda c: one(c + "\n"))
    result["lf"] = where(controls, lambda c: one("\r" + c))
    result["control"] = controls - result["cr"] - result["lf"]
    result["zwj"] = where(joining, lambda c: one(copyright_ + c + copyright_))
    result["extend"] = where(joining - result["zwj"], lambda c: one(copyright_ + c + zwj + copyright_))
    result["spacing_mark"] = joining - result["zwj"] - result["extend"]
    result["regional_indicator"] = where(plain, lambda c: one(c + "\U0001f1e9") and one("\U0001f1e9" + c))
    before = {name: where(plain, lambda c: one(c + jamo)) for name, jamo in (("l", "\u1100"), ("v", "\u1161"), ("t", "\u11a8"))}
    after = {name: where(plain, lambda c: one(jamo + c)) for name, jamo in (("l", "\u1100"), ("v", "\u1161"), ("t", "\u11a8"))}
    result["l"] = before["l"]
    result["t"] = after["t"]
    result["v"] = after["l"] & after["v"]
    result["lv"] = (after["l"] & before["v"]) - before["l"] - after["v"]
    result["lvt"] = (after["l"] & before["t"]) - before["v"]
    # What the jamo join with is what these classes say.
    assert before["v"] == result["l"] | result["v"] | result["lv"] and after["v"] == result["v"] | result["t"]
    assert before["t"] == result["v"] | result["t"] | result["lv"] | result["lvt"]
    assert after["l"] == result["l"] | result["v"] | result["lv"] | result["lvt"]
    assert sum(map(len, result.values())) == len(set().union(*result.values())), "a character of two classes"
    assert len(result["cr"]) == len(result["lf"]) == len(result["zwj"]) == 1
    result["pictographic"] = where(POINTS, lambda c: one(c + zwj + copyright_))
    return result


def measure_rust():
    """What the Rust standard library and the crates around it answer, as pre-tokenizers and normalizers show it."""
    from tokenizers import normalizers, pre_tokenizers
    text = all_text()

    def gone(pre_tokenizer):
        return set(map(ord, text)) - set(ord(c) for piece, _ in pre_tokenizer.pre_tokenize_str(text) for c in piece)

    def emptied(normalizer):
        return {i for i in POINTS if normalizer.normalize_str(chr(i)) == ""}

    bert = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    digits = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str
    crate = pre_tokenizers.Whitespace().pre_tokenize_str
    lower = normalizers.Lowercase().normalize_str
    chinese = normalizers.BertNormalizer(**{**bert, "handle_chinese_chars": True}).normalize_str
    return {
        "whitespace": gone(pre_tokenizers.WhitespaceSplit()),
        "punctuation": gone(pre_tokenizers.Punctuation("removed")),
        "numeric": {i for i in POINTS if len(digits("x" + chr(i))) == 2},
        "crate_word": {i for i in POINTS if crate("a" + chr(i))[0][0] == "a" + chr(i)},
        "clean": emptied(normalizers.BertNormalizer(**{**bert, "clean_text": True})),
        "nonspacing": emptied(normalizers.BertNormalizer(**{**bert, "strip_accents": True})),
        "combining": emptied(normalizers.StripAccents()),
        "chinese": {i for i in POINTS if len(chinese(chr(i))) == 3},
        "lower": {i: lower(chr(i)) for i in POINTS if lower(chr(i)) != chr(i)},
    }


def measure_normalization():
    from tokenizers import normalizers
    nfd, nfc = normalizers.NFD().normalize_str, normalizers.NFC().normalize_str
    nfkd = normalizers.NFKD().normalize_str
    hangul = range(0xAC00, 0xAC00 + 11172)  # by arithmetic, checked below
    canonical = {i: nfd(chr(i)) for i in POINTS if nfd(chr(i)) != chr(i) and i not in hangul}
    compatible = {i: nfkd(chr(i)) for i in POINTS if nfkd(chr(i)) != chr(i) and i not in hangul}
    for i in hangul:
        l, v, t = (i - 0xAC00) // 588, (i - 0xAC00) % 588 // 28, (i - 0xAC00) % 28
        assert nfd(chr(i)) == chr(0x1100 + l) + chr(0x1161 + v) + (chr(0x11A7 + t) if t else "")
    # One mark of each class, old enough that every version of Unicode agrees about it.
    marks = {}
    for combining in (unicodedata.ucd_3_2_0.combining, unicodedata.combining):
        for i in POINTS:
            klass = combining(chr(i))
            # A mark that is younger than the tables does not change places with any other.
            other = "a" + chr(i) + "\u0334" if klass > 1 else "a\u0301" + chr(i)
            if klass and klass not in marks and i not in canonical and nfd(other) != other:
                marks[klass] = chr(i)
    classes = {}
    text_points = [i for i in POINTS if i not in canonical and i not in hangul]
    above, below = {}, {}
    for klass, mark in sorted(marks.items()):
        # "a" c m: m comes first when class(c) > class(m). "a" m c: c comes first when 0 < class(c) < class(m).
        one = nfd("".join("a" + chr(i) + mark for i in text_points))
        two = nfd("".join("a" + mark + chr(i) for i in text_points))
        assert len(one) == len(two) == 3 * len(text_points)
        for n, i in enumerate(text_points):
            if one[3 * n + 1] != chr(i):
                above.setdefault(i, []).append(klass)
            if two[3 * n + 1] == chr(i) and chr(i) != mark:
                below.setdefault(i, []).append(klass)
    order = sorted(marks)
    for i in set(above) | set(below) | set(map(ord, marks.values())):
        low, high = max(above.get(i, [0])), min(below.get(i, [256]))
        between = [k for k in order if low < k < high]
        assert len(between) == 1, (hex(i), low, high, between)
        classes[i] = between[0]
    pairs = {}
    for i, full in canonical.items():
        if len(full) >= 2:
            first = nfc(full[:-1])
            if len(first) == 1 and nfc(first + full[-1]) == chr(i):
                pairs[ord(first), ord(full[-1])] = i
    firsts, seconds = {a for a, _ in pairs}, {b for _, b in pairs} | set(classes)
    for a, b in itertools.product(firsts, seconds):
        joined = nfc(chr(a) + chr(b))
        if nfd(chr(a) + chr(b)) != nfd(chr(a)) + chr(b):
            continue  # the marks change places: another pair
        assert (len(joined) == 1) == ((a, b) in pairs), (hex(a), hex(b), joined)
    return {"canonical": canonical, "compatible": compatible, "classes": classes, "pairs": pairs}


def measure_scripts():
    """Script names of the UnicodeScripts pre-tokenizer: classes of characters between which it does not cut."""
    from tokenizers import pre_tokenizers
    split = pre_tokenizers.UnicodeScripts().pre_tokenize_str

    def cut(a, b):
        return len(split(a + b)) == 2

    anything = {i for i in POINTS if not cut("a", chr(i)) and not cut("\u0434", chr(i))}
    groups = []  # (representative, members)
    last = None
    for i in POINTS:
        if i in anything:
            continue
        c = chr(i)
        if last is None or cut(last[0], c):
            last = next((group for group in groups if not cut(group[0], c)), None)
            if last is None:
                last = (c, set())
                groups.append(last)
        last[1].add(i)
    return {"any": anything, "groups": [sorted(members) for _, members in groups]}


def measure_folding():
    """c -> the strings of one to three characters that (?i:c) matches besides c itself."""
    from tokenizers import Regex, normalizers
    seeds = [i for i in POINTS if not unicodedata.category(chr(i)) in ("Cn", "Co", "Cs") and i < 0x1F000 and
             not (0x3400 <= i < 0xA000 or 0xAC00 <= i < 0xD7A4 or 0x17000 <= i < 0x19000 or 0x12000 <= i < 0x14700)]
    seeds += [i for i in range(LIMIT) if not 0xD800 <= i <= 0xDFFF and unicodedata.category(chr(i)) == "Cn" and
              (0x1C80 <= i < 0x1CFF or 0xA7C0 <= i < 0xA800 or 0x10500 <= i < 0x10FFF or 0x16E00 <= i < 0x16F00 or
               0x10D00 <= i < 0x10E00)]
    # All characters of a case relation: matched by the class of everything that has a case mapping.
    lower = normalizers.Lowercase().normalize_str
    related = set()
    for i in seeds:
        c = chr(i)
        for other in (c.lower(), c.upper(), c.title(), c.casefold(), lower(c)):
            if other != c:
                related.add(i)
                related.update(map(ord, other) if len(other) == 1 else ())
    singles = sorted(related)
    text = "".join(chr(i) + "\x01" for i in singles)
    folds = {}
    for i in sorted(set(seeds) | related):
        pattern = f"(?i:\\x{{{i:x}}})"
        left = normalizers.Replace(Regex(pattern), "\x02").normalize_str(text)
        found = [singles[n] for n, part in enumerate(left.split("\x01")[:-1]) if part == "\x02"]
        others = [o for o in found if o != i]
        if others:
            folds[i] = others
    # Multi-character folds: candidates from every full folding known to Python, matched against the character.
    multi = {}
    for i in POINTS:
        full = chr(i).casefold()
        if len(full) > 1 and normalizers.Replace(Regex(f"(?i:\\x{{{i:x}}})"), "\x02").normalize_str(full) == "\x02":
            multi[i] = full
    return {"single": folds, "multi": multi}


def measure(path):
    import tokenizers
    if tokenizers.__version__ != VERSION:
        sys.exit(f"the tables are pinned to tokenizers {VERSION}, this is {tokenizers.__version__}")
    steps = [("rust", measure_rust), ("normalization", measure_normalization), ("scripts", measure_scripts),
             ("graphemes", measure_graphemes), ("segments", measure_segments), ("folding", measure_folding),
             ("goldens", measure_goldens)]
    for family, names, form in (("category", CATEGORIES, "\\p{%s}"), ("posix", POSIX, "[[:%s:]]"),
                                ("property", PROPERTIES, "\\p{%s}")):
        steps.append((family, lambda names=names, form=form:
                      {name: measure_pattern(form % name) for name in names if name != "Cs"}))
    result = pickle.loads(path.read_bytes()) if path and path.exists() else {}
    for name, step in steps:
        if name in result:
            continue
        start = time.time()
        result[name] = step()
        print(f"{name}: {time.time() - start:.0f} s", flush=True)
        if path:
            path.write_bytes(pickle.dumps(result))
    return result


# --- writing ------------------------------------------------------------------------------------

FLAGS = ["whitespace", "numeric", "punctuation", "crate_word", "clean", "nonspacing", "combining", "lowers",
         "decomposes", "compatible", "reorders", "second", "composes", "extends", "control", "prepends", "pictographic",
         "emoji_extend", "consonant", "linker", "indic_extend", "before_l", "before_v", "before_t", "after_l", "after_v",
         "after_t"]
# In the order of the enumeration Segment of unicode_tables.h; 0 is every other character.
SEGMENTS = ["other", "cr", "lf", "control", "extend", "prepend", "regional_indicator", "spacing_mark", "zwj", "l", "lv", "lvt",
            "t", "v"]
PICTOGRAPHIC = 16  # kSegmentPictographic
LEAF_BITS, MIDDLE_BITS = 5, 6  # the smallest sum; also kLeafBits, kMiddleBits in unicode_tables.h
SURROGATES = range(0xD800, 0xE000)
HANGUL = range(0xAC00, 0xAC00 + 11172)


def flag_sets(measured):
    rust, normalization = measured["rust"], measured["normalization"]
    canonical, compatible = normalization["canonical"], normalization["compatible"]
    sets = {name: rust[name] for name in ("whitespace", "numeric", "punctuation", "crate_word", "clean", "nonspacing",
                                          "combining")}
    sets["lowers"] = set(rust["lower"])
    sets["decomposes"] = set(canonical) | set(HANGUL)
    sets["compatible"] = {i for i, text in compatible.items() if canonical.get(i) != text}
    sets["reorders"] = set(normalization["classes"])
    sets["second"] = {b for _, b in normalization["pairs"]} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    sets["composes"] = set(normalization["pairs"].values()) | set(HANGUL)
    sets.update(measured["graphemes"])
    return sets


def c_string(data):
    """Bytes as adjacent C string literals: printable ones as they are, the rest as the shortest octal escape."""
    lines, line = [], ""
    for n, byte in enumerate(data):
        after = data[n + 1] if n + 1 < len(data) else 0
        if 32 <= byte < 127 and byte not in b'"\\?':
            piece = chr(byte)
        elif 48 <= after < 56:
            piece = f"\\{byte:03o}"
        else:
            piece = f"\\{byte:o}"
        if len(line) + len(piece) > 112:
            lines.append(line)
            line = ""
        line += piece
    lines.append(line)
    return "\n".join(f'    "{text}"' for text in lines)


def fold_blocks(values, size):
    """Cuts a list into blocks and keeps equal ones once: (index of each block, the blocks one after the other)."""
    known, index, blocks = {}, [], []
    for start in range(0, len(values), size):
        block = tuple(values[start:start + size])
        if block not in known:
            known[block] = len(known)
            blocks += block
        index.append(known[block])
    return index, blocks


def write_trie(name, values):
    """values: code point -> number below 256, 0 where it is missing."""
    middle, leaves = fold_blocks([values.get(c, 0) for c in range(LIMIT)], 1 << LEAF_BITS)
    top, middle = fold_blocks(middle, 1 << MIDDLE_BITS)
    assert max(top) < 256 and max(middle) < 65536
    return (f"const unsigned char k{name}Top[] =\n{c_string(bytes(top))};\n"
            f"const uint16_t k{name}Middle[] = {{\n{numbers(middle)}\n}};\n"
            f"const unsigned char k{name}Leaves[] =\n{c_string(bytes(leaves))};\n",
            f"const Trie k{name}Trie = {{k{name}Top, k{name}Middle, k{name}Leaves}};\n")


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text_blob(table):
    out, last = bytearray(), 0
    for key in sorted(table):
        out += varint(key - last) + varint(len(table[key])) + b"".join(varint(ord(c)) for c in table[key])
        last = key
    return bytes(out)


def pair_blob(pairs):
    out, last = bytearray(), 0
    for (a, b), result in sorted(pairs.items()):
        out += varint(a - last) + varint(b) + varint(result)
        last = a
    return bytes(out)


def runs_of(points):
    runs = []
    for i in sorted(points):
        if runs and runs[-1][1] == i:
            runs[-1][1] = i + 1
        else:
            runs.append([i, i + 1])
    return runs


def property_blob(measured):
    """Per class: name, number of runs, then gap and length of each."""
    out = bytearray()
    named = [(name, points) for name, points in measured["category"].items() if name != "Cn"]
    named += [(f"[{name}]", points) for name, points in measured["posix"].items()]
    named += list(measured["property"].items())
    for name, points in named:
        runs = runs_of(points)
        out += varint(len(name)) + name.encode() + varint(len(runs))
        at = 0
        for start, end in runs:
            out += varint(start - at) + varint(end - start)
            at = end
    return bytes(out)


def fold_blob(folding):
    """Classes of characters that differ in case only, what they are compared as first; then foldings to several."""
    classes, seen = [], set()
    for i in sorted(folding["single"]):
        if i in seen:
            continue
        members = sorted({i, *folding["single"][i]})
        for member in members:
            assert sorted({member, *folding["single"].get(member, [])}) == members, f"{member:x} is in no one class"
        seen.update(members)
        first = next((m for m in members if chr(m).casefold() == chr(m)), members[0])
        classes.append([first] + [m for m in members if m != first])
    out = bytearray(varint(len(classes)))
    for members in classes:
        out += varint(len(members)) + b"".join(varint(m) for m in members)
    groups = {}
    for i, full in sorted(folding["multi"].items()):
        groups.setdefault(full, []).append(i)
    out += varint(len(groups))
    for full, members in sorted(groups.items()):
        out += varint(len(full)) + b"".join(varint(ord(c)) for c in full)
        out += varint(len(members)) + b"".join(varint(m) for m in members)
    return bytes(out)


def base64_literal(data):
    text = base64.b64encode(data).decode()
    return "\n".join(f'    "{text[n:n + 112]}"' for n in range(0, len(text), 112))


def write(name, body):
    path = OUT / f"unicode_tables_{name}.cc"
    path.write_text(
        "// Generated by tools/make_unicode_tables.py from the behaviour of tokenizers " + VERSION + "; do not edit.\n"
        "// clang-format off\n"
        '#include "text/internal/unicode_tables.h"\n\n'
        "namespace hearth::unicode_internal {\n\n" + body + "\n}  // namespace hearth::unicode_internal\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def trie_file(file_name, tries, extra=""):
    parts = [write_trie(name, values) for name, values in tries]
    write(file_name, "namespace {\n\n" + "".join(part[0] for part in parts) + "\n}  // namespace\n\n" +
          "".join(part[1] for part in parts) + extra)


def numbers(values):
    lines, line = [], ""
    for value in values:
        piece = f"{value}, "
        if len(line) + len(piece) > 112:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return "\n".join("    " + text for text in lines + [line.rstrip()])


def write_all(measured):
    sets = flag_sets(measured)
    flags = {}
    for bit, name in enumerate(FLAGS):
        for i in sets[name]:
            flags[i] = flags.get(i, 0) | (1 << bit)
    kinds = [0] + sorted(set(flags.values()))
    assert len(kinds) <= 256, len(kinds)
    index = {value: n for n, value in enumerate(kinds)}
    trie_file("classes", [("Class", {i: index[value] for i, value in flags.items()})],
              f"const uint32_t kClassFlags[] = {{\n{numbers(kinds)}\n}};\n")
    segments = {i: n for n, name in enumerate(SEGMENTS) for i in measured["segments"].get(name, ())}
    for i in measured["segments"]["pictographic"]:
        segments[i] = segments.get(i, 0) | PICTOGRAPHIC
    trie_file("segments", [("Segment", segments)])
    scripts = {i: n + 1 for n, group in enumerate(measured["scripts"]["groups"]) for i in group}
    trie_file("scripts", [("Script", scripts)])
    lower = {i: ord(text[0]) - i for i, text in measured["rust"]["lower"].items()}
    assert [i for i, text in measured["rust"]["lower"].items() if len(text) != 1] == [0x130]
    deltas = [0] + sorted(set(lower.values()))
    assert len(deltas) <= 256
    trie_file("case", [("Lower", {i: deltas.index(delta) for i, delta in lower.items()})],
              f"const int32_t kLowerDeltas[] = {{\n{numbers(deltas)}\n}};\n")
    normalization = measured["normalization"]
    canonical = normalization["canonical"]
    compatible = {i: text for i, text in normalization["compatible"].items() if canonical.get(i) != text}
    blobs = [("Canonical", text_blob(canonical)), ("Compatible", text_blob(compatible)),
             ("Composition", pair_blob(normalization["pairs"]))]
    trie_file("normalization", [("Combining", normalization["classes"])],
              "".join(f"const std::string_view k{name}Blob =\n{base64_literal(data)};\n" for name, data in blobs))
    write("regex", f"const std::string_view kPropertyBlob =\n{base64_literal(property_blob(measured))};\n"
          f"const std::string_view kFoldBlob =\n{base64_literal(fold_blob(measured['folding']))};\n")
    write_goldens(measured, sets)


def bitmap_digest(points):
    bits = bytearray(LIMIT // 8)
    for i in points:
        bits[i >> 3] |= 1 << (i & 7)
    return hashlib.sha256(bits).hexdigest()


def measure_goldens():
    """SHA-256 of what each mapping makes of a text of all code points, "x" between them."""
    from tokenizers import normalizers
    text = "x".join(map(chr, POINTS))
    mappings = {"NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(),
                "NFKD": normalizers.NFKD(), "Lowercase": normalizers.Lowercase()}
    return {name: hashlib.sha256(mapping.normalize_str(text).encode()).hexdigest() for name, mapping in mappings.items()}


GOLDEN_MACROS = {"FLAG": "bit, name, count, digest", "SEGMENT": "segment, name, count, digest", "CLASS": "name, count, digest", "TEXT": "name, digest"}
GOLDENS_HEAD = "// A test defines what it wants of these; the rest says nothing.\n" + "".join(
    f"#ifndef GOLDEN_{name}\n#define GOLDEN_{name}({parameters})\n#endif\n" for name, parameters in GOLDEN_MACROS.items())
GOLDENS_TAIL = "".join(f"#undef GOLDEN_{name}\n" for name in GOLDEN_MACROS)


def write_goldens(measured, sets):
    """Count and first half of the SHA-256 of the bitmap of each property: what the unit tests hold the tables to."""
    rows = [f'GOLDEN_FLAG({bit}, "{name}", {len(sets[name])}, "{bitmap_digest(sets[name])[:32]}")'
            for bit, name in enumerate(FLAGS)]
    rows += [f'GOLDEN_SEGMENT({PICTOGRAPHIC if name == "pictographic" else SEGMENTS.index(name)}, "{name}", '
             f'{len(points)}, "{bitmap_digest(points)[:32]}")' for name, points in sorted(measured["segments"].items())]
    for family, form in (("category", "{}"), ("posix", "[:{}:]"), ("property", "{}")):
        rows += [f'GOLDEN_CLASS("{form.format(name)}", {len(points)}, "{bitmap_digest(points)[:32]}")'
                 for name, points in measured[family].items()]
    rows += [f'GOLDEN_TEXT("{name}", "{digest[:32]}")' for name, digest in measured["goldens"].items()]
    path = OUT / "unicode_goldens.inc"
    path.write_text("// Generated by tools/make_unicode_tables.py from the behaviour of tokenizers " + VERSION +
                    "; do not edit.\n// clang-format off\n" + GOLDENS_HEAD + "\n".join(rows) + "\n" + GOLDENS_TAIL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measurements", type=pathlib.Path)
    options = parser.parse_args()
    write_all(measure(options.measurements))


if __name__ == "__main__":
    main()
