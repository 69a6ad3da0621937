"""Whoever has a content cannot learn that somebody else has it, too, privately: every door answers as for content that is
nowhere else."""
import hashlib
import random
import re

import pytest

from harness.hub import Hub
from harness.people import eventually, settle
from harness.repos import commit, create, lfs_batch, lfs_row, upload_object
from harness.wire import Wire
from harness.xet import Cas, LocalStore, stream_bytes, tree_entry

SIZE = 300_000
VARYING = {"date", "x-request-id", "x-repo-commit"}
FILE_INFO = {"Accept": "application/vnd.xet-fileinfo+json"}


class Content:
    """Bytes with everything that a client can compute of them."""

    def __init__(self, folder, seed):
        # Ranges of the beginning are asked for and compared.
        self.data = b"\0" * 200 + random.Random(seed).randbytes(SIZE - 200)
        self.oid = hashlib.sha256(self.data).hexdigest()
        self.store = LocalStore(folder, {"w.bin": self.data})
        self.hash = self.store.files["w.bin"].hash
        self.xorb, self.body = self.store.xorbs()[0]
        # The first chunk alone is a xorb of that chunk's hash.
        self.chunk = LocalStore(f"{folder}-chunk", {"c": self.data[:self._first_chunk()]}).xorbs()[0][0]

    def _first_chunk(self):
        return int.from_bytes(self.body[5:8], "little")


def send_by_lfs(who, repo, content):
    create(who, repo)
    upload_object(who, repo, content.data)
    assert commit(who, repo, [lfs_row("w.bin", content.data)]).status == 200


def shape(answer, content):
    """Without what differs from one answer, and from one content, to the next."""
    text = repr((answer.status, sorted((name.lower(), value) for name, value in answer.headers.pairs if name.lower() not in VARYING)))
    body = b"CONTENT" if answer.body == content.data else re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"TIME", answer.body)
    return re.sub(r"\b[0-9a-f]{40}\b|\b[0-9a-f]{64}\b|[0-9a-f]{24,}", "HEX", text + repr(body)).replace(answer.headers["X-Request-Id"], "ID")


def doors(who, repo, bucket, content):
    """All that says something about the file, by name."""
    api, file = f"/api/models/{repo}", f"/{repo}/resolve/main/w.bin"
    read, write = Cas(who, repo, "read"), Cas(who, repo)
    copy = {"target": {"type": "model", "name": repo}, "files": [{"xetHash": content.hash, "sha256": content.oid}]}
    to_bucket = ('{"type":"copyFile","path":"got.bin","xetHash":"%s","mtime":1,"sourceRepoType":"model","sourceRepoId":"%s"}\n'
                 % (content.hash, repo))
    ndjson = {"Content-Type": "application/x-ndjson"}
    answers = {
        "head": who.head(file), "get": who.get(file), "range": who.get(file, {"Range": "bytes=5-9"}),
        "ranges": who.get(file, {"Range": "bytes=5-9,100-120"}), "file info": who.get(file, FILE_INFO),
        "cached": who.head(f"/api/resolve-cache/models/{repo}/main/w.bin"), "tree": who.get(f"{api}/tree/main"),
        "paths": who.post(f"{api}/paths-info/main", {"paths": ["w.bin"]}),
        "blobs": who.get(f"{api}?blobs=true&expand=siblings"), "lfs files": who.get(f"{api}/lfs-files"),
        "v2": read.plan(content.hash), "v1": read.plan(content.hash, version=1), "part": read.plan(content.hash, (5, 9)),
        "size": read.wire.head(f"{read.base}/v1/files/{content.hash}"), "batch": read.wire.get(f"{read.base}/v1/reconstructions?file_id={content.hash}"),
        "chunk": write.chunk(content.chunk), "grant": write.grant(content.xorb), "xorb": write.head_xorb(content.xorb),
        "shard": write.post_shard(content.store.shard()), "duplicate": who.post(f"{api}/lfs-files/duplicate", copy),
        "bucket copy": who.post(f"/api/buckets/{bucket}/batch", to_bucket.encode(), ndjson),
        "bucket add": who.post(f"/api/buckets/{bucket}/batch", b'{"type":"addFile","path":"a","xetHash":"%s","mtime":1}\n' % content.hash.encode(), ndjson),
        "lfs xet": lfs_batch(who, repo, [{"oid": content.oid, "size": SIZE}], transfers=("basic", "xet")),
    }
    return {name: shape(answer, content).replace(repo, "REPO") for name, answer in answers.items()}


@pytest.fixture
def bucket(mallory, new_id):
    name = new_id("mallory")
    assert mallory.post(f"/api/buckets/{name}", {}).status == 200
    return name


def test_an_lfs_upload_does_not_tell_of_a_private_xet_file(bob, mallory, private_repo, new_id, bucket, tmp_path):
    secret, control = (Content(tmp_path / name, name) for name in ("secret", "control"))
    Cas(bob, private_repo).upload(secret.store)
    assert commit(bob, private_repo, [lfs_row("s.bin", secret.data)]).status == 200
    assert "xetHash" in tree_entry(bob, private_repo, "s.bin")
    seen = []
    for content in (secret, control):
        repo = new_id("mallory")
        send_by_lfs(mallory, repo, content)
        seen.append(doors(mallory, repo, bucket, content))
    assert "CONTENT" in seen[0]["get"]
    for door in seen[0]:
        assert seen[0][door] == seen[1][door], door


def test_a_second_repository_of_the_prober_tells_nothing_either(bob, mallory, private_repo, new_id, tmp_path):
    """Deduplication looks at everything that its user may read: also at what they sent by LFS elsewhere."""
    secret = Content(tmp_path / "secret", "elsewhere")
    Cas(bob, private_repo).upload(secret.store)
    assert commit(bob, private_repo, [lfs_row("s.bin", secret.data)]).status == 200
    send_by_lfs(mallory, new_id("mallory"), secret)
    other = new_id("mallory")
    create(mallory, other)
    cas = Cas(mallory, other)
    assert [cas.chunk(secret.chunk).status, cas.grant(secret.xorb).status, cas.head_xorb(secret.xorb).status] == [404, 404, 404]
    assert Cas(bob, private_repo).chunk(secret.chunk).status == 200


def test_an_upload_of_ones_own_is_shown_at_once(bob, private_repo, tmp_path):
    """LFS first, Xet afterwards: the answers that were remembered are forgotten."""
    content = Content(tmp_path / "own", "own")
    upload_object(bob, private_repo, content.data)
    assert commit(bob, private_repo, [lfs_row("w.bin", content.data)]).status == 200
    file = f"/{private_repo}/resolve/main/w.bin"
    assert "X-Xet-Hash" not in bob.head(file).headers
    Cas(bob, private_repo).upload(content.store)
    assert bob.head(file).headers["X-Xet-Hash"] == content.hash


def test_what_one_may_read_elsewhere_is_shown_at_once(bob, mallory, repo, new_id, tmp_path):
    content = Content(tmp_path / "public", "public")
    Cas(bob, repo).upload(content.store)
    assert commit(bob, repo, [lfs_row("w.bin", content.data)]).status == 200
    theirs = new_id("mallory")
    send_by_lfs(mallory, theirs, content)
    assert tree_entry(mallory, theirs, "w.bin")["xetHash"] == content.hash


def test_the_conversion_shows_it_when_it_would_have_made_it(tmp_path):
    hub = Hub(tmp_path / "data", environment={"HEARTH_XET_CONVERT_AFTER": "1"}).start()
    try:
        tokens = settle(hub)
        bob, mallory = (Wire(hub.url).as_(tokens[name]) for name in ("bob", "mallory"))
        create(bob, "bob/hidden", private=True)
        content = Content(tmp_path / "secret", "convert")
        Cas(bob, "bob/hidden").upload(content.store)
        assert commit(bob, "bob/hidden", [lfs_row("w.bin", content.data)]).status == 200
        send_by_lfs(mallory, "mallory/mine", content)
        assert eventually(lambda: "xetHash" in tree_entry(mallory, "mallory/mine", "w.bin"), 60)
        assert mallory.head("/mallory/mine/resolve/main/w.bin").headers["X-Xet-Hash"] == content.hash
        assert stream_bytes(Cas(mallory, "mallory/mine", "read"), content.store.files["w.bin"]) == content.data
        hub.stop()
    finally:
        hub.kill()
