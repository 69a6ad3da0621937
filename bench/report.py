#!/usr/bin/env python3
"""Writes docs/performance.md from bench/results/*.json."""
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORDER = ["startup", "hot_requests", "download", "upload", "commits", "clone", "list_million", "large_folder",
         "xet_upload", "xet_download", "xet_resolve", "xet_dedup_miss", "xet_edit", "xet_memory", "weights", "tokenizers",
         "runtime_embeddings", "runtime_generation", "runtime_quality", "runtime_server", "model_start", "site_first_load", "tensor_index",
         "memory_fit"]

NOTES = {
    "list_million": "A million models, a hundred thousand data sets and fifty thousand Spaces; one account owns nine tenths of them, an organisation the "
    "rest, and each model holds a large object. p99 of one client at a time, over HTTP, with a hub that has been started and is at rest; smallest and "
    "largest of all requests. `worked` has 62 commits, 12 layers of weights and a card of 100 kB. FTS5 "
    "answers in a process of its own what is asked, the best 20 with snippets and the number of matches, every fifth query.",
    "memory_fit": "Peaks of resident memory of `hearth bench` with packed weights in its cache, and of llama.cpp with a full context; the prediction "
    "reads headers and configuration only. Cases and parts are in the results.",
    "xet_upload": "Of the server's CPU 0.6 s a gigabyte are SHA-256, a chain of dependent instructions that BLAKE3 fills the gaps of; LZ4 takes "
    "0.1 to 0.2 s of what compresses; the rest is the kernel's, and 0.25 s more where files are cached in pages of 4 KiB.",
    "xet_resolve": "What compresses is decoded and then copied into the socket, while a whole file goes out without a copy. Of 0.45 s a gigabyte of "
    "bf16 a fifth is LZ4 and the regrouping of its bytes, a sixth that copy, and a sixth the reading of what is cached in pages of 4 KiB, which "
    "large pages make cheap. That sixth is where the pages lie, not how they are asked for: to map xorbs instead of reading them, or to fetch pages "
    "ahead, changed nothing measurable. The machine's disk (ext4) is cached in large pages.",
    "xet_edit": "Bytes do not depend on what else the machine does; seconds do, and the results say under which load they were taken.",
    "runtime_embeddings": "MiniLM is the real model; ids are given, pooling is included. Rivals run at their best known: onnxruntime's "
    "fused graph, its dynamic int8 with a scale per output. Plain fp32 products run at the peak of the machine's multiply-adds (83% of the "
    "time of 32 x 128 tokens, about 110 GFLOP/s of one Zen 4 core), and the best rival is near it too; ours save an eighth of them by seven products "
    "of halves in place of eight.",
    "runtime_quality": "A Llama of 2 M parameters trained on English, 32 windows of 256 tokens that it has not seen; the reference is transformers in fp32. "
    "Files are llama.cpp's quantisations of the same weights. Smallest and largest are those of a window.",
    "runtime_generation": "Real shapes, seeded weights: speeds are valid, texts are not. Files are llama.cpp's own quantisations. A peak is the best of "
    "three short runs of tools/machine_peak.cc. OpenVINO GenAI 2026.4.1 refuses these GGUF files on this CPU, so no row compares it.",
}


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
    lines += [line for name in names if name in NOTES for line in ("", f"{name}: {NOTES[name]}")]
    lines += ["", "Machines: " + "; ".join(
        f"{r['machine']['cpu']}, {r['machine']['cores']} cores ({', '.join(r['machine']['flags'])}), Linux {r['machine']['kernel']}, {r['date']}"
        for r in machines.values()) + ". Client, server and peer share the cores.", ""]
    (ROOT / "docs/performance.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
