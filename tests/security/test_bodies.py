"""Bodies that lie, explode or do not parse: a clear 4xx and nothing stored."""
import base64
import gzip
import json

import pytest

from harness.repos import NDJSON, commit, file_row
from harness.wire import ndjson

HEADER = json.dumps({"key": "header", "value": {"summary": "s"}})
GOOD = json.dumps({"key": "file", "value": {"path": "a.txt", "content": "eA==", "encoding": "base64"}})

MALFORMED = {
    "empty": "",
    "not JSON": "nonsense",
    "no header": GOOD,
    "header last": GOOD + "\n" + HEADER,
    "two headers": HEADER + "\n" + HEADER + "\n" + GOOD,
    "an array line": HEADER + "\n[]",
    "a null line": HEADER + "\nnull",
    "no key": HEADER + '\n{"value":{}}',
    "an unknown key": HEADER + '\n{"key":"surprise","value":{}}',
    "no value": HEADER + '\n{"key":"file"}',
    "no path": HEADER + '\n{"key":"file","value":{"content":"eA==","encoding":"base64"}}',
    "no content": HEADER + '\n{"key":"file","value":{"path":"a.txt","encoding":"base64"}}',
    "a number as a path": HEADER + '\n{"key":"file","value":{"path":5,"content":"eA==","encoding":"base64"}}',
    "bad base64": HEADER + '\n{"key":"file","value":{"path":"a.txt","content":"!!!","encoding":"base64"}}',
    "cut base64": HEADER + '\n{"key":"file","value":{"path":"a.txt","content":"eA=","encoding":"base64"}}',
    "an unknown encoding": HEADER + '\n{"key":"file","value":{"path":"a.txt","content":"x","encoding":"rot13"}}',
    "a cut line": HEADER + "\n" + GOOD[:-5],
    "deep nesting": HEADER + "\n" + '{"key":"file","value":' + "[" * 100_000,
    "no summary": '{"key":"header","value":{}}\n' + GOOD,
    "summary of another type": '{"key":"header","value":{"summary":[]}}\n' + GOOD,
    "parent that is none": '{"key":"header","value":{"summary":"s","parentCommit":"zz"}}\n' + GOOD,
    "deleting the root": HEADER + '\n{"key":"deletedFolder","value":{"path":"/"}}',
    "deleting nothing": HEADER + '\n{"key":"deletedFile","value":{"path":""}}',
    "invalid UTF-8": HEADER + '\n{"key":"file","value":{"path":"\xff\xfe","content":"eA==","encoding":"base64"}}',
    "a lone surrogate": HEADER + '\n{"key":"file","value":{"path":"\\ud800","content":"eA==","encoding":"base64"}}',
    "another hash": HEADER + '\n{"key":"lfsFile","value":{"path":"a.bin","algo":"md5","oid":"' + "0" * 32 + '","size":1}}',
}


def head(bob, repo):
    return bob.get(f"/api/models/{repo}").json()["sha"]


@pytest.mark.parametrize("shape", MALFORMED, ids=lambda shape: shape.replace(" ", "-"))
def test_a_malformed_commit_stores_nothing(bob, repo, shape):
    before = head(bob, repo)
    answer = bob.post(f"/api/models/{repo}/commit/main", MALFORMED[shape].encode("latin-1"), NDJSON)
    assert 400 <= answer.status < 500, (shape, answer)
    assert isinstance(answer.json()["error"], str)
    assert head(bob, repo) == before


@pytest.mark.parametrize("body", ["", "{", "null", "[]", "5", '"x"', '{"name":5}', '{"name":null}', "{" * 100_000, '{"name":"a"' + " " * 2_000_000,
                                  "\xff\xfe{}", '{"a":1}{"b":2}', "\0"])
@pytest.mark.parametrize("method, target", [("POST", "/api/repos/create"), ("DELETE", "/api/repos/delete"), ("POST", "/api/repos/move"),
                                            ("PUT", "/api/models/{id}/settings"), ("POST", "/api/models/{id}/preupload/main"),
                                            ("POST", "/api/models/{id}/duplicate"), ("POST", "/api/models/{id}/tag/main")])
def test_malformed_json_is_a_bad_request(bob, repo, method, target, body):
    answer = bob.request(method, target.replace("{id}", repo), body.encode("latin-1"), {"Content-Type": "application/json"})
    harmless = body in ("", "[]", "null", "5", '"x"') or body.startswith('{"name"')
    assert 400 <= answer.status < 500 or (harmless and "settings" in target), answer
    assert bob.get(f"/api/models/{repo}").status == 200


def test_a_gzip_bomb_is_refused_with_bounded_memory(bob, hub, repo):
    """10 MB that unfold to 10 GB; the hub may read no more than its limit for the route."""
    block = gzip.compress(b"\0" * 64 * 1024 * 1024, 9)
    before = hub.resident_bytes()
    for target in ("/api/validate-yaml", f"/api/models/{repo}/preupload/main", f"/{repo}.git/info/lfs/objects/batch"):
        answer = bob.post(target, block * 20, {"Content-Encoding": "gzip", "Content-Type": "application/json"})
        assert answer.status in (400, 413, 415), (target, answer)
    assert hub.resident_bytes() - before < 300 * 1024 * 1024


def test_a_small_gzip_body_is_understood(bob, repo):
    body = gzip.compress(ndjson(("header", {"summary": "zipped"}), file_row("z.txt", "zipped")).encode())
    answer = bob.post(f"/api/models/{repo}/commit/main", body, {**NDJSON, "Content-Encoding": "gzip"})
    assert answer.status == 200, answer
    assert bob.get(f"/{repo}/resolve/main/z.txt").text == "zipped"


@pytest.mark.parametrize("body", [b"", b"\x1f\x8b", b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 100, b"not gzip at all",
                                  gzip.compress(b"{}" * 1000)[:-9], gzip.compress(b"{}") + b"trailing"])
def test_broken_gzip(bob, repo, body):
    before = head(bob, repo)
    answer = bob.post(f"/api/models/{repo}/commit/main", body, {**NDJSON, "Content-Encoding": "gzip"})
    assert 400 <= answer.status < 500, answer
    assert head(bob, repo) == before


def test_an_unknown_content_encoding(bob, repo):
    for coding in ("br", "zstd", "gzip, gzip", "x"):
        answer = bob.post(f"/api/models/{repo}/commit/main", HEADER, {**NDJSON, "Content-Encoding": coding})
        assert answer.status in (400, 415), (coding, answer)


YAML = {
    "an anchor bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)),
    "deep flow": "a: " + "[" * 20_000,
    "deep blocks": "".join(" " * n + "a:\n" for n in range(3000)),
    "a python tag": "a: !!python/object/apply:os.system ['id']",
    "a lonely anchor": "a: *nobody",
    "a tab": "a:\n\t- b",
    "a duplicate key": "license: mit\nlicense: apache-2.0",
    "a long key": "x" * 500_000 + ": 1",
    "a NUL": "a: \"\\0\"\nb: \0",
    "invalid UTF-8": "a: \xff\xfe",
    "a list as the card": "- a\n- b",
    "a scalar as the card": "just words",
    "a number as licence": "license: 5",
    "a map as tags": "tags: {a: b}",
    "a recursive anchor": "a: &a\n  b: *a",
}


@pytest.mark.parametrize("shape", YAML, ids=lambda shape: shape.replace(" ", "-"))
def test_a_hostile_card(bob, repo, shape):
    """Refused, or stored and harmless: never a crash, never a hang."""
    card = ("---\n" + YAML[shape] + "\n---\n# words\n").encode("latin-1")
    answer = bob.post("/api/validate-yaml", json.dumps({"content": card.decode("utf-8", "replace"), "repoType": "model"}),
                      {"Content-Type": "application/json"})
    assert answer.status in (200, 400), answer
    answer = commit(bob, repo, [file_row("README.md", card)])
    assert answer.status in (200, 400), answer
    info = bob.get(f"/api/models/{repo}")
    assert info.status == 200 and len(info.body) < 2_000_000


def test_a_rendered_card_runs_no_script(wire, bob, repo):
    card = ("---\nlicense: mit\n---\n<script>alert(1)</script><img src=x onerror=alert(2)><a href='javascript:alert(3)'>x</a>"
            "<iframe src=//evil.example></iframe>\n\n[x](javascript:alert(4))\n\n<svg onload=alert(5)><style>*{}</style>\n"
            "<form action=/api/repos/delete><input></form><math><mtext><table><mglyph><style><img src=x onerror=alert(6)>\n")
    assert commit(bob, repo, [file_row("README.md", card)]).status == 200
    page = wire.get(f"/{repo}")
    assert page.status == 200
    lowered = page.text.lower()
    for needle in ("alert(1)", "onerror", "javascript:", "<iframe", "onload=", "evil.example/", "<script>alert"):
        assert needle not in lowered, needle
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_a_stored_page_is_not_run_from_the_hub(wire, bob, repo):
    """An HTML or SVG file served inline under the hub's name could act with a reader's session."""
    for name in ("evil.html", "evil.svg", "evil.xhtml"):
        assert commit(bob, repo, [file_row(name, "<script>alert(1)</script>")]).status == 200
        answer = wire.get(f"/{repo}/resolve/main/{name}")
        assert answer.status == 200
        kind = answer.headers.get("Content-Type", "")
        policy = answer.headers.get("Content-Security-Policy", "")
        assert kind.startswith(("text/plain", "application/octet-stream")) or "sandbox" in policy, (name, answer)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_search_pages_escape_what_is_searched(wire):
    for target in ("/models?search=%3Cscript%3Ealert(1)%3C/script%3E", "/%3Cscript%3Ealert(1)%3C/script%3E",
                   "/models?search=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"):
        page = wire.get(target)
        assert "<script>alert(1)" not in page.text and "<img src=x" not in page.text, target


def test_a_commit_larger_than_the_declared_length(bob, repo):
    body = ndjson(("header", {"summary": "s"}), file_row("a.txt", "x" * 1000)).encode()
    before = head(bob, repo)
    received = bob.raw(f"POST /api/models/{repo}/commit/main HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bob.token}\r\n"
                       f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body) // 2}\r\nConnection: close\r\n\r\n".encode() + body,
                       timeout=5)
    assert b"HTTP/1.1 4" in received.split(b"\r\n")[0], received[:200]
    assert head(bob, repo) == before


def test_a_commit_shorter_than_the_declared_length(bob, repo):
    body = ndjson(("header", {"summary": "s"}), file_row("a.txt", "x")).encode()
    before = head(bob, repo)
    bob.raw(f"POST /api/models/{repo}/commit/main HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bob.token}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body) + 50}\r\n\r\n".encode() + body, timeout=5, half_close=True)
    assert head(bob, repo) == before


def test_one_folder_of_100_000_entries(bob, repo):
    """Allowed or refused with a clear 4xx, and then the service goes on as before."""
    rows = [("file", {"path": f"d/{number:06}.txt", "content": "", "encoding": "utf-8"}) for number in range(100_000)]
    answer = commit(bob, repo, rows)
    if answer.status == 200:
        page = bob.get(f"/api/models/{repo}/tree/main/d")
        assert page.status == 200 and len(page.json()) == 1000
        assert bob.get(f"/{repo}/resolve/main/d/099999.txt").status == 200
    else:
        assert 400 <= answer.status < 500, answer
        assert answer.message


def test_content_that_is_exactly_binary_safe(bob, repo):
    data = (bytes(range(32, 127)) + b"\r\n\t\r" + "ü東".encode()) * 10
    assert commit(bob, repo, [("file", {"path": "a.txt", "content": base64.b64encode(data).decode(), "encoding": "base64"})]).status == 200
    assert bob.get(f"/{repo}/resolve/main/a.txt").body == data
