"""The hub's memory while files of 1, 10 and 100 GB are registered, planned and read, simulated by very many terms over a few xorbs.

The content is read and its SHA-256 proved as for any upload. Terms of 1 MiB are what heavy deduplication leaves; the usual
term is a whole xorb.
"""
import http.client
import json
import shutil
import subprocess
import time
import urllib.parse

from harness import ROOT, TOKEN, Hub, memory_folder, save

TERM_CHUNKS = {"terms of 1 MiB": 16, "whole xorbs": 1024}
SIZES = (10**9, 10**10, 10**11)
MIDDLE_BYTES = 64 << 20


def giant(folder, size, chunks):
    subprocess.run(["cmake", "--build", ROOT / "build/release", "--target", "xet_giant", "-j", "2"], check=True, stdout=subprocess.DEVNULL)
    folder.mkdir()
    out = subprocess.run([ROOT / "build/release/bench/tools/xet_giant", folder, str(size), str(chunks), "sha256"], check=True,
                         capture_output=True, text=True)
    return json.loads(out.stdout)


class Cas:
    """The store of one repository under a token, spoken to plainly."""

    def __init__(self, hub, repo, right):
        access = json.loads(hub.call("GET", f"/api/models/bench/{repo}/xet-{right}-token/main")[1])
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


def read_middle(hub, size):
    """Bytes of a range through /resolve, read in pieces."""
    start = size // 2 + 12345
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=600)
    connection.request("GET", "/bench/giant/resolve/main/giant.bin",
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


def measure(folder, size, chunks):
    what = giant(folder / "giant", size, chunks)
    steps = {}
    with Hub(folder / "data") as hub:
        hub.create_repo("giant")
        cas = Cas(hub, "giant", "write")
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
        hub.commit("giant", [{"key": "header", "value": {"summary": "giant"}},
                             {"key": "lfsFile", "value": {"path": "giant.bin", "algo": "sha256", "oid": what["sha256"], "size": what["size"]}}])
        cas = Cas(hub, "giant", "read")
        for version in ("v1", "v2"):
            plan = step(f"plan of a 64 MiB range, {version}", lambda: cas.call(
                "GET", f"/{version}/reconstructions/{what['xet_hash']}", Range=f"bytes={size // 2}-{size // 2 + MIDDLE_BYTES - 1}"))
            if not json.loads(plan)["terms"]:
                raise RuntimeError("an empty plan")
        plan = step("plan of the whole file, v2", lambda: cas.call("GET", f"/v2/reconstructions/{what['xet_hash']}"))
        if len(json.loads(plan)["terms"]) != what["terms"]:
            raise RuntimeError("the plan lacks terms")
        steps["plan of the whole file, v2"]["answer_bytes"] = len(plan)
        step("a 64 MiB range through resolve", lambda: read_middle(hub, what["size"]))
    return {"terms": what["terms"], "steps": steps}


def main():
    detail = {}
    for name, chunks in TERM_CHUNKS.items():
        for size in SIZES:
            with memory_folder() as folder:
                detail[f"{size // 10**9} GB, {name}"] = measure(folder, size, chunks)
                shutil.rmtree(folder / "data")
    rows = []
    for name in TERM_CHUNKS:
        small, large = (detail[f"{size // 10**9} GB, {name}"]["steps"] for size in (SIZES[0], SIZES[-1]))
        for step in large:
            growth = {key: (steps[step]["peak"] - steps[step]["before"]) / 1e6 for key, steps in (("small", small), ("large", large))}
            peak = large[step]["peak"] / 1e6
            rows.append({"what": f"{step}: peak memory at 100 GB, {name}", "goal": "flat", "unit": "MB", "value": peak})
            rows.append({"what": f"{step}: peak at 100 GB less peak at 1 GB, {name}", "goal": "flat", "unit": "MB",
                         "value": peak - small[step]["peak"] / 1e6})
            detail.setdefault("growth", {})[f"{step}, {name}"] = growth
    save("xet_memory", rows, detail)


if __name__ == "__main__":
    main()
