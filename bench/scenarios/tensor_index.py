"""The index of tensors: BLAKE3 and statistics of every tensor in one pass on one core, beside the hash alone."""
import json
import os
import subprocess

from harness import ROOT, ratios, save, spread

TOOL = ROOT / "build/release/src/hub/inspector/tensor_scan_bench"
ROUNDS = int(os.environ.get("HEARTH_BENCH_ROUNDS", 5))


def rates():
    """{benchmark: bytes a second} of one round."""
    out = subprocess.run([TOOL, "--benchmark_format=json", "--benchmark_min_time=0.2"], check=True, capture_output=True, text=True).stdout
    return {each["name"]: each["bytes_per_second"] for each in json.loads(out)["benchmarks"]}


def main():
    subprocess.run(["ninja", "-C", ROOT / "build/release", "tensor_scan_bench"], check=True, stdout=subprocess.DEVNULL)
    rounds = [rates() for _ in range(ROUNDS)]
    rows = []
    for kind in ("F32", "BF16"):
        scan, plain = [r[f"Scan/{kind}"] for r in rounds], [r[f"HashOnly/{kind}"] for r in rounds]
        rows.append({"what": f"{kind} tensors hashed and measured, one core", "goal": ">= 1", "unit": "GB/s", "value": spread(scan)["median"] / 1e9,
                     "spread": spread([rate / 1e9 for rate in scan])})
        speed = ratios(scan, plain)
        rows.append({"what": f"{kind}: speed / BLAKE3 alone", "goal": ">= 0.5", "unit": "x", "value": speed["median"], "spread": speed})
    save("tensor_index", rows, {name: spread([r[name] for r in rounds])["median"] for name in rounds[0]})


if __name__ == "__main__":
    main()
