"""Engines that run models, each in a process of its own behind one line protocol (tools/runtime_bench.cc), in turns."""
import contextlib
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys

from harness import RESULTS, ROOT, ratios, save, spread

RUNTIME_BENCH = ROOT / "build/release/bench/tools/runtime_bench"
DATA = pathlib.Path(os.environ.get("HEARTH_BENCH_DATA", ROOT / "build/bench/models"))


def peers_python():
    chosen = os.environ.get("HEARTH_PEERS_PYTHON")
    if chosen:
        return chosen
    subprocess.run([sys.executable, ROOT / "tools/python_env.py", "runtime_peers"], check=True)
    return str(ROOT / ".venvs/runtime_peers/bin/python")


class Engine:
    """Bound to as many cores as it has threads."""

    def __init__(self, name, command, threads):
        self.name = name
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[-threads:]))
        self.process = subprocess.Popen(["taskset", "-c", cores, *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def __call__(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.name} died at {words}")
        return json.loads(line)

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait(60)


def measure(engines, rounds, *words):
    """{name: [{"items", "wall", "cpu"}]} of a command, in turns after one warm-up."""
    samples = {engine.name: [] for engine in engines}
    for number in range(rounds + 1):
        for engine in engines:
            sample = engine(*words)
            if number > 0:
                samples[engine.name].append(sample)
    return samples


def rates(samples, clock):
    return [each["items"] / each[clock] for each in samples]


def best(samples, names, clock):
    """Who of the names is fastest by the median."""
    return max((name for name in names if samples.get(name)), key=lambda name: statistics.median(rates(samples[name], clock)))


def compared(samples, ours, names, clock="wall"):
    """(best rival, round by round our rate over its)."""
    rival = best(samples, names, clock)
    return rival, ratios(rates(samples[ours], clock), rates(samples[rival], clock))


def figures(samples):
    """Rates per second of wall and of CPU time, for the record."""
    return {name: {"per_second": spread(rates(each, "wall")), "per_cpu_second": spread(rates(each, "cpu"))}
            for name, each in samples.items() if each}


def add(name, rows, detail):
    """Saves rows and detail over those of an earlier, perhaps larger run; prints the new rows."""
    file = RESULTS / f"{name}.json"
    old = json.loads(file.read_text()) if file.exists() else {"rows": [], "detail": {}}
    fresh = {row["what"] for row in rows}
    kept = [row for row in old["rows"] if row["what"] not in fresh]
    with contextlib.redirect_stdout(io.StringIO()):
        save(name, sorted(kept + rows, key=lambda row: row["what"]), {**old["detail"], **detail})
    for row in rows:
        print(f"{row['what']}: {row['value']:.3g} {row['unit']} (goal {row['goal']})", flush=True)
