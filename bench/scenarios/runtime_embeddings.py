"""all-MiniLM-L6-v2 embeddings: Hearth beside onnxruntime, CTranslate2, OpenVINO and torch, ids given, pooling included.

Two classes: fp32, and int8 (weights and activations). Every engine gets the same ids, the same threads and its own cores;
rounds interleave. "ragged" is 128 real sentences in one call: rivals get them sorted by length, 32 at a time. Rivals run in the
environment `runtime_peers` (tools/python_env.py) or under HEARTH_PEERS_PYTHON; their models are made once into HEARTH_BENCH_DATA.
HEARTH_BENCH_CASES (as int8/1, fp32/2, int8/1/ragged: class, threads, case) and HEARTH_BENCH_ROUNDS make a run smaller; what a
smaller run does not measure stays in the results as it was. HEARTH_BENCH_WITHOUT leaves rivals out by name.
"""
import os
import subprocess

from engines import DATA, RUNTIME_BENCH, Engine, add, compared, figures, measure, peers_python
from harness import ROOT

MODEL = ROOT / ".cache/testdata/minilm"
SENTENCES = 128
CASES = {"1x16": (1, 16), "1x128": (1, 128), "1x256": (1, 256), "32x16": (32, 16), "32x128": (32, 128), "32x256": (32, 256)}
GOALS = {"int8": 1.3, "fp32": 1.1}
MILLISECONDS = 120


def prepare(python):
    folder = DATA / "minilm"
    if not (folder / "ct2/model.bin").exists():
        subprocess.run([python, ROOT / "bench/peers/embeddings_models.py", MODEL, folder], check=True)
    texts = folder / "sentences.txt"
    if not texts.exists():
        subprocess.run([python, ROOT / "bench/peers/embeddings_texts.py", MODEL / "tokenizer.json",
                        ROOT / ".cache/testdata/text/english.txt", texts, str(SENTENCES)], check=True)
    return folder, texts


def engines(kind, threads, python, folder):
    def rival(name, *words):
        return [python, ROOT / f"bench/peers/embeddings_{name}.py", *words]
    if kind == "int8":
        commands = {"hearth": [RUNTIME_BENCH, MODEL, "int8", threads],
                    "onnxruntime": rival("onnxruntime", folder / "int8.onnx", threads),
                    "ctranslate2": rival("ctranslate2", folder / "ct2", threads, "int8"),
                    "openvino": rival("openvino", folder / "plain_int8.onnx", threads, "fp32")}
    else:
        commands = {"hearth": [RUNTIME_BENCH, MODEL, "fp32", threads],
                    "onnxruntime": rival("onnxruntime", folder / "fp32.onnx", threads),
                    "ctranslate2": rival("ctranslate2", folder / "ct2", threads, "float32"),
                    "openvino": rival("openvino", folder / "plain.onnx", threads, "fp32"),
                    "torch": rival("torch", MODEL, threads)}
    without = os.environ.get("HEARTH_BENCH_WITHOUT", "").split(",")
    return [Engine(name, command, threads) for name, command in commands.items() if name not in without]


def working(running, texts):
    """Those that can run the model; a rival that cannot is left out by name."""
    able = []
    for engine in running:
        try:
            engine("texts", texts)
            engine("embed", 1, 16, 1)
            able.append(engine)
        except RuntimeError:
            print(f"{engine.name} cannot run this", flush=True)
    return able


def wanted(kind, threads, case):
    asked = os.environ.get("HEARTH_BENCH_CASES", "")
    own = f"{kind}/{threads}/{case}"
    return not asked or any(own == each or own.startswith(each + "/") for each in asked.split(","))


def main():
    python = peers_python()
    folder, texts = prepare(python)
    rounds = int(os.environ.get("HEARTH_BENCH_ROUNDS", "5"))
    for kind in GOALS:
        for threads in (1, 2):
            cases = [case for case in [*CASES, "ragged"] if wanted(kind, threads, case)]
            if not cases:
                continue
            running = working(engines(kind, threads, python, folder), texts)
            names = [engine.name for engine in running if engine.name != "hearth"]
            for case in cases:
                words = ("ragged", MILLISECONDS) if case == "ragged" else ("embed", *CASES[case], MILLISECONDS)
                samples = measure(running, rounds, *words)
                rival, ratio = compared(samples, "hearth", names)
                goal = 2 if case == "ragged" else 1.5 if case == "1x16" else GOALS[kind]
                what = f"{kind}, {threads} thread{'s' if threads > 1 else ''}, {case}"
                row = {"what": what + ", over the best peer", "goal": f">= {goal}", "unit": f"x {rival}", "value": ratio["median"],
                       "spread": ratio}
                detail = figures(samples)
                print(what, {name: round(each["per_second"]["median"], 1) for name, each in detail.items()}, flush=True)
                add("runtime_embeddings", [row], {what: detail})
            for engine in running:
                engine.close()


if __name__ == "__main__":
    main()
