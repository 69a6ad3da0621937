"""What every scenario needs: a hub on a temporary folder, timing, ratios and a place for results."""
import contextlib
import http.client
import json
import os
import pathlib
import platform
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("HEARTH_BINARY", ROOT / "build/release/src/apps/hearth"))
RESULTS = ROOT / "bench/results"
TOKEN = "hf_" + "B" * 34


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def temp_folder():
    # Under the build tree, so that data and results share a real disk (not a memory file system).
    base = ROOT / "build/bench"
    base.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_answers(url, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status < 500:
                    return
        except Exception:
            if time.monotonic() > end:
                raise
        time.sleep(0.002)


class Hub:
    """A running hub whose administrator is `bench`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        env = dict(os.environ, HEARTH_ADMIN_USER="bench", HEARTH_ADMIN_PASSWORD="bench-password", HEARTH_ADMIN_TOKEN=TOKEN)
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", self.folder, "--listen", f"127.0.0.1:{self.port}", "--access-log", "false"],
            env=env, stdout=subprocess.DEVNULL, stderr=open(str(self.folder) + ".log", "ab"))
        wait_until_answers(self.base + "/readyz")
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def rss_bytes(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def call(self, method, path, body=None, headers=None, connection=None):
        own = connection is None
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            send = {"Authorization": "Bearer " + TOKEN}
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
                send["Content-Type"] = "application/json"
            send.update(headers or {})
            connection.request(method, path, body=body, headers=send)
            answer = connection.getresponse()
            data = answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]}")
            return answer, data
        finally:
            if own:
                connection.close()

    def create_repo(self, name, kind="model"):
        self.call("POST", "/api/repos/create", {"name": name, "type": kind, "organization": None})

    def commit(self, name, lines, connection=None, kind="models"):
        body = "\n".join(json.dumps(line) for line in lines)
        answer, data = self.call("POST", f"/api/{kind}/bench/{name}/commit/main", body,
                                 {"Content-Type": "application/x-ndjson"}, connection)
        return json.loads(data)

    def upload_lfs(self, name, file, sha256, size):
        answer, data = self.call("POST", f"/bench/{name}.git/info/lfs/objects/batch",
                                 {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256",
                                  "objects": [{"oid": sha256, "size": size}]},
                                 {"Content-Type": "application/vnd.git-lfs+json", "Accept": "application/vnd.git-lfs+json"})
        actions = json.loads(data)["objects"][0].get("actions")
        if actions:
            subprocess.run(["curl", "-sSf", "-o", "/dev/null", "-T", str(file), actions["upload"]["href"]], check=True)


def timed(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def interleave(rounds, **actions):
    """Runs the named actions in turn, `rounds` times after one warm-up; returns {name: [seconds]}."""
    times = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            value = action()
            seconds = value if isinstance(value, (int, float)) else None
            if seconds is None:
                raise RuntimeError(f"{name} must return a number")
            if number > 0:
                times[name].append(seconds)
    return times


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "runs": len(values)}


def ratios(ours, theirs):
    """Round by round ours/theirs."""
    return spread([a / b for a, b in zip(ours, theirs)])


def wrk(url, seconds=5, connections=32, threads=1, header=None):
    """GET requests per second by wrk; fails when an answer was not 2xx or 3xx."""
    headers = [part for key, value in (header or {}).items() for part in ("-H", f"{key}: {value}")]
    out = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", *headers, url],
                         check=True, capture_output=True, text=True, timeout=seconds + 30).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    for line in out.splitlines():
        if line.startswith("Requests/sec:"):
            return float(line.split()[1])
    raise RuntimeError(out)


def head_load(base, path, seconds=5, connections=32):
    """HEAD requests per second (tools/head_load.cc, built on first use)."""
    tool = ROOT / "build/bench/head_load"
    source = ROOT / "bench/tools/head_load.cc"
    if not tool.exists() or tool.stat().st_mtime < source.stat().st_mtime:
        tool.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["g++", "-O2", "-std=c++20", "-o", tool, source], check=True)
    port = base.rsplit(":", 1)[1]
    return float(subprocess.run([tool, port, path, TOKEN, str(seconds), str(connections)], check=True,
                                capture_output=True, text=True, timeout=seconds + 30).stdout)


def machine():
    model = "unknown"
    flags = []
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
        if line.startswith("flags"):
            flags = [f for f in ("avx2", "avx512f", "sha_ni") if f in line.split()]
            break
    return {"cpu": model, "cores": os.cpu_count(), "flags": flags, "kernel": platform.release()}


def save(name, goal_rows, detail=None):
    """goal_rows: [{what, goal, value, unit, spread?}]"""
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = {"scenario": name, "machine": machine(), "date": time.strftime("%Y-%m-%d"), "rows": goal_rows, "detail": detail or {}}
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    for row in goal_rows:
        print(f"{name}: {row['what']}: {row['value']:.3g} {row['unit']} (goal {row['goal']})", flush=True)
