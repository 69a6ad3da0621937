"""Generated texts for the tokenizer tests: every kind of character and of neighbourhood, from a seed."""
import os
import random

LONG = os.environ.get("HEARTH_LONG", "0") == "1"

WORDS = ("the quick Brown fox jumps over lazy dogs I'm don't they'll we've YOU'RE he'd it's O'Neill hello world token "
         "self.attention nn.Linear print(x) https://example.com/a?b=c&d=e user@mail.org 3.14 1,000,000 2024-01-31 0x1F "
         "foo_bar camelCase HTTPServer naïve café Straße ŒUVRE İstanbul ǅ ﬁnance Ångström Ωmega Здравствуй мир ΣΊΣΥΦΟΣ "
         "مرحبا بالعالم שלום עולם नमस्ते दुनिया สวัสดีชาวโลก こんにちは 世界 カタカナ ｶﾀｶﾅ 한국어 안녕하세요 你好 繁體字 𠜎𠜱 "
         "ಕನ್ನಡ தமிழ் മലയാളം ქართული Հայերեն አማርኛ ᏣᎳᎩ 𝒜𝓁𝑔 ① Ⅷ ½ x² H₂O ™ ㎏ ﷺ").split()
SPACES = [" "] * 12 + ["  ", "   ", "\n", "\n\n", "\t", "\r\n", "\r", " \n ", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085",
                       "\u200b", "\u1680", "\ufeff", "\v", "\f", "\x1c"]
MARKS = list(".,;:!?'\"()[]{}<>/\\|@#$%^&*-_=+~`") + ["...", "--", "—", "“", "”", "«", "»", "、", "。", "？", "¿", "·", "⁂", "₿", "©", "°"]
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "🇺", "❤️", "1️⃣", "🧑🏿‍🚀", "☃", "✂️", "🫠", "\u200d", "\ufe0f"]
COMBINING = ["e\u0301", "a\u0308\u0323", "\u0301", "o\u0302\u0323\u0301", "\u1100\u1161\u11a8", "\uac00\u11a8", "\u0b47\u0b56", "\u09c7\u09be",
             "s\u0323\u0307", "\u1e9b\u0323", "\u212b", "\ufb01", "\u0340", "\u0344", "\u2126", "n\u0303o", "\u0f71\u0f72\u0f74", "\u3099", "か\u3099",
             "\u0915\u094d\u0937", "\u200e", "\u202e", "Z\u0327\u0301\u0300\u0316"]
CONTROLS = ["\x00", "\x01", "\x08", "\x0b", "\x1f", "\x7f", "\x80", "\x9f", "\xad", "\u2060", "\ufffd", "\ufffe", "\uffff", "\ue000", "\uf8ff",
            "\U000f0000", "\U0010ffff", "\u0378", "\u2581", "▁▁", "Ġ", "Ċ", "Â", "\u0600", "\u061c", "\U000e0001"]
SPECIALS = ["[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "<s>", "</s>", "<unk>", "<pad>", "<mask>", "<|endoftext|>", "<|im_start|>",
            "<|begin_of_text|>", "<|eot_id|>", "<bos>", "<start_of_turn>", "<0x41>", "[INST]", "<|", "|>", "<|endoftext", "[CLS", "<fim_prefix>"]


def random_code_point(rng):
    """Any scalar value; half of them from where there are characters."""
    while True:
        value = rng.choice((rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0x11000), rng.randrange(0x20000),
                            rng.randrange(0x110000)))
        if not 0xD800 <= value < 0xE000:
            return chr(value)


def piece(rng):
    kind = rng.random()
    if kind < 0.45:
        word = rng.choice(WORDS)
        return rng.choice((word, word, word.upper(), word.title(), word[:rng.randint(1, len(word))]))
    if kind < 0.58:
        return rng.choice(MARKS)
    if kind < 0.66:
        return str(rng.randrange(10 ** rng.randint(1, 9)))
    if kind < 0.73:
        return rng.choice(COMBINING)
    if kind < 0.79:
        return rng.choice(EMOJI)
    if kind < 0.84:
        return rng.choice(CONTROLS)
    if kind < 0.90:
        return rng.choice(SPECIALS)
    if kind < 0.97:
        return "".join(random_code_point(rng) for _ in range(rng.randint(1, 4)))
    return rng.choice(["a", "-", " ", "é", "中", "=", "1", "▁", "ab", "\n", "Aa", "🇫"]) * rng.randint(2, 40)


def text(rng):
    size = rng.choice((0, 1, 1, 2, 3, 5, 8, 13))
    made = []
    for _ in range(size):
        made.append(piece(rng))
        if rng.random() < 0.7:
            made.append(rng.choice(SPACES))
    if rng.random() < 0.15:
        made.insert(0, rng.choice(SPACES))
    return "".join(made)


FIXED = ["", " ", "  ", "a", "\n", "é", "e\u0301", "中", "😀", "\u2581", "\u0301", "\x00", "Hello world", " Hello  world ", "Hello,world!?",
         "▁Hello▁world", "\u3000x\u3000", "ab" * 100, "👩‍👩‍👧‍👦" * 3, "\r\n\r\n", "a\r\nb", "İ", "ǆǅ", "\ufffd", "<s>", "[MASK] [MASK]", "  [MASK]  "]


def texts(count, seed=1):
    rng = random.Random(seed)
    return FIXED + [text(rng) for _ in range(count)]


def every_code_point(chunk=61):
    """All scalar values in rising order, `chunk` to a text; a prime number, so that blocks do not line up with texts."""
    values = [value for value in range(0x110000) if not 0xD800 <= value < 0xE000]
    return ["".join(map(chr, values[start:start + chunk])) for start in range(0, len(values), chunk)]


def every_code_point_spaced(chunk=40):
    """The same with a letter between, so that no character meets another."""
    return ["a".join(part) for part in every_code_point(chunk)]
