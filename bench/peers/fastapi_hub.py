"""The same two answers as a FastAPI + SQLite service, in two forms.

The plain form is how such a service is usually written: blocking database calls in `def` endpoints (FastAPI runs them on its
thread pool, as its documentation advises), the answer built from rows and returned as a dict. The `/stripped` form is the
least that Python can do: one `async def`, the JSON text stored ready-made. Run by uvicorn with two workers and uvloop.
PEER_DATABASE names the SQLite file that scenarios/hot_requests.py fills.
"""
import hashlib
import json
import os
import sqlite3
import threading

from fastapi import FastAPI, Header, HTTPException, Response

app = FastAPI()
local = threading.local()


def database():
    if not hasattr(local, "connection"):
        local.connection = sqlite3.connect(os.environ["PEER_DATABASE"], check_same_thread=False)
        local.connection.execute("PRAGMA query_only=1")
    return local.connection


def caller(authorization):
    if not authorization:
        return None
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest()
    row = database().execute("SELECT user FROM tokens WHERE hash = ?", (digest,)).fetchone()
    if row is None:
        raise HTTPException(401, "Invalid credentials in Authorization header")
    return row[0]


def repository(repo_id, authorization):
    user = caller(authorization)
    row = database().execute("SELECT private, owner, info, fields FROM repos WHERE id = ?", (repo_id.lower(),)).fetchone()
    if row is None or (row[0] and row[1] != user):
        raise HTTPException(404, "Repository not found")
    return row


def file_headers(ns, name, revision, path, authorization):
    repository(f"{ns}/{name}", authorization)
    row = database().execute("SELECT sha, size, etag, lfs FROM files WHERE repo = ? AND revision = ? AND path = ?",
                             (f"{ns}/{name}".lower(), revision, path)).fetchone()
    if row is None:
        raise HTTPException(404, "Entry not found", {"X-Error-Code": "EntryNotFound"})
    headers = {"X-Repo-Commit": row[0], "Content-Length": str(row[1]), "ETag": f'"{row[2]}"', "Accept-Ranges": "bytes",
               "Content-Disposition": f"inline; filename*=UTF-8''{path}; filename=\"{path}\";"}
    if row[3]:
        headers |= {"X-Linked-Size": str(row[1]), "X-Linked-ETag": f'"{row[2]}"'}
    return headers


@app.get("/api/models/{ns}/{name}")
def info(ns: str, name: str, authorization: str | None = Header(None)):
    answer = json.loads(repository(f"{ns}/{name}", authorization)[3])
    key = (f"{ns}/{name}".lower(),)
    answer["tags"] = [tag for tag, in database().execute("SELECT tag FROM tags WHERE repo = ? ORDER BY place", key)]
    answer["siblings"] = [{"rfilename": path} for path, in database().execute("SELECT path FROM files WHERE repo = ? ORDER BY path", key)]
    return answer


@app.head("/{ns}/{name}/resolve/{revision}/{path:path}")
def resolve(ns: str, name: str, revision: str, path: str, authorization: str | None = Header(None)):
    return Response(headers=file_headers(ns, name, revision, path, authorization))


@app.get("/stripped/api/models/{ns}/{name}")
async def stripped_info(ns: str, name: str, authorization: str | None = Header(None)):
    return Response(repository(f"{ns}/{name}", authorization)[2], media_type="application/json")


@app.head("/stripped/{ns}/{name}/resolve/{revision}/{path:path}")
async def stripped_resolve(ns: str, name: str, revision: str, path: str, authorization: str | None = Header(None)):
    return Response(headers=file_headers(ns, name, revision, path, authorization))
