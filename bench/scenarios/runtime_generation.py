"""Generation with SmolLM2-135M's and Gemma-3-270M's shapes (seeded weights: right for timing only) beside llama.cpp, same GGUF file.

Prefill of 512 tokens to the first answer, and greedy decoding of 1, 4 and 16 sequences. Same threads, each engine on its own
cores, rounds interleaved. Shares: bytes of weights that a step of one sequence must read, over what this machine reads; 2 x
weights x tokens of a prefill, over the int8 peak of the machine's vector units. ik_llama.cpp joins where it is built (see
peers/llama_cpp.py), the OpenVINO GenAI runtime for prefill where it can read the file. HEARTH_BENCH_CASES (as smollm2-135m/Q8_0/1 or smollm2-135m/Q8_0/1/decode4) and HEARTH_BENCH_ROUNDS
make a run smaller; what a smaller run does not measure stays in the results as it was.
"""
import os
import subprocess
import sys

from engines import DATA, RUNTIME_BENCH, Engine, add, compared, figures, measure, peers_python
from harness import ROOT, compiled, spread

sys.path[:0] = [str(ROOT / "bench/peers"), str(ROOT / "bench/tools")]
import llama_cpp  # noqa: E402
import seeded_model  # noqa: E402

SHAPES = ("smollm2-135m", "gemma-3-270m")
TYPES = ("Q8_0", "Q4_0", "Q4_K_M")
CASES = {"prefill512": ("prefill", 512), "decode1": ("decode", 1, 32), "decode4": ("decode", 4, 16), "decode16": ("decode", 16, 8)}
GOALS = {"prefill512": 2, "decode1": 1.2, "decode4": 1.5, "decode16": 1.5}


def prepare(shape, kind, python, driver):
    folder = DATA / "generation"
    folder.mkdir(parents=True, exist_ok=True)
    whole, file = folder / f"{shape}-F16.gguf", folder / f"{shape}-{kind}.gguf"
    if not whole.exists():
        subprocess.run([python, ROOT / "bench/tools/seeded_gguf.py", shape, whole], check=True)
    if not file.exists():
        subprocess.run([driver, "quantize", whole, file, kind], check=True)
    return file


def engines(file, threads, python, driver):
    found = [Engine("hearth", [RUNTIME_BENCH, file, "native", threads], threads), Engine("llama.cpp", [driver, file, threads], threads)]
    ik = llama_cpp.ik_driver()
    if ik:
        found.append(Engine("ik_llama.cpp", [ik, file, threads], threads))
    genai = Engine("openvino genai", [python, ROOT / "bench/peers/generation_openvino.py", file, threads], threads)
    try:
        genai("prefill", 16)
        found.append(genai)
    except RuntimeError:
        pass
    return found


def wanted(shape, kind, threads, case):
    asked = os.environ.get("HEARTH_BENCH_CASES", "")
    own = f"{shape}/{kind}/{threads}/{case}"
    return not asked or any(own == each or own.startswith(each + "/") for each in asked.split(","))


def case_rows(running, case, rounds, title):
    running = [engine for engine in running if case.startswith("prefill") or engine.name != "openvino genai"]
    samples = measure(running, rounds, *CASES[case])
    rows = []
    for rival in samples:
        if rival == "hearth":
            continue
        _, ratio = compared(samples, "hearth", [rival])
        goal = {"llama.cpp": GOALS[case], "ik_llama.cpp": 1}.get(rival, 1.5)
        rows.append({"what": f"{title}, {case}, over {rival}", "goal": f">= {goal}", "unit": "x", "value": ratio["median"], "spread": ratio})
    detail = figures(samples)
    print({name: round(each["per_second"]["median"], 1) for name, each in detail.items()}, flush=True)
    return rows, detail


def machine_limits(threads):
    """GB/s that so many threads read, and int8 operations a second of their vector units (tools/machine_peak.cc)."""
    engine = Engine("machine", [compiled(ROOT / "bench/tools/machine_peak.cc"), threads], threads)
    limits = [engine("measure") for _ in range(3)]
    engine.close()
    return {name: spread([each[name] for each in limits]) for name in limits[0]}


def layer_weights(shape):
    """Weights that every token of a prompt multiplies with: all matrices but the vocabulary, which only the last token meets."""
    return sum(dims[0] * dims[1] for name, dims in seeded_model.tensors(seeded_model.SHAPES[shape])
               if len(dims) == 2 and "embed" not in name)


def share_rows(detail, title, shape, file, limits):
    rows = []
    if "decode1" in detail:
        rate = detail["decode1"]["hearth"]["per_second"]["median"]
        rows.append((f"{title}, decode1, weights read / read bandwidth", file.stat().st_size * rate / limits["bytes_per_second"]["max"]))
    if "prefill512" in detail:
        rate = detail["prefill512"]["hearth"]["per_second"]["median"]
        rows.append((f"{title}, prefill512, products / int8 peak", 2 * layer_weights(shape) * rate / limits["operations_per_second"]["max"]))
    return [{"what": what, "goal": "reported", "unit": "", "value": value} for what, value in rows]


def main():
    python, driver = peers_python(), llama_cpp.driver()
    rounds = int(os.environ.get("HEARTH_BENCH_ROUNDS", "5"))
    for shape in SHAPES:
        for kind in TYPES:
            for threads in (1, 2):
                cases = [case for case in CASES if wanted(shape, kind, threads, case)]
                if not cases:
                    continue
                file = prepare(shape, kind, python, driver)
                running = engines(file, threads, python, driver)
                title = f"{shape} {kind}, {threads} thread{'s' if threads > 1 else ''}"
                own = {}
                for case in cases:
                    rows, own[case] = case_rows(running, case, rounds, title)
                    add("runtime_generation", rows, {f"{title}, {case}": own[case]})
                for engine in running:
                    engine.close()
                limits = machine_limits(threads)
                add("runtime_generation", share_rows(own, title, shape, file, limits), {f"machine, {threads} threads": limits})


if __name__ == "__main__":
    main()
