"""The cast that every suite uses: one administrator, two strangers and an organisation with each role."""
import json
import threading
import time
import urllib.error
import urllib.request

from .hub import ADMIN, ADMIN_TOKEN, HubError

ORGANISATION = "acme"
MEMBERS = {"acme-reader": "read", "acme-contributor": "contributor", "acme-writer": "write",
           "acme-admin": "admin"}


def settle(hub):
    """Creates everyone on a fresh hub; returns {name: write token}, with bob's read token as "bob-read"."""
    tokens = {ADMIN: ADMIN_TOKEN}
    for name in ("bob", "mallory", *MEMBERS):
        hub.make_user(name)
        tokens[name] = hub.make_token(name)
    hub.admin("org", "create", ORGANISATION)
    for name, role in MEMBERS.items():
        hub.admin("org", "add-member", ORGANISATION, name, "--role", role)
    tokens["bob-read"] = hub.make_token("bob", "read")
    _await_everyone(hub, tokens)
    return tokens


def whoami(hub, token):
    """What the running hub says about a token; None when it knows none."""
    request = urllib.request.Request(hub.url + "/api/whoami-v2", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return None
        raise


def eventually(condition, seconds=10):
    """True as soon as the condition holds. `hearth admin` works beside a running hub, which looks for changes twice a second
    or so; a test that needs the change waits for it, within a bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.05)
    return True


def _await_everyone(hub, tokens):
    def known():
        faces = {name: whoami(hub, token) for name, token in tokens.items()}
        return all(faces.values()) and all(faces[name]["orgs"] for name in MEMBERS)
    if not eventually(known):
        raise HubError("the running hub does not see what `hearth admin` made")
