"""HfFileSystem: the hub as an fsspec file system."""
import pytest

from huggingface_hub import HfFileSystem

BODY = bytes(range(256)) * 8192  # 2 MiB, binary, so in LFS


@pytest.fixture
def fs(hub, tokens):
    HfFileSystem.clear_instance_cache()
    return HfFileSystem(endpoint=hub.url, token=tokens["bob"], skip_instance_cache=True)


@pytest.fixture
def stocked(api, repo):
    for name, content in (("a.txt", b"0123456789"), ("d/b.txt", b"bee"), ("d/e/c.csv", b"x,y\n1,2\n"), ("w.bin", BODY)):
        api.upload_file(path_or_fileobj=content, path_in_repo=name, repo_id=repo)
    return repo


def test_ls_info_exists(fs, stocked):
    names = {entry["name"]: entry for entry in fs.ls(stocked, detail=True)}
    assert set(names) == {f"{stocked}/{name}" for name in (".gitattributes", "a.txt", "d", "w.bin")}
    assert names[f"{stocked}/d"]["type"] == "directory"
    assert fs.info(f"{stocked}/w.bin")["size"] == len(BODY)
    assert fs.isdir(f"{stocked}/d") and fs.isfile(f"{stocked}/a.txt")
    assert fs.exists(f"{stocked}/d/b.txt") and not fs.exists(f"{stocked}/nope")
    with pytest.raises(FileNotFoundError):
        fs.info(f"{stocked}/nope")
    with pytest.raises(FileNotFoundError):
        fs.ls(f"{stocked}x")


def test_glob_walk_find_du(fs, stocked):
    assert fs.glob(f"{stocked}/**/*.txt") == [f"{stocked}/a.txt", f"{stocked}/d/b.txt"]
    assert fs.glob(f"{stocked}/d/*") == [f"{stocked}/d/b.txt", f"{stocked}/d/e"]
    assert fs.find(f"{stocked}/d") == [f"{stocked}/d/b.txt", f"{stocked}/d/e/c.csv"]
    assert fs.du(f"{stocked}/d") == len(b"bee") + len(b"x,y\n1,2\n")
    assert [files for _, _, files in fs.walk(f"{stocked}/d")] == [["b.txt"], ["c.csv"]]


def test_read_by_ranges(fs, stocked):
    with fs.open(f"{stocked}/w.bin", "rb", block_size=65536) as stream:
        stream.seek(1_000_000)
        assert stream.read(1000) == BODY[1_000_000:1_001_000]
        stream.seek(-5, 2)
        assert stream.read() == BODY[-5:]
        stream.seek(0)
        assert stream.read() == BODY
    assert fs.cat_file(f"{stocked}/a.txt", start=2, end=5) == b"234"
    assert fs.read_text(f"{stocked}/d/e/c.csv") == "x,y\n1,2\n"
    assert fs.cat([f"{stocked}/a.txt", f"{stocked}/d/b.txt"]) == {
        f"{stocked}/a.txt": b"0123456789", f"{stocked}/d/b.txt": b"bee"}


def test_streamed_read(fs, stocked):
    with fs.open(f"{stocked}/w.bin", "rb", block_size=0) as stream:
        assert stream.read(7) == BODY[:7]
        assert stream.read() == BODY[7:]


def test_read_at_a_revision(fs, api, stocked):
    old = api.model_info(stocked).sha
    api.upload_file(path_or_fileobj=b"changed", path_in_repo="a.txt", repo_id=stocked)
    fs.invalidate_cache()
    assert fs.cat_file(f"{stocked}@{old}/a.txt") == b"0123456789"
    assert fs.cat_file(f"{stocked}/a.txt") == b"changed"


def test_write_overwrite_and_remove(fs, api, stocked):
    with fs.open(f"{stocked}/new/file.txt", "w") as stream:
        stream.write("written\n")
    assert fs.read_text(f"{stocked}/new/file.txt") == "written\n"
    with fs.open(f"{stocked}/new/file.txt", "wb") as stream:
        stream.write(b"\0binary now")
    assert fs.cat_file(f"{stocked}/new/file.txt") == b"\0binary now"
    fs.rm(f"{stocked}/new/file.txt")
    assert not fs.exists(f"{stocked}/new/file.txt")
    fs.rm(f"{stocked}/d", recursive=True)
    assert set(api.list_repo_files(stocked)) == {".gitattributes", "a.txt", "w.bin"}


def test_put_get_and_copy(fs, stocked, tmp_path):
    (tmp_path / "up.bin").write_bytes(b"\0up")
    fs.put_file(str(tmp_path / "up.bin"), f"{stocked}/up.bin")
    fs.get_file(f"{stocked}/up.bin", str(tmp_path / "down.bin"))
    assert (tmp_path / "down.bin").read_bytes() == b"\0up"
    fs.cp_file(f"{stocked}/up.bin", f"{stocked}/copy.bin")
    fs.invalidate_cache()
    assert fs.cat_file(f"{stocked}/copy.bin") == b"\0up"


def test_data_set_paths(fs, api, new_id):
    repo_id = new_id()
    api.create_repo(repo_id, repo_type="dataset")
    api.upload_file(path_or_fileobj=b"a\n1\n", path_in_repo="t.csv", repo_id=repo_id, repo_type="dataset")
    assert fs.cat_file(f"datasets/{repo_id}/t.csv") == b"a\n1\n"
    assert fs.url(f"datasets/{repo_id}/t.csv") == f"{api.endpoint}/datasets/{repo_id}/resolve/main/t.csv"


def test_detail_with_last_commit(fs, stocked):
    entry = fs.info(f"{stocked}/a.txt", expand_info=True)
    assert entry["last_commit"].title == "Upload a.txt with huggingface_hub"
