"""The same two answers as a FastAPI + SQLite service: what a straightforward Python hub would do.

Run by uvicorn with two workers: `uvicorn fastapi_hub:app --workers 2`. PEER_DATABASE names the SQLite file with the
tables tokens(hash, user), repos(id, private, owner, info) and files(repo, revision, path, sha, size, etag, lfs).
"""
import hashlib
import os
import sqlite3

from fastapi import FastAPI, Header, HTTPException, Response

app = FastAPI()
database = sqlite3.connect(os.environ["PEER_DATABASE"], check_same_thread=False)
database.execute("PRAGMA query_only=1")


def caller(authorization):
    if not authorization:
        return None
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest()
    row = database.execute("SELECT user FROM tokens WHERE hash = ?", (digest,)).fetchone()
    if row is None:
        raise HTTPException(401, "Invalid credentials in Authorization header")
    return row[0]


def repository(repo_id, authorization):
    user = caller(authorization)
    row = database.execute("SELECT private, owner, info FROM repos WHERE id = ?", (repo_id.lower(),)).fetchone()
    if row is None or (row[0] and row[1] != user):
        raise HTTPException(404, "Repository not found")
    return row


@app.get("/api/models/{ns}/{name}")
async def info(ns: str, name: str, authorization: str | None = Header(None)):
    return Response(repository(f"{ns}/{name}", authorization)[2], media_type="application/json")


@app.head("/{ns}/{name}/resolve/{revision}/{path:path}")
async def resolve(ns: str, name: str, revision: str, path: str, authorization: str | None = Header(None)):
    repository(f"{ns}/{name}", authorization)
    row = database.execute("SELECT sha, size, etag, lfs FROM files WHERE repo = ? AND revision = ? AND path = ?",
                           (f"{ns}/{name}".lower(), revision, path)).fetchone()
    if row is None:
        raise HTTPException(404, "Entry not found", {"X-Error-Code": "EntryNotFound"})
    headers = {"X-Repo-Commit": row[0], "Content-Length": str(row[1]), "ETag": f'"{row[2]}"', "Accept-Ranges": "bytes",
               "Content-Disposition": f"inline; filename*=UTF-8''{path}; filename=\"{path}\";"}
    if row[3]:
        headers |= {"X-Linked-Size": str(row[1]), "X-Linked-ETag": f'"{row[2]}"'}
    return Response(headers=headers)
