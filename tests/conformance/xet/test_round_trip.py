"""Upload and download with every dialect of the protocol: this file runs under old clients, too."""
import hashlib
import pathlib

import pytest

from harness.traffic import folder_bytes

XORB_ROUTE = r"^/xet/[^/]+/(v1/)?xorbs?/default/[0-9a-f]{64}$"
PLAN_ROUTE = r"^/xet/[^/]+/(v[12]/)?reconstructions?/[0-9a-f]{64}$"


def contents(rng):
    return {
        "weights.bin": b"\0" + rng.randbytes(20_000_000),
        "d/one-chunk.bin": b"\0one chunk" + rng.randbytes(100),
        "zeros.bin": bytes(3_000_000),
        "halves.bin": b"\0" + rng.randbytes(2_000_000) * 2,
    }


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_files_go_up_and_come_back(machine, bob, new_id, rng, traffic, store_folder, kind):
    from harness.repos import create
    repo = new_id()
    create(bob, repo, kind=kind)
    files = contents(rng)
    before = folder_bytes(store_folder)
    machine().upload(repo, files, kind)
    assert traffic.count("POST", XORB_ROUTE, 200) >= 1, "the client did not store by Xet"
    assert not [row for row in traffic.requests() if row[0] == "PUT"], "something went by LFS"
    assert folder_bytes(store_folder) - before > 20_000_000

    traffic.mark()
    other = machine(None)
    for path, (name, data) in zip(other.download(repo, list(files), kind), files.items()):
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest(), name
    assert traffic.count("GET", PLAN_ROUTE, 200) >= len(files), "the client did not read by Xet"
    assert traffic.count("GET", r"/xet/[^/]+/data/", 206) >= 1
    assert not [row for row in traffic.requests() if row[0] == "GET" and "/resolve/" in row[1] and row[2] in (200, 206)]


def test_a_file_of_several_xorbs(machine, repo, rng, tmp_path):
    """More than 64 MiB: several xorbs, several ranges in one plan, windows in old clients."""
    path = tmp_path / "large.bin"
    with open(path, "wb") as out:
        for _ in range(9):
            out.write(rng.randbytes(8 << 20))
    machine().upload(repo, {"large.bin": path})
    back, = machine(None).download(repo, ["large.bin"])
    assert digest(back) == digest(path)


def test_the_same_file_again_sends_next_to_nothing(machine, repo, rng, traffic):
    data = b"\0" + rng.randbytes(10_000_000)
    machine().upload(repo, {"a.bin": data})
    traffic.mark()
    machine().upload(repo, {"b.bin": data})
    assert traffic.bytes_in() < 300_000
    path, = machine().download(repo, ["b.bin"])
    assert path.read_bytes() == data


def digest(path):
    with open(pathlib.Path(path), "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
