"""Whoever sends the very bytes that somebody else has privately, compressed or packed in any way, gets from every door what a
hub gives them that never had those bytes: two hubs, one with the secret and one without, and one attacker on both."""
import random
import re

import pytest

from harness.hub import Hub
from harness.people import eventually, settle
from harness.repos import commit, create, lfs_batch, lfs_row, local, upload_object
from harness.wire import Wire
from harness.xet import Cas, LocalStore, plainly, stream_bytes, tree_entry

VARYING = {"date", "x-request-id", "x-repo-commit"}
FILE_INFO = {"Accept": "application/vnd.xet-fileinfo+json"}


def rows(seed, count=9000):
    """Text that compresses, several chunks of it."""
    words = random.Random(seed)
    return "".join(f"{number} {words.choice('abcdef') * 12} the quick brown fox\n" for number in range(count)).encode()


def first_chunk(body, data):
    return data[:int.from_bytes(body[5:8], "little")]


class Secret:
    """A content in the packings that the attacker tries."""

    def __init__(self, folder):
        self.data, self.before = rows("secret"), rows("before", 3000)
        self.plain = LocalStore(folder / "plain", {"w.bin": self.data})
        self.hash = self.plain.files["w.bin"].hash
        (self.xorb, self.body), = self.plain.xorbs()
        # In one session, behind another file: other terms.
        self.beside = LocalStore(folder / "beside", {"a.bin": self.before, "w.bin": self.data})
        self.chunk = LocalStore(folder / "chunk", {"c": first_chunk(self.body, self.data)}).xorbs()[0][0]
        self.stores = (self.plain, self.beside)

    def row(self):
        return lfs_row("w.bin", self.data)


class Place:
    """One hub with everybody on it."""

    def __init__(self, folder):
        self.hub = Hub(folder, environment={"HEARTH_XET_CONVERT_AFTER": "1", "HEARTH_LOG_LEVEL": "warning"}).start()
        tokens = settle(self.hub)
        self.bob, self.mallory = (Wire(self.hub.url).as_(tokens[name]) for name in ("bob", "mallory"))


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    return Secret(tmp_path_factory.mktemp("stores"))


@pytest.fixture(params=["alone", "beside"])
def places(request, tmp_path, secret):
    """A hub where bob has the secret, alone or packed beside something else, and one where nobody has it."""
    both = [Place(tmp_path / name) for name in ("full", "empty")]
    try:
        bob = both[0].bob
        create(bob, "bob/hidden", private=True)
        Cas(bob, "bob/hidden").upload(secret.plain if request.param == "alone" else secret.beside)
        assert commit(bob, "bob/hidden", [secret.row()]).status == 200
        yield both
        for place in both:
            place.hub.stop()
    finally:
        for place in both:
            place.hub.kill()


def shape(answer):
    """Without what differs between two hubs: signatures, ids, times, the port."""
    text = repr((answer.status, sorted((name.lower(), value) for name, value in answer.headers.pairs if name.lower() not in VARYING)))
    body = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"TIME", answer.body)
    text = (text + repr(body)).replace(answer.headers["X-Request-Id"], "ID")
    text = re.sub(r"127\.0\.0\.1:\d+", "HUB", text)
    text = re.sub(r"&f=[0-9a-f]{20}&", "&f=TAG&", text)
    # Hashes of content are the same on both hubs, and so they stay.
    return re.sub(r"hxt_[\w.-]+|Expiration\W+\d+|exp=\d+|sig=[0-9a-f]{64}|/xet/[0-9a-f]{24}/|\b[0-9a-f]{24}\b|\b[0-9a-f]{40}\b", "VARIES", text)


def data_behind(answer, who):
    """The bytes behind every link of a reconstruction, as they are stored."""
    found = []
    for xorb, entries in sorted((answer.json().get("xorbs") or {}).items()):
        for entry in entries:
            for part in entry["ranges"]:
                span = f"bytes={part['bytes']['start']}-{part['bytes']['end']}"
                sent = who.as_(None).get(local(entry["url"]), {"Range": span})
                found.append((xorb, sent.status, sent.headers.get("Content-Range"), sent.body))
    return found


def doors(who, repo, secret):
    """All that says something about the content, by name."""
    api, file = f"/api/models/{repo}", f"/{repo}/resolve/main/w.bin"
    read, write = Cas(who, repo, "read"), Cas(who, repo)
    copy = {"target": {"type": "model", "name": repo}, "files": [{"xetHash": secret.hash, "sha256": secret.row()[1]["oid"]}]}
    answers = {
        "head": who.head(file), "get": who.get(file), "range": who.get(file, {"Range": "bytes=5-9"}), "info": who.get(file, FILE_INFO),
        "tree": who.get(f"{api}/tree/main"), "paths": who.post(f"{api}/paths-info/main", {"paths": ["w.bin"]}),
        "lfs files": who.get(f"{api}/lfs-files"), "v2": read.plan(secret.hash), "v1": read.plan(secret.hash, version=1),
        "part": read.plan(secret.hash, (100_000, 100_010)), "size": read.wire.head(f"{read.base}/v1/files/{secret.hash}"),
        "batch": read.wire.get(f"{read.base}/v1/reconstructions?file_id={secret.hash}"), "chunk": write.chunk(secret.chunk),
        "duplicate": who.post(f"{api}/lfs-files/duplicate", copy),
        "lfs xet": lfs_batch(who, repo, [{"oid": secret.row()[1]["oid"], "size": len(secret.data)}], transfers=("basic", "xet")),
    }
    for store in secret.stores:
        for xorb, _ in store.xorbs():
            answers[f"grant {xorb}"], answers[f"head {xorb}"] = write.grant(xorb), write.head_xorb(xorb)
        answers[f"shard {store.folder.name}"] = write.post_shard(store.shard())
    seen = {name: shape(answer) for name, answer in answers.items() if name != "chunk"}
    # A yes is a shard with random places and a time in it: its length, and its head without them.
    seen["chunk"] = (answers["chunk"].status, len(answers["chunk"].body))
    if answers["v2"].status == 200:
        seen["data"] = data_behind(answers["v2"], who)
    return seen


def compare(places, secret, act):
    """What `act` returns, and what all doors say before and after a while, is the same on both hubs."""
    seen = []
    for place in places:
        who = place.mallory
        create(who, "mallory/guess", private=True)
        told = act(who, "mallory/guess")
        seen.append({"told": told, **doors(who, "mallory/guess", secret)})
    assert seen[0].keys() == seen[1].keys()
    for door in seen[0]:
        assert seen[0][door] == seen[1][door], door
    return seen[0]


def send(cas, xorbs, shard):
    told = [shape(cas.post_xorb(name, body)) for name, body in xorbs]
    told += [shape(cas.post_xorb(name, body)) for name, body in xorbs]
    return told + ([shape(cas.post_shard(shard)), shape(cas.post_shard(shard))] if shard else [])


def by_xet(secret, xorbs, shard):
    def act(who, repo):
        told = send(Cas(who, repo), xorbs, shard)
        told.append(shape(commit(who, repo, [secret.row()])))
        return told
    return act


def test_the_same_client(places, secret):
    compare(places, secret, by_xet(secret, secret.plain.xorbs(), secret.plain.shard()))


def test_another_compression(places, secret):
    body = plainly(secret.body, secret.data)
    assert len(body) > 1.5 * len(secret.body)
    seen = compare(places, secret, by_xet(secret, [(secret.xorb, body)], secret.plain.shard()))
    assert seen["data"][0][3] == body, "what one has sent"


def test_another_packing(places, secret):
    compare(places, secret, by_xet(secret, secret.beside.xorbs(), secret.beside.shard()))


def test_a_xorb_without_a_file(places, secret):
    def act(who, repo):
        cas = Cas(who, repo)
        told = send(cas, secret.plain.xorbs(), None)
        # Before any file of one's own begins with it, it cannot be asked for.
        return told + [cas.chunk(secret.chunk).status, shape(cas.head_xorb(secret.xorb))]
    assert compare(places, secret, act)["told"][-2] == 404


def test_lfs_and_its_conversion(places, secret):
    def act(who, repo):
        upload_object(who, repo, secret.data)
        done = commit(who, repo, [secret.row()])
        assert done.status == 200, done
        assert eventually(lambda: "xetHash" in tree_entry(who, repo, "w.bin"), 60)
        return shape(done)
    seen = compare(places, secret, act)
    assert seen["data"]


@pytest.mark.parametrize("who_leaves", ["bob", "mallory"])
def test_each_form_outlives_the_other(tmp_path, secret, who_leaves):
    place = Place(tmp_path / "data")
    try:
        bob, mallory = place.bob, place.mallory
        repos = {"bob": (bob, "bob/hidden"), "mallory": (mallory, "mallory/guess")}
        for who, repo in repos.values():
            create(who, repo, private=True)
        Cas(bob, "bob/hidden").upload(secret.plain)
        send(Cas(mallory, "mallory/guess"), [(secret.xorb, plainly(secret.body, secret.data))], secret.plain.shard())
        for who, repo in repos.values():
            assert commit(who, repo, [secret.row()]).status == 200
        stored = sum(1 for path in (place.hub.data / "xet" / "xorbs").glob("??/??/*") if path.is_file())
        assert stored == 2
        who, repo = repos.pop(who_leaves)
        namespace, name = repo.split("/")
        assert who.delete("/api/repos/delete", {"name": name, "organization": namespace, "type": "model"}).status == 200
        place.hub.command("gc", "--grace", "0")
        left = [path for path in (place.hub.data / "xet" / "xorbs").glob("??/??/*") if path.is_file()]
        assert len(left) == 1 and (left[0].suffix == ".1") == (who_leaves == "bob")
        (who, repo), = repos.values()
        assert who.get(f"/{repo}/resolve/main/w.bin").body == secret.data
        assert stream_bytes(Cas(who, repo, "read"), secret.plain.files["w.bin"]) == secret.data
        place.hub.command("gc", "--undo", "1")
        assert who.get(f"/{repo}/resolve/main/w.bin").body == secret.data
        place.hub.stop()
        checked = place.hub.fsck(deep=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    finally:
        place.hub.kill()
