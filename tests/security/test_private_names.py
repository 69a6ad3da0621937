"""A private name must answer like a name that does not exist: same status, same headers, same bytes."""
import re

import pytest

from harness.hub import ADMIN_TOKEN
from harness.repos import create, file_row, lfs_batch, ndjson, put_file

VARYING = {"date", "x-request-id"}


def shape(answer, *names):
    """The answer without what differs for every request and without the name that was asked for."""
    headers = sorted((key.lower(), value) for key, value in answer.headers.pairs if key.lower() not in VARYING)
    text = repr((answer.status, headers, answer.body))
    for name in names:
        text = text.replace(name, "NAME").replace(name.replace("/", "%2F"), "NAME")
    text = re.sub(r"(nonce[-=]\W?)\w{24}", r"\1NONCE", text)  # of a page's scripts, new for each answer
    return text.replace(answer.headers["X-Request-Id"], "ID")


REQUESTS = [
    ("GET", "/api/models/{id}"), ("GET", "/api/models/{id}/revision/main"), ("GET", "/api/models/{id}/tree/main"),
    ("GET", "/api/models/{id}/commits/main"), ("GET", "/api/models/{id}/refs"), ("GET", "/api/models/{id}/auth-check"),
    ("GET", "/api/models/{id}/auth-check/write"), ("GET", "/api/models/{id}/lfs-files"), ("GET", "/{id}/resolve/main/a.txt"),
    ("HEAD", "/{id}/resolve/main/a.txt"), ("GET", "/{id}/raw/main/a.txt"), ("GET", "/{id}/resolve/main/a.txt?download=true"),
    ("GET", "/{id}"), ("GET", "/{id}/tree/main"), ("GET", "/{id}/blob/main/a.txt"), ("GET", "/{id}/commits/main"),
    ("GET", "/{id}.git/info/refs?service=git-upload-pack"), ("GET", "/{id}/info/refs?service=git-receive-pack"),
    ("POST", "/{id}.git/git-upload-pack"), ("POST", "/{id}.git/git-receive-pack"),
    ("POST", "/api/models/{id}/paths-info/main"), ("POST", "/api/models/{id}/branch/x"), ("DELETE", "/api/models/{id}/branch/x"),
    ("POST", "/api/models/{id}/tag/main"), ("DELETE", "/api/models/{id}/tag/x"), ("PUT", "/api/models/{id}/settings"),
    ("POST", "/api/models/{id}/super-squash/main"), ("POST", "/api/models/{id}/duplicate"),
    ("POST", "/api/models/{id}/preupload/main"), ("POST", "/api/models/{id}/commit/main"),
    ("POST", "/{id}.git/info/lfs/objects/batch"), ("POST", "/{id}.git/info/lfs/locks/verify"),
    ("POST", "/api/models/{id}/like"), ("DELETE", "/api/models/{id}/like"), ("GET", "/api/models/{id}/likers"),
    ("DELETE", "/api/repos/delete"), ("POST", "/api/repos/move"),
    ("GET", "/api/hearth/models/{id}/checklist"), ("PUT", "/api/hearth/models/{id}/checklist"), ("GET", "/{id}/checklist"),
    ("GET", "/api/hearth/compare?repos=models/{id},models/{id}@main"), ("GET", "/api/hearth/decision-note?repos=models/{id}"),
    ("GET", "/compare?repos=models/{id}"), ("GET", "/compare/note?repos=models/{id}"),
    *(("GET", "/{id}/" + page) for page in ("inspect", "branches", "settings", "duplicate", "edit/main/a.txt", "upload/main", "commit/" + "0" * 40)),
    *(("POST", "/{id}/" + page) for page in ("branches", "settings/delete", "duplicate", "edit/main/a.txt", "upload/main")),
    *(("GET", "/api/hearth/models/{id}/" + what) for what in (
        "classify", "reading-order", "card-score", "licence", "provenance", "changes?against={id}", "changes/weights?against={id}", "runtimes", "fit", "safety")),
    ("GET", "/api/models/{id}/scan"), ("GET", "/api/models/{id}/inference"), ("GET", "/api/models/{id}/treesize/main"), ("GET", "/api/models/{id}/compare/main..main"),
    ("GET", "/api/models/{id}/safetensors-metadata/a.safetensors"), ("POST", "/api/models/{id}/inference/load"), ("POST", "/hf-inference/models/{id}"),
]


def body_of(method, target, repo_id):
    namespace, name = repo_id.split("/")
    if target.endswith("/commit/main"):
        return ndjson(("header", {"summary": "s"}), file_row("a.txt", "x")), {"Content-Type": "application/x-ndjson"}
    if target.endswith("objects/batch"):
        return {"operation": "download", "objects": [{"oid": "0" * 64, "size": 1}]}, {
            "Content-Type": "application/vnd.git-lfs+json"}
    if target.endswith("repos/delete"):
        return {"name": name, "organization": namespace, "type": "model"}, {}
    if target.endswith("repos/move"):
        return {"fromRepo": repo_id, "toRepo": "mallory/taken-over", "type": "model"}, {}
    if target.endswith("git-upload-pack") and method == "POST":
        return b"0000", {"Content-Type": "application/x-git-upload-pack-request"}
    if target.endswith("git-receive-pack") and method == "POST":
        return b"0000", {"Content-Type": "application/x-git-receive-pack-request"}
    bodies = {"/paths-info/main": {"paths": ["a.txt"]}, "/tag/main": {"tag": "x"}, "/settings": {"private": False},
              "/super-squash/main": {"message": "m"}, "/duplicate": {"repository": "mallory/copy"},
              "/preupload/main": {"files": [{"path": "a", "size": 1, "sample": "eA=="}]}}
    for suffix, body in bodies.items():
        if target.endswith(suffix):
            return body, {}
    return ({} if method in ("POST", "PUT") else None), {}


@pytest.mark.parametrize("who", ["anonymous", "mallory", "acme-admin"])
@pytest.mark.parametrize("method, pattern", REQUESTS)
def test_missing_and_private_answer_alike(wire, tokens, hidden, who, method, pattern):
    private, missing = hidden
    client = wire.as_(None if who == "anonymous" else tokens[who])
    answers = []
    for repo_id in (private, missing):
        target = pattern.replace("{id}", repo_id)
        body, headers = body_of(method, target, repo_id)
        answers.append(client.request(method, target, body, headers))
    assert shape(answers[0], private) == shape(answers[1], missing)
    assert answers[0].status in (401, 403, 404), answers[0]


@pytest.fixture(scope="module")
def hidden(bob):
    """(a private repository, a name of the same length that nobody has)"""
    create(bob, "bob/hidden-one", private=True)
    put_file(bob, "bob/hidden-one", "a.txt", "secret text")
    put_file(bob, "bob/hidden-one", "README.md", "---\ntags: [very-secret-tag]\nlicense: wtfpl\n---\nsecret\n")
    return "bob/hidden-one", "bob/absent-one"


def test_the_name_is_in_no_public_list(wire, mallory, hidden):
    for client in (wire, mallory):
        for target in ("/api/models", "/api/models?search=hidden", "/api/models?author=bob", "/api/models?filter=very-secret-tag",
                       "/api/models?full=true", "/api/quicksearch?q=hidden", "/api/trending", "/api/models-tags-by-type",
                       "/", "/models", "/models?search=hidden", "/bob", "/api/users/bob/overview", "/sitemap.xml",
                       "/metrics"):
            answer = client.get(target)
            assert b"hidden-one" not in answer.body, target
            assert b"very-secret-tag" not in answer.body, target


def test_counts_do_not_tell(wire, bob, mallory):
    before = mallory.get("/api/users/bob/overview").json()["numModels"]
    create(bob, "bob/hidden-counted", private=True)
    assert mallory.get("/api/users/bob/overview").json()["numModels"] == before


def test_counts_of_facets_and_of_names_do_not_tell_whoever_asked_before(wire, bob, mallory):
    """Counts are kept: what somebody who sees more was told must not be what others get."""
    targets = ("/api/hearth/models/facets?author=bob", "/api/hearth/models/facets?search=hid-facet", "/api/quicksearch?q=hid-facet", "/api/quicksearch?q=b&type=model")
    administrator = wire.as_(ADMIN_TOKEN)

    def told(client):
        return [client.get(target).json() for target in targets]
    before = told(wire), told(mallory)
    create(bob, "bob/hid-facet", private=True)
    put_file(bob, "bob/hid-facet", "README.md", "---\nlicense: wtfpl\n---\nsecret\n")
    for client in (bob, administrator):
        assert told(client)[2]["modelsCount"] == 1
        assert told(client)[1]["total"] == 1
    assert (told(wire), told(mallory)) == before
    assert bob.put("/api/models/bob/hid-facet/settings", {"private": False}).status == 200
    assert told(wire)[2]["modelsCount"] == told(mallory)[2]["modelsCount"] == 1
    assert bob.put("/api/models/bob/hid-facet/settings", {"private": True}).status == 200
    assert (told(wire), told(mallory)) == before
    assert bob.post("/api/repos/move", {"fromRepo": "bob/hid-facet", "toRepo": "bob/hid-moved", "type": "model"}).status == 200
    assert [client.get(f"/api/quicksearch?q={text}").json()["modelsCount"] for client in (bob, mallory) for text in ("hid-facet", "hid-moved")] == [0, 1, 0, 0]


def test_creating_the_same_name_elsewhere_tells_nothing(mallory):
    answer = mallory.post("/api/repos/create", {"name": "hidden-one", "organization": "bob", "type": "model"})
    other = mallory.post("/api/repos/create", {"name": "absent-one", "organization": "bob", "type": "model"})
    assert shape(answer, "hidden-one") == shape(other, "absent-one")
    assert answer.status == 403


def test_moving_onto_a_private_name_tells_nothing(bob, mallory, hidden):
    create(mallory, "mallory/probe")
    for target in ("bob/hidden-one", "bob/absent-one"):
        answer = mallory.post("/api/repos/move", {"fromRepo": "mallory/probe", "toRepo": target, "type": "model"})
        assert answer.status == 403, answer


def test_a_repository_made_private_disappears_at_once(wire, bob, new_id):
    repo_id = new_id()
    create(bob, repo_id)
    put_file(bob, repo_id, "a.txt", "x")
    etag = wire.get(f"/{repo_id}/resolve/main/a.txt").headers["ETag"]
    assert bob.put(f"/api/models/{repo_id}/settings", {"private": True}).status == 200
    answer = wire.get(f"/{repo_id}/resolve/main/a.txt", {"If-None-Match": etag})
    assert (answer.status, answer.code) == (401, "RepoNotFound")
    assert b"\"x\"" not in answer.body


def test_the_forwarding_of_a_moved_private_repository_is_private(wire, mallory, bob, new_id):
    old, new = new_id(), new_id()
    create(bob, old, private=True)
    assert bob.post("/api/repos/move", {"fromRepo": old, "toRepo": new, "type": "model"}).status == 200
    for client in (wire, mallory):
        answer = client.get(f"/api/models/{old}")
        assert answer.status in (401, 404) and "Location" not in answer.headers
        assert new.encode() not in answer.body


def test_the_batch_of_a_private_repository_is_not_found(mallory, hidden):
    for name in hidden:
        assert lfs_batch(mallory, name, [{"oid": "0" * 64, "size": 1}], "download").status == 404
