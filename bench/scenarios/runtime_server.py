"""What a model costs behind HTTP: `hearth worker` over loopback beside the same calls in one process, from text to vector.

One client, a sentence a request: the median time that the worker adds. 64 clients, a sentence a request: texts a second beside all
sentences in one call. Computing takes one thread; worker and in-process run have the same core, the clients the other one.
"""
import json
import os
import pathlib
import subprocess

from engines import RUNTIME_BENCH, Engine
from harness import BINARY, ROOT, apart, compiled, free_port, on_cores, ratios, save, spread, temp_folder, wait_until_answers

MODEL = ROOT / ".cache/testdata/minilm"
TEXT = ROOT / ".cache/testdata/text/english.txt"
# Long enough that the first and the last batches, which are not full, weigh little.
SENTENCES, CLIENTS, SECONDS = 256, 64, 3.0


def sentences(folder):
    words = TEXT.read_text()[:200_000].split()
    texts = [" ".join(words[i * 14:(i + 1) * 14]) for i in range(SENTENCES)]
    (folder / "sentences.txt").write_text("\n".join(texts) + "\n")
    (folder / "bodies.txt").write_text("\n".join(json.dumps({"inputs": text}) for text in texts) + "\n")
    return folder / "sentences.txt", folder / "bodies.txt"


def measure(load, folder, server_cores, clients_cores):
    """One worker and one process of our own, each with the memory that it happens to get: where pages lie in the caches moves a
    whole run by 3 %, so every round starts both anew."""
    texts, bodies = sentences(pathlib.Path(folder))
    port = free_port()
    worker = subprocess.Popen(on_cores(server_cores, [str(BINARY), "worker", str(MODEL), "--precision", "int8", "--threads", "1",
                                                      "--listen", f"127.0.0.1:{port}"]),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    inside = Engine("in process", [RUNTIME_BENCH, MODEL, "int8", 1], 1)

    def ask(clients, seconds):
        command = on_cores(clients_cores, [str(load), str(port), "/embed", str(bodies), str(seconds), str(clients)])
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)

    try:
        wait_until_answers(f"http://127.0.0.1:{port}/health")
        inside("sentences", texts)
        inside("together", 300)
        ask(CLIENTS, 0.3)
        alone, served = inside("sentence", 500), ask(1, 0.5)
        before, crowd, after = inside("together", SECONDS * 500), ask(CLIENTS, SECONDS), inside("together", SECONDS * 500)
    finally:
        worker.terminate()
        worker.wait(30)
        inside.close()
    return {"added": (served["p50"] - alone["p50"]) * 1000, "clients": crowd["items"] / crowd["wall"],
            "one call": (before["items"] + after["items"]) / (before["wall"] + after["wall"])}


def main():
    rounds = int(os.environ.get("HEARTH_BENCH_ROUNDS", "9"))
    clients_cores, server_cores = apart()
    load = compiled(ROOT / "bench/tools/post_load.cc")
    with temp_folder() as folder:
        runs = [measure(load, folder, server_cores, clients_cores) for _ in range(rounds)]
    added, ours, theirs = ([run[what] for run in runs] for what in ("added", "clients", "one call"))
    share = ratios(ours, theirs)
    rows = [{"what": "MiniLM int8, one client: median time added by the worker", "goal": "< 1", "unit": "ms",
             "value": spread(added)["median"], "spread": spread(added)},
            {"what": f"MiniLM int8, {CLIENTS} clients with a sentence each, over all sentences in one call", "goal": ">= 0.95", "unit": "x",
             "value": share["median"], "spread": share}]
    save("runtime_server", rows, {"texts a second, clients": spread(ours), "texts a second, one call": spread(theirs)})


if __name__ == "__main__":
    main()
