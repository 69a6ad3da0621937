"""HEAD resolve and GET /api/models/{id}: requests per second against FastAPI + SQLite (two uvicorn workers) and nginx."""
import hashlib
import json
import os
import sqlite3
import subprocess

from harness import ROOT, TOKEN, Hub, free_port, head_load, interleave, ratios, save, spread, temp_folder, wait_until_answers, wrk
from peers.nginx import Nginx

PYTHON = ROOT / ".venvs/bench/bin/python"


def fill_peer(file, info, head):
    database = sqlite3.connect(file)
    database.executescript("""
        PRAGMA journal_mode=WAL;
        CREATE TABLE tokens(hash BLOB PRIMARY KEY, user TEXT);
        CREATE TABLE repos(id TEXT PRIMARY KEY, private INT, owner TEXT, info TEXT, fields TEXT);
        CREATE TABLE tags(repo TEXT, place INT, tag TEXT, PRIMARY KEY(repo, place));
        CREATE TABLE files(repo TEXT, revision TEXT, path TEXT, sha TEXT, size INT, etag TEXT, lfs INT, PRIMARY KEY(repo, revision, path));
    """)
    database.execute("INSERT INTO tokens VALUES (?, 'bench')", (hashlib.sha256(TOKEN.encode()).digest(),))
    answer = json.loads(info)
    tags, siblings = answer.pop("tags"), answer.pop("siblings")
    database.execute("INSERT INTO repos VALUES ('bench/hot', 0, 'bench', ?, ?)", (info, json.dumps(answer)))
    database.executemany("INSERT INTO tags VALUES ('bench/hot', ?, ?)", enumerate(tags))
    for sibling in siblings:
        database.execute("INSERT INTO files VALUES ('bench/hot', 'main', ?, ?, ?, ?, 0)",
                         (sibling["rfilename"], head["X-Repo-Commit"], int(head["Content-Length"]), head["ETag"].strip('"')))
    database.commit()
    database.close()


def main():
    with temp_folder() as folder:
        static = folder / "static"
        static.mkdir()
        with Hub(folder / "data") as hub, Nginx(folder / "nginx", static) as nginx:
            hub.create_repo("hot")
            config = {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 384}
            card = "---\nlicense: apache-2.0\nlanguage: en\ntags: [bench]\npipeline_tag: feature-extraction\n---\n# hot\n"
            hub.commit("hot", [{"key": "header", "value": {"summary": "files"}},
                               {"key": "file", "value": {"path": "config.json", "content": json.dumps(config), "encoding": "utf-8"}},
                               {"key": "file", "value": {"path": "README.md", "content": card, "encoding": "utf-8"}}])
            info = hub.call("GET", "/api/models/bench/hot")[1].decode()
            head = dict(hub.call("HEAD", "/bench/hot/resolve/main/config.json")[0].getheaders())
            (static / "info.json").write_text(info)
            fill_peer(folder / "peer.db", info, head)
            port = free_port()
            peer = subprocess.Popen([PYTHON, "-m", "uvicorn", "fastapi_hub:app", "--workers", "2", "--port", str(port), "--log-level", "warning", "--no-access-log"],
                                    cwd=ROOT / "bench/peers", env=dict(os.environ, PEER_DATABASE=str(folder / "peer.db")))
            try:
                python = f"http://127.0.0.1:{port}"
                wait_until_answers(python + "/api/models/bench/hot")
                auth = {"Authorization": "Bearer " + TOKEN}
                info_rates = interleave(
                    5,
                    hearth=lambda: wrk(hub.base + "/api/models/bench/hot", 3, header=auth),
                    fastapi=lambda: wrk(python + "/api/models/bench/hot", 3, header=auth),
                    stripped=lambda: wrk(python + "/stripped/api/models/bench/hot", 3, header=auth),
                    nginx=lambda: wrk(nginx.base + "/info.json", 3, header=auth))
                head_rates = interleave(
                    5,
                    hearth=lambda: head_load(hub.base, "/bench/hot/resolve/main/config.json", 3),
                    fastapi=lambda: head_load(python, "/bench/hot/resolve/main/config.json", 3),
                    stripped=lambda: head_load(python, "/stripped/bench/hot/resolve/main/config.json", 3),
                    nginx=lambda: head_load(nginx.base, "/info.json", 3))
            finally:
                peer.terminate()
                peer.wait(30)
    rows = []
    for what, rates in (("GET /api/models/{id}", info_rates), ("HEAD resolve", head_rates)):
        rows += [
            {"what": what + " against FastAPI + SQLite", "goal": ">= 10 x", "unit": "x", **value(ratios(rates["hearth"], rates["fastapi"]))},
            {"what": what + " against FastAPI stripped to ready-made JSON in async handlers", "goal": "reported", "unit": "x", **value(ratios(rates["hearth"], rates["stripped"]))},
            {"what": what + " against nginx, static file of that size", "goal": "reported", "unit": "x", **value(ratios(rates["hearth"], rates["nginx"]))},
            {"what": what + ", requests a second", "goal": "reported", "unit": "1/s", **value(spread(rates["hearth"]))},
        ]
    save("hot_requests", rows, {"info": info_rates, "head": head_rates})


def value(numbers):
    return {"value": numbers["median"], "spread": numbers}


if __name__ == "__main__":
    main()
