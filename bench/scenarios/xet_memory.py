"""The hub's memory while files of 1, 10 and 100 GB are registered, planned and read, simulated by very many terms over a few xorbs.

They go into a bucket, whose files carry no SHA-256 that would have to be proved. Terms of 1 MiB are what heavy deduplication
leaves; the usual term is a whole xorb. Files of 1 and 10 GB also go into a repository, where the content is read and proved.
"""
import http.client
import json
import subprocess
import time
import urllib.parse

from harness import ROOT, TOKEN, Hub, memory_folder, save
from xet import commit_object

TERM_CHUNKS = {"terms of 1 MiB": 16, "whole xorbs": 1024}
SIZES = (10**9, 10**10, 10**11)
PROVED_SIZES = SIZES[:2]
MIDDLE_BYTES = 64 << 20


def giant(folder, size, chunks, proved):
    subprocess.run(["cmake", "--build", ROOT / "build/release", "--target", "xet_giant", "-j", "2"], check=True, stdout=subprocess.DEVNULL)
    folder.mkdir()
    out = subprocess.run([ROOT / "build/release/bench/tools/xet_giant", folder, str(size), str(chunks),
                          *(["sha256"] if proved else [])], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


class Bucket:
    """Where a giant goes when its content is not to be proved."""

    def __init__(self, hub):
        self.hub = hub
        hub.call("POST", "/api/buckets/bench/giant", {})

    def token_route(self, right):
        return f"/api/buckets/bench/giant/xet-{right}-token"

    def add(self, what):
        line = {"type": "addFile", "path": "giant.bin", "xetHash": what["xet_hash"], "mtime": 1700000000000}
        self.hub.call("POST", "/api/buckets/bench/giant/batch", json.dumps(line) + "\n", {"Content-Type": "application/x-ndjson"})

    address = "/buckets/bench/giant/resolve/giant.bin"


class Repository:
    def __init__(self, hub):
        self.hub = hub
        hub.create_repo("giant")

    def token_route(self, right):
        return f"/api/models/bench/giant/xet-{right}-token/main"

    def add(self, what):
        commit_object(self.hub, "giant", "giant.bin", what)

    address = "/bench/giant/resolve/main/giant.bin"


class Cas:
    """The store under a token of one repository or bucket, spoken to plainly."""

    def __init__(self, hub, route):
        access = json.loads(hub.call("GET", route)[1])
        self.port = hub.port
        self.prefix = urllib.parse.urlsplit(access["casUrl"]).path
        self.headers = {"Authorization": "Bearer " + access["accessToken"]}

    def call(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1800)
        try:
            connection.request(method, self.prefix + path, body, self.headers | headers)
            answer = connection.getresponse()
            data = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]}")
            return data
        finally:
            connection.close()


def read_middle(hub, address, size):
    """Bytes of a range through /resolve, read in pieces."""
    start = size // 2 + 12345
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=600)
    connection.request("GET", address,
                       headers={"Authorization": "Bearer " + TOKEN, "Range": f"bytes={start}-{start + MIDDLE_BYTES - 1}"})
    answer = connection.getresponse()
    if answer.status != 206:
        raise RuntimeError(f"resolve: {answer.status}")
    total = 0
    while piece := answer.read(1 << 20):
        total += len(piece)
    connection.close()
    if total != MIDDLE_BYTES:
        raise RuntimeError(f"resolve gave {total} bytes")


def measure(folder, size, chunks, proved):
    what = giant(folder / "giant", size, chunks, proved)
    steps = {}
    with Hub(folder / "data") as hub:
        holder = Repository(hub) if proved else Bucket(hub)
        cas = Cas(hub, holder.token_route("write"))
        for xorb in what["xorbs"]:
            cas.call("POST", f"/v1/xorbs/default/{xorb}", (folder / "giant" / xorb).read_bytes())

        def step(name, action):
            hub.forget_peak()
            before, cpu, start = hub.rss_bytes(), hub.cpu_seconds(), time.perf_counter()
            result = action()
            steps[name] = {"before": before, "peak": hub.peak_bytes(), "after": hub.rss_bytes(),
                           "seconds": time.perf_counter() - start, "cpu_seconds": hub.cpu_seconds() - cpu}
            return result

        def register():
            answer = cas.call("POST", "/v2/shards", (folder / "giant/shard").read_bytes())
            if b'"result"' not in answer.splitlines()[-1]:
                raise RuntimeError(answer[-300:])

        step("register", register)
        holder.add(what)
        cas = Cas(hub, holder.token_route("read"))
        for version in ("v1", "v2"):
            plan = step(f"plan of a 64 MiB range, {version}", lambda: cas.call(
                "GET", f"/{version}/reconstructions/{what['xet_hash']}", Range=f"bytes={size // 2}-{size // 2 + MIDDLE_BYTES - 1}"))
            if not json.loads(plan)["terms"]:
                raise RuntimeError("an empty plan")
        plan = step("plan of the whole file, v2", lambda: cas.call("GET", f"/v2/reconstructions/{what['xet_hash']}"))
        if len(json.loads(plan)["terms"]) != what["terms"]:
            raise RuntimeError("the plan lacks terms")
        steps["plan of the whole file, v2"]["answer_bytes"] = len(plan)
        step("a 64 MiB range through resolve", lambda: read_middle(hub, holder.address, what["size"]))
    return {"terms": what["terms"], "steps": steps}


def rows_of(detail, name, sizes):
    small, large = (detail[f"{size // 10**9} GB, {name}"]["steps"] for size in (sizes[0], sizes[-1]))
    largest = sizes[-1] // 10**9
    for step in large:
        peak = large[step]["peak"] / 1e6
        yield {"what": f"{step}: peak memory, {largest} GB, {name}", "goal": "flat", "unit": "MB", "value": peak}
        yield {"what": f"{step}: what {largest} GB add to the peak of 1 GB, {name}", "goal": "flat", "unit": "MB",
               "value": peak - small[step]["peak"] / 1e6}


def main():
    detail, rows = {}, []
    for proved, sizes in ((False, SIZES), (True, PROVED_SIZES)):
        for name, chunks in TERM_CHUNKS.items():
            name += ", content proved" if proved else ""
            for size in sizes:
                with memory_folder() as folder:
                    detail[f"{size // 10**9} GB, {name}"] = measure(folder, size, chunks, proved)
            rows += rows_of(detail, name, sizes)
    save("xet_memory", rows, detail)


if __name__ == "__main__":
    main()
