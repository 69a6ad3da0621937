#!/usr/bin/env python3
"""Writes src/text/internal/character_tables.inc: what Python's str methods say of characters and no Unicode class does.

isprintable() decides what repr() escapes; isdigit() and isnumeric() know more characters than the classes Nd and N. The tables are
Python 3.11's (Unicode 14.0), the oldest version that the pinned client libraries run on here; later versions print more of the
newest scripts.
"""
import pathlib
import sys
import unicodedata

OUT = pathlib.Path(__file__).resolve().parent.parent / "src/text/internal/character_tables.inc"
TABLES = {
    "kPrintableChanges": ("isprintable()", str.isprintable),
    "kDigitChanges": ("isdigit() without isdecimal()", lambda c: c.isdigit() and not c.isdecimal()),
    "kNumericLetterChanges": ("isnumeric() with isalpha()", lambda c: c.isnumeric() and c.isalpha()),
}


def changes(test):
    found, previous = [], False
    for code in range(0x110000):
        holds = bool(test(chr(code)))
        if holds != previous:
            found.append(f"0x{code:X},")
            previous = holds
    return found


def main():
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"needs Unicode 14.0.0, this Python has {unicodedata.unidata_version}")
    text = "// Made by tools/make_character_tables.py. Code points at which an answer of Python's changes, rising.\n"
    for name, (what, test) in TABLES.items():
        text += f"\n// {what}\nconstexpr char32_t {name}[] = {{\n"
        line = ""
        for change in changes(test):
            if len(line) + len(change) + 1 > 100:
                text += line + "\n"
                line = ""
            line += (" " if line else "") + change
        text += line + "\n};\n"
    OUT.write_text(text)


if __name__ == "__main__":
    main()
