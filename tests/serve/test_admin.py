"""`hearth admin` beside a running hub: what it says, what it refuses, and that the hub follows at once."""
import json
import re
import subprocess

import pytest

from conftest import clean_environment
from harness.hub import BINARY
from harness.people import eventually

PASSWORD = "a long enough password"


@pytest.fixture
def hub(serve):
    served = serve("--listen", "127.0.0.1:0")
    served.where = served.address()
    yield served
    served.stop()


@pytest.fixture
def admin(folder):
    def run(*arguments, ok=True, **environment):
        done = subprocess.run([str(BINARY), "admin", *arguments], cwd=folder, capture_output=True, text=True,
                              env=clean_environment(**environment), stdin=subprocess.DEVNULL, timeout=60)
        assert (done.returncode == 0) == ok, (arguments, done.stdout, done.stderr)
        return done.stdout.strip() if ok else done.stderr
    return run


@pytest.fixture
def face(ask, hub):
    """face(token) -> who the hub takes it for, or None."""
    def of(token):
        status, _, text = ask(hub.where, "/api/whoami-v2", headers={"Authorization": f"Bearer {token}"})
        return json.loads(text) if status == 200 else None
    return of


def sign_in(ask, hub, user, password):
    status, _, _ = ask(hub.where, "/api/login", "POST", {"Content-Type": "application/json"},
                       json.dumps({"user": user, "username": user, "password": password}))
    return status


def test_a_user_from_creation_to_being_shut_out(hub, admin, ask, face):
    made = admin("user", "create", "bob", "--email", "bob@example.com")
    password = re.fullmatch(r"created user bob  password (\w{16,})", made).group(1)
    assert eventually(lambda: sign_in(ask, hub, "bob", password) == 200)
    reset = re.search(r"(\w{16,})$", admin("user", "reset-password", "bob")).group(1)
    assert eventually(lambda: sign_in(ask, hub, "bob", reset) == 200)
    assert sign_in(ask, hub, "bob", password) == 401
    token = admin("--quiet", "token", "create", "bob", "--role", "read")
    assert eventually(lambda: face(token)) and face(token)["auth"]["accessToken"]["role"] == "read"
    admin("user", "disable", "bob")
    assert eventually(lambda: face(token) is None) and sign_in(ask, hub, "bob", reset) == 401
    rows = {row["name"]: row for row in json.loads(admin("user", "list", "--json"))}
    assert rows["bob"]["disabled"] and rows["bob"]["email"] == "bob@example.com" and not rows["bob"]["admin"]
    assert rows["alice"]["admin"] and not rows["alice"]["disabled"]
    admin("user", "enable", "bob")
    assert eventually(lambda: face(token))


def test_an_organisation_and_its_members(hub, admin, face):
    admin("user", "create", "bob", HEARTH_PASSWORD=PASSWORD)
    token = admin("-q", "token", "create", "bob", "--role", "write")
    admin("org", "create", "acme", "--fullname", "Acme Ltd")
    admin("org", "add-member", "acme", "bob", "--role", "contributor")
    assert eventually(lambda: face(token) and face(token)["orgs"])
    org = face(token)["orgs"][0]
    assert (org["name"], org["fullname"], org["roleInOrg"]) == ("acme", "Acme Ltd", "contributor")
    admin("org", "add-member", "acme", "bob", "--role", "write")
    assert re.search(r"^bob +write$", admin("org", "members", "acme"), re.M)
    assert [row["name"] for row in json.loads(admin("org", "list", "--json"))] == ["acme"]
    admin("org", "remove-member", "acme", "bob")
    assert eventually(lambda: face(token)["orgs"] == [])


def test_tokens_are_listed_without_their_text_and_revoked(hub, admin, face):
    admin("user", "create", "bob", "--password", PASSWORD)
    token = re.search(r"hf_\w+$", admin("token", "create", "bob", "--role", "write", "--name", "ci",
                                        "--expires-days", "3")).group(0)
    assert eventually(lambda: face(token))
    assert "expiresAt" in json.dumps(face(token)["auth"])
    listed = admin("token", "list", "bob")
    assert "ci" in listed and "write" in listed and token not in listed
    admin("token", "revoke", "bob", listed.split()[0])
    assert eventually(lambda: face(token) is None)
    assert admin("token", "list", "bob") == ""


def test_an_alias_names_a_repository(hub, admin, ask):
    owner = {"Authorization": f"Bearer {admin('-q', 'token', 'create', 'alice', '--role', 'write')}",
             "Content-Type": "application/json"}
    assert eventually(lambda: ask(hub.where, "/api/repos/create", "POST", owner, '{"name":"small"}')[0] in (200, 409))
    admin("alias", "set", "gpt2", "alice/small")
    assert eventually(lambda: ask(hub.where, "/api/models/gpt2")[0] == 200)
    assert json.loads(ask(hub.where, "/api/models/gpt2")[2])["id"] == "alice/small"
    assert ask(hub.where, "/gpt2/resolve/main/.gitattributes", "HEAD")[1]["X-Repo-Commit"]
    assert ask(hub.where, "/gpt2.git/info/refs?service=git-upload-pack")[0] == 200
    assert ask(hub.where, "/gpt2/tree/main")[0] == 200
    assert ask(hub.where, "/api/datasets/gpt2")[0] in (401, 404)  # an alias is of one type


def test_a_pass_through_a_gate(hub, admin, ask):
    def bearer(user):
        return {"Authorization": f"Bearer {admin('-q', 'token', 'create', user, '--role', 'write')}",
                "Content-Type": "application/json"}
    admin("user", "create", "bob", "--password", PASSWORD)
    owner, bob = bearer("alice"), bearer("bob")
    assert eventually(lambda: ask(hub.where, "/api/repos/create", "POST", owner, '{"name":"kept"}')[0] in (200, 409))
    assert ask(hub.where, "/api/models/alice/kept/settings", "PUT", owner, '{"gated":"manual"}')[0] == 200

    def read():
        status, headers, _ = ask(hub.where, "/alice/kept/resolve/main/.gitattributes", headers=bob)
        return status, headers["X-Error-Code"]
    assert eventually(lambda: read() == (403, "GatedRepo"))
    assert admin("repo", "grant", "alice/kept", "bob") == "bob may read alice/kept"
    assert eventually(lambda: read() == (200, None))
    admin("repo", "revoke", "alice/kept", "bob")
    assert eventually(lambda: read() == (403, "GatedRepo"))


@pytest.mark.parametrize("arguments, word", [
    (("user", "create", "bad name"), "name"),
    (("user", "create", "alice"), "alice"),
    (("user", "create", "carol", "--password", "short"), "password"),
    (("user", "disable", "nobody"), "nobody"),
    (("org", "add-member", "alice", "alice", "--role", "read"), "alice"),
    (("org", "create", "models"), "models"),
    (("token", "create", "alice", "--role", "god"), "god"),
    (("token", "revoke", "alice", "000000000000000000000000"), "token"),
    (("repo", "disable", "alice/none"), "alice/none"),
    (("repo", "grant", "alice/none", "alice"), "alice/none"),
    (("alias", "set", "gpt2", "alice/none"), "alice/none"),
    (("user", "list", "--data", "elsewhere"), "elsewhere"),
])
def test_what_cannot_be_is_refused_in_words(hub, admin, arguments, word):
    assert word in admin(*arguments, ok=False)
