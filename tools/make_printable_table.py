#!/usr/bin/env python3
"""Writes src/text/internal/printable_table.inc: the code points where str.isprintable() changes.

repr() in a template escapes what Python's does. The table is Python 3.11's (Unicode 14.0), the oldest version that the
pinned client libraries run on here; later versions print more of the newest scripts.
"""
import pathlib
import sys
import unicodedata

OUT = pathlib.Path(__file__).resolve().parent.parent / "src/text/internal/printable_table.inc"


def main():
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"needs Unicode 14.0.0, this Python has {unicodedata.unidata_version}")
    changes, previous = [], False
    for code in range(0x110000):
        printable = chr(code).isprintable()
        if printable != previous:
            changes.append(f"0x{code:X},")
            previous = printable
    lines, line = [], ""
    for change in changes:
        if len(line) + len(change) + 1 > 100:
            lines.append(line)
            line = ""
        line += (" " if line else "") + change
    OUT.write_text("// Made by tools/make_printable_table.py. Code points at which Python's isprintable() changes, rising.\n"
                   + "\n".join([*lines, line]) + "\n")


if __name__ == "__main__":
    main()
