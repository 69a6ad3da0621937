"""Weights: safetensors opened and touched, GGUF blocks to fp32 and back, each beside its peer in one run."""
import json
import math
import os
import pathlib
import struct
import subprocess
import sys

from harness import ROOT, memory_folder, ratios, save, spread
from peers import ggml

sys.path.insert(0, str(ROOT / "tools"))
import python_env  # noqa: E402

TOOL = ROOT / "build/release/bench/tools/weights_bench"
SIZE = int(os.environ.get("HEARTH_BENCH_BYTES", 500_000_000))
READ = ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S",
        "IQ1_S", "IQ1_M", "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4", "NVFP4", "Q1_0", "Q2_0"]
COMPARED = ("Q8_0", "Q4_0", "Q4_K", "Q6_K")  # with the copy of memory and the gguf package, each by itself
WRITTEN = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL"]


def tool(*arguments):
    out = subprocess.run([TOOL, *map(str, arguments)], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def write_checkpoint(path, bytes_wanted):
    """As a model of some hundred matrices has it."""
    rows, columns, at, header = 1024, 4096, 0, {"__metadata__": {"format": "pt"}}
    for i in range(max(1, bytes_wanted // (rows * columns * 2))):
        end = at + rows * columns * 2
        header[f"model.layers.{i}.mlp.up_proj.weight"] = {"dtype": "BF16", "shape": [rows, columns], "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    block = bytes(range(256)) * 4096
    with open(path, "wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for start in range(0, at, len(block)):
            stream.write(block[:min(len(block), at - start)])


def safetensors_rows(folder):
    path = pathlib.Path(folder) / "model.safetensors"
    write_checkpoint(path, SIZE)
    rounds = tool("load", path, 9)
    ours, plain = [r["hearth"] for r in rounds], [r["mmap"] for r in rounds]
    heads = [r["hearth"] * 1000 for r in tool("header", path, 50)]
    memory = tool("memory", path)[0]
    share = memory["touched"] / memory["tensor"]
    speed = ratios(plain, ours)
    return [
        {"what": f"safetensors: {SIZE // 1_000_000} MB opened and touched, warm: speed / mmap and touch", "goal": ">= 1.0", "unit": "x",
         "value": speed["median"], "spread": speed},
        {"what": "safetensors: opened by its header alone", "goal": "< 1 ms", "unit": "ms", "value": spread(heads)["median"], "spread": spread(heads)},
        {"what": "safetensors: resident after opening", "goal": "small", "unit": "MB", "value": memory["opened"] / 1e6},
        {"what": "safetensors: resident after touching one tensor / its size", "goal": "1", "unit": "x", "value": share},
    ]


class Package:
    """The gguf package in a process of its own: package("write", "Q8_0") gives seconds, NaN where it cannot."""

    def __init__(self):
        python_env.ensure("parity")
        self.process = subprocess.Popen([python_env.python_of("parity"), ROOT / "bench/peers/gguf_quants.py"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __call__(self, what, name):
        self.process.stdin.write(f"{what} {name}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)


def dequantize_rows(detail, package):
    shares, rows = {}, []
    for name in READ:
        rounds = tool("dequantize", name, 5)
        shares[name] = ratios([r["copy"] for r in rounds], [r["hearth"] for r in rounds])
        detail[f"dequantize {name}, GB/s"] = spread([r["bytes"] / r["hearth"] / 1e9 for r in rounds])["median"]
        detail["copy, GB/s"] = spread([r["bytes"] / r["copy"] / 1e9 for r in rounds])["median"]
        if name in COMPARED:
            speed = ratios([package("read", name) for _ in rounds], [r["hearth"] for r in rounds])
            rows.append({"what": f"{name} to fp32: speed / the gguf package's", "goal": ">= 2", "unit": "x", "value": speed["median"], "spread": speed})
    detail["dequantize / copy"] = {name: round(share["median"], 3) for name, share in shares.items()}
    worst = min(shares, key=lambda name: shares[name]["median"])
    rows = rows + [{"what": f"{name} to fp32: bytes moved per second / memcpy", "goal": ">= 0.5", "unit": "x", "value": shares[name]["median"],
             "spread": shares[name]} for name in COMPARED]
    return rows + [{"what": f"slowest of {len(READ)} types ({worst}) to fp32 / memcpy", "goal": ">= 0.5", "unit": "x",
                    "value": shares[worst]["median"], "spread": shares[worst]}]


def quantize_rows(detail, package):
    library = ggml.library()
    rows = []
    for name in WRITTEN:
        ours, theirs, python, equal = [], [], [], True
        for _ in range(3):  # a fresh process each time, so that all three take turns
            for r in tool("quantize", name, 2, library):
                ours.append(r["hearth"])
                theirs.append(r["ggml"])
                equal = equal and r["equal"]
                python.append(package("write", name))
                detail[f"quantize {name}, values/s"] = r["elements"] / r["hearth"]
        detail[f"quantize {name} equals ggml"] = equal
        speed = ratios(theirs, ours)
        rows.append({"what": f"fp32 to {name}, one core: speed / ggml's", "goal": ">= 1.0", "unit": "x", "value": speed["median"], "spread": speed})
        if not math.isnan(python[0]):
            speed = ratios(python, ours)
            rows.append({"what": f"fp32 to {name}: speed / the gguf package's", "goal": ">= 2", "unit": "x", "value": speed["median"], "spread": speed})
    return rows


def main():
    subprocess.run(["ninja", "-C", ROOT / "build/release", "weights_bench"], check=True, stdout=subprocess.DEVNULL)
    detail = {}
    with memory_folder() as folder:
        rows = safetensors_rows(folder)
    with Package() as package:
        rows += dequantize_rows(detail, package) + quantize_rows(detail, package)
    save("weights", rows, detail)


if __name__ == "__main__":
    main()
