"""Patterns and texts for the comparison of hearth's regular expressions with Oniguruma.

PATTERNS are those of real tokenizer files; generate() makes random ones of every construct, texts that such
patterns can match included.
"""
import random

GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
CL100K = (r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"""
          r"""|\s+(?!\S)|\s+""")
CL100K_POSSESSIVE = (r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
                     r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s""")
QWEN2 = CL100K.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = (r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
         r"""|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
         r"""|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+""")
PATTERNS = {
    "gpt2": GPT2,
    "cl100k": CL100K,
    "cl100k_possessive": CL100K_POSSESSIVE,
    "qwen2": QWEN2,
    "o200k": O200K,
    "qwen35": CL100K.replace(r"\p{L}+", r"[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]"),
    "deepseek_digits": r"\p{N}{1,3}",
    "deepseek_cjk": "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    "deepseek_words": (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
                       r"""| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""),
    "deepseek_coder": r"\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf]+",
    "deepseek_punctuation": r"\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
    "starcoder_digits": r"\p{Nd}",
    "bloom": "(\\ ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+)",
    "clip": r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""",
    "kimi": (r"""[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"""
             r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"""
             r"""[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
             r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""),
    "whitespace_runs": r"\s{2,}",
    "metaspace_replace": " {2,}",
    "camel_case": r"(?<=[a-z])(?=[A-Z])",
    "viking": r" ?[^(\s|.,!?…。，、।۔،)]+",
    "digits_grouped": r"(?=(\d{3})+(?!\d))",
    "smaug": r"(?:\r?\n)+|[ \t]+(?=\S)|\S+",
    "marian_apostrophe": r"(?<!\p{L})'|'(?!\p{L})",
}

LETTERS = "abcABCsSkKtT\u017f\u212a\u00df\u1e9e\u00e9\u00c9\u0301\u01c5\u0130\u0131\u03c3\u03c2\u03a3\ufb01\ufb03fiFIst\u0149\u02bcn"
OTHERS = "0129\u0663\u00b2\u2167 \u00a0\u3000\t\n\r\x0b\x85\u2028.,'!-_$+\u20ac\u4e2d\u3042\uac00\u200d\U0001f600\U0001f1e9\U0001f1ea\U00010400\U00010428\x00"


def text(random_, size):
    pool = random_.choice([LETTERS, OTHERS, LETTERS + OTHERS, "ab", "aAbB \n", "sS\u00df\u017fe", "fi\ufb01\ufb03Ff"])
    return "".join(random_.choice(pool) for _ in range(random_.randrange(size + 1)))


def literal(random_):
    c = random_.choice(LETTERS + OTHERS + "aaabbb")
    if c in "\\()[]|.*+?^${}-&#" or random_.random() < 0.03:
        return "\\" + c if c in "\\()[]|.*+?^${}-&#" else f"\\x{{{ord(c):x}}}"
    if c in "\n\r\t\x0b\x85\x00":
        return f"\\x{{{ord(c):x}}}"
    return c


CLASSES = [r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\h", r"\H", r"\p{L}", r"\P{L}", r"\p{^N}", r"\p{Lu}", r"\p{Ll}", r"\p{M}",
           r"\p{P}", r"\p{S}", r"\p{Han}", r"\p{Greek}", r"\pL", r"\PN", r"\p{Alnum}", r"\p{Upper}", r"\p{White_Space}"]
POSIX = ["[:alpha:]", "[:^alpha:]", "[:digit:]", "[:upper:]", "[:lower:]", "[:space:]", "[:punct:]", "[:word:]", "[:xdigit:]",
         "[:alnum:]", "[:blank:]", "[:cntrl:]", "[:graph:]", "[:print:]"]


def bracket(random_, depth=0):
    items = []
    for _ in range(random_.randrange(1, 4)):
        kind = random_.random()
        if kind < 0.4:
            items.append(literal(random_))
        elif kind < 0.6:
            low, high = sorted(random_.sample("abcsSkKzZ019\u00df\u00e9\u0130\u4e2d", 2))
            items.append(f"{low}-{high}")
        elif kind < 0.8:
            items.append(random_.choice(CLASSES))
        elif kind < 0.9:
            items.append(random_.choice(POSIX))
        elif depth < 2:
            items.append(bracket(random_, depth + 1))
    body = "".join(items) or "a"
    if random_.random() < 0.12:
        body += "&&" + (bracket(random_, depth + 1) if depth < 2 else "a-z")
    return "[" + ("^" if random_.random() < 0.25 else "") + body + "]"


def atom(random_, depth):
    kind = random_.random()
    if kind < 0.42 or depth <= 0:
        return literal(random_)
    if kind < 0.50:
        return random_.choice(CLASSES)
    if kind < 0.62:
        return bracket(random_)
    if kind < 0.66:
        return random_.choice([".", r"\R", r"\X", r"\N", r"\O"])
    inner = alternatives(random_, depth - 1)
    if kind < 0.74:
        return f"(?:{inner})"
    if kind < 0.80:
        return f"({inner})"
    if kind < 0.84:
        return f"(?>{inner})"
    if kind < 0.90:
        return f"(?{random_.choice(['i', 'm', 'i', 'i-m', 'x', 'im'])}:{inner})"
    if kind < 0.95:
        return f"(?{random_.choice('=!')}{inner})"
    simple = "".join(literal(random_) for _ in range(random_.randrange(1, 3)))
    return f"(?<{random_.choice('=!')}{random_.choice([simple, random_.choice(CLASSES), bracket(random_)])})"


def quantifier(random_):
    if random_.random() < 0.6:
        return ""
    return random_.choice(["*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{,2}", "{2,}", "{1,3}?", "{0,1}",
                           "{2}?", "{3,1}", "{1,2}+", "{0}", "**", "+?*", "??+", "{,}", "{1", "*{2}", "+{1,2}", "?{2,}?"])


def sequence(random_, depth):
    parts = []
    for _ in range(random_.randrange(1, 4)):
        if random_.random() < 0.07:
            parts.append(random_.choice(["^", "$", r"\A", r"\z", r"\Z", r"\b", r"\B", r"\G"]))
            continue
        part = atom(random_, depth)
        # What takes nothing may not be repeated; now and then it is, to see both refuse.
        nothing = part.startswith(("(?=", "(?!", "(?<=", "(?<!")) and random_.random() < 0.95
        parts.append(part if nothing else part + quantifier(random_))
        if random_.random() < 0.04:
            parts.append(random_.choice(["(?i)", "(?m)", "(?-i)", "(?#note)", "(?x) ", "(?i-m)"]))
    return "".join(parts)


def alternatives(random_, depth):
    return "|".join(sequence(random_, depth) for _ in range(random_.choice([1, 1, 1, 2, 3])))


def generate(seed):
    """One pattern and some texts."""
    random_ = random.Random(seed)
    pattern = alternatives(random_, random_.randrange(1, 4))
    if random_.random() < 0.12:
        pattern = "(?i)" + pattern
    form = random_.random()
    inner = random_.choice(["a", "b", ".", "s+", r"\w*?", "(?i:k)", "a|b"])
    if form < 0.06:
        pattern = f"({inner})" + pattern + r"\1"
    elif form < 0.10:
        pattern = f"(?<n>{inner})" + pattern + random_.choice([r"\k<n>", r"(?i:\k'n')", r"\k<n>+"])
    elif form < 0.11:
        pattern = f"{literal(random_)}\\K" + pattern  # not inside look-ahead: onig's find_iter never ends then
    elif form < 0.13:
        pattern = f"(?:({inner})|({pattern}))+" + random_.choice([r"\1", r"\2", r"\k<-1>"])
    return pattern, [text(random_, 14) for _ in range(6)]
