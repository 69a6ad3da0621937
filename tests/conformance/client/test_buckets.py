"""Buckets through HfApi and HfFileSystem: life cycle, batches, listings, copies, rights."""
import hashlib
import json
import os

import pytest
from huggingface_hub import HfFileSystem
from huggingface_hub.errors import BucketNotFoundError, HfHubHTTPError

# Both kinds of chunks: what compresses and what does not, over several chunks.
LARGE = os.urandom(3_000_000) + b"the same row again\n" * 100_000


@pytest.fixture
def bucket(api, new_id):
    bucket_id = new_id()
    api.create_bucket(bucket_id)
    return bucket_id


@pytest.fixture
def filled(api, bucket):
    api.batch_bucket_files(bucket, add=[(b"one", "a.txt"), (b"two", "sub/b.txt"), (LARGE, "sub/deep/large.bin"),
                                        (b"", "empty"), (b"lookalike", "sub.json")])
    return bucket


def paths(api, bucket, **options):
    return [item.path for item in api.list_bucket_tree(bucket, **options)]


def download(api, bucket, path, folder):
    target = folder / "got"
    api.download_bucket_files(bucket, [(path, target)], raise_on_missing_files=True)
    return target.read_bytes()


def test_create_describe_and_delete(api, new_id):
    bucket_id = new_id()
    url = api.create_bucket(bucket_id, private=True)
    assert url.bucket_id == bucket_id and url.url.endswith(f"/buckets/{bucket_id}")
    info = api.bucket_info(bucket_id)
    assert (info.id, info.private, info.size, info.total_files) == (bucket_id, True, 0, 0)
    with pytest.raises(HfHubHTTPError) as taken:
        api.create_bucket(bucket_id)
    assert taken.value.response.status_code == 409
    assert api.create_bucket(bucket_id, exist_ok=True) == url
    api.delete_bucket(bucket_id)
    with pytest.raises(BucketNotFoundError):
        api.bucket_info(bucket_id)
    with pytest.raises(BucketNotFoundError):
        api.delete_bucket(bucket_id)
    api.delete_bucket(bucket_id, missing_ok=True)


def test_a_name_alone_is_the_callers_own_bucket(api, new_id):
    bucket_id = new_id()
    assert api.create_bucket(bucket_id.split("/")[1]).bucket_id == bucket_id


def test_other_calls_need_the_namespace(api, bucket):
    name = bucket.split("/")[1]
    for call in (api.bucket_info, api.delete_bucket):
        with pytest.raises(HfHubHTTPError) as missing:
            call(name)
        assert missing.value.response.status_code == 404
    assert api.bucket_info(bucket).id == bucket


def test_upload_describe_and_download(api, filled, tmp_path):
    info = api.bucket_info(filled)
    assert (info.size, info.total_files) == (15 + len(LARGE), 5)
    files = {item.path: item for item in api.list_bucket_tree(filled)}
    assert files["sub/deep/large.bin"].size == len(LARGE)
    assert all(item.type == "file" and item.mtime and item.uploaded_at for item in files.values())
    for path, content in [("a.txt", b"one"), ("sub/deep/large.bin", LARGE), ("empty", b"")]:
        assert download(api, filled, path, tmp_path) == content
    metadata = api.get_bucket_file_metadata(filled, "sub/deep/large.bin")
    assert metadata.size == len(LARGE)
    assert metadata.xet_file_data.file_hash == files["sub/deep/large.bin"].xet_hash


def test_listings_follow_the_prefix(api, filled):
    assert paths(api, filled) == ["a.txt", "empty", "sub.json", "sub/b.txt", "sub/deep/large.bin"]
    assert paths(api, filled, recursive=False) == ["a.txt", "empty", "sub.json", "sub"]
    assert paths(api, filled, prefix="sub/") == ["sub/b.txt", "sub/deep/large.bin"]
    assert "sub/deep" in paths(api, filled, prefix="sub", recursive=False)
    found = list(api.get_bucket_paths_info(filled, ["sub/b.txt", "missing", "a.txt", "sub"]))
    assert [item.path for item in found] == ["sub/b.txt", "a.txt"]


def test_more_files_than_one_page(api, bucket):
    names = [f"f/{number:04}" for number in range(1203)]
    api.batch_bucket_files(bucket, add=[(b"same", name) for name in names])
    assert paths(api, bucket) == names
    api.batch_bucket_files(bucket, delete=names[:1100])
    assert paths(api, bucket) == names[1100:]
    assert api.bucket_info(bucket).size == 4 * 103


def test_files_are_replaced_and_deleted(api, filled, tmp_path):
    api.batch_bucket_files(filled, add=[(b"new text", "a.txt")], delete=["sub/b.txt"])
    assert download(api, filled, "a.txt", tmp_path) == b"new text"
    assert "sub/b.txt" not in paths(api, filled)


def test_copies_between_buckets_and_from_a_repository(api, filled, new_id, tmp_path):
    other = new_id()
    api.create_bucket(other, private=True)
    api.copy_files(f"hf://buckets/{filled}/sub/", f"hf://buckets/{other}/copied/")
    assert paths(api, other) == ["copied/b.txt", "copied/deep/large.bin"]
    assert download(api, other, "copied/deep/large.bin", tmp_path) == LARGE

    repo = new_id()
    api.create_repo(repo, private=True)
    api.upload_file(path_or_fileobj=LARGE, path_in_repo="weights.bin", repo_id=repo)
    api.upload_file(path_or_fileobj=b"small", path_in_repo="notes.txt", repo_id=repo)
    api.copy_files(f"hf://{repo}", f"hf://buckets/{other}/model/")
    below = [path for path in paths(api, other) if path.startswith("model/")]
    assert [path.rsplit("/", 1)[1] for path in below] == ["notes.txt", "weights.bin"]
    assert download(api, other, below[1], tmp_path) == LARGE


def test_a_private_bucket_is_for_its_owner(api, stranger, anonymous, new_id, tmp_path):
    bucket = new_id()
    api.create_bucket(bucket, private=True)
    api.batch_bucket_files(bucket, add=[(b"secret", "file")])
    for other in (stranger, anonymous):
        for call in (lambda: other.bucket_info(bucket), lambda: list(other.list_bucket_tree(bucket)),
                     lambda: list(other.get_bucket_paths_info(bucket, ["file"])), lambda: other.delete_bucket(bucket)):
            with pytest.raises(HfHubHTTPError):
                call()
        assert bucket not in [item.id for item in other.list_buckets(namespace="bob")]
    with pytest.raises(BucketNotFoundError):
        stranger.bucket_info(bucket)
    assert bucket in [item.id for item in api.list_buckets()]
    api.update_bucket_settings(bucket, private=False)
    assert download(anonymous, bucket, "file", tmp_path) == b"secret"
    with pytest.raises(HfHubHTTPError) as refused:
        stranger.batch_bucket_files(bucket, delete=["file"])
    assert refused.value.response.status_code == 403


def test_a_strangers_copy_by_a_known_hash_is_refused(api, stranger, new_id):
    secret, target = new_id(), new_id("mallory")
    api.create_bucket(secret, private=True)
    api.batch_bucket_files(secret, add=[(LARGE, "file")])
    xet_hash = next(iter(api.list_bucket_tree(secret))).xet_hash
    stranger.create_bucket(target)
    with pytest.raises(HfHubHTTPError):
        stranger.batch_bucket_files(target, copy=[("bucket", secret, xet_hash, "got")])
    with pytest.raises(HfHubHTTPError):
        stranger.batch_bucket_files(target, copy=[("bucket", target, xet_hash, "got")])
    assert paths(stranger, target) == []


def test_roles_of_an_organisation(acting, api, new_id):
    bucket = new_id("acme")
    acting("acme-writer").create_bucket(bucket, private=True)
    acting("acme-writer").batch_bucket_files(bucket, add=[(b"1", "file")])
    assert paths(acting("acme-reader"), bucket) == ["file"]
    with pytest.raises(HfHubHTTPError):
        acting("acme-reader").batch_bucket_files(bucket, delete=["file"])
    with pytest.raises(Exception, match="403"):  # from the Rust part, which fetches the token
        acting("acme-reader").batch_bucket_files(bucket, add=[(b"2", "other")])
    with pytest.raises(HfHubHTTPError):
        acting("acme-writer").delete_bucket(bucket)
    with pytest.raises(BucketNotFoundError):
        api.bucket_info(bucket)
    acting("acme-admin").delete_bucket(bucket)


def test_a_bucket_moves(api, filled, new_id):
    target = new_id()
    api.move_bucket(filled, target)
    assert "a.txt" in paths(api, target)
    with pytest.raises(BucketNotFoundError):
        api.bucket_info(filled)


def test_list_and_search(api, bucket):
    name = bucket.split("/")[1]
    assert [item.id for item in api.list_buckets(search=name[3:].upper())] == [bucket]
    with pytest.raises(HfHubHTTPError) as unknown:
        list(api.list_buckets(namespace="nobody-here"))
    assert unknown.value.response.status_code == 404


def test_sync_up_and_down(api, bucket, tmp_path):
    source, target = tmp_path / "up", tmp_path / "down"
    (source / "d").mkdir(parents=True)
    (source / "a.txt").write_text("one")
    (source / "d" / "large.bin").write_bytes(LARGE)
    uri = f"hf://buckets/{bucket}/backup"
    assert api.sync_bucket(str(source), uri, quiet=True).summary()["uploads"] == 2
    assert api.sync_bucket(str(source), uri, quiet=True).summary()["uploads"] == 0
    api.sync_bucket(uri, str(target), quiet=True)
    assert (target / "d" / "large.bin").read_bytes() == LARGE
    (source / "a.txt").unlink()
    assert api.sync_bucket(str(source), uri, delete=True, quiet=True).summary()["deletes"] == 1
    assert paths(api, bucket) == ["backup/d/large.bin"]


def test_file_system(api, hub, tokens, filled):
    fs = HfFileSystem(endpoint=hub.url, token=tokens["bob"], skip_instance_cache=True)
    root = f"buckets/{filled}"
    assert sorted(fs.ls(root, detail=False)) == [f"{root}/{name}" for name in ("a.txt", "empty", "sub", "sub.json")]
    assert sorted(fs.ls(f"{root}/sub", detail=False)) == [f"{root}/sub/b.txt", f"{root}/sub/deep"]
    assert len(fs.find(root)) == 5
    assert fs.info(f"{root}/sub")["type"] == "directory"
    assert fs.cat_file(f"{root}/sub/b.txt") == b"two"
    with fs.open(f"{root}/sub/deep/large.bin") as file:
        file.seek(1_234_567)
        assert file.read(100_000) == LARGE[1_234_567:1_334_567]
    with fs.open(f"{root}/written.txt", "w") as file:
        file.write("by the file system")
    fs.rm(f"{root}/sub", recursive=True)
    assert fs.find(root) == [f"{root}/{name}" for name in ("a.txt", "empty", "sub.json", "written.txt")]


@pytest.mark.newest_client
def test_a_copy_by_the_file_system(hub, tokens, filled):
    fs = HfFileSystem(endpoint=hub.url, token=tokens["bob"], skip_instance_cache=True)
    root = f"buckets/{filled}"
    fs.copy(f"{root}/a.txt", f"{root}/copy.txt")
    assert fs.cat_file(f"{root}/copy.txt") == fs.cat_file(f"{root}/a.txt")


def test_plain_http_reads_ranges(filled, bob):
    target = f"/buckets/{filled}/resolve/sub/deep/large.bin"
    answer = bob.get(target, headers={"Range": "bytes=2999990-3000009"})
    assert answer.status == 206 and answer.body == LARGE[2_999_990:3_000_010]
    assert bob.get(target).body == LARGE


def test_a_bucket_file_becomes_a_repository_file_without_upload(api, bob, filled, new_id, tmp_path):
    """The client has no command for it yet; the route is the documented one."""
    repo = new_id()
    api.create_repo(repo)
    file = next(iter(api.get_bucket_paths_info(filled, ["sub/deep/large.bin"])))
    oid = hashlib.sha256(LARGE).hexdigest()
    answer = bob.post(f"/api/buckets/{filled}/lfs-files/duplicate", {
        "target": {"type": "model", "name": repo}, "files": [{"xetHash": file.xet_hash, "sha256": oid}]})
    assert answer.status == 200 and answer.json() == {"success": True, "processed": 1, "succeeded": 1, "failed": []}
    lines = [{"key": "header", "value": {"summary": "from the bucket"}},
             {"key": "lfsFile", "value": {"path": "large.bin", "algo": "sha256", "oid": oid, "size": len(LARGE)}}]
    answer = bob.post(f"/api/models/{repo}/commit/main", "\n".join(map(json.dumps, lines)),
                      headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200, answer.body
    path = api.hf_hub_download(repo, "large.bin", cache_dir=tmp_path)
    with open(path, "rb") as got:
        assert got.read() == LARGE
