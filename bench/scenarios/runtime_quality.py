"""What quantised weights cost: a small trained Llama on real text that it has not seen, Hearth beside llama.cpp, same GGUF files.

The model is tools/train_small_models.py's; llama.cpp's quantiser makes the files from its weights in full. Both engines read the
same windows, all of the text of either kind that the model was trained on and has not seen, with a cache of 16-bit floats, and are
compared with transformers in fp32: the divergence is KL(fp32 || engine) in nats a token, the perplexity that of the next tokens. How
far that of one rounding is above or below another's is chance to a degree, which the goal takes in: two standard errors of the
difference over the windows. Prose alone, a quarter of the windows, leaves chance of the size of the differences: its Q4_1 was
0.011 % above llama.cpp's with a standard error of 0.005, that of 256 windows 0.0015 % below with one of 0.0018, while the divergence,
which is paired token by token, was the smaller one throughout. Nothing is timed.
ik_llama.cpp joins where it is built.
The model is trained in the environment `parity`. HEARTH_BENCH_CASES (as Q4_0,Q6_K) makes a run smaller.
"""
import json
import math
import os
import statistics
import subprocess
import sys

from engines import RUNTIME_BENCH, Engine, add, peers_python
from harness import BINARY, ROOT, spread, temp_folder

sys.path[:0] = [str(ROOT / "bench/peers"), str(ROOT / "tools")]
import llama_cpp  # noqa: E402
import train_small_models  # noqa: E402

TYPES = ("Q8_0", "Q6_K", "Q5_K_M", "Q5_1", "Q5_0", "Q4_K_M", "Q4_1", "Q4_0")
OWN = ("bf16", "int8", "int4")  # made by Hearth from the checkpoint
UNSEEN = ("prose", "documentation")
WINDOW = 256


class Judge:
    """Compares engines' scores with those of transformers."""

    def __init__(self, home, python, folder):
        self.python, self.ids, self.expected, self.scores = python, folder / "ids.txt", folder / "expected.bin", folder / "scores.bin"
        texts = [folder / f"{kind}.txt" for kind in UNSEEN]
        for kind, text in zip(UNSEEN, texts):
            text.write_text(train_small_models.halves(train_small_models.text_of(kind))[1])
        self.ids.write_text(self.tool("windows", home / "llama/tokenizer.json", WINDOW, *texts))
        self.windows = len(self.ids.read_text().splitlines())
        subprocess.run([python, ROOT / "bench/peers/logits_torch.py", home / "llama", self.ids, self.expected], check=True)

    def tool(self, *words):
        command = [self.python, ROOT / "bench/tools/prediction_quality.py", *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def __call__(self, command):
        """{measure: (of all windows, spread of windows)}"""
        engine = Engine(str(command[0]), command, 1)
        engine("logits", self.ids, self.scores)
        engine.close()
        found = json.loads(self.tool("compare", self.ids, self.expected, self.scores))
        self.perplexity = math.exp(statistics.mean(found["exact"]))
        rises = [made - exact for made, exact in zip(found["surprise"], found["exact"])]
        return {"divergence": (statistics.mean(found["divergence"]), spread(found["divergence"])),
                "rise": (100 * math.expm1(statistics.mean(rises)), spread([100 * math.expm1(rise) for rise in rises])),
                "rises": [100 * math.expm1(rise) for rise in rises]}


def asked(name):
    cases = os.environ.get("HEARTH_BENCH_CASES", "")
    return not cases or name in cases.split(",")


def goal_of(key, found):
    if "llama.cpp" not in found:
        return "reported"
    most = found["llama.cpp"][key][0]
    if key == "rise":
        differences = [ours - theirs for ours, theirs in zip(found["hearth"]["rises"], found["llama.cpp"]["rises"])]
        most += 2 * statistics.stdev(differences) / math.sqrt(len(differences))
    return f"<= {most:.3g}"


def rows_of(name, found):
    """Hearth's numbers, each beside the others'; the spread is that of the windows."""
    rows = []
    for key, what, unit in (("divergence", "divergence to fp32", "nats a token"), ("rise", "perplexity above fp32's", "%")):
        for engine, each in found.items():
            goal = "(peer)" if engine != "hearth" else goal_of(key, found)
            rows.append({"what": f"{name}: {what}" + ("" if engine == "hearth" else f", {engine}"), "goal": goal, "unit": unit,
                         "value": each[key][0], "spread": each[key][1]})
    return rows


def main():
    home, python, driver, ik = train_small_models.ensure(), peers_python(), llama_cpp.driver(), llama_cpp.ik_driver()
    with temp_folder() as folder:
        judge, whole = Judge(home, python, folder), folder / "whole.gguf"
        for kind in filter(asked, OWN):
            add("runtime_quality", rows_of(f"checkpoint as {kind}", {"hearth": judge([RUNTIME_BENCH, home / "llama", kind, 1])}), {})
        subprocess.run([BINARY, "convert", home / "llama", whole, "--type", "F32"], check=True, stdout=subprocess.DEVNULL)
        for kind in filter(asked, TYPES):
            file = folder / f"{kind}.gguf"
            subprocess.run([driver, "quantize", whole, file, kind], check=True)
            commands = {"hearth": [RUNTIME_BENCH, file, "native", 1], "llama.cpp": [driver, file, 1]}
            if ik:
                commands["ik_llama.cpp"] = [ik, file, 1]
            add("runtime_quality", rows_of(kind, {name: judge(command) for name, command in commands.items()}), {})
        add("runtime_quality", [], {"windows": judge.windows, "tokens of a window": WINDOW, "perplexity in fp32": judge.perplexity})


if __name__ == "__main__":
    main()
