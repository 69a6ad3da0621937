"""The cast that every suite uses: one administrator, two strangers and an organisation with each role."""
from .hub import ADMIN, ADMIN_TOKEN

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
    return tokens
