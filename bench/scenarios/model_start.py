"""From the start of a process to the first token or answer of a model that lies in the page cache, and the memory that it takes.

HEARTH_BENCH_START is a folder with "smol" (bench/tools/seeded_model.py smollm2-135m) and "smol-Q8_0.gguf", "smol-Q4_0.gguf" made of
it by `hearth convert`; all are made when it is not given.
"""
import http.client
import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

from harness import BINARY, ROOT, ratios, save, spread, temp_folder, wait_for_quiet

ROUNDS = int(os.environ.get("HEARTH_BENCH_ROUNDS", "7"))
MINILM = ROOT / ".cache/testdata/minilm"
PROMPT = "Once upon a"


def models(folder):
    if "HEARTH_BENCH_START" in os.environ:
        return pathlib.Path(os.environ["HEARTH_BENCH_START"])
    tokenizer = ROOT / ".cache/testdata/tokenizers/gpt2/tokenizer.json"
    subprocess.run([sys.executable, ROOT / "bench/tools/seeded_model.py", "smollm2-135m", folder / "smol", "--tokenizer", tokenizer],
                   check=True)
    for kind in ("Q8_0", "Q4_0"):
        subprocess.run([BINARY, "convert", folder / "smol", folder / f"smol-{kind}.gguf", "--type", kind], check=True,
                       stdout=subprocess.DEVNULL)
    return folder


def process(command, wanted, env=None, ask=None):
    """Seconds until the process has written `wanted` bytes to its standard output, and its largest resident size."""
    begin = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             env=env)
    if ask:
        child.stdin.write(ask.encode())
    child.stdin.close()
    got, first = 0, None
    while data := os.read(child.stdout.fileno(), 65536):
        got += len(data)
        if first is None and got >= wanted:
            first = time.perf_counter() - begin
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    if child.returncode != 0 or first is None:
        raise RuntimeError(f"{command[0]} failed")
    return first, used.ru_maxrss * 1024


def first_token(model, cache):
    command = [BINARY, "run", model, "text-generation", PROMPT, "-p", "max_new_tokens=1", "-p", "min_new_tokens=1"]
    return process(command, len(PROMPT) + 1, dict(os.environ, HEARTH_CACHE=str(cache)))


def worker_answer(model, cache, folder, path, body):
    """Seconds from the start of a worker to its first answer, and its resident size then."""
    address = folder / "worker.sock"
    address.unlink(missing_ok=True)
    begin = time.perf_counter()
    child = subprocess.Popen([BINARY, "worker", model, "--listen", f"unix:{address}"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, env=dict(os.environ, HEARTH_CACHE=str(cache)))
    try:
        child.stdout.readline()
        connection = http.client.HTTPConnection("worker")
        connection.sock = socket_to(address)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        seconds = time.perf_counter() - begin
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        resident = next(int(line.split()[1]) * 1024 for line in open(f"/proc/{child.pid}/status") if line.startswith("VmRSS:"))
        return seconds, resident
    finally:
        child.terminate()
        child.wait(60)


def socket_to(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    return sock


def llama():
    """The driver of llama.cpp (peers/llama_cpp.py), which computes a prompt of three tokens; it neither cuts nor joins text."""
    if importlib.util.find_spec("peers.llama_cpp") is None:
        return None
    import peers.llama_cpp
    return peers.llama_cpp.driver()


def bytes_of(model):
    return model.stat().st_size if model.is_file() else sum(file.stat().st_size for file in model.glob("*.safetensors"))


def row(what, goal, values, unit, scale=1.0):
    values = spread([value * scale for value in values])
    return {"what": what, "goal": goal, "unit": unit, "value": values["median"], "spread": values}


def measure_first_token(name, model, cache, peer):
    first, again, resident, theirs = [], [], [], []
    first_token(model, cache)
    for _ in range(ROUNDS):
        first.append(first_token(model, "off")[0])
        seconds, peak = first_token(model, cache)
        again.append(seconds)
        resident.append(peak - bytes_of(model))
        if peer and model.is_file():
            theirs.append(process([peer, model, str(len(os.sched_getaffinity(0)))], 1, ask="prefill 3\n")[0])
    rows = [row(f"{name}: process to first token", "< 150 ms", again, "ms", 1e3),
            row(f"{name}: process to first token, nothing kept", "reported", first, "ms", 1e3),
            row(f"{name}: largest resident size beyond the weights", "<= 100 MB + KV", resident, "MB", 1e-6)]
    if theirs:
        relative = ratios(again, theirs)
        rows += [row(f"{name}: process to first token, llama.cpp", "reported", theirs, "ms", 1e3),
                 {"what": f"{name}: process to first token over llama.cpp's", "goal": "<= 0.33", "unit": "x", "value": relative["median"],
                  "spread": relative}]
    return rows


def measure_worker(name, model, cache, folder, path, body):
    worker_answer(model, cache, folder, path, body)
    answers = [worker_answer(model, cache, folder, path, body) for _ in range(ROUNDS)]
    return [row(f"{name}: start of a worker to its first answer", "< 0.3 s", [seconds for seconds, _ in answers], "s"),
            row(f"{name}: a worker's resident size beyond the weights", "<= 100 MB + KV",
                [resident - bytes_of(model) for _, resident in answers], "MB", 1e-6)]


def main():
    load = wait_for_quiet()
    peer = llama()
    rows = []
    with temp_folder() as folder:
        made, cache = models(folder), folder / "cache"
        for name, file in (("SmolLM2-135M bf16", "smol"), ("SmolLM2-135M Q8_0", "smol-Q8_0.gguf"), ("SmolLM2-135M Q4_0", "smol-Q4_0.gguf")):
            rows += measure_first_token(name, made / file, cache, peer)
        rows += measure_worker("SmolLM2-135M Q4_0", made / "smol-Q4_0.gguf", cache, folder, "/v1/completions",
                               {"model": "m", "prompt": PROMPT, "max_tokens": 1})
        rows += measure_worker("MiniLM", MINILM, cache, folder, "/v1/embeddings", {"model": "m", "input": PROMPT})
    save("model_start", rows, {"load": load})


if __name__ == "__main__":
    main()
