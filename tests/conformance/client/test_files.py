"""Reading: downloads, snapshots, resume, trees and every header of a resolve answer."""
import hashlib
import os
import pathlib
import shutil

import pytest
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, RemoteEntryNotFoundError, RevisionNotFoundError

from harness.proxy import StallingProxy
from harness.repos import git_blob_sha1

TEXT = b"plain text, small\n"
WEIGHTS = bytes(range(256)) * 40_000  # 10.24 MB, binary
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture(scope="module")
def stocked(api):
    """A model with one regular and one LFS file, and folders; returns (id, head)."""
    repo_id = "bob/stocked"
    api.create_repo(repo_id)
    for name in ("a/one.txt", "a/b/two.txt", "c/three.txt"):
        api.upload_file(path_or_fileobj=name.encode(), path_in_repo=name, repo_id=repo_id)
    api.upload_file(path_or_fileobj=TEXT, path_in_repo="notes.txt", repo_id=repo_id)
    head = api.upload_file(path_or_fileobj=WEIGHTS, path_in_repo="weights.bin", repo_id=repo_id).oid
    return repo_id, head


@pytest.mark.parametrize("name, content", [("notes.txt", TEXT), ("weights.bin", WEIGHTS), ("a/b/two.txt", b"a/b/two.txt")])
def test_download_byte_for_byte(anonymous, stocked, cache, name, content):
    repo, head = stocked
    path = pathlib.Path(anonymous.hf_hub_download(repo, name, cache_dir=cache))
    assert path.read_bytes() == content
    assert head in path.parts  # the snapshot folder carries the commit
    # The blob is named by its ETag; the newest clients name what they got by Xet by its hash there.
    entry, = anonymous.get_paths_info(repo, [name])
    names = {entry.lfs.sha256 if entry.lfs else git_blob_sha1(content), getattr(entry, "xet_hash", None)}
    assert pathlib.Path(os.path.realpath(path)).name in names


def test_second_download_comes_from_the_cache(anonymous, stocked, cache):
    repo, _ = stocked
    first = os.stat(os.path.realpath(anonymous.hf_hub_download(repo, "weights.bin", cache_dir=cache)))
    second = os.stat(os.path.realpath(anonymous.hf_hub_download(repo, "weights.bin", cache_dir=cache)))
    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


def test_download_into_a_folder(anonymous, stocked, tmp_path):
    repo, _ = stocked
    anonymous.snapshot_download(repo, local_dir=tmp_path / "here", cache_dir=tmp_path / "cache")
    assert (tmp_path / "here" / "weights.bin").read_bytes() == WEIGHTS
    assert (tmp_path / "here" / "a" / "b" / "two.txt").read_bytes() == b"a/b/two.txt"


def test_snapshot_and_its_patterns(anonymous, stocked, cache):
    repo, head = stocked
    path = pathlib.Path(anonymous.snapshot_download(repo, cache_dir=cache))
    assert path.name == head
    names = {str(found.relative_to(path)) for found in path.rglob("*") if found.is_file()}
    assert names == {".gitattributes", "notes.txt", "weights.bin", "a/one.txt", "a/b/two.txt", "c/three.txt"}
    shutil.rmtree(cache)
    path = pathlib.Path(anonymous.snapshot_download(repo, cache_dir=cache, allow_patterns="a/*", ignore_patterns="*/b/*"))
    assert [str(found.relative_to(path)) for found in path.rglob("*") if found.is_file()] == ["a/one.txt"]


def test_snapshot_of_an_old_commit(api, anonymous, repo, cache):
    old = api.upload_file(path_or_fileobj=b"1", path_in_repo="n.txt", repo_id=repo).oid
    api.upload_file(path_or_fileobj=b"2", path_in_repo="n.txt", repo_id=repo)
    path = pathlib.Path(anonymous.snapshot_download(repo, revision=old, cache_dir=cache))
    assert (path / "n.txt").read_bytes() == b"1"


@pytest.mark.without_xet
def test_an_interrupted_download_goes_on(api, repo, cache, hub, monkeypatch):
    """The peer is lost in the middle: the client asks for the rest by Range and ends with every byte."""
    from huggingface_hub import HfApi, constants
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    content = WEIGHTS * 3
    api.upload_file(path_or_fileobj=content, path_in_repo="long.bin", repo_id=repo)
    # The client keeps what it has in whole chunks of 10 MiB: two of them arrive before the peer is lost.
    with StallingProxy(hub.port, after=22 * 1024 * 1024) as proxy:
        client = HfApi(endpoint=proxy.url, token=False)
        path = client.hf_hub_download(repo, "long.bin", cache_dir=cache)
        assert hashlib.sha256(open(path, "rb").read()).digest() == hashlib.sha256(content).digest()
        assert proxy.stalled.is_set()
        assert proxy.ranges == [b"bytes=%d-" % (20 * 1024 * 1024)]


def test_metadata(anonymous, stocked, hub):
    repo, head = stocked
    meta = get_hf_file_metadata(hf_hub_url(repo, "weights.bin", endpoint=hub.url), token=False)
    assert (meta.commit_hash, meta.etag, meta.size) == (head, SHA256, len(WEIGHTS))
    meta = get_hf_file_metadata(hf_hub_url(repo, "notes.txt", endpoint=hub.url), token=False)
    assert (meta.commit_hash, meta.etag, meta.size) == (head, git_blob_sha1(TEXT), len(TEXT))


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("name, content", [("notes.txt", TEXT), ("weights.bin", WEIGHTS)])
def test_every_header_of_a_resolve_answer(wire, stocked, method, name, content, xet):
    repo, head = stocked
    answer = wire.request(method, f"/{repo}/resolve/main/{name}", headers={"Accept-Encoding": "identity", "Origin": "https://page.example"})
    lfs = name == "weights.bin"
    assert answer.status == 200
    assert answer.headers["X-Repo-Commit"] == head
    assert answer.headers["ETag"] == f'"{SHA256 if lfs else git_blob_sha1(content)}"'
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Content-Encoding" not in answer.headers
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("inline") and f'filename="{name}";' in disposition
    assert f"filename*=UTF-8''{name}" in disposition
    assert answer.headers["X-Request-Id"]
    exposed = answer.headers["Access-Control-Expose-Headers"]
    for header in ("X-Repo-Commit", "X-Request-Id", "X-Error-Code", "X-Error-Message", "ETag", "Link", "Accept-Ranges",
                   "Content-Range", "X-Linked-Size", "X-Linked-ETag"):
        assert header.lower() in exposed.lower()
    if lfs:
        assert answer.headers["X-Linked-Size"] == str(len(content))
        assert answer.headers["X-Linked-ETag"] == f'"{SHA256}"'
    assert ("X-Xet-Hash" in answer.headers) == (lfs and xet)
    assert answer.body == (content if method == "GET" else b"")


@pytest.mark.parametrize("name, content", [("notes.txt", TEXT), ("weights.bin", WEIGHTS)])
@pytest.mark.parametrize("spec, start, end", [("bytes=0-0", 0, 1), ("bytes=5-", 5, None), ("bytes=-4", -4, None),
                                              ("bytes=3-9", 3, 10), ("bytes=0-99999999999", 0, None)])
def test_one_range(wire, stocked, name, content, spec, start, end):
    repo, head = stocked
    answer = wire.get(f"/{repo}/resolve/main/{name}", {"Range": spec})
    expected = content[start:end]
    first = start if start >= 0 else len(content) + start
    assert answer.status == 206
    assert answer.body == expected
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(content)}"
    assert answer.headers["Content-Length"] == str(len(expected))
    assert answer.headers["X-Repo-Commit"] == head


@pytest.mark.parametrize("name, size", [("notes.txt", len(TEXT)), ("weights.bin", len(WEIGHTS))])
def test_a_range_past_the_end(wire, stocked, name, size):
    answer = wire.get(f"/{stocked[0]}/resolve/main/{name}", {"Range": f"bytes={size}-"})
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize("name, content", [("notes.txt", TEXT), ("weights.bin", WEIGHTS)])
def test_several_ranges_in_one_answer(wire, stocked, name, content):
    answer = wire.get(f"/{stocked[0]}/resolve/main/{name}", {"Range": "bytes=0-3,8-11"})
    assert answer.status == 206
    kind, _, boundary = answer.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = answer.body.split(b"--" + boundary.strip('"').encode())
    assert parts[-1].startswith(b"--")
    bodies = [part.split(b"\r\n\r\n", 1)[1][:-2] for part in parts[1:-1]]
    assert bodies == [content[0:4], content[8:12]]
    assert f"Content-Range: bytes 8-11/{len(content)}".lower().encode() in answer.body.lower()


def test_if_range_with_an_old_etag_sends_everything(wire, stocked):
    answer = wire.get(f"/{stocked[0]}/resolve/main/notes.txt", {"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (answer.status, answer.body) == (200, TEXT)
    answer = wire.get(f"/{stocked[0]}/resolve/main/notes.txt",
                      {"Range": "bytes=0-3", "If-Range": f'"{git_blob_sha1(TEXT)}"'})
    assert (answer.status, answer.body) == (206, TEXT[:4])


def test_a_known_etag_is_not_sent_again(wire, stocked):
    for etag in (f'"{SHA256}"', f'"x", W/"{SHA256}"', "*"):
        answer = wire.get(f"/{stocked[0]}/resolve/main/weights.bin", {"If-None-Match": etag})
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["ETag"] == f'"{SHA256}"'


def test_download_as_an_attachment(wire, stocked):
    answer = wire.get(f"/{stocked[0]}/resolve/main/notes.txt?download=true")
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.without_xet
def test_the_first_byte_as_the_javascript_client_asks(wire, stocked):
    repo, _ = stocked
    answer = wire.get(f"/{repo}/resolve/main/weights.bin",
                      {"Range": "bytes=0-0", "Accept": "application/vnd.xet-fileinfo+json, */*"})
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes 0-0/{len(WEIGHTS)}"
    assert answer.headers["ETag"] == f'"{SHA256}"'


def test_raw_gives_the_pointer_of_an_lfs_file(wire, stocked):
    repo, head = stocked
    answer = wire.get(f"/{repo}/raw/main/weights.bin")
    assert answer.text == (f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\n"
                           f"size {len(WEIGHTS)}\n")
    assert wire.get(f"/{repo}/raw/main/notes.txt").body == TEXT
    assert wire.head(f"/{repo}/raw/main/notes.txt").status == 200
    assert wire.head(f"/{repo}/raw/main/missing.txt").status == 404


def test_a_missing_file_says_which_commit_lacks_it(anonymous, wire, stocked, cache):
    repo, head = stocked
    with pytest.raises(RemoteEntryNotFoundError):
        anonymous.hf_hub_download(repo, "missing.json", cache_dir=cache)
    assert list(cache.rglob(".no_exist/*/missing.json"))
    for method in ("HEAD", "GET"):
        answer = wire.request(method, f"/{repo}/resolve/main/missing.json")
        assert answer.status == 404
        assert (answer.code, answer.message) == ("EntryNotFound", "Entry not found")
        assert answer.headers["X-Repo-Commit"] == head


def test_a_folder_is_not_a_file(wire, stocked):
    answer = wire.get(f"/{stocked[0]}/resolve/main/a")
    assert (answer.status, answer.code) == (404, "EntryNotFound")


def test_file_exists(anonymous, stocked):
    repo, _ = stocked
    assert anonymous.file_exists(repo, "notes.txt")
    assert anonymous.file_exists(repo, "a/b/two.txt")
    assert not anonymous.file_exists(repo, "a/b")
    assert not anonymous.file_exists(repo, "missing.txt")
    assert not anonymous.file_exists(repo, "notes.txt", revision="nowhere")
    assert not anonymous.file_exists(repo + "x", "notes.txt")


def test_tree_of_a_folder(anonymous, stocked):
    repo, _ = stocked
    top = {entry.path: entry for entry in anonymous.list_repo_tree(repo)}
    assert set(top) == {".gitattributes", "a", "c", "notes.txt", "weights.bin"}
    assert type(top["a"]).__name__ == "RepoFolder"
    assert top["notes.txt"].blob_id == git_blob_sha1(TEXT)
    weights = top["weights.bin"]
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\nsize {len(WEIGHTS)}\n".encode()
    assert (weights.size, weights.lfs.sha256, weights.lfs.size) == (len(WEIGHTS), SHA256, len(WEIGHTS))
    assert (weights.blob_id, weights.lfs.pointer_size) == (git_blob_sha1(pointer), len(pointer))
    assert [entry.path for entry in anonymous.list_repo_tree(repo, "a")] == ["a/b", "a/one.txt"] or \
        {entry.path for entry in anonymous.list_repo_tree(repo, "a")} == {"a/b", "a/one.txt"}
    everything = {entry.path for entry in anonymous.list_repo_tree(repo, recursive=True)}
    assert everything == set(top) | {"a/b", "a/one.txt", "a/b/two.txt", "c/three.txt"}
    assert {entry.path for entry in anonymous.list_repo_tree(repo, "a", recursive=True)} == {
        "a/b", "a/one.txt", "a/b/two.txt"}


def test_expanded_tree_knows_the_last_commit_of_each_entry(api, anonymous, repo):
    first = api.upload_file(path_or_fileobj=b"1", path_in_repo="d/a.txt", repo_id=repo, commit_message="add a").oid
    second = api.upload_file(path_or_fileobj=b"1", path_in_repo="d/b.txt", repo_id=repo, commit_message="add b").oid
    entries = {entry.path: entry for entry in anonymous.list_repo_tree(repo, recursive=True, expand=True)}
    assert (entries["d/a.txt"].last_commit.oid, entries["d/a.txt"].last_commit.title) == (first, "add a")
    assert entries["d/b.txt"].last_commit.oid == second
    assert entries["d"].last_commit.oid == second


def test_tree_of_what_is_not_there(anonymous, wire, stocked):
    repo, _ = stocked
    with pytest.raises(EntryNotFoundError):
        list(anonymous.list_repo_tree(repo, "missing"))
    with pytest.raises(EntryNotFoundError):
        list(anonymous.list_repo_tree(repo, "notes.txt"))
    with pytest.raises(RevisionNotFoundError):
        list(anonymous.list_repo_tree(repo, revision="nowhere"))
    answer = wire.get(f"/api/models/{repo}/tree/main/missing")
    assert answer.message == 'missing does not exist on "main"'


def test_a_long_tree_comes_in_pages(api, wire, repo):
    from huggingface_hub import CommitOperationAdd
    api.create_commit(repo, commit_message="many", operations=[
        CommitOperationAdd(f"n/{number:04}.txt", b"%d" % number) for number in range(1200)])
    names = [entry.path for entry in api.list_repo_tree(repo, "n")]
    assert len(names) == len(set(names)) == 1200
    first = wire.get(f"/api/models/{repo}/tree/main/n")
    assert len(first.json()) == 1000
    assert 'rel="next"' in first.headers["Link"] and first.headers["Link"].startswith("<http")
    expanded = list(api.list_repo_tree(repo, "n", expand=True))
    assert len(expanded) == 1200


def test_paths_info(anonymous, stocked):
    repo, _ = stocked
    found = anonymous.get_paths_info(repo, ["notes.txt", "a", "missing", "weights.bin"])
    assert {entry.path for entry in found} == {"notes.txt", "a", "weights.bin"}
    expanded = anonymous.get_paths_info(repo, ["notes.txt"], expand=True)
    assert expanded[0].last_commit.title == "Upload notes.txt with huggingface_hub"


def test_files_come_uncompressed_however_asked(wire, stocked):
    for name, content in (("notes.txt", TEXT), ("weights.bin", WEIGHTS)):
        answer = wire.get(f"/{stocked[0]}/resolve/main/{name}", {"Accept-Encoding": "gzip, deflate, br, zstd"})
        assert "Content-Encoding" not in answer.headers
        assert answer.body == content


def test_revision_in_an_encoded_segment(api, wire, repo):
    api.create_branch(repo, branch="feature/x")
    api.upload_file(path_or_fileobj=b"there", path_in_repo="d/f.txt", repo_id=repo, revision="feature/x")
    for target in ("/resolve/feature%2Fx/d/f.txt", "/resolve/refs%2Fheads%2Ffeature%2Fx/d/f.txt",
                   "/resolve/feature%2Fx/d%2Ff.txt"):
        assert wire.get(f"/{repo}{target}").text == "there", target
    listed = wire.get(f"/api/models/{repo}/tree/feature%2Fx/d").json()
    assert [entry["path"] for entry in listed] == ["d/f.txt"]
