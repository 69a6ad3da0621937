"""Who may do what: every route times every kind of person, generated from one table of needed rights.

The rights: "read" whoever sees the repository; "write" who may change its content; "admin" who owns it; "user" anyone with a
token. A person who lacks the right is told 401 (no token) or 403; who cannot even see a private repository is told 401
or 404. Who has the right never sees 401 or 403. Bodies are well-formed and refer to things that are not there, so that
a permitted request changes nothing that the next one needs.
"""
import pytest

from harness.repos import create, lfs_batch, put_file
from harness.wire import ndjson

# person: the rights on acme's repository (owned by the organisation, made by its administrator)
RIGHTS = {
    "anonymous": set(),
    "mallory": {"user"},
    "acme-reader": {"user", "member"},
    "acme-contributor": {"user", "member"},
    "acme-writer": {"user", "member", "write"},
    "acme-admin": {"user", "member", "write", "admin"},
}
NDJSON = {"Content-Type": "application/x-ndjson"}
LFS = {"Content-Type": "application/vnd.git-lfs+json"}
PACK = {"Content-Type": "application/x-git-receive-pack-request"}
FETCH = {"Content-Type": "application/x-git-upload-pack-request"}

# method, target, needed right, body, headers
ROUTES = [
    ("GET", "/api/{T}/{id}", "read", None, {}),
    ("GET", "/api/{T}/{id}/revision/main", "read", None, {}),
    ("GET", "/api/{T}/{id}/tree/main", "read", None, {}),
    ("GET", "/api/{T}/{id}/commits/main", "read", None, {}),
    ("GET", "/api/{T}/{id}/refs", "read", None, {}),
    ("GET", "/api/{T}/{id}/auth-check", "read", None, {}),
    ("GET", "/api/{T}/{id}/likers", "read", None, {}),
    ("GET", "/api/hearth/{T}/{id}/checklist", "read", None, {}),
    ("GET", "/{P}{id}/checklist", "read", None, {}),
    ("PUT", "/api/hearth/{T}/{id}/checklist", "user", {"answers": {}}, {}),
    ("DELETE", "/api/hearth/{T}/{id}/checklist", "user", None, {}),
    ("POST", "/api/{T}/{id}/paths-info/main", "read", {"paths": ["a.txt"]}, {}),
    ("GET", "/{P}{id}/resolve/main/a.txt", "read", None, {}),
    ("HEAD", "/{P}{id}/resolve/main/a.txt", "read", None, {}),
    ("GET", "/{P}{id}/raw/main/a.txt", "read", None, {}),
    ("GET", "/{P}{id}.git/info/refs?service=git-upload-pack", "read", None, {}),
    ("POST", "/{P}{id}.git/git-upload-pack", "read", b"0000", FETCH),
    ("POST", "/{P}{id}.git/info/lfs/objects/batch", "read", {"operation": "download", "objects": []}, LFS),
    ("GET", "/{P}{id}", "read", None, {}),
    ("GET", "/{P}{id}/tree/main", "read", None, {}),
    ("GET", "/{P}{id}/blob/main/a.txt", "read", None, {}),
    ("GET", "/{P}{id}/commits/main", "read", None, {}),
    ("GET", "/api/{T}/{id}/auth-check/write", "write", None, {}),
    ("POST", "/api/{T}/{id}/preupload/main", "write", {"files": []}, {}),
    ("POST", "/api/{T}/{id}/commit/nowhere", "write", ndjson(("header", {"summary": "s"})), NDJSON),
    ("POST", "/api/{T}/{id}/branch/x", "write", {"startingPoint": "nowhere"}, {}),
    ("DELETE", "/api/{T}/{id}/branch/nowhere", "write", None, {}),
    ("POST", "/api/{T}/{id}/tag/nowhere", "write", {"tag": "x"}, {}),
    ("DELETE", "/api/{T}/{id}/tag/nowhere", "write", None, {}),
    ("POST", "/api/{T}/{id}/super-squash/nowhere", "write", {"message": "m"}, {}),
    ("GET", "/api/{T}/{id}/lfs-files", "write", None, {}),
    ("POST", "/api/{T}/{id}/lfs-files/batch", "write", {"deletions": {}}, {}),
    ("GET", "/{P}{id}.git/info/refs?service=git-receive-pack", "write", None, {}),
    ("POST", "/{P}{id}.git/git-receive-pack", "write", b"0000", PACK),
    ("POST", "/{P}{id}.git/info/lfs/objects/batch", "write", {"operation": "upload", "objects": []}, LFS),
    ("PUT", "/api/{T}/{id}/settings", "admin", {"gated": False}, {}),
    ("DELETE", "/api/repos/delete", "admin", "delete", {}),
    ("POST", "/api/repos/move", "admin", "move", {}),
]
PAGES = [route for route in ROUTES if route[1] in ("/{P}{id}", "/{P}{id}/tree/main", "/{P}{id}/blob/main/a.txt", "/{P}{id}/checklist",
                                                    "/{P}{id}/commits/main")]
KINDS = {"model": ("models", ""), "dataset": ("datasets", "datasets/"), "space": ("spaces", "spaces/")}


@pytest.fixture(scope="module")
def places(wire, tokens):
    """One public and one private repository of each type, owned by the organisation."""
    admin = wire.as_(tokens["acme-admin"])
    made = {}
    for kind in KINDS:
        for private in (False, True):
            repo_id = f"acme/matrix-{kind}-{'private' if private else 'public'}"
            create(admin, repo_id, kind, private, **({"sdk": "static"} if kind == "space" else {}))
            put_file(admin, repo_id, "a.txt", "text", kind)
            made[kind, private] = repo_id
    assert lfs_batch(admin, "acme/matrix-model-public", []).status in (200, 400, 422)
    return made


def expected(rights, needed, private):
    """The statuses allowed for a person: None means "anything but a refusal"."""
    sees = not private or "member" in rights
    anonymous = "user" not in rights
    if not sees:
        return {401} if anonymous else {404}
    if needed == "read" or needed in rights:
        return None
    return {401} if anonymous else {403}


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1]}")
def test_each_person_at_each_route(wire, tokens, places, route, kind, private):
    method, pattern, needed, body, headers = route
    repo_id = places[kind, private]
    plural, prefix = KINDS[kind]
    target = pattern.replace("{T}", plural).replace("{P}", prefix).replace("{id}", repo_id)
    wrong = []
    for person, rights in RIGHTS.items():
        if isinstance(body, str) and body in ("delete", "move") and "admin" in rights:
            continue  # it would really happen; the life-cycle tests do it
        sent = {"delete": {"name": repo_id.split("/")[1], "organization": "acme", "type": kind},
                "move": {"fromRepo": repo_id, "toRepo": "acme/elsewhere", "type": kind}}.get(body, body) \
            if isinstance(body, str) else body
        client = wire if person == "anonymous" else wire.as_(tokens[person])
        answer = client.request(method, target, sent, headers)
        allowed = expected(rights, needed, private)
        if answer.status >= 500 and not (answer.status == 501 and needed == "read"):
            wrong.append((person, answer.status, "a fault of the server"))
        elif allowed is None and answer.status in (401, 403, 405):
            wrong.append((person, answer.status, "should be let in"))
        elif allowed == {401} and answer.status == 404 and route in PAGES:
            continue  # a page says "not found" to a visitor, in words
        elif allowed is not None and answer.status not in allowed:
            wrong.append((person, answer.status, f"expected {sorted(allowed)}"))
    assert not wrong, wrong


@pytest.mark.parametrize("method, target, body", [
    ("GET", "/api/whoami-v2", None), ("GET", "/api/settings/repositories", None),
    ("POST", "/api/repos/create", {"name": "matrix", "type": "model"}),
    ("POST", "/api/models/{id}/like", None), ("DELETE", "/api/models/{id}/like", None),
    ("POST", "/api/models/{id}/duplicate", {"repository": "nobody-at-all/x"}),
])
def test_routes_for_any_user_refuse_nobody_else(wire, tokens, places, method, target, body):
    target = target.replace("{id}", places["model", False])
    assert wire.request(method, target, body).status == 401
    answer = wire.as_(tokens["mallory"]).request(method, target, body)
    assert answer.status != 401 and answer.status < 500, answer


@pytest.mark.parametrize("who", RIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_comparison_shows_only_what_the_caller_may_read(wire, tokens, places, who, kind):
    """Routes that name repositories in their query or body have the same rule: nothing tells a hidden one from none."""
    client = wire if who == "anonymous" else wire.as_(tokens[who])
    plural = KINDS[kind][0]
    shown, hidden = f"{plural}/{places[kind, False]}", f"{plural}/{places[kind, True]}"
    absent = hidden.replace("private", "missing")
    note = {"why": "because"}
    requests = [lambda name: client.get(f"/api/hearth/compare?repos={shown},{name}"),
                lambda name: client.get(f"/api/hearth/decision-note?repos={shown},{name}"),
                lambda name: client.post("/api/hearth/decision-note", {**note, "repos": [shown, name]})]
    for ask in requests:
        if "member" in RIGHTS[who]:
            assert ask(hidden).status == 200
            continue
        answers = [ask(name) for name in (hidden, absent)]
        assert [answer.status for answer in answers] == [404, 404]
        assert answers[0].body.replace(b"private", b"missing") == answers[1].body
        assert ask(shown).status in (200, 400)
