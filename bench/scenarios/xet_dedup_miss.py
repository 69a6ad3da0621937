"""Queries for chunks that the hub does not hold: most of what an uploading client asks. Requests per CPU second of the server."""
import json
import os
import sqlite3

from harness import Hub, apart, head_load, save, spread, temp_folder, wait_for_quiet
from xet import ROUNDS, row

# As many as 64 TB of content bring (one chunk in 1024 may be asked for).
KNOWN_CHUNKS = 1_000_000


def fill(file):
    database = sqlite3.connect(file)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("INSERT INTO xorbs (id, hash, body_bytes, unpacked_bytes, created_at, leased_at) VALUES (1, ?, 1, 1, 0, 0)",
                     (os.urandom(32),))
    database.executemany("INSERT INTO xet_chunks (hash, xorb_id) VALUES (?, 1)", ((os.urandom(32),) for _ in range(KNOWN_CHUNKS)))
    database.commit()
    database.close()


def measure(hub, token, cas):
    runs = []
    for _ in range(ROUNDS + 3):
        load, before = wait_for_quiet(), hub.cpu_seconds()
        rate = head_load(hub.base, cas + "/v1/chunks/default/{random}", 3, 16, "GET", "404", token)
        runs.append({"load": load, "rate": rate, "per_cpu_second": 3 * rate / (hub.cpu_seconds() - before)})
    return runs[1:]


def main():
    rows, detail = [], {}
    _, server_cores = apart()
    with temp_folder() as folder:
        hub = Hub(folder / "data", server_cores)
        (folder / "data").mkdir()
        hub.start()
        hub.create_repo("chunks")
        for known in (0, KNOWN_CHUNKS):
            if known:
                hub.stop()
                fill(folder / "data/hearth.db")
                hub.start()
            resident = hub.rss_bytes() / 1e6
            for right in ("read", "write"):
                access = json.loads(hub.call("GET", f"/api/models/bench/chunks/xet-{right}-token/main")[1])
                cas = access["casUrl"].removeprefix(hub.base)
                runs = measure(hub, access["accessToken"], cas)
                detail[f"{right}-{known}"] = runs
                rows.append(row(f"misses per CPU second of the server, {right} token, {known:,} chunks known", ">= 10,000",
                                "1/s", spread([each["per_cpu_second"] for each in runs])))
            rows.append({"what": f"resident memory with {known:,} chunks known", "goal": "reported", "unit": "MB", "value": resident})
        hub.stop()
    save("xet_dedup_miss", rows, detail)


if __name__ == "__main__":
    main()
