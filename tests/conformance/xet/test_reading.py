"""Reading what came by Xet through every other door, and what came by another door through Xet."""
import hashlib
import os
import subprocess

import pytest

from harness.hub import Hub
from harness.machine import Machine
from harness.people import eventually, settle
from harness.repos import commit, create, lfs_batch, lfs_row, local, upload_object
from harness.traffic import Traffic
from harness.wire import Wire
from harness.xet import Cas, stream_bytes, tree_entry
from test_round_trip import PLAN_ROUTE


@pytest.fixture(scope="module")
def stocked(hub, tokens, tmp_path_factory):
    """(repository, bytes): one public file of bob's over two xorbs' worth of repeats and noise."""
    import random
    rng = random.Random("stocked")
    part = rng.randbytes(3_000_000)
    data = b"\0" + rng.randbytes(9_000_000) + part + bytes(1_000_000) + part + rng.randbytes(2_000_000)
    bob = Wire(hub.url, tokens["bob"])
    create(bob, "bob/xet-stocked")
    Machine(tmp_path_factory.mktemp("stocked") / "machine", hub.url, tokens["bob"]).upload(
        "bob/xet-stocked", {"w.bin": data, "other.bin": data[5_000_000:]})
    return "bob/xet-stocked", data


def test_three_hundred_ranges_through_the_client_s_reader(wire, stocked, rng):
    import hf_xet
    repo, data = stocked
    cas = Cas(wire, repo, "read")
    info = hf_xet.XetFileInfo(tree_entry(wire, repo, "w.bin")["xetHash"], len(data))
    assert stream_bytes(cas, info) == data
    edges = [(0, 1), (len(data) - 1, len(data)), (0, len(data)), (9_000_000, 9_000_002)]
    spans = edges + [tuple(sorted(rng.sample(range(len(data) + 1), 2))) for _ in range(150)]
    for _ in range(146):
        start = rng.randrange(len(data))
        spans.append((start, min(len(data), start + 1 + rng.randrange(200_000))))
    group = hf_xet.XetSession().new_download_stream_group(endpoint=cas.url, token=cas.token,
                                                          token_expiry_unix_secs=cas.expires)
    for start, end in spans:
        back = b"".join(bytes(part) for part in group.download_stream(info, start=start, end=end))
        assert back == data[start:end], (start, end)


def test_a_snapshot_asks_for_no_file_s_head(machine, stocked, traffic):
    repo, data = stocked
    folder = machine(None).snapshot(repo)
    assert (folder / "w.bin").read_bytes() == data
    heads = [path for method, path, _ in traffic.requests() if method == "HEAD" and path.endswith(".bin")]
    assert heads == []
    assert traffic.count("GET", PLAN_ROUTE, 200) >= 2


def test_resolve_rebuilds_the_file(wire, stocked):
    repo, data = stocked
    answer = wire.get(f"/{repo}/resolve/main/w.bin")
    assert answer.status == 200 and answer.headers["Content-Length"] == str(len(data))
    assert answer.body == data
    head = wire.head(f"/{repo}/resolve/main/w.bin")
    assert head.headers["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert head.headers["Content-Length"] == str(len(data))
    assert head.headers["X-Xet-Hash"] == tree_entry(wire, repo, "w.bin")["xetHash"]


def test_resolve_rebuilds_any_range(wire, stocked, rng):
    repo, data = stocked
    for _ in range(60):
        start = rng.randrange(len(data))
        end = min(len(data), start + 1 + rng.randrange(1 << rng.randrange(1, 23)))
        answer = wire.get(f"/{repo}/resolve/main/w.bin", {"Range": f"bytes={start}-{end - 1}"})
        assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes {start}-{end - 1}/{len(data)}")
        assert answer.body == data[start:end], (start, end)
    answer = wire.get(f"/{repo}/resolve/main/w.bin", {"Range": "bytes=-1000"})
    assert (answer.status, answer.body) == (206, data[-1000:])
    assert wire.get(f"/{repo}/resolve/main/w.bin", {"Range": f"bytes={len(data)}-"}).status == 416


def test_curl_goes_on_where_it_stopped(stocked, hub, tmp_path):
    repo, data = stocked
    target = tmp_path / "w.bin"
    target.write_bytes(data[:7_654_321])
    subprocess.run(["curl", "-sfL", "-C", "-", "-o", str(target), f"{hub.url}/{repo}/resolve/main/w.bin"], check=True,
                   timeout=120)
    assert target.read_bytes() == data


def test_git_clone_and_git_lfs_pull(stocked, hub, tmp_path):
    repo, data = stocked
    environment = dict(os.environ, GIT_LFS_SKIP_SMUDGE="1", GIT_CONFIG_GLOBAL=str(tmp_path / "gitconfig"))
    subprocess.run(["git", "lfs", "install", "--skip-repo"], check=True, capture_output=True, env=environment)
    subprocess.run(["git", "clone", "-q", f"{hub.url}/{repo}", "clone"], cwd=tmp_path, check=True, env=environment,
                   timeout=120)
    pointer = (tmp_path / "clone" / "w.bin").read_text()
    assert f"oid sha256:{hashlib.sha256(data).hexdigest()}\nsize {len(data)}\n" in pointer
    subprocess.run(["git", "lfs", "pull"], cwd=tmp_path / "clone", check=True, capture_output=True, env=environment,
                   timeout=120)
    assert (tmp_path / "clone" / "w.bin").read_bytes() == data
    assert (tmp_path / "clone" / "other.bin").read_bytes() == data[5_000_000:]


def test_the_lfs_batch_gives_a_link_to_the_whole_file(wire, bob, stocked):
    repo, data = stocked
    want = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
    row, = lfs_batch(bob, repo, [want], "download").json()["objects"]
    href = local(row["actions"]["download"]["href"])
    headers = row["actions"]["download"].get("header") or {}
    assert wire.get(href, headers).body == data
    answer = wire.get(href, {**headers, "Range": "bytes=100-199"})
    assert (answer.status, answer.body) == (206, data[100:200])
    # It is there already: an LFS client that has the same file sends nothing.
    row, = lfs_batch(bob, repo, [want]).json()["objects"]
    assert "actions" not in row


def test_what_the_javascript_client_asks_first(wire, stocked):
    repo, data = stocked
    answer = wire.get(f"/{repo}/resolve/main/w.bin", {"Accept": "application/vnd.xet-fileinfo+json", "Range": "bytes=0-0"})
    assert answer.status == 200 and "application/vnd.xet-fileinfo+json" in answer.headers["Content-Type"]
    assert answer.headers["X-Xet-Hash"] == tree_entry(wire, repo, "w.bin")["xetHash"]
    assert answer.headers["X-Linked-Size"] == str(len(data))
    assert 'rel="xet-auth"' in answer.headers["Link"] and 'rel="xet-reconstruction-info"' in answer.headers["Link"]


@pytest.fixture(scope="module")
def converting(tmp_path_factory):
    """A hub that turns whole objects into chunks at once."""
    hub = Hub(tmp_path_factory.mktemp("converting") / "data",
              environment={"HEARTH_LOG_FORMAT": "json", "HEARTH_XET_CONVERT_AFTER": "0"}).start()
    yield hub, settle(hub)
    hub.kill()


def xet_hash(wire, repo, name):
    """Of a file that the background job is to convert; waits for it, within a bound."""
    assert eventually(lambda: "xetHash" in tree_entry(wire, repo, name), seconds=60), "not converted within a minute"
    return tree_entry(wire, repo, name)["xetHash"]


def check_read_by_xet(hub, folder, repo, name, data):
    traffic = Traffic(hub)
    path, = Machine(folder, hub.url, None).download(repo, [name])
    assert path.read_bytes() == data
    assert traffic.count("GET", PLAN_ROUTE, 200) >= 1, "the client did not read by Xet"
    assert Wire(hub.url).get(f"/{repo}/resolve/main/{name}").body == data
    middle = len(data) // 2
    answer = Wire(hub.url).get(f"/{repo}/resolve/main/{name}", {"Range": f"bytes={middle}-{middle + 99}"})
    assert answer.body == data[middle:middle + 100]


def test_an_lfs_upload_is_served_by_xet_later(converting, tmp_path, rng):
    import hf_xet
    hub, tokens = converting
    bob = Wire(hub.url, tokens["bob"])
    create(bob, "bob/by-lfs")
    data = b"\0" + rng.randbytes(6_000_000)
    upload_object(bob, "bob/by-lfs", data)
    assert commit(bob, "bob/by-lfs", [lfs_row("w.bin", data)]).status == 200
    found = xet_hash(bob, "bob/by-lfs", "w.bin")
    (tmp_path / "same").write_bytes(data)
    assert hf_xet.hash_files([str(tmp_path / "same")])[0].hash == found, "our chunks are the client's"
    check_read_by_xet(hub, tmp_path / "reader", "bob/by-lfs", "w.bin", data)


def test_a_git_lfs_push_is_served_by_xet_later(converting, tmp_path, rng):
    hub, tokens = converting
    create(Wire(hub.url, tokens["bob"]), "bob/by-git")
    data = b"\0" + rng.randbytes(3_000_000)
    environment = dict(os.environ, GIT_CONFIG_GLOBAL=str(tmp_path / "gitconfig"), GIT_AUTHOR_NAME="Bob",
                       GIT_AUTHOR_EMAIL="bob@example.com", GIT_COMMITTER_NAME="Bob", GIT_COMMITTER_EMAIL="bob@example.com")
    remote = hub.url.replace("://", f"://bob:{tokens['bob']}@") + "/bob/by-git"

    def git(*arguments, cwd=tmp_path / "clone"):
        done = subprocess.run(["git", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (arguments, done.stderr)
    git("lfs", "install", "--skip-repo", cwd=tmp_path)
    git("clone", "-q", remote, "clone", cwd=tmp_path)
    (tmp_path / "clone" / "w.bin").write_bytes(data)
    git("add", "-A")
    git("commit", "-q", "-m", "weights")
    git("push", "-q", "origin", "main")
    xet_hash(Wire(hub.url), "bob/by-git", "w.bin")
    check_read_by_xet(hub, tmp_path / "reader", "bob/by-git", "w.bin", data)


def test_chunks_of_an_lfs_upload_are_found_by_xet_uploads(converting, tmp_path, rng):
    hub, tokens = converting
    bob = Wire(hub.url, tokens["bob"])
    create(bob, "bob/mixed")
    data = b"\0" + rng.randbytes(6_000_000)
    upload_object(bob, "bob/mixed", data)
    assert commit(bob, "bob/mixed", [lfs_row("w.bin", data)]).status == 200
    xet_hash(bob, "bob/mixed", "w.bin")
    traffic = Traffic(hub)
    more = data + rng.randbytes(100_000)
    Machine(tmp_path / "writer", hub.url, tokens["bob"]).upload("bob/mixed", {"more.bin": more})
    assert traffic.bytes_in() < 1_000_000
    check_read_by_xet(hub, tmp_path / "reader", "bob/mixed", "more.bin", more)
