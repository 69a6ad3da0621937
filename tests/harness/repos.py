"""Repositories made over the plain API, without any client library: for the suites that test the wire."""
import base64
import hashlib

from .wire import ndjson

NDJSON = {"Content-Type": "application/x-ndjson"}


def create(wire, repo_id, kind="model", private=False, **extra):
    namespace, name = repo_id.split("/")
    answer = wire.post("/api/repos/create", {"name": name, "organization": namespace, "type": kind,
                                             "visibility": "private" if private else "public", **extra})
    assert answer.status == 200, answer
    return answer.json()


def file_row(path, content):
    data = content if isinstance(content, bytes) else content.encode()
    return ("file", {"path": path, "content": base64.b64encode(data).decode(), "encoding": "base64"})


def commit(wire, repo_id, rows, kind="model", revision="main", summary="change", **header):
    """Sends one commit and returns the answer."""
    body = ndjson(("header", {"summary": summary, **header}), *rows)
    return wire.post(f"/api/{kind}s/{repo_id}/commit/{revision}", body, NDJSON)


def put_file(wire, repo_id, path, content, kind="model", revision="main"):
    answer = commit(wire, repo_id, [file_row(path, content)], kind, revision)
    assert answer.status == 200, answer
    return answer.json()["commitOid"]


def prefix(kind):
    return "" if kind == "model" else f"{kind}s/"


def lfs_batch(wire, repo_id, objects, operation="upload", kind="model", transfers=("basic",)):
    return wire.post(f"/{prefix(kind)}{repo_id}.git/info/lfs/objects/batch",
                     {"operation": operation, "transfers": list(transfers), "objects": objects,
                      "hash_algo": "sha256"},
                     {"Content-Type": "application/vnd.git-lfs+json", "Accept": "application/vnd.git-lfs+json"})


def local(url):
    """The raw target of an absolute href."""
    return "/" + url.split("://", 1)[1].split("/", 1)[1]


def upload_object(wire, repo_id, data, kind="model"):
    """Stores one LFS object over the basic transfer; returns its sha256."""
    oid = hashlib.sha256(data).hexdigest()
    batch = lfs_batch(wire, repo_id, [{"oid": oid, "size": len(data)}], kind=kind)
    assert batch.status == 200, batch
    actions = batch.json()["objects"][0].get("actions")
    if actions:
        upload = actions["upload"]
        answer = wire.as_(None).put(local(upload["href"]), data, dict(upload.get("header") or {}))
        assert answer.status in (200, 201), answer
        if "verify" in actions:
            answer = wire.post(local(actions["verify"]["href"]), {"oid": oid, "size": len(data)})
            assert answer.status == 200, answer
    return oid


def lfs_row(path, data):
    return ("lfsFile", {"path": path, "algo": "sha256", "oid": hashlib.sha256(data).hexdigest(),
                        "size": len(data)})


def git_blob_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
