"""What every scenario needs: a hub on a temporary folder, timing, ratios and a place for results."""
import contextlib
import ctypes
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
CLONE_NEWNS = 0x20000
OWN_MOUNTS = []
MEMORY = set()  # the kinds of pages that memory_folder() was made of


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


def mount_memory(folder):
    """Mounts a memory file system whose pages lie together (large folios), for this process and its children; whether it could."""
    if not OWN_MOUNTS:
        # A mount namespace of our own: nothing stays mounted, whatever ends us.
        if ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
            return False
        if subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode != 0:
            return False
        OWN_MOUNTS.append(True)
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "huge=within_size", "bench", folder], capture_output=True).returncode == 0


@contextlib.contextmanager
def memory_folder(large_folios=False):
    """A folder on a memory file system, for scenarios that compare CPU work: no disk stands between client and server.

    Disks' file systems keep files in large folios; plain tmpfs takes 4 KiB pages one by one, 0.25 s of CPU a gigabyte written. Who
    counts the CPU of reading and writing files therefore asks for a mount with large folios. Where none is allowed, or where
    HEARTH_BENCH_SMALL_PAGES is set, it is plain /dev/shm; the result says which.
    """
    folder = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm", prefix="hearth-bench-"))
    mounted = large_folios and "HEARTH_BENCH_SMALL_PAGES" not in os.environ and mount_memory(folder)
    MEMORY.add("large folios" if mounted else "4 KiB pages")
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def warm_memory(size, folder="/dev/shm"):
    """Fills and frees as much of the memory file system as the next measurement will fill. A virtual machine gets a page from its
    host when it first touches it, which costs up to two seconds a gigabyte and is no program's work."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix="hearth-bench-") as out:
        piece = bytes(1 << 20)
        for _ in range(0, size, len(piece)):
            out.write(piece)


def compiled(source):
    """A C++ helper without dependencies, built on first use."""
    tool = ROOT / "build/bench" / source.stem
    if not tool.exists() or tool.stat().st_mtime < source.stat().st_mtime:
        tool.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["g++", "-O2", "-std=c++20", "-o", tool, source], check=True)
    return tool


def on_cores(cores, command):
    """The command bound to some cores ("0", "2-3"), as if it had a machine of its own; None: wherever the kernel likes."""
    return command if cores is None else ["taskset", "-c", cores, *command]


def apart():
    """Cores for (client, server) so that neither takes the other's time: the halves of what this process may use."""
    cores = sorted(os.sched_getaffinity(0))
    half = len(cores) // 2
    if half == 0:
        return None, None
    return ",".join(map(str, cores[:half])), ",".join(map(str, cores[half:]))


def process_tree(pid):
    yield pid
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in open(f"/proc/{pid}/task/{task}/children").read().split():
                yield from process_tree(int(child))
    except OSError:
        pass


def cpu_seconds(pid):
    """User and system time of a process, its living children and the ones that it has waited for."""
    ticks = 0
    for each in process_tree(pid):
        try:
            fields = open(f"/proc/{each}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(limit=0.5):
    """Waits (at most HEARTH_BENCH_PATIENCE seconds, default none) for a load below `limit`; returns the load it began under."""
    end = time.monotonic() + float(os.environ.get("HEARTH_BENCH_PATIENCE", "0"))
    while os.getloadavg()[0] > limit and time.monotonic() < end:
        time.sleep(2)
    return os.getloadavg()[0]


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

    def __init__(self, folder, cores=None, options=()):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.cores = cores
        self.options = list(options)

    def start(self):
        env = dict(os.environ, HEARTH_ADMIN_USER="bench", HEARTH_ADMIN_PASSWORD="bench-password", HEARTH_ADMIN_TOKEN=TOKEN)
        self.process = subprocess.Popen(
            on_cores(self.cores, [BINARY, "serve", "--data", self.folder, "--listen", f"127.0.0.1:{self.port}",
                                  "--access-log", "false", *self.options]),
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

    def memory_bytes(self, field):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no " + field)

    def rss_bytes(self):
        return self.memory_bytes("VmRSS")

    def peak_bytes(self):
        """The largest resident size since the last forget_peak()."""
        return self.memory_bytes("VmHWM")

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

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


def head_load(base, path, seconds=5, connections=32, method="HEAD", status="2", token=TOKEN):
    """Requests per second of one kind (tools/head_load.cc); `{random}` in the path is 64 fresh hex digits each time."""
    tool = compiled(ROOT / "bench/tools/head_load.cc")
    port = base.rsplit(":", 1)[1]
    return float(subprocess.run([tool, port, path, token, str(seconds), str(connections), method, status], check=True,
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
    if MEMORY:
        record["memory_file_system"] = " and ".join(sorted(MEMORY))
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    for row in goal_rows:
        print(f"{name}: {row['what']}: {row['value']:.3g} {row['unit']} (goal {row['goal']})", flush=True)
