#!/usr/bin/env python3
"""Writes src/text/internal/case_tables.inc: the case mappings of the template language, asked of Python's own strings.

    python3 tools/make_case_tables.py

Only what a mapping of one code point to one does not give: several code points, title case, folding, and the two classes
that decide about the small sigma at the end of a word.
"""
import pathlib

OUT = pathlib.Path(__file__).resolve().parents[1] / "src" / "text" / "internal" / "case_tables.inc"
CHARACTERS = [chr(value) for value in range(0x110000) if not 0xD800 <= value < 0xE000]


def rows(name, mapped):
    lines = [f"constexpr CaseMapping {name}[] = {{"]
    lines += ["    {0x%X, {%s}}," % (ord(c), ", ".join("0x%X" % ord(part) for part in text)) for c, text in mapped]
    return lines + ["};"]


def ranges(name, characters):
    spans = []
    for value in map(ord, characters):
        if spans and spans[-1][1] == value - 1:
            spans[-1][1] = value
        else:
            spans.append([value, value])
    return [f"constexpr CaseRange {name}[] = {{", *("    {0x%X, 0x%X}," % (first, last) for first, last in spans), "};"]


def main():
    # Behind a letter a final sigma follows what is cased or passed over; by itself only what is cased.
    cased = [c for c in CHARACTERS if (c + "a").title()[-1] == "a"]
    ignored = [c for c in CHARACTERS if ("A" + c + "Σ").lower()[-1] == "ς" and (c + "Σ").lower()[-1] != "ς"]
    lines = ["// Written by tools/make_case_tables.py from Python's str methods."]
    lines += rows("kLongUpper", [(c, c.upper()) for c in CHARACTERS if len(c.upper()) > 1])
    lines += rows("kLongLower", [(c, c.lower()) for c in CHARACTERS if len(c.lower()) > 1])
    lines += rows("kTitle", [(c, c.title()) for c in CHARACTERS if c.title() != c.upper()])
    lines += rows("kFold", [(c, c.casefold()) for c in CHARACTERS if c.casefold() != c.lower()])
    lines += ranges("kCased", cased) + ranges("kCaseIgnorable", ignored)
    OUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
