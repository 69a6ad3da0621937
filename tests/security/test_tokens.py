"""Tokens: wrong, foreign, disabled, too weak, in the wrong place."""
import base64
import sqlite3

import pytest

from harness.hub import PASSWORD
from harness.people import eventually, whoami
from harness.repos import commit, create, file_row, lfs_batch, put_file

INVALID = "Invalid credentials in Authorization header"


@pytest.mark.parametrize("value", ["Bearer hf_", "Bearer hf_" + "x" * 34, "Bearer " + "x" * 8000, "Bearer", "Bearer  ", "Basic !!!", "Basic Og==",
                                   "Basic " + base64.b64encode(b"bob:wrong").decode(), "Digest x", "Bearer hf_a\tb", "hf_x",
                                   "Bearer ../../etc", "Bearer ' or 1=1 --", "Negotiate YII=",
                                   "Basic " + base64.b64encode(b"\xff\xfe:\0").decode()])
def test_bad_credentials_are_401_everywhere(wire, bob, repo, value):
    for target in ("/api/whoami-v2", "/api/models", f"/api/models/{repo}", f"/{repo}/resolve/main/.gitattributes"):
        answer = wire.get(target, {"Authorization": value})
        assert answer.status == 401, (target, answer)
        assert answer.message == INVALID and answer.code is None


def test_a_password_is_not_a_token(wire, repo):
    login = base64.b64encode(f"bob:{PASSWORD}".encode()).decode()
    answer = wire.get("/api/whoami-v2", {"Authorization": f"Bearer {PASSWORD}"})
    assert answer.status == 401
    answer = wire.get(f"/{repo}.git/info/refs?service=git-receive-pack", {"Authorization": f"Basic {login}"})
    assert answer.status in (200, 401)


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.upper(), lambda t: t.lower(), lambda t: t[::-1],
                                    lambda t: " " + t[1:], lambda t: t[:-1] + ("a" if t[-1] != "a" else "b")])
def test_an_almost_right_token_is_wrong(wire, tokens, change):
    token = change(tokens["bob"])
    if token == tokens["bob"]:
        token += "0"
    assert wire.get("/api/whoami-v2", {"Authorization": f"Bearer {token}"}).status == 401


def test_two_authorization_headers_are_refused(wire, tokens):
    answer = wire.get("/api/whoami-v2", [("Authorization", f"Bearer {tokens['mallory']}"),
                                         ("Authorization", f"Bearer {tokens['bob']}")])
    assert answer.status in (400, 401), answer


def test_a_token_in_the_query_counts_for_nothing(wire, tokens, private_repo):
    for name in ("token", "access_token", "hf_token", "Authorization"):
        answer = wire.get(f"/api/models/{private_repo}?{name}={tokens['bob']}")
        assert answer.status == 401


def test_a_reading_token_writes_nothing(wire, bob, tokens, repo):
    reader = wire.as_(tokens["bob-read"])
    put_file(bob, repo, "a.txt", "x")
    before = bob.get(f"/api/models/{repo}").json()["sha"]
    attempts = [
        commit(reader, repo, [file_row("b.txt", "x")]),
        reader.post(f"/api/models/{repo}/branch/b", {}), reader.post(f"/api/models/{repo}/tag/main", {"tag": "t"}),
        reader.delete(f"/api/models/{repo}/branch/main"), reader.put(f"/api/models/{repo}/settings", {"private": True}),
        reader.post("/api/repos/create", {"name": "made-by-reader", "organization": "bob", "type": "model"}),
        reader.delete("/api/repos/delete", {"name": repo.split("/")[1], "organization": "bob", "type": "model"}),
        reader.post("/api/repos/move", {"fromRepo": repo, "toRepo": repo + "-x", "type": "model"}),
        reader.post(f"/api/models/{repo}/super-squash/main", {"message": "m"}),
        reader.post(f"/api/models/{repo}/preupload/main", {"files": [{"path": "a", "size": 1, "sample": "eA=="}]}),
        reader.post(f"/api/models/{repo}/duplicate", {"repository": repo + "-copy"}),
        lfs_batch(reader, repo, [{"oid": "0" * 64, "size": 1}]),
        reader.get(f"/{repo}.git/info/refs?service=git-receive-pack"),
        reader.get(f"/api/models/{repo}/auth-check/write"),
    ]
    assert [answer.status for answer in attempts] == [403] * len(attempts), attempts
    assert bob.get(f"/api/models/{repo}").json()["sha"] == before
    assert [row["name"] for row in bob.get(f"/api/models/{repo}/refs").json()["branches"]] == ["main"]


def test_a_disabled_user_is_nobody(hub, wire):
    hub.make_user("leaver")
    token = hub.make_token("leaver")
    assert eventually(lambda: whoami(hub, token))
    client = wire.as_(token)
    create(client, "leaver/model", private=True)
    hub.admin("user", "disable", "leaver")
    assert eventually(lambda: whoami(hub, token) is None)
    for target in ("/api/whoami-v2", "/api/models/leaver/model", "/leaver/model.git/info/refs?service=git-upload-pack"):
        answer = client.get(target)
        assert answer.status == 401, (target, answer)


def test_tokens_are_in_no_file_in_the_clear(hub, tokens):
    """Hashed at rest: neither the database nor the log gives a usable token."""
    needles = [token.encode() for name, token in tokens.items() if name != "alice"] + [PASSWORD.encode()]
    for path in [hub.log, *(path for path in hub.data.rglob("*") if path.is_file())]:
        content = path.read_bytes()
        for needle in needles:
            assert needle not in content, path


def test_the_secret_of_the_hub_is_readable_by_its_user_alone(hub):
    keys = [path for path in hub.data.rglob("*") if path.is_file() and ("secret" in path.name or path.suffix == ".db")]
    assert keys
    for path in keys:
        assert path.stat().st_mode & 0o077 == 0, (path, oct(path.stat().st_mode))


def test_a_session_cookie_of_another_form_is_nobody(wire):
    for value in ("x", "session=", "a" * 5000, "session=bob", "session=../../x", "%00"):
        for name in ("session", "token", "hearth_session"):
            assert wire.get("/api/whoami-v2", {"Cookie": f"{name}={value}"}).status == 401


def test_a_change_that_could_not_be_loaded_is_tried_again(hub, wire):
    """`hearth admin` ends a token while the running hub cannot read its tables: it must be refused as soon as they can be read."""
    hub.make_user("unlucky")
    token = hub.make_token("unlucky")
    assert eventually(lambda: whoami(hub, token))
    old_log = len(hub.log.read_bytes())
    database = sqlite3.connect(hub.data / "hearth.db", isolation_level=None, timeout=20)
    database.executescript("""
        BEGIN IMMEDIATE;
        UPDATE accounts SET disabled = 1 WHERE name = 'unlucky';
        UPDATE meta SET value = value + 1 WHERE key = 'accounts_version';
        INSERT OR REPLACE INTO meta (key, value) VALUES ('generation', 'of this test');
        ALTER TABLE tokens RENAME TO tokens_out_of_reach;
        COMMIT;""")
    try:
        assert eventually(lambda: b"background work failed" in hub.log.read_bytes()[old_log:]), hub.log_tail()
    finally:
        database.execute("ALTER TABLE tokens_out_of_reach RENAME TO tokens")
        database.close()
    assert eventually(lambda: whoami(hub, token) is None)
    assert wire.get("/healthz").status == 200
