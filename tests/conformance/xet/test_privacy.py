"""Knowing a hash is not a right: hashes leak through logs, caches and headers, contents must not."""
import re

import pytest

from harness.repos import commit, create, lfs_row, local
from harness.xet import Cas, LocalStore, stream_bytes, tree_entry


class Secret:
    """A private file of bob's in one chunk (whose hash is then the xorb's) and one in many."""

    def __init__(self, bob, repo, rng, folder):
        self.repo = repo
        self.contents = {"small.bin": b"\0" + rng.randbytes(3000), "large.bin": b"\0" + rng.randbytes(1_500_000)}
        self.stores = [LocalStore(folder / name, {name: data}) for name, data in self.contents.items()]
        self.cas = Cas(bob, repo)
        for store in self.stores:
            self.cas.upload(store)
        answer = commit(bob, repo, [lfs_row(name, data) for name, data in self.contents.items()])
        assert answer.status == 200, answer
        self.hashes = {name: info.hash for store in self.stores for name, info in store.files.items()}
        self.xorbs = [name for store in self.stores for name, _ in store.xorbs()]
        self.chunk = self.xorbs[0]


@pytest.fixture
def secret(bob, private_repo, rng, tmp_path):
    return Secret(bob, private_repo, rng, tmp_path / "secret")


@pytest.fixture
def mallory(wire, tokens):
    return wire.as_(tokens["mallory"])


@pytest.fixture
def intruder(mallory, new_id):
    """mallory's write token for a repository of her own."""
    repo = new_id("mallory")
    create(mallory, repo)
    cas = Cas(mallory, repo)
    cas.repo = repo
    return cas


def test_bob_himself_can_read(bob, secret):
    cas = Cas(bob, secret.repo, "read")
    for store in secret.stores:
        for name, info in store.files.items():
            assert cas.plan(info.hash).status == 200
            assert stream_bytes(cas, info) == secret.contents[name]


def test_another_user_who_knows_every_hash_reads_nothing(secret, intruder):
    for file_hash in secret.hashes.values():
        for version in (1, 2):
            assert intruder.plan(file_hash, version=version).status == 404
        assert intruder.wire.get(f"{intruder.base}/reconstructions/{file_hash}").status == 404
        assert intruder.wire.head(f"{intruder.base}/v1/files/{file_hash}").status == 404
        answer = intruder.wire.get(f"{intruder.base}/v1/reconstructions?file_id={file_hash}")
        assert answer.status == 404 or file_hash not in answer.text
    for xorb in secret.xorbs:
        assert intruder.grant(xorb).status == 404
        assert intruder.head_xorb(xorb).status == 404
    assert intruder.chunk(secret.chunk).status == 404
    assert secret.cas.chunk(secret.chunk).status == 200


def test_missing_and_hidden_look_the_same(secret, intruder):
    nothing = "0123456789abcdef" * 4
    for ask in (intruder.plan, intruder.grant, intruder.head_xorb, intruder.chunk):
        hidden, missing = ask(secret.xorbs[0]), ask(nothing)
        assert (hidden.status, hidden.code, hidden.body.replace(secret.xorbs[0].encode(), b"")) == (
            missing.status, missing.code, missing.body.replace(nothing.encode(), b""))
        names = [{name.lower() for name, _ in answer.headers.pairs} for answer in (hidden, missing)]
        assert names[0] == names[1]


def test_a_replayed_shard_without_the_bytes_is_refused(secret, intruder, mallory):
    """The shard names xorbs that mallory has never sent: it buys her nothing."""
    for store in secret.stores:
        answer = intruder.post_shard(store.shard())
        assert 400 <= answer.status < 500, answer
    for name, data in secret.contents.items():
        assert intruder.plan(secret.hashes[name]).status == 404
        assert commit(mallory, intruder.repo, [lfs_row(name, data)]).status == 400


def test_uploading_the_same_bytes_tells_nothing_about_others(secret, intruder, mallory):
    """Who has the bytes may store them; whether somebody else did before is not said."""
    store = secret.stores[0]
    for xorb, body in store.xorbs():
        assert intruder.post_xorb(xorb, body).json() == {"was_inserted": True}
        assert intruder.grant(xorb).status == 200
    assert intruder.post_shard(store.shard()).status == 200
    data = secret.contents["small.bin"]
    assert commit(mallory, intruder.repo, [lfs_row("mine.bin", data)]).status == 200
    assert mallory.get(f"/{intruder.repo}/resolve/main/mine.bin").body == data
    assert intruder.plan(secret.hashes["large.bin"]).status == 404


def test_who_may_have_a_token(wire, bob, mallory, tokens, secret, repo):
    def ask(who, repo_id, right):
        return who.get(f"/api/models/{repo_id}/xet-{right}-token/main").status
    assert ask(wire, repo, "read") == 200 and ask(mallory, repo, "read") == 200
    assert ask(wire, secret.repo, "read") == 401 and ask(mallory, secret.repo, "read") == 404
    assert ask(wire, repo, "write") == 401 and ask(mallory, repo, "write") == 403
    assert ask(wire, secret.repo, "write") == 401 and ask(mallory, secret.repo, "write") == 404
    reader = wire.as_(tokens["bob-read"])
    assert ask(reader, secret.repo, "read") == 200 and ask(reader, repo, "write") == 403
    assert ask(bob, secret.repo, "write") == 200


def test_anybody_reads_what_is_public(bob, wire, repo, rng, tmp_path):
    data = b"\0" + rng.randbytes(500_000)
    store = LocalStore(tmp_path / "store", {"w.bin": data})
    Cas(bob, repo).upload(store)
    assert commit(bob, repo, [lfs_row("w.bin", data)]).status == 200
    assert stream_bytes(Cas(wire, repo, "read"), store.files["w.bin"]) == data


def test_a_token_is_for_one_repository(bob, secret, repo):
    """Even for the same person: a token that leaks opens one repository only."""
    for right in ("read", "write"):
        other = Cas(bob, repo, right)
        for file_hash in secret.hashes.values():
            assert other.plan(file_hash).status == 404


def test_a_read_token_stores_nothing(bob, secret, repo, rng, tmp_path):
    store = LocalStore(tmp_path / "store", {"w.bin": b"\0" + rng.randbytes(1000)})
    (xorb, body), = store.xorbs()
    reader = Cas(bob, repo, "read")
    assert reader.post_xorb(xorb, body).status == 403
    assert reader.post_shard(store.shard()).status == 403
    assert reader.stream_shard(store.shard())[0] == 403
    assert Cas(bob, repo).grant(xorb).status == 404


def test_no_token_a_broken_one_and_the_hub_s_own_are_refused(bob, secret, tokens):
    cas = secret.cas
    file_hash = secret.hashes["large.bin"]
    good = cas.token
    middle = len(good) // 2
    for bad in (None, "x", good[:-2], good + "x", tokens["bob"],
                good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1:]):
        cas.wire = cas.wire.as_(bad)
        for answer in (cas.plan(file_hash), cas.grant(secret.xorbs[0]), cas.chunk(secret.chunk), cas.post_shard(b"x")):
            assert answer.status == 401, (bad, answer)
    # And the store's token is not one of the hub's.
    assert bob.as_(good).get(f"/api/models/{secret.repo}").status in (401, 404)


def test_a_token_ends_with_the_right(wire, tokens, hub, bob, mallory, new_id, rng, tmp_path):
    """A repository made private after the token was given out is closed at once."""
    repo = new_id()
    create(bob, repo)
    data = b"\0" + rng.randbytes(2000)
    store = LocalStore(tmp_path / "store", {"w.bin": data})
    Cas(bob, repo).upload(store)
    assert commit(bob, repo, [lfs_row("w.bin", data)]).status == 200
    theirs = Cas(mallory, repo, "read")
    file_hash = store.files["w.bin"].hash
    assert theirs.plan(file_hash).status == 200
    assert bob.put(f"/api/models/{repo}/settings", {"private": True}).status == 200
    assert theirs.plan(file_hash).status in (401, 403, 404)
    assert Cas(bob, repo, "read").plan(file_hash).status == 200


class Link:
    def __init__(self, cas, file_hash):
        plan = cas.plan(file_hash).json()
        (self.xorb, (entry,)), = plan["xorbs"].items()
        span = entry["ranges"][0]["bytes"]
        self.start, self.end = span["start"], span["end"]
        self.target = local(entry["url"])


def get(wire, target, start, end):
    return wire.get(target, {"Range": f"bytes={start}-{end}"})


def test_a_data_link_allows_its_ranges_and_nothing_else(wire, bob, secret, rng, tmp_path):
    # A file from the middle of a xorb that holds more.
    contents = {"a.bin": b"\0" + rng.randbytes(600_000), "b.bin": b"\0" + rng.randbytes(600_000)}
    store = LocalStore(tmp_path / "pair", contents)
    secret.cas.upload(store)
    (xorb, body), = store.xorbs()
    assert commit(bob, secret.repo, [lfs_row(name, data) for name, data in contents.items()]).status == 200
    links = [Link(secret.cas, store.files[name].hash) for name in contents]
    link = max(links, key=lambda each: each.start)
    assert link.xorb == xorb and link.start > 0
    assert get(wire, link.target, link.start, link.end).body == body[link.start:link.end + 1]
    assert get(wire, link.target, link.start + 5, link.end - 5).body == body[link.start + 5:link.end - 4]
    assert get(wire, link.target, link.start - 1, link.end).status == 403
    assert get(wire, link.target, 0, 10).status == 403
    assert get(wire, link.target, link.start, link.end + 1).status == 403
    assert wire.get(link.target).status == 403
    for bad in ("bytes=-10", f"bytes={link.start}-", f"bytes={link.start}-{link.end},0-0", "chunks=0-1"):
        assert wire.get(link.target, {"Range": bad}).status == 403, bad


def test_an_altered_data_link_is_refused(wire, secret):
    link = Link(secret.cas, secret.hashes["large.bin"])
    path, query = link.target.split("?", 1)
    assert get(wire, link.target, link.start, link.end).status == 206
    pairs = dict(re.findall(r"([^=&]+)=([^&]*)", query))
    for name, value in pairs.items():
        other = ("1" if value[-1:] != "1" else "2")
        for changed in (value[:-1] + other, "", value + "0"):
            target = path + "?" + "&".join(f"{key}={changed if key == name else kept}" for key, kept in pairs.items())
            assert get(wire, target, link.start, link.end).status == 403, target
        target = path + "?" + "&".join(f"{key}={kept}" for key, kept in pairs.items() if key != name)
        assert get(wire, target, link.start, link.end).status == 403, target
    assert get(wire, path, link.start, link.end).status == 403
    elsewhere = link.target.replace(link.xorb, secret.xorbs[0] if link.xorb != secret.xorbs[0] else secret.xorbs[1])
    assert get(wire, elsewhere, 0, 10).status == 403
