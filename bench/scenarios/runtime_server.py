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
SENTENCES, CLIENTS, SECONDS = 256, 64, 1.0


def sentences(folder):
    words = TEXT.read_text()[:200_000].split()
    texts = [" ".join(words[i * 14:(i + 1) * 14]) for i in range(SENTENCES)]
    (folder / "sentences.txt").write_text("\n".join(texts) + "\n")
    (folder / "bodies.txt").write_text("\n".join(json.dumps({"inputs": text}) for text in texts) + "\n")
    return folder / "sentences.txt", folder / "bodies.txt"


def main():
    rounds = int(os.environ.get("HEARTH_BENCH_ROUNDS", "5"))
    clients_cores, server_cores = apart()
    load = compiled(ROOT / "bench/tools/post_load.cc")
    port = free_port()
    with temp_folder() as folder:
        texts, bodies = sentences(pathlib.Path(folder))
        worker = subprocess.Popen(on_cores(server_cores, [str(BINARY), "worker", str(MODEL), "--precision", "int8", "--threads", "1",
                                                          "--listen", f"127.0.0.1:{port}"]),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        inside = Engine("in process", [RUNTIME_BENCH, MODEL, "int8", 1], 1)

        def ask(clients):
            command = on_cores(clients_cores, [str(load), str(port), "/embed", str(bodies), str(SECONDS), str(clients)])
            return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)

        try:
            wait_until_answers(f"http://127.0.0.1:{port}/health")
            inside("sentences", texts)
            added, ours, theirs = [], [], []
            for number in range(rounds + 1):
                alone, served = inside("sentence", 500), ask(1)
                together, crowd = inside("together", 500), ask(CLIENTS)
                if number > 0:
                    added.append((served["p50"] - alone["p50"]) * 1000)
                    ours.append(crowd["items"] / crowd["wall"])
                    theirs.append(together["items"] / together["wall"])
        finally:
            worker.terminate()
            worker.wait(30)
            inside.close()
    share = ratios(ours, theirs)
    rows = [{"what": "MiniLM int8, one client: median time added by the worker", "goal": "< 1", "unit": "ms",
             "value": spread(added)["median"], "spread": spread(added)},
            {"what": f"MiniLM int8, {CLIENTS} clients with a sentence each, over all sentences in one call", "goal": ">= 0.95", "unit": "x",
             "value": share["median"], "spread": share}]
    save("runtime_server", rows, {"texts a second, clients": spread(ours), "texts a second, one call": spread(theirs)})


if __name__ == "__main__":
    main()
