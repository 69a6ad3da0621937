#!/usr/bin/env python3
"""Makes src/hub/inspector/licences/licence_prints.inc: by what words the texts of licences are known.

No text is kept: of each, some hashes of five words in a row. SAMPLE are the smallest ones (a fair
sample of the text: the share of them found in a file is the share of the licence found in it), UNIQUE
the smallest ones that no other licence has, which tell apart texts that share most of their words.
CORE says how many words the binding part has (without preambles about how to apply the licence), the
hash of its first five words and the SHA-256 of all of them: a file that holds them word for word.

The texts come from the Python package scancode-toolkit-mini 32.5.0 (folder
licensedcode/data/licenses, *.LICENSE: YAML between "---" lines, then the text):

    pip download --no-deps scancode-toolkit-mini==32.5.0
    unzip scancode_toolkit_mini-*.whl 'licensedcode/data/licenses/*'
    tools/licence_prints.py licensedcode/data/licenses

The words are made as in licence_words.cc.
"""
import argparse
import collections
import hashlib
import pathlib
import re

SAMPLE, UNIQUE, WORDS = 40, 16, 5
OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "src/hub/inspector/licences/licence_prints.inc"

# Licence id on cards -> files of its texts.
CARD_IDS = """
apache-2.0 apache-2.0
mit mit
bigscience-openrail-m bigscience-open-rail-m
creativeml-openrail-m stable-diffusion-2022-08-22
bigscience-bloom-rail-1.0 bigscience-rail-1.0
bigcode-openrail-m bigcode-open-rail-m-v1
openrail++ bigscience-open-rail-m2
afl-3.0 afl-3.0
artistic-2.0 artistic-2.0
bsl-1.0 boost-1.0
bsd-2-clause bsd-simplified
bsd-3-clause bsd-new
bsd-3-clause-clear clear-bsd
c-uda c-uda-1.0
cc0-1.0 cc0-1.0
cc-by-2.0 cc-by-2.0
cc-by-2.5 cc-by-2.5
cc-by-3.0 cc-by-3.0
cc-by-4.0 cc-by-4.0
cc-by-sa-3.0 cc-by-sa-3.0
cc-by-sa-4.0 cc-by-sa-4.0
cc-by-nc-2.0 cc-by-nc-2.0
cc-by-nc-3.0 cc-by-nc-3.0
cc-by-nc-4.0 cc-by-nc-4.0
cc-by-nd-4.0 cc-by-nd-4.0
cc-by-nc-nd-3.0 cc-by-nc-nd-3.0
cc-by-nc-nd-4.0 cc-by-nc-nd-4.0
cc-by-nc-sa-2.0 cc-by-nc-sa-2.0
cc-by-nc-sa-3.0 cc-by-nc-sa-3.0
cc-by-nc-sa-4.0 cc-by-nc-sa-4.0
cdla-sharing-1.0 cdla-sharing-1.0
cdla-permissive-1.0 cdla-permissive-1.0
cdla-permissive-2.0 cdla-permissive-2.0
wtfpl wtfpl-2.0
ecl-2.0 ecl-2.0
epl-1.0 epl-1.0
epl-2.0 epl-2.0
etalab-2.0 etalab-2.0-en
etalab-2.0 etalab-2.0-fr
eupl-1.1 eupl-1.1
eupl-1.2 eupl-1.2
agpl-3.0 agpl-3.0
gfdl gfdl-1.1
gfdl gfdl-1.2
gfdl gfdl-1.3
gpl-2.0 gpl-2.0
gpl-3.0 gpl-3.0
lgpl-2.1 lgpl-2.1
lgpl-3.0 lgpl-3.0
isc isc
lppl-1.3c lppl-1.3c
ms-pl ms-pl
apple-ascl apple-excl
apple-ascl apple-sscl
mpl-2.0 mpl-2.0
odc-by odc-by-1.0
odbl odbl-1.0
openmdw-1.0 openmdw-1.0
osl-3.0 osl-3.0
postgresql postgresql
ofl-1.1 ofl-1.1
ncsa uoi-ncsa
unlicense unlicense
zlib zlib
pddl pddl-1.0
lgpl-lr lgpllr
llama2 llama-2-license-2023
llama3.1 llama-3.1-license-2024
llama3.2 llama-3.2-license-2024
llama3.3 llama-3.3-license-2024
llama4 llama-4-cla-2025
gemma gemma-tou-2024-04-01
gemma gemma-tou-2025-03-24
"""

# Known texts without an id of their own: cards say "other".
OTHERS = {
    "bsd-original": "BSD 4-Clause License",
    "mit-0": "MIT No Attribution",
    "gpl-1.0": "GNU General Public License 1",
    "lgpl-2.0": "GNU Library General Public License 2",
    "mpl-1.1": "Mozilla Public License 1.1",
    "artistic-1.0": "Artistic License 1.0",
    "cc-by-sa-2.0": "Creative Commons Attribution-ShareAlike 2.0",
    "cc-by-nd-3.0": "Creative Commons Attribution-NoDerivatives 3.0",
    "bsl-1.1": "Business Source License 1.1",
    "elastic-license-v2": "Elastic License 2.0",
    "polyform-noncommercial-1.0.0": "PolyForm Noncommercial License 1.0.0",
    "hippocratic-3.0": "Hippocratic License 3.0",
    "llama-license-2023": "LLaMA License (2023)",
    "tongyi-qianwen-2023": "Tongyi Qianwen License Agreement",
    "qwen-2024": "Qwen License Agreement",
    "deepseek-la-1.0": "DeepSeek License Agreement 1.0",
    "falcon-2-11b-1.0": "Falcon 2 11B TII License 1.0",
    "stability-ai-community-2024": "Stability AI Community License",
    "stability-ai-nc-2023-12-06": "Stability AI Non-Commercial Research Community License",
    "nvidia-open-model-2025-04-28": "NVIDIA Open Model License",
}


RESPELLED = {"licence": "license", "licences": "licenses", "https": "http"}
ITEM = re.compile(r"[^a-z0-9(]*\(?([a-z]|[0-9]{1,2})[.)]", re.I)
# Where the binding part of a text begins and ends, when not with the text.
BEGIN = "everyone is permitted to copy and distribute verbatim copies".split()
END = "end of terms and conditions".split()


def words(text):
    found = []
    for line in text.split("\n"):
        line = re.sub(r"[^\x00-\x7f]", " ", line)
        line = line[ITEM.match(line).end() :] if ITEM.match(line) else line
        row = [RESPELLED.get(word, word) for word in re.findall(r"[a-z0-9]+", line.lower())]
        if row and row[0] == "copyright":
            continue
        found += row
    return found


def shingles(row):
    hashes = set()
    for at in range(max(1, len(row) - WORDS + 1)):
        value = 0xCBF29CE484222325
        for word in row[at : at + WORDS]:
            for byte in word.encode() + b" ":
                value = ((value ^ byte) * 0x100000001B3) % (1 << 64)
        hashes.add((value ^ (value >> 32)) % (1 << 32))
    return hashes


def find(row, part):
    return next((at for at in range(len(row)) if row[at : at + len(part)] == part), None)


def core(row):
    begin, end = find(row, BEGIN), find(row, END)
    return row[begin or 0 : None if end is None else end + len(END)]


def body(path):
    text = path.read_text(encoding="utf-8", errors="replace")
    return text.split("\n---\n", 1)[1] if text.startswith("---\n") else text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    texts = [(*line.split(), "") for line in CARD_IDS.strip().splitlines()]
    texts += [("other", file, name) for file, name in OTHERS.items()]
    rows, owners = [], collections.defaultdict(set)
    for licence, file, name in texts:
        path = folder / f"{file}.LICENSE"
        if not path.exists():
            raise SystemExit(f"{path} is missing")
        row = words(body(path))
        hashes = shingles(row)
        rows.append((licence, file, name, row, hashes))
        for value in hashes:
            owners[value].add(licence if licence != "other" else name)

    def hexes(values):
        return ", ".join(f"0x{value:08x}" for value in values)

    lines = [
        "// Made by tools/licence_prints.py from the texts of scancode-toolkit-mini 32.5.0: do not edit.",
        "//   HEARTH_LICENCE_PRINT(id, name, words, words of the core, its first hash, its SHA-256 (16 bytes), (sample), (unique))",
    ]
    for licence, file, name, row, hashes in rows:
        kept = core(row)
        (first,) = shingles(kept[:WORDS])
        digest = hashlib.sha256(" ".join(kept).encode()).hexdigest()[:32]
        sample = sorted(hashes)[:SAMPLE]
        unique = [value for value in sorted(hashes) if len(owners[value]) == 1][:UNIQUE]
        lines.append(
            f'HEARTH_LICENCE_PRINT("{licence}", "{name}", {len(row)}, {len(kept)}, 0x{first:08x}, "{digest}", '
            f"({hexes(sample)}), ({hexes(unique)}))"
        )
        print(f"{licence:36} {file:34} {len(row):6} words {len(kept):6} core {len(sample):3} sample {len(unique):3} unique")
    OUTPUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
