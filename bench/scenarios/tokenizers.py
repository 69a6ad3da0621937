"""Text to ids: CPU seconds of one thread against the fastest rivals, ids checked against the reference.

Rounds of all engines interleave in one run. "warm" is a further pass over the same text in the same process, "first pass" a
fresh process. Loading is CPU time of the first load of a fresh process, beside the reference. Data:
`.cache/testdata/tokenizers/<vocabulary>/tokenizer.json` and `.cache/testdata/text/<text>.txt` (tools/tokenizer_data.py). "Two threads"
is our own speed in two threads over that in one, "twice the input" our time for two megabytes of one word over that for one. Rivals
run in the environment `tokenizer_peers` (tools/python_env.py), or under HEARTH_PEERS_PYTHON. HEARTH_BENCH_CASES (as
gpt2/english,bert/worst,xlmr/threads,llama3; a vocabulary alone: its loads and sentences) and HEARTH_BENCH_ROUNDS make a run smaller; what a
smaller run does not measure stays in the results as it was.
"""
import filecmp
import json
import os
import pathlib
import random
import string
import subprocess
import sys

from harness import RESULTS, ROOT, ratios, save, spread, temp_folder

TOOL = ROOT / "build/release/src/tokenizers/segment_encoder_bench"
DATA = pathlib.Path(os.environ.get("HEARTH_TOKENIZER_DATA", ROOT / ".cache/testdata"))
TEXTS = ("english", "code", "multilingual")
# Not tokie: its GPT-2 ids differ from the reference's, and 2 MB of English as one Llama 3 text take it many minutes.
BPE_RIVALS = ("gigatoken", "fastokens")

# vocabulary: (rivals, texts). A rival whose ids differ from the reference's is left out of the ratio, by name.
VOCABULARIES = {
    "gpt2": (BPE_RIVALS, TEXTS),
    "llama3": (BPE_RIVALS, TEXTS),
    "qwen2": (BPE_RIVALS, TEXTS),
    "starcoder": (BPE_RIVALS, TEXTS),
    "mistral-v1": (BPE_RIVALS, TEXTS),
    "gemma": (BPE_RIVALS, TEXTS),
    "bert": (("tokie",), ("english", "multilingual")),
    "xlmr": (("tokie",), ("english", "multilingual")),
}
# Times the fastest rival; where nothing is said, 1.2.
GOALS = {"mistral-v1": 2, "gemma": 2, "bert": 3, "xlmr": 2}
SENTENCE = "The quick brown fox jumps over the lazy dog, and 12 others don't."


def peers_python():
    chosen = os.environ.get("HEARTH_PEERS_PYTHON")
    if chosen:
        return chosen
    subprocess.run([sys.executable, ROOT / "tools/python_env.py", "tokenizer_peers"], check=True)
    return str(ROOT / ".venvs/tokenizer_peers/bin/python")


class Engine:
    """A process that answers one command a line: ours, or a rival."""

    def __init__(self, name, python, folder=None):
        self.name = name
        command = [TOOL] if name == "hearth" else [python, ROOT / f"bench/peers/tokenizer_{name}.py"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)

    def __call__(self, command, argument=""):
        self.process.stdin.write(f"{command} {argument}".strip() + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} died at {command}")
        reply = json.loads(line)
        if "error" in reply or reply.get("recognised") is False:
            raise RuntimeError(f"{self.name}: {command}: {reply}")
        return reply

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)


def equal_engines(names, python, vocabulary, text, folder):
    """The engines whose ids of the whole text are the reference's; ours must be among them."""
    wanted = folder / f"{vocabulary}-{text.stem}"
    if not wanted.exists():
        with Engine("tokenizers", python) as reference:
            reference("load", vocabulary_file(vocabulary))
            reference("text", text)
            reference("write", wanted)
    equal = []
    for name in names:
        ids = folder / "ids"
        try:
            with Engine(name, python) as engine:
                engine("load", vocabulary_file(vocabulary))
                engine("text", text)
                engine("write", ids)
        except RuntimeError as error:
            print(f"  {error}", flush=True)
            continue
        if filecmp.cmp(ids, wanted, shallow=False):
            equal.append(name)
        else:
            print(f"  {name}: ids differ ({vocabulary}, {text.stem})", flush=True)
    if "hearth" not in equal:
        raise RuntimeError(f"our ids differ: {vocabulary}, {text.stem}")
    return equal


def vocabulary_file(vocabulary):
    return DATA / "tokenizers" / vocabulary / "tokenizer.json"


def first_pass(name, python, vocabulary, text):
    with Engine(name, python) as engine:
        load = engine("load", vocabulary_file(vocabulary))["cpu"]
        size = engine("text", text)["bytes"]
        return size / 1e6 / engine("encode")["cpu"], load


def measure(names, python, vocabulary, text, rounds):
    """{name: {"warm": [MB/s], "first": [MB/s], "load": [s]}}, interleaved."""
    rows = {name: {"warm": [], "first": [], "load": []} for name in names}
    engines = {name: Engine(name, python) for name in names}
    sizes = {}
    for name, engine in engines.items():
        engine("load", vocabulary_file(vocabulary))
        sizes[name] = engine("text", text)["bytes"]
        for _ in range(3):
            engine("encode")
    for _ in range(rounds):
        for name, engine in engines.items():
            rows[name]["warm"].append(sizes[name] / 1e6 / engine("encode")["cpu"])
    for engine in engines.values():
        engine.__exit__()
    for _ in range(max(3, rounds // 3)):
        for name in names:
            speed, load = first_pass(name, python, vocabulary, text)
            rows[name]["first"].append(speed)
            rows[name]["load"].append(load)
    return rows


def two_threads(vocabulary, text, rounds):
    """Our speed in two threads over that in one, round by round: of three tries each the fastest, for what else runs only slows.

    A round counts only when two threads of plain arithmetic, before and after it, got two cores: else it says what else ran.
    """
    speedups, tries = [], 0
    with Engine("hearth", None) as engine:
        engine("load", vocabulary_file(vocabulary))
        engine("text", text)
        engine("threads", 2)

        def cores():
            return 2 * engine("arithmetic", 1)["wall"] / engine("arithmetic", 2)["wall"]

        free = cores()
        while len(speedups) < rounds and tries < 20 * rounds:
            tries += 1
            tried = [[engine("threads", count)["wall"] for count in (1, 2)] for _ in range(3)]
            one, two = map(min, zip(*tried))
            before, speedup = free, 2 * one / two
            free = cores()
            if min(before, free) >= 1.9:
                speedups.append(speedup)
    return speedups


def worst_cases():
    """{name: two megabytes that are hard for some family}: words without an end, of much and of little entropy."""
    draw = random.Random(1)
    size = 2 << 20
    return {
        "one letter": "a" * size,
        "random letters": "".join(draw.choices(string.ascii_lowercase, k=size)),
        "one word repeated": ("internationalisation" * (size // 20 + 1))[:size],
        "digits": ("0123456789" * (size // 10 + 1))[:size],
        "blanks": " " * size,
        "ideographs": "".join(chr(0x4E00 + draw.randrange(3000)) for _ in range(size // 3)),
    }


def twice_the_input(vocabulary, text, folder, rounds):
    """Seconds of all of a text over those of its first half, round by round, caches warm."""
    halves = (folder / "half", folder / "whole")
    halves[0].write_text(text[: len(text) // 2])
    halves[1].write_text(text)
    pairs = []
    with Engine("hearth", None) as engine:
        engine("load", vocabulary_file(vocabulary))
        for _ in range(rounds + 1):
            seconds = []
            for half in halves:
                engine("text", half)
                seconds.append(min(engine("encode")["cpu"] for _ in range(3)))
            pairs.append(seconds)
    return [whole / half for half, whole in pairs[1:]]


def with_earlier(goals, detail):
    """What a smaller run measured, with the rest of the record that is there."""
    record = RESULTS / "tokenizers.json"
    if not record.exists():
        return goals, detail
    earlier = json.loads(record.read_text())

    def case(row):
        return row["what"].split(", over ")[0]

    new = {case(row) for row in goals}
    return [row for row in earlier["rows"] if case(row) not in new] + goals, {**earlier["detail"], **detail}


def best_rival(rows, kind):
    rivals = [name for name in rows if name != "hearth"]
    return max(rivals, key=lambda name: spread(rows[name][kind])["median"], default=None)


def sentence_latency(python, vocabulary, folder, rounds, command):
    """Seconds of one short sentence, (ours, the reference's), round by round."""
    text = folder / "sentence.txt"
    text.write_text(SENTENCE)
    with Engine("hearth", python) as ours, Engine("tokenizers", python) as theirs:
        for engine in (ours, theirs):
            engine("load", vocabulary_file(vocabulary))
            engine("text", text)
        pairs = [(ours(command, 20000)["cpu"], theirs(command, 1000)["cpu"]) for _ in range(rounds)]
    return pairs


def text_goals(python, vocabulary, name, folder, rounds, detail):
    text = DATA / "text" / f"{name}.txt"
    engines = equal_engines(("hearth", *VOCABULARIES[vocabulary][0]), python, vocabulary, text, folder)
    rows = measure(engines, python, vocabulary, text, rounds)
    detail[f"{vocabulary}/{name}"] = {e: {k: spread(v) for k, v in row.items()} for e, row in rows.items()}
    goals = []
    for kind, words in (("warm", "warm"), ("first", "first pass")):
        best = best_rival(rows, kind)
        speeds = ", ".join(f"{e} {spread(r[kind])['median']:.0f}" for e, r in rows.items())
        print(f"  {vocabulary} {name} {words}: {speeds} MB/s", flush=True)
        if best is None:
            continue
        ratio = ratios(rows["hearth"][kind], rows[best][kind])
        goals.append(goal(f"{vocabulary}, {name}, {words}, over {best}", f">= {GOALS.get(vocabulary, 1.2)}", ratio))
    return goals


def thread_goals(vocabulary, rounds):
    speedups = two_threads(vocabulary, DATA / "text/english.txt", rounds)
    if not speedups:
        print(f"  {vocabulary}: no two cores were free for two threads", flush=True)
        return []
    return [goal(f"{vocabulary}, english, two threads over one", ">= 1.9", spread(speedups))]


def worst_goals(vocabulary, folder, rounds):
    return [goal(f"{vocabulary}, twice the input, {what}", "<= 2.2", spread(twice_the_input(vocabulary, text, folder, rounds)))
            for what, text in worst_cases().items()]


def goal(what, wanted, ratio):
    return {"what": what, "goal": wanted, "unit": "x", "value": ratio["median"], "spread": ratio}


def load_times(python, vocabulary, folder, rounds):
    """{what: [seconds]} of loads in fresh processes: ours from the text, what the first ids then wait for, through the compiled cache, theirs."""
    rows = {"hearth": [], "hearth fast path's tables": [], "hearth compiled": [], "hearth compiled fast path's tables": [], "tokenizers": []}
    for _ in range(rounds):
        with Engine("hearth", python) as ours:
            reply = ours("load", vocabulary_file(vocabulary))
            rows["hearth"].append(reply["cpu"])
            rows["hearth fast path's tables"].append(reply["tables"])
        with Engine("hearth", python, folder) as ours:
            reply = ours("compiled", vocabulary_file(vocabulary))
            rows["hearth compiled"].append(reply["cpu"])
            rows["hearth compiled fast path's tables"].append(reply["tables"])
        with Engine("tokenizers", python) as theirs:
            rows["tokenizers"].append(theirs("load", vocabulary_file(vocabulary))["cpu"])
    return rows


def latency_rows(python, vocabulary, folder, rounds, detail):
    for command, words in (("latency", "one sentence's ids"), ("offsets", "one sentence with offsets")):
        pairs = sentence_latency(python, vocabulary, folder, rounds, command)
        ratio = spread([ours / theirs for ours, theirs in pairs])
        detail[f"{vocabulary}/{command}"] = {"hearth": spread([o for o, _ in pairs]), "tokenizers": spread([t for _, t in pairs])}
        print(f"  {vocabulary} {words}: {ratio['median']:.3f} of the reference's", flush=True)
        yield {"what": f"{vocabulary}, {words}, over the reference's", "goal": "<= 0.1", "unit": "x", "value": ratio["median"], "spread": ratio}


def load_rows(python, vocabulary, folder, rounds, detail):
    rows = load_times(python, vocabulary, folder, rounds)
    detail[f"{vocabulary}/load"] = {name: spread(values) for name, values in rows.items()}
    ratio = ratios(rows["hearth"], rows["tokenizers"])
    print(f"  {vocabulary} load: {ratio['median']:.3f} of the reference's", flush=True)
    yield {"what": f"{vocabulary}, load, over the reference's", "goal": "<= 0.1", "unit": "x", "value": ratio["median"], "spread": ratio}
    milliseconds = spread([value * 1e3 for value in rows["hearth compiled"]])
    yield {"what": f"{vocabulary}, load of a compiled tokenizer", "goal": "< 2", "unit": "ms", "value": milliseconds["median"],
           "spread": milliseconds}


def main():
    python = peers_python()
    rounds = int(os.environ.get("HEARTH_BENCH_ROUNDS", "9"))
    wanted = os.environ.get("HEARTH_BENCH_CASES")
    cases = [(v, t) for v, (_, texts) in VOCABULARIES.items() for t in (*texts, "threads", "worst")]
    if wanted:
        cases = [tuple(case.split("/")) for case in wanted.split(",") if "/" in case]
    goals, detail = [], {}
    with temp_folder() as folder:
        for vocabulary, name in cases:
            if name == "threads":
                goals += thread_goals(vocabulary, rounds)
            elif name == "worst":
                goals += worst_goals(vocabulary, folder, rounds)
            else:
                goals += text_goals(python, vocabulary, name, folder, rounds, detail)
        for vocabulary in [v for v in VOCABULARIES if not wanted or v in wanted.split(",")]:
            goals += load_rows(python, vocabulary, folder, rounds, detail)
            goals += latency_rows(python, vocabulary, folder, rounds, detail)
    if wanted:
        goals, detail = with_earlier(goals, detail)
    save("tokenizers", goals, detail)


if __name__ == "__main__":
    main()
