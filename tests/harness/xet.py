"""The content store over plain HTTP, and hf_xet's own store in a folder as a source of real xorbs and shards."""
import hashlib
import json
import pathlib
import time

from .repos import local

RECORD = 48
BOOKEND = b"\xff" * 32
VERIFICATION, METADATA = 1 << 31, 1 << 30


class Cas:
    """The content store as the bearer of a repository's or bucket's token sees it."""

    def __init__(self, wire, repo_id, right="write", kind="model", revision="main"):
        place = f"/api/{kind}s/{repo_id}/xet-{right}-token"
        answer = wire.get(place if kind == "bucket" else f"{place}/{revision}")
        assert answer.status == 200, answer
        body = answer.json()
        self.url, self.token, self.expires = body["casUrl"], body["accessToken"], body["exp"]
        self.base = local(self.url)
        self.wire = wire.as_(self.token)
        self.nobody = wire.as_(None)

    def grant(self, xorb):
        return self.wire.post(f"{self.base}/v1/xorb-grants/default/{xorb}",
                              {"length": 1, "checksum": {"algo": "crc64nvme", "value": "1"}})

    def post_xorb(self, xorb, body, headers=()):
        return self.wire.post(f"{self.base}/v1/xorbs/default/{xorb}", body, headers)

    def head_xorb(self, xorb):
        return self.wire.head(f"{self.base}/v1/xorbs/default/{xorb}")

    def chunk(self, chunk):
        return self.wire.get(f"{self.base}/v1/chunks/default/{chunk}")

    def post_shard(self, body):
        """The plain form: the status says it all."""
        return self.wire.post(f"{self.base}/v1/shards", body)

    def stream_shard(self, body):
        """The streamed form: (status, last event or None)."""
        answer = self.wire.post(f"{self.base}/v2/shards", body)
        rows = [json.loads(line) for line in answer.body.splitlines() if line.strip()] if answer.status == 200 else []
        return answer.status, rows[-1] if rows else None

    def plan(self, file_hash, span=None, version=2):
        headers = {"Range": f"bytes={span[0]}-{span[1] - 1}"} if span else {}
        return self.wire.get(f"{self.base}/v{version}/reconstructions/{file_hash}", headers)

    def upload(self, store):
        """All of a local store; returns when it is registered."""
        for name, body in store.xorbs():
            answer = self.post_xorb(name, body)
            assert answer.status == 200, answer
        for body in store.shards():
            answer = self.post_shard(body)
            assert answer.status == 200, answer


class LocalStore:
    """A store that hf_xet keeps in a folder, as it does for endpoints of the form local://."""

    def __init__(self, folder, contents=None):
        self.folder = pathlib.Path(folder)
        self.endpoint = f"local://{self.folder}"
        self.files = {}
        if contents:
            self.put(contents)

    def put(self, contents):
        import hf_xet
        commit = hf_xet.XetSession().new_upload_commit(endpoint=self.endpoint)
        handles = {name: commit.start_upload_bytes(data, name=name) for name, data in contents.items()}
        commit.wait_to_finish()
        for name, handle in handles.items():
            info = handle.result().xet_info
            assert info.sha256 == hashlib.sha256(contents[name]).hexdigest()
            self.files[name] = info
        return self

    def _home(self):
        return self.folder / "xet" / "xorbs"

    def xorbs(self):
        return [(path.name.removeprefix("default."), path.read_bytes())
                for path in sorted((self._home() / "xorbs").iterdir()) if not path.name.endswith(".tagset")]

    def shards(self):
        return [path.read_bytes() for path in sorted((self._home() / "shards").glob("*.mdb"))]

    def shard(self):
        """The only shard, cut behind its second bookend: what current clients send."""
        whole, = self.shards()
        return whole[:Shard(whole).end]


class Shard:
    """Where the records of a shard lie, so that a test can change one of them."""

    def __init__(self, data):
        self.data = bytes(data)
        self.files, self.xorbs = [], []
        at = RECORD
        while self.data[at:at + 32] != BOOKEND:
            flags, terms = self.u32(at + 32), self.u32(at + 36)
            block = {"at": at, "flags": flags, "terms": [at + RECORD * (1 + number) for number in range(terms)]}
            at += RECORD * (1 + terms)
            block["verifications"] = [at + RECORD * number for number in range(terms)] if flags & VERIFICATION else []
            at += RECORD * len(block["verifications"])
            block["metadata"] = at if flags & METADATA else None
            at += RECORD if flags & METADATA else 0
            self.files.append(block)
        at += RECORD
        while self.data[at:at + 32] != BOOKEND:
            chunks = self.u32(at + 36)
            self.xorbs.append({"at": at, "chunks": [at + RECORD * (1 + number) for number in range(chunks)]})
            at += RECORD * (1 + chunks)
        self.end = at + RECORD

    def u32(self, at):
        assert at + 4 <= len(self.data)
        return int.from_bytes(self.data[at:at + 4], "little")


def plainly(body, data):
    """The same xorb from a client that does not compress: the records of `body`, whose content is `data`."""
    out, at, done = b"", 0, 0
    while done < len(data):
        stored, raw = (int.from_bytes(body[at + start:at + start + 3], "little") for start in (1, 5))
        at += 8 + stored
        out += b"\0" + raw.to_bytes(3, "little") + b"\0" + raw.to_bytes(3, "little") + data[done:done + raw]
        done += raw
    assert done == len(data)
    return out


def put(data, at, new):
    """The data with other bytes at a place."""
    return data[:at] + bytes(new) + data[at + len(new):]


def put_u32(data, at, value):
    return put(data, at, value.to_bytes(4, "little"))


def hash_text(raw):
    """The protocol's text form of 32 bytes; of a shard's SHA-256 field it is the usual hex."""
    return "".join(raw[at:at + 8][::-1].hex() for at in range(0, 32, 8))


def hash_raw(text):
    return b"".join(bytes.fromhex(text[at:at + 16])[::-1] for at in range(0, 64, 16))


def tree_entry(wire, repo_id, path, kind="model", revision="main"):
    rows = wire.get(f"/api/{kind}s/{repo_id}/tree/{revision}?recursive=true").json()
    return next(row for row in rows if row["path"] == path)


def stream_bytes(cas, info, start=None, end=None):
    """Bytes of a file through hf_xet's own reader, under a token of ours."""
    import hf_xet
    group = hf_xet.XetSession().new_download_stream_group(endpoint=cas.url, token=cas.token,
                                                          token_expiry_unix_secs=int(time.time()) + 600)
    return b"".join(bytes(part) for part in group.download_stream(info, start=start, end=end))
