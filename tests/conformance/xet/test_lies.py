"""Every lie that a client with a write token can tell: 4xx, and nothing of it is to be seen afterwards.

The honest bytes come from hf_xet's own store in a folder; each test changes them in one way.
"""
import hashlib

import pytest

from harness.repos import commit, lfs_row
from harness.xet import METADATA, RECORD, VERIFICATION, Cas, LocalStore, Shard, hash_raw, hash_text, put, put_u32, stream_bytes

NOTHING = "0123456789abcdef" * 4


class Upload:
    """Two files in one xorb with its shard, not sent yet."""

    def __init__(self, bob, repo, rng, folder):
        self.bob, self.repo = bob, repo
        part = rng.randbytes(200_000)
        self.contents = {"a.bin": b"\0a" + rng.randbytes(300_000), "b.bin": b"\0b" + part + part}
        self.store = LocalStore(folder, self.contents)
        (self.xorb, self.body), = self.store.xorbs()
        self.shard = Shard(self.store.shard())
        self.cas = Cas(bob, repo)
        self.hashes = [info.hash for info in self.store.files.values()]

    def send_xorb(self):
        answer = self.cas.post_xorb(self.xorb, self.body)
        assert answer.status == 200, answer

    def refused(self, shard):
        """The shard is refused in both forms and leaves nothing."""
        answer = self.cas.post_shard(shard)
        assert answer.status == 400, answer
        status, last = self.cas.stream_shard(shard)
        assert status == 400 or (status == 200 and last["type"] == "error" and not last.get("retryable")), (status, last)
        self.check_nothing_visible()

    def check_nothing_visible(self):
        for file_hash in self.hashes:
            assert self.cas.plan(file_hash).status == 404
        for data in self.contents.values():
            assert commit(self.bob, self.repo, [lfs_row("w.bin", data)]).status == 400

    def succeed(self):
        """The truth is still accepted after the lie."""
        self.send_xorb()
        answer = self.cas.post_shard(self.shard.data)
        assert answer.status == 200, answer
        rows = [lfs_row(name, data) for name, data in self.contents.items()]
        assert commit(self.bob, self.repo, rows).status == 200
        for name, data in self.contents.items():
            assert self.bob.get(f"/{self.repo}/resolve/main/{name}").body == data


@pytest.fixture
def upload(bob, private_repo, rng, tmp_path):
    return Upload(bob, private_repo, rng, tmp_path / "store")


# --- xorbs

def footer_at(body):
    return body.index(b"XETBLOB")


def flipped(data, at, bits=1):
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1:]


XORB_LIES = {
    "empty": lambda body: b"",
    "garbage": lambda body: b"garbage" * 100,
    "one byte short": lambda body: body[:footer_at(body) - 1],
    "half": lambda body: body[:len(body) // 2],
    "only the first header": lambda body: body[:8],
    "part of a header": lambda body: body[:5],
    "a byte too many": lambda body: body[:footer_at(body)] + b"\0",
    "another chunk twice": lambda body: body[:footer_at(body)] * 2,
    "version of the header": lambda body: flipped(body, 0),
    "stored length": lambda body: flipped(body, 1),
    "scheme": lambda body: flipped(body, 4, 0x40),
    "another scheme": lambda body: flipped(body, 4, 1),
    "raw length": lambda body: flipped(body, 5),
    "raw length zero": lambda body: body[:5] + b"\0\0\0" + body[8:],
    "raw length huge": lambda body: body[:5] + b"\xff\xff\xff" + body[8:],
    "stored length huge": lambda body: body[:1] + b"\xff\xff\xff" + body[4:],
    "first byte of content": lambda body: flipped(body, 8),
    "last byte of content": lambda body: flipped(body, footer_at(body) - 1),
    "a byte in the middle": lambda body: flipped(body, footer_at(body) // 2),
}


@pytest.mark.parametrize("lie", XORB_LIES)
def test_a_false_xorb_is_refused(upload, lie):
    answer = upload.cas.post_xorb(upload.xorb, XORB_LIES[lie](upload.body))
    assert answer.status == 400, answer
    assert upload.cas.grant(upload.xorb).status == 404 and upload.cas.head_xorb(upload.xorb).status == 404
    assert upload.cas.post_shard(upload.shard.data).status == 400
    upload.check_nothing_visible()
    upload.succeed()


def test_the_hash_in_the_path_must_be_the_content_s(upload):
    assert upload.cas.post_xorb(NOTHING, upload.body).status == 400
    assert upload.cas.grant(NOTHING).status == 404
    assert upload.cas.grant(upload.xorb).status == 404, "a xorb was stored under its true name by a false request"
    for bad in ("x", upload.xorb[:-1], upload.xorb + "0", upload.xorb.upper(), "g" * 64, "..%2f" * 8):
        if bad != upload.xorb:
            assert upload.cas.post_xorb(bad, upload.body).status in (400, 404), bad
    upload.succeed()


def test_bytes_flipped_anywhere_in_a_xorb_are_noticed(upload):
    for at in range(0, footer_at(upload.body), len(upload.body) // 150):
        answer = upload.cas.post_xorb(upload.xorb, flipped(upload.body, at, 1 << at % 8))
        assert answer.status == 400, (at, answer)
    assert upload.cas.grant(upload.xorb).status == 404
    upload.succeed()


def test_a_second_upload_never_replaces_the_first(upload):
    upload.succeed()
    assert upload.cas.post_xorb(upload.xorb, flipped(upload.body, 100)).status == 400
    # Without its footer it is the same xorb in another form.
    answer = upload.cas.post_xorb(upload.xorb, upload.body[:footer_at(upload.body)])
    assert (answer.status, answer.json()) == (200, {"was_inserted": False})
    upload.succeed()


# LZ4 frames around stored blocks. liblz4 decodes all of them; the stock client refuses them.
def block(data):
    return (len(data) | 1 << 31).to_bytes(4, "little") + data


END = bytes(4)
FRAMES_FOR_SOME = {
    "dictionary": lambda data: bytes.fromhex("04224d18614007000000e3") + block(data) + END,
    "empty block": lambda data: bytes.fromhex("04224d18604082") + block(b"") + block(data) + END,
    "empty compressed block": lambda data: bytes.fromhex("04224d18604082") + b"\1\0\0\0\0" + block(data) + END,
}


@pytest.mark.parametrize("form", FRAMES_FOR_SOME)
def test_a_form_that_not_every_client_reads_is_refused(bob, wire, repo, rng, tmp_path, form):
    """The first form of a xorb stays: whoever came first with a famous content could spoil it for everybody."""
    data = b"\0" + rng.randbytes(3000)
    store = LocalStore(tmp_path / "store", {"w.bin": data})
    (xorb, body), = store.xorbs()
    frame = FRAMES_FOR_SOME[form](data)
    record = b"\0" + len(frame).to_bytes(3, "little") + b"\1" + len(data).to_bytes(3, "little") + frame
    cas = Cas(bob, repo)
    assert cas.post_xorb(xorb, record).status == 400
    assert cas.grant(xorb).status == 404
    cas.upload(store)
    assert commit(bob, repo, [lfs_row("w.bin", data)]).status == 200
    assert stream_bytes(Cas(wire, repo, "read"), store.files["w.bin"]) == data


@pytest.mark.parametrize("what, size", [("xorbs/default/" + NOTHING, 80 << 20), ("shards", (64 << 20) + 1)])
def test_a_body_over_the_limit_is_refused_before_it_is_sent(upload, what, size):
    cas = upload.cas
    head = (f"POST {cas.base}/v1/{what} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {cas.token}\r\n"
            f"Content-Length: {size}\r\n\r\n").encode()
    assert cas.wire.raw(head).startswith(b"HTTP/1.1 413 ")


def test_without_a_token_the_body_is_not_read(upload):
    cas = upload.cas
    head = f"POST {cas.base}/v1/xorbs/default/{upload.xorb} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n".encode()
    assert cas.wire.raw(head).startswith(b"HTTP/1.1 401 ")


def test_a_xorb_that_stops_halfway_leaves_nothing(upload):
    cas = upload.cas
    head = (f"POST {cas.base}/v1/xorbs/default/{upload.xorb} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {cas.token}\r\n"
            f"Content-Length: {len(upload.body)}\r\n\r\n").encode()
    for part in (0, 1, 8, len(upload.body) // 2, len(upload.body) - 1):
        answer = cas.wire.raw(head + upload.body[:part], half_close=True)
        assert not answer.startswith(b"HTTP/1.1 2") and not answer.startswith(b"HTTP/1.1 5"), answer[:200]
        assert cas.grant(upload.xorb).status == 404
    upload.succeed()


# --- shards

def records(shard, start, count=1):
    return shard.data[start:start + RECORD * count]


def first(shard):
    return shard.files[0]


def without_verification(shard, count):
    """The first `count` files say that they carry none, and do."""
    data = shard.data
    for block in reversed(shard.files[:count]):
        at = block["verifications"][0]
        data = data[:at] + data[at + RECORD * len(block["verifications"]):]
        data = put_u32(data, block["at"] + 32, block["flags"] & ~VERIFICATION)
    return data


def term(shard, offset):
    return first(shard)["terms"][0] + offset


SHARD_LIES = {
    "empty": lambda s: b"",
    "garbage": lambda s: b"not a shard at all" * 10,
    "tag": lambda s: flipped(s.data, 0),
    "end of the tag": lambda s: flipped(s.data, 31),
    "version of the future": lambda s: put_u32(s.data, 32, 3),
    "version of the past": lambda s: put_u32(s.data, 32, 1),
    "no bookend": lambda s: s.data[:-RECORD],
    "half a record": lambda s: s.data[:-RECORD - 20],
    "only the header": lambda s: s.data[:RECORD],
    "more terms than bytes": lambda s: put_u32(s.data, first(s)["at"] + 36, 0xffffffff),
    "more terms than there are": lambda s: put_u32(s.data, first(s)["at"] + 36, len(first(s)["terms"]) + 1),
    "fewer terms than there are": lambda s: put_u32(s.data, first(s)["at"] + 36, 0),
    "more chunks than bytes": lambda s: put_u32(s.data, s.xorbs[0]["at"] + 36, 0x7fffffff),
    "file hash": lambda s: put(s.data, first(s)["at"], hash_raw(NOTHING)),
    "file hash of the other": lambda s: put(s.data, first(s)["at"], records(s, s.files[1]["at"])[:32]),
    "file hash of the empty file": lambda s: put(s.data, first(s)["at"], bytes(32)),
    "a xorb that is nowhere": lambda s: put(s.data, term(s, 0), hash_raw(NOTHING)),
    "unpacked bytes": lambda s: put_u32(s.data, term(s, 36), s.u32(term(s, 36)) + 1),
    "unpacked bytes overflow": lambda s: put_u32(s.data, term(s, 36), 0xffffffff),
    "start after the end": lambda s: put_u32(s.data, term(s, 40), s.u32(term(s, 44))),
    "end behind the xorb": lambda s: put_u32(s.data, term(s, 44), 8000),
    "end without end": lambda s: put_u32(s.data, term(s, 44), 0xffffffff),
    "a chunk further": lambda s: put_u32(put_u32(s.data, term(s, 40), s.u32(term(s, 40)) + 1),
                                         term(s, 44), s.u32(term(s, 44)) + 1),
    "verification": lambda s: put(s.data, first(s)["verifications"][0], hash_raw(NOTHING)),
    "verification of zeros": lambda s: put(s.data, first(s)["verifications"][0], bytes(32)),
    "verification of the other": lambda s: put(s.data, first(s)["verifications"][0],
                                                        records(s, s.files[1]["verifications"][0])[:32]),
    "no verification": lambda s: without_verification(s, 2),
    "no verification of the first": lambda s: without_verification(s, 1),
    "sha256": lambda s: put(s.data, first(s)["metadata"], hash_raw(hashlib.sha256(b"famous").hexdigest())),
    "sha256 of the other": lambda s: put(s.data, first(s)["metadata"], records(s, s.files[1]["metadata"])[:32]),
    "sha256 of zeros": lambda s: put(s.data, first(s)["metadata"], bytes(32)),
    "chunk hash": lambda s: put(s.data, s.xorbs[0]["chunks"][1], hash_raw(NOTHING)),
    "chunk start": lambda s: put_u32(s.data, s.xorbs[0]["chunks"][1] + 32, 7),
    "chunk length": lambda s: put_u32(s.data, s.xorbs[0]["chunks"][1] + 36, 7),
    "listed xorb that is nowhere": lambda s: put(s.data, s.xorbs[0]["at"], hash_raw(NOTHING)),
    "raw size of the xorb": lambda s: put_u32(s.data, s.xorbs[0]["at"] + 40, 1),
}


@pytest.mark.parametrize("lie", SHARD_LIES)
def test_a_false_shard_is_refused(upload, lie):
    upload.send_xorb()
    upload.refused(SHARD_LIES[lie](upload.shard))
    upload.succeed()


def test_a_shard_before_its_xorb_is_refused(upload):
    upload.refused(upload.shard.data)
    upload.succeed()


def test_a_famous_sha256_cannot_be_taken(upload, bob, repo):
    """Someone's published object keeps its content, whatever a shard says about its SHA-256."""
    famous = b"\0famous weights"
    from harness.repos import upload_object
    upload_object(bob, repo, famous)
    assert commit(bob, repo, [lfs_row("w.bin", famous)]).status == 200
    upload.send_xorb()
    oid = hashlib.sha256(famous).hexdigest()
    lie = put(upload.shard.data, first(upload.shard)["metadata"], hash_raw(oid))
    assert hash_text(lie[first(upload.shard)["metadata"]:][:32]) == oid
    assert upload.cas.post_shard(lie).status == 400
    assert commit(bob, upload.repo, [lfs_row("w.bin", upload.contents["a.bin"])]).status == 400
    assert bob.get(f"/{repo}/resolve/main/w.bin").body == famous


def test_flags_about_metadata_cannot_hide_a_record(upload):
    """A block that says it has no SHA-256 while its record is there shifts everything behind it."""
    upload.send_xorb()
    block = first(upload.shard)
    upload.refused(put_u32(upload.shard.data, block["at"] + 32, block["flags"] & ~METADATA))
    upload.succeed()


def test_flipped_bytes_in_a_shard_never_break_the_server_nor_bind_a_false_name(upload):
    """Some fields are ignored by rule (flags of chunks, sizes on disk, unused bytes): a shard that differs there is the
    true one. Whatever is accepted, the names lead to the true bytes."""
    upload.send_xorb()
    truth = {hashlib.sha256(data).hexdigest(): data for data in upload.contents.values()}
    refused = 0
    for at in range(0, len(upload.shard.data), 5):
        lie = flipped(upload.shard.data, at, 1 << at % 8)
        answer = upload.cas.post_shard(lie)
        assert answer.status in (200, 400, 413), (at, answer)
        refused += answer.status != 200
        for block in upload.shard.files:
            oid = hash_text(lie[block["metadata"]:][:32])
            if oid not in truth:
                row = ("lfsFile", {"path": "w.bin", "algo": "sha256", "oid": oid, "size": len(upload.contents["a.bin"])})
                assert commit(upload.bob, upload.repo, [row]).status == 400, at
            file_hash = hash_text(lie[block["at"]:][:32])
            if file_hash not in upload.hashes:
                assert upload.cas.plan(file_hash).status in (404, 400), at
    assert refused > len(upload.shard.data) // 5 // 2
    upload.succeed()


def test_truncated_shards_are_refused(upload):
    upload.send_xorb()
    for size in range(0, len(upload.shard.data), 29):
        answer = upload.cas.post_shard(upload.shard.data[:size])
        assert answer.status == 400, (size, answer)
    upload.check_nothing_visible()
    upload.succeed()


def test_what_follows_the_second_bookend_is_ignored(upload):
    upload.send_xorb()
    assert upload.cas.post_shard(upload.shard.data + b"footer, or anything").status == 200
    upload.succeed()


# --- reading

@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=a-b", "bytes=-5", "items=0-1", "bytes=0-1,3-4", "bytes=",
                                    "bytes=0-99999999999999999999999", "bytes=99999999999999999999999-"])
def test_odd_ranges_of_a_plan(upload, header):
    upload.succeed()
    answer = upload.cas.wire.get(f"{upload.cas.base}/v2/reconstructions/{upload.hashes[0]}", {"Range": header})
    assert answer.status in (200, 400, 416), answer


@pytest.mark.parametrize("path", ["v1/chunks/default/x", "v1/chunks/other/" + NOTHING, "v2/reconstructions/" + "Z" * 64,
                                  "v2/reconstructions/", "v9/shards", "v1/xorbs/default/", "v1/file-chunk-hashes/" + NOTHING,
                                  "v2/file-chunk-hashes/" + NOTHING, "data/" + NOTHING])
def test_odd_addresses(upload, path):
    answer = upload.cas.wire.get(f"{upload.cas.base}/{path}")
    assert answer.status in (400, 403, 404, 405), answer


def test_another_store_s_address_is_not_served(upload):
    base = "/xet/00000000-0000-0000-0000-000000000000"
    assert base != upload.cas.base
    assert upload.cas.wire.get(f"{base}/v2/reconstructions/{NOTHING}").status == 404
    assert upload.cas.wire.post(f"{base}/v1/xorbs/default/{upload.xorb}", upload.body).status == 404
    assert upload.cas.grant(upload.xorb).status == 404


@pytest.mark.parametrize("body", [b"", b"{}", b"not JSON"])
def test_telemetry_is_swallowed(wire, body):
    answer = wire.post("/v1/telemetry", body, {"Content-Type": "application/json"})
    assert answer.status == 200 and answer.json() == {}
