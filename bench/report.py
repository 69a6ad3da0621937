#!/usr/bin/env python3
"""Writes docs/performance.md from bench/results/*.json."""
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORDER = ["startup", "hot_requests", "download", "upload", "commits", "clone", "list_million",
         "xet_upload", "xet_download", "xet_resolve", "xet_dedup_miss", "xet_edit", "xet_memory", "weights", "tokenizers",
         "model_start"]


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def main():
    records = {file.stem: json.loads(file.read_text()) for file in (ROOT / "bench/results").glob("*.json")}
    names = [name for name in ORDER if name in records] + sorted(set(records) - set(ORDER))
    lines = ["# Performance", "",
             "Measured by `script/bench`: Hearth and its peer on the same input, interleaved in one run; a ratio is formed round by",
             "round, and its median stands here with the smallest and largest. Written by `bench/report.py` from `bench/results/`.", "",
             "| scenario | what | goal | median | min | max |", "|---|---|---|---|---|---|"]
    for name in names:
        for row in records[name]["rows"]:
            low = number(row["spread"]["min"]) if "spread" in row else ""
            high = number(row["spread"]["max"]) if "spread" in row else ""
            lines.append(f"| {name} | {row['what']} | {row['goal']} | {number(row['value'])} {row['unit']} | {low} | {high} |")
    machines = {json.dumps(record["machine"], sort_keys=True): record for record in records.values()}
    lines += ["", "Machines: " + "; ".join(
        f"{r['machine']['cpu']}, {r['machine']['cores']} cores ({', '.join(r['machine']['flags'])}), Linux {r['machine']['kernel']}, {r['date']}"
        for r in machines.values()) + ". Client, server and peer share the cores.", ""]
    (ROOT / "docs/performance.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
