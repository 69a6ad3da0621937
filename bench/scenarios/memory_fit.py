"""Hardware fit: the peak memory that the inspector predicts from headers beside the peak that was measured, for our engine (packed
weights in the cache: every start but the first) and for llama.cpp, on real shapes with seeded weights and contexts from 512 to 8192.

`hearth bench` keeps the keys of the warming prompt beside those of the measured one: two sequences. HEARTH_BENCH_DATA as for the
runtime_* scenarios; HEARTH_BENCH_CASES (hearth/smollm2-135m-Q8_0/512, or a beginning of it) makes a run smaller, and what a smaller
run does not measure stays in the results as it was.
"""
import json
import os
import subprocess
import sys
import tempfile

from engines import peers_python
from harness import BINARY, RESULTS, ROOT, save

sys.path[:0] = [str(ROOT / "bench/peers"), str(ROOT / "bench/tools"), str(ROOT / "bench/scenarios")]
import llama_cpp  # noqa: E402
import llama_memory  # noqa: E402
from runtime_generation import prepare  # noqa: E402

PREDICT = ROOT / "build/release/bench/tools/memory_fit"
MODELS = [("smollm2-135m", "F16"), ("smollm2-135m", "Q8_0"), ("smollm2-135m", "Q4_0"), ("smollm2-135m", "Q4_K_M"), ("gemma-3-270m", "Q8_0")]
CONTEXTS = {"hearth": (512, 2048, 4000), "llama.cpp": (512, 2048, 8192)}


def peak(command):
    """Largest resident set of a child, in bytes."""
    child = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise RuntimeError(f"{command} ended with {status}")
    return usage.ru_maxrss * 1024


def predicted(file, context, sequences, engine):
    out = subprocess.run([PREDICT, file.parent, file.name, str(context), str(sequences), engine], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def hearth_peak(file, context, cache):
    command = [BINARY, "bench", file, "--generate", "2", "--sequences", "1", "--rounds", "1", "--cache-folder", cache, "--prompt"]
    if not (os.path.isdir(cache) and os.path.exists(f"{cache}/{file.name}.done")):
        peak([*command, "16"])
        open(f"{cache}/{file.name}.done", "w").close()
    return peak([*command, str(context)])


def wanted(case):
    return any(case == each or case.startswith(each) for each in os.environ.get("HEARTH_BENCH_CASES", "").split(","))


def main():
    subprocess.run(["ninja", "-C", ROOT / "build/release", "memory_fit"], check=True, stdout=subprocess.DEVNULL)
    python, quantiser, rival = peers_python(), llama_cpp.driver(), llama_memory.driver()
    known = RESULTS / "memory_fit.json"
    detail = json.loads(known.read_text())["detail"] if known.exists() else {}
    with tempfile.TemporaryDirectory() as cache:
        for shape, kind in MODELS:
            file = prepare(shape, kind, python, quantiser)
            for engine, contexts in CONTEXTS.items():
                for context in contexts:
                    case = f"{engine}/{shape}-{kind}/{context}"
                    if not wanted(case):
                        continue
                    sequences = 2 if engine == "hearth" else 1
                    measured = hearth_peak(file, context, cache) if engine == "hearth" else peak([rival, file, context, 2])
                    parts = predicted(file, context, sequences, engine)
                    detail[case] = {"measured": measured, "predicted": parts["total"], "off": parts["total"] / measured - 1, "parts": parts}
                    print(f"{case}: measured {measured / 1e6:.1f} MB, predicted {parts['total'] / 1e6:.1f} MB, {100 * detail[case]['off']:+.1f} %",
                          flush=True)
    rows = []
    for engine in CONTEXTS:
        off = sorted(abs(each["off"]) for case, each in detail.items() if case.startswith(engine + "/"))
        if not off:
            continue
        rows.append({"what": f"{engine}: |predicted - measured peak| / measured, {len(off)} models x contexts", "goal": "<= 0.05", "unit": "x",
                     "value": off[len(off) // 2], "spread": {"median": off[len(off) // 2], "min": off[0], "max": off[-1]}})
    save("memory_fit", rows, detail)


if __name__ == "__main__":
    main()
