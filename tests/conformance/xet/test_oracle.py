"""The client's own store in a folder as an oracle: what it writes, the hub reads, and the reverse."""
import pytest

from harness.repos import commit, lfs_row
from harness.xet import Cas, LocalStore, stream_bytes


@pytest.fixture
def contents(rng):
    """No two tests share a file: the terms of a file that is known stay as they were."""
    part = rng.randbytes(400_000)
    files = {"noise.bin": b"\0" + rng.randbytes(2_000_000), "zeros.bin": bytes(700_000), "small.bin": b"\0small",
             "twice.bin": part + b"-" + part, "text.bin": b"\0" + b"all work and no play " * 40_000}
    return {name: data + rng.randbytes(16) for name, data in files.items()}


def link(bob, repo, contents):
    answer = commit(bob, repo, [lfs_row(name, data) for name, data in contents.items()])
    assert answer.status == 200, answer


@pytest.mark.parametrize("whole", [True, False], ids=["with-footers", "bare"])
def test_what_the_client_writes_the_hub_reads(bob, wire, repo, contents, tmp_path, whole):
    """A local store keeps footers and lookup tables behind what current clients send; both forms are accepted."""
    contents = {name: data + str(whole).encode() for name, data in contents.items()}
    store = LocalStore(tmp_path / "store", contents)
    cas = Cas(bob, repo)
    for name, body in store.xorbs():
        answer = cas.post_xorb(name, body)
        assert (answer.status, answer.json()) == (200, {"was_inserted": True})
        assert cas.grant(name).status == 200 and cas.head_xorb(name).status == 200
    answer = cas.post_shard(store.shards()[0] if whole else store.shard())
    assert answer.status == 200, answer
    link(bob, repo, contents)
    for name, data in contents.items():
        assert wire.get(f"/{repo}/resolve/main/{name}").body == data, name
        assert stream_bytes(Cas(wire, repo, "read"), store.files[name]) == data, name


def test_the_streamed_answer_ends_with_a_result(bob, wire, repo, contents, tmp_path):
    store = LocalStore(tmp_path / "store", contents)
    cas = Cas(bob, repo)
    for name, body in store.xorbs():
        assert cas.post_xorb(name, body).status == 200
    status, last = cas.stream_shard(store.shard())
    assert status == 200 and last["type"] == "result", last
    link(bob, repo, contents)
    # Again: nothing is new, and that is a success.
    assert [cas.post_xorb(name, body).json() for name, body in store.xorbs()] == [{"was_inserted": False}] * len(store.xorbs())
    assert cas.post_shard(store.shard()).status == 200
    for name, data in contents.items():
        assert wire.get(f"/{repo}/resolve/main/{name}").body == data, name


def test_what_the_hub_stores_the_client_reads(bob, repo, contents, tmp_path):
    """The stored bytes of each xorb, fetched by the links of a plan, are the client's own; its local store reads them."""
    store = LocalStore(tmp_path / "store", contents)
    cas = Cas(bob, repo)
    cas.upload(store)
    (name, body), = store.xorbs()
    fetched = bytearray()
    for file in store.files.values():
        plan = cas.plan(file.hash).json()
        for xorb, entries in plan["xorbs"].items():
            assert xorb == name
            for entry in entries:
                for span in entry["ranges"]:
                    start, end = span["bytes"]["start"], span["bytes"]["end"]
                    answer = cas.nobody.get("/" + entry["url"].split("://", 1)[1].split("/", 1)[1],
                                            {"Range": f"bytes={start}-{end}"})
                    assert answer.status == 206 and answer.headers["Content-Range"].startswith(f"bytes {start}-{end}/")
                    assert answer.body == body[start:end + 1]
                    fetched.extend(b"\0" * max(0, end + 1 - len(fetched)))
                    fetched[start:end + 1] = answer.body
    records = body[:len(fetched)]
    assert bytes(fetched) == records and body[len(fetched):len(fetched) + 7] == b"XETBLOB"
    path = tmp_path / "store" / "xet" / "xorbs" / "xorbs" / f"default.{name}"
    path.chmod(0o644)
    path.write_bytes(bytes(fetched) + body[len(fetched):])
    import hf_xet
    group = hf_xet.XetSession().new_download_stream_group(endpoint=store.endpoint)
    for file_name, info in store.files.items():
        assert b"".join(bytes(part) for part in group.download_stream(info)) == contents[file_name]


def test_both_forms_of_a_plan_say_the_same(bob, repo, contents, tmp_path, rng):
    store = LocalStore(tmp_path / "store", contents)
    cas = Cas(bob, repo)
    cas.upload(store)
    data, info = contents["noise.bin"], store.files["noise.bin"]
    for _ in range(30):
        span = tuple(sorted(rng.sample(range(len(data) + 1), 2)))
        new, old = (cas.plan(info.hash, span, version).json() for version in (2, 1))
        assert new["terms"] == old["terms"]
        assert new["offset_into_first_range"] == old["offset_into_first_range"]
        ranges = {(xorb, row["chunks"]["start"], row["chunks"]["end"], row["bytes"]["start"], row["bytes"]["end"])
                  for xorb, entries in new["xorbs"].items() for entry in entries for row in entry["ranges"]}
        assert ranges == {(xorb, row["range"]["start"], row["range"]["end"], row["url_range"]["start"], row["url_range"]["end"])
                          for xorb, rows in old["fetch_info"].items() for row in rows}
        covered = sum(term["unpacked_length"] for term in new["terms"]) - new["offset_into_first_range"]
        assert covered >= span[1] - span[0]
    assert cas.plan(info.hash, (len(data), len(data) + 10)).status == 416
