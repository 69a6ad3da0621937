"""The `hf` command line, as a person types it."""
import json
import pathlib


def test_whoami(hf):
    assert "bob" in hf("auth", "whoami")
    hf("auth", "whoami", token="hf_thisTokenWasNeverGivenToAnybody0000", ok=False)


def test_login_writes_the_token_and_logout_removes_it(hf, tokens):
    hf("auth", "login", "--token", tokens["bob"], token=None)
    assert "bob" in hf("auth", "whoami", token=None)
    hf("auth", "logout", token=None)
    assert "bob" not in hf("auth", "list", token=None)


def test_create_upload_list_download_delete(hf, api, new_id, tmp_path, data):
    repo_id = new_id()
    hf("repos", "create", repo_id)
    assert api.repo_exists(repo_id)
    hf("repos", "create", repo_id, ok=False)
    hf("repos", "create", repo_id, "--exist-ok")
    hf("upload", repo_id, data / "minilm", ".")
    listing = hf("models", "list", repo_id, "-R")
    assert "model.safetensors" in listing and "1_Pooling/config.json" in listing
    hf("download", repo_id, "--local-dir", tmp_path / "down")
    for name in ("model.safetensors", "tokenizer.json", "1_Pooling/config.json", ".gitattributes"):
        assert (tmp_path / "down" / name).read_bytes() == (data / "minilm" / name).read_bytes()
    hf("repos", "delete-files", repo_id, "vocab.txt", "1_Pooling/")
    files = api.list_repo_files(repo_id)
    assert "vocab.txt" not in files and "1_Pooling/config.json" not in files and "config.json" in files
    hf("repos", "delete", repo_id, "--yes")
    assert not api.repo_exists(repo_id)


def test_upload_makes_the_repository(hf, api, new_id, tmp_path):
    repo_id = new_id()
    (tmp_path / "one.txt").write_text("one")
    hf("upload", repo_id, "one.txt", "folder/one.txt", "--private", "--commit-message", "from the shell")
    assert api.model_info(repo_id).private
    assert api.list_repo_commits(repo_id)[0].title == "from the shell"
    path = hf("download", repo_id, "folder/one.txt", "--quiet").strip().splitlines()[-1]
    assert pathlib.Path(path).read_text() == "one"


def test_data_sets_and_revisions(hf, api, new_id, tmp_path):
    repo_id = new_id()
    hf("repos", "create", repo_id, "--type", "dataset")
    (tmp_path / "t.csv").write_text("a\n1\n")
    hf("upload", repo_id, "t.csv", "--type", "dataset")
    hf("repos", "branch", "create", repo_id, "side", "--type", "dataset")
    (tmp_path / "t.csv").write_text("a\n2\n")
    hf("upload", repo_id, "t.csv", "--type", "dataset", "--revision", "side")
    hf("download", repo_id, "t.csv", "--type", "dataset", "--revision", "side", "--local-dir", tmp_path / "side")
    assert (tmp_path / "side" / "t.csv").read_text() == "a\n2\n"
    hf("repos", "tag", "create", repo_id, "v1", "--type", "dataset")
    assert "v1" in hf("repos", "tag", "list", repo_id, "--type", "dataset")
    hf("repos", "tag", "delete", repo_id, "v1", "--type", "dataset", "--yes")
    hf("repos", "branch", "delete", repo_id, "side", "--type", "dataset")
    assert [ref.name for ref in api.list_repo_refs(repo_id, repo_type="dataset").branches] == ["main"]


def test_settings_and_move(hf, api, new_id):
    old, new = new_id(), new_id()
    hf("repos", "create", old)
    hf("repos", "settings", old, "--private")
    assert api.model_info(old).private
    hf("repos", "move", old, new)
    assert api.model_info(new).id == new


def test_duplicate(hf, api, repo, new_id):
    target = new_id()
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo)
    hf("repos", "duplicate", repo, target)
    assert "x.txt" in api.list_repo_files(target)


def test_lists_and_info(hf, api, new_id):
    repo_id = new_id()
    api.create_repo(repo_id)
    found = json.loads(hf("models", "list", "--author", "bob", "--search", repo_id.split("/")[1], "--format", "json"))
    assert [row["id"] for row in found] == [repo_id]
    info = json.loads(hf("models", "info", repo_id, "--format", "json"))
    assert info["id"] == repo_id and len(info["sha"]) == 40
    assert "missing" not in hf("datasets", "list", "--author", "bob", "--limit", "1", "--format", "json")
    hf("models", "info", repo_id + "-missing", ok=False)


def test_my_repositories(hf, api, new_id):
    repo_id = new_id()
    api.create_repo(repo_id, private=True)
    assert repo_id in hf("repos", "list", "--limit", "1000")


def test_verify_a_download(hf, api, repo, tmp_path):
    api.upload_file(path_or_fileobj=b"\0" * 5000, path_in_repo="w.bin", repo_id=repo)
    api.upload_file(path_or_fileobj=b"text", path_in_repo="t.txt", repo_id=repo)
    hf("download", repo, "--local-dir", tmp_path / "d")
    hf("cache", "verify", repo, "--local-dir", tmp_path / "d")
    (tmp_path / "d" / "w.bin").write_bytes(b"\1" * 5000)
    hf("cache", "verify", repo, "--local-dir", tmp_path / "d", ok=False)


def test_a_missing_repository_is_told_in_words(hf):
    text = hf("download", "bob/not-there-at-all", ok=False)
    assert "not found" in text.lower()
