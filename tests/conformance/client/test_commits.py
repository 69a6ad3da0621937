"""Commits through the client library: operations, conflicts, size."""
import io
import threading

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RevisionNotFoundError


def add(path, content):
    return CommitOperationAdd(path_in_repo=path, path_or_fileobj=content)


def commit(api, repo, *operations, **extra):
    return api.create_commit(repo, operations=list(operations), commit_message=extra.pop("message", "change"),
                             **extra)


def contents(api, repo, cache, revision=None):
    found = {}
    for name in api.list_repo_files(repo, revision=revision):
        if name != ".gitattributes":
            path = api.hf_hub_download(repo, name, revision=revision, cache_dir=cache)
            found[name] = open(path, "rb").read()
    return found


def test_commit_answers_where_it_is(api, hub, repo):
    info = commit(api, repo, add("a.txt", b"a"), message="summary", commit_description="body")
    assert info.commit_url == f"{hub.url}/{repo}/commit/{info.oid}"
    assert api.model_info(repo).sha == info.oid
    assert info.pr_url is None
    first = api.list_repo_commits(repo)[0]
    assert (first.title, first.message, first.commit_id) == ("summary", "body", info.oid)


def test_add_replace_delete_and_copy_in_one_commit(api, repo, cache):
    commit(api, repo, add("keep.txt", b"keep"), add("gone.txt", b"gone"), add("dir/one.txt", b"1"),
           add("dir/two.txt", b"2"), add("old.txt", b"old"), add("big.bin", b"\0" * 4096))
    commit(api, repo, add("old.txt", b"new"), CommitOperationDelete("gone.txt"),
           CommitOperationDelete("dir/"), CommitOperationCopy("big.bin", "copy/big.bin"),
           CommitOperationCopy("keep.txt", "copy/keep.txt"))
    assert contents(api, repo, cache) == {
        "keep.txt": b"keep", "old.txt": b"new", "big.bin": b"\0" * 4096, "copy/big.bin": b"\0" * 4096,
        "copy/keep.txt": b"keep"}


def test_copy_from_an_older_revision(api, repo, cache):
    old = commit(api, repo, add("a.txt", b"old"), add("a.bin", b"\0old")).oid
    commit(api, repo, add("a.txt", b"new"), add("a.bin", b"\0new"))
    commit(api, repo, CommitOperationCopy("a.txt", "b.txt", src_revision=old),
           CommitOperationCopy("a.bin", "b.bin", src_revision=old))
    found = contents(api, repo, cache)
    assert (found["b.txt"], found["b.bin"], found["a.txt"]) == (b"old", b"\0old", b"new")


def test_deleting_what_is_not_there(api, repo):
    with pytest.raises(EntryNotFoundError) as caught:
        commit(api, repo, CommitOperationDelete("missing.txt"))
    assert "A file with this name doesn't exist" in str(caught.value)
    with pytest.raises(EntryNotFoundError):
        commit(api, repo, CommitOperationDelete("missing-folder/"))


def test_delete_helpers(api, repo, cache):
    commit(api, repo, *(add(name, name.encode()) for name in ("a.txt", "d/b.txt", "d/e/c.txt", "f.md", "g.md")))
    api.delete_file("a.txt", repo)
    api.delete_folder("d", repo)
    api.delete_files(repo, ["*.md"])
    assert contents(api, repo, cache) == {}


def test_content_from_bytes_a_path_and_a_stream(api, repo, cache, tmp_path):
    path = tmp_path / "local.txt"
    path.write_bytes(b"from a path")
    commit(api, repo, add("bytes.txt", b"from bytes"), add("path.txt", str(path)),
           add("stream.txt", io.BytesIO(b"from a stream")))
    assert contents(api, repo, cache) == {"bytes.txt": b"from bytes", "path.txt": b"from a path",
                                          "stream.txt": b"from a stream"}


@pytest.mark.parametrize("name", ["with space.txt", "ünï/ö.txt", "a+b&c=d?.txt", "100%.txt", "#hash.txt", "日本語/模型.txt",
                                  "quote'\".txt", "semi;colon,comma.txt", "dot./x..y/.hidden", "%2F.txt"])
def test_names_of_every_kind_come_back(api, repo, cache, name):
    commit(api, repo, add(name, b"content of it"))
    assert contents(api, repo, cache) == {name: b"content of it"}
    assert api.file_exists(repo, name)
    assert [entry.path for entry in api.get_paths_info(repo, [name])] == [name]


def test_an_empty_file_and_an_empty_binary(api, repo, cache):
    commit(api, repo, add("empty.txt", b""), add("empty.bin", b""))
    assert contents(api, repo, cache) == {"empty.txt": b"", "empty.bin": b""}


def test_big_text_and_binary_go_to_lfs_and_small_text_does_not(api, repo):
    commit(api, repo, add("small.txt", b"text"), add("large.txt", b"t" * (11 * 1024 * 1024)),
           add("odd.name", bytes(range(256))), add("weights.safetensors", b"\x08\0\0\0\0\0\0\0{}      "))
    entries = {entry.path: entry for entry in api.list_repo_tree(repo)}
    assert entries["small.txt"].lfs is None
    for name, size in (("large.txt", 11 * 1024 * 1024), ("odd.name", 256), ("weights.safetensors", 16)):
        assert entries[name].lfs is not None, name
        assert entries[name].lfs.size == entries[name].size == size
    attributes = open(api.hf_hub_download(repo, ".gitattributes")).read()
    assert "large.txt filter=lfs diff=lfs merge=lfs -text" in attributes
    assert "odd.name filter=lfs diff=lfs merge=lfs -text" in attributes
    assert "weights.safetensors filter" not in attributes


def test_the_same_content_again_makes_no_commit(api, repo):
    first = commit(api, repo, add("a.txt", b"same"), add("a.bin", b"\0same"))
    again = commit(api, repo, add("a.txt", b"same"), add("a.bin", b"\0same"))
    assert again.oid == first.oid
    assert len(api.list_repo_commits(repo)) == 2


def test_ignored_files_stay_out(api, repo, tmp_path):
    commit(api, repo, add(".gitignore", b"*.log\nsecret/\n"))
    for name in ("keep.txt", "noise.log", "secret/key.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    api.upload_folder(repo_id=repo, folder_path=tmp_path)
    files = api.list_repo_files(repo)
    assert "keep.txt" in files and "noise.log" not in files and "secret/key.txt" not in files


def test_parent_commit_guards_against_a_lost_update(api, repo):
    old = api.model_info(repo).sha
    head = commit(api, repo, add("a.txt", b"1"), parent_commit=old).oid
    with pytest.raises(HfHubHTTPError) as caught:
        commit(api, repo, add("a.txt", b"2"), parent_commit=old)
    assert caught.value.response.status_code == 412
    assert "The branch was updated since you opened this page" in str(caught.value)
    assert api.model_info(repo).sha == head
    commit(api, repo, add("a.txt", b"2"), parent_commit=head)


def test_two_writers_lose_nothing(api, repo, cache):
    """Both commits are in the history, or one writer was told 412: never an acknowledged loss."""
    outcomes = {}

    def write(name):
        for number in range(8):
            path = f"{name}/{number}.txt"
            try:
                commit(api, repo, add(path, path.encode()))
                outcomes[path] = 200
            except HfHubHTTPError as error:
                outcomes[path] = error.response.status_code

    threads = [threading.Thread(target=write, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes.values()) <= {200, 412}
    stored = {path for path, status in outcomes.items() if status == 200}
    assert len(stored) >= 8
    assert set(contents(api, repo, cache)) == stored


def test_ten_thousand_files_in_one_commit(api, repo, cache):
    operations = [add(f"part-{number // 100:03}/{number:05}.txt", b"%d" % number) for number in range(10_000)]
    info = commit(api, repo, *operations)
    files = [name for name in api.list_repo_files(repo) if name.startswith("part-")]
    assert len(files) == 10_000
    assert len(api.list_repo_commits(repo)) == 2
    for number in (0, 4711, 9999):
        path = api.hf_hub_download(repo, f"part-{number // 100:03}/{number:05}.txt", revision=info.oid,
                                   cache_dir=cache)
        assert open(path).read() == str(number)


def test_commit_to_missing_places(api, repo, new_id):
    from huggingface_hub.errors import RepositoryNotFoundError
    with pytest.raises(RepositoryNotFoundError):
        commit(api, new_id(), add("a.txt", b"a"))
    with pytest.raises(RevisionNotFoundError):
        commit(api, repo, add("a.txt", b"a"), revision="nowhere")


def test_strangers_cannot_commit(stranger, anonymous, api, repo):
    with pytest.raises(HfHubHTTPError) as caught:
        commit(stranger, repo, add("a.txt", b"a"))
    assert caught.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError) as caught:
        commit(anonymous, repo, add("a.txt", b"a"))
    assert caught.value.response.status_code == 401
    assert api.list_repo_files(repo) == [".gitattributes"]


def test_upload_folder_with_patterns_and_deletions(api, repo, cache, tmp_path):
    for name in ("a.txt", "b.log", "sub/c.txt", "sub/d.bin"):
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" + name.encode() if name.endswith(".bin") else name.encode())
    api.upload_folder(repo_id=repo, folder_path=tmp_path / "work", ignore_patterns="*.log")
    assert set(contents(api, repo, cache)) == {"a.txt", "sub/c.txt", "sub/d.bin"}
    (tmp_path / "work" / "a.txt").unlink()
    api.upload_folder(repo_id=repo, folder_path=tmp_path / "work", path_in_repo="", delete_patterns=["*.txt"],
                      allow_patterns="*.log")
    assert set(contents(api, repo, cache)) == {"b.log", "sub/d.bin"}
    api.upload_folder(repo_id=repo, folder_path=tmp_path / "work", path_in_repo="nested/deep",
                      commit_message="nested")
    assert "nested/deep/sub/c.txt" in contents(api, repo, cache)
    assert api.list_repo_commits(repo)[0].title == "nested"


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_commits_to_the_other_types(api, new_id, cache, kind):
    repo_id = new_id()
    api.create_repo(repo_id, repo_type=kind, space_sdk="static" if kind == "space" else None)
    info = api.upload_file(path_or_fileobj=b"a,b\n1,2\n", path_in_repo="data/train.csv", repo_id=repo_id,
                           repo_type=kind)
    assert f"/{kind}s/{repo_id}/commit/{info.oid}" in info.commit_url
    path = api.hf_hub_download(repo_id, "data/train.csv", repo_type=kind, cache_dir=cache)
    assert open(path).read() == "a,b\n1,2\n"


def test_an_lfs_object_is_stored_once_and_linked_twice(api, repo, new_id, cache, hub):
    content = b"\0" + b"shared content" * 4000
    other = new_id()
    api.create_repo(other)
    commit(api, repo, add("one.bin", content))
    commit(api, other, add("two.bin", content))
    assert open(api.hf_hub_download(other, "two.bin", cache_dir=cache), "rb").read() == content
    api.delete_repo(repo)
    assert open(api.hf_hub_download(other, "two.bin", cache_dir=cache / "again"), "rb").read() == content


def test_lfs_files_are_listed_for_writers(api, stranger, repo):
    commit(api, repo, add("one.bin", b"\0one"))
    listed = list(api.list_lfs_files(repo))
    assert [(item.filename, item.size) for item in listed] == [("one.bin", 4)]
    with pytest.raises(HfHubHTTPError):
        list(stranger.list_lfs_files(repo))


def test_an_lfs_object_is_deleted_with_the_history_that_shows_it(api, repo, cache):
    commit(api, repo, add("one.bin", b"\0one"), add("kept.bin", b"\0kept"))
    commit(api, repo, add("notes.txt", b"notes"))
    doomed = [item for item in api.list_lfs_files(repo) if item.filename == "one.bin"]
    with pytest.raises(HfHubHTTPError, match="one.bin"):
        api.permanently_delete_lfs_files(repo, doomed, rewrite_history=False)
    before = [item.title for item in api.list_repo_commits(repo)]
    api.permanently_delete_lfs_files(repo, doomed)
    assert [item.filename for item in api.list_lfs_files(repo)] == ["kept.bin"]
    assert [item.title for item in api.list_repo_commits(repo)] == before
    for item in api.list_repo_commits(repo):
        assert "one.bin" not in api.list_repo_files(repo, revision=item.commit_id)
    assert open(api.hf_hub_download(repo, "kept.bin", cache_dir=cache), "rb").read() == b"\0kept"


def test_deleted_lfs_objects_are_gone_from_the_list(api, repo):
    commit(api, repo, add("one.bin", b"\0one"))
    commit(api, repo, CommitOperationDelete("one.bin"))
    assert "one.bin" not in api.list_repo_files(repo)
    api.permanently_delete_lfs_files(repo, api.list_lfs_files(repo))
    assert list(api.list_lfs_files(repo)) == []
