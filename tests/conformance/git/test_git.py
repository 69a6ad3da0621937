"""Stock git and git-lfs against the hub's smart HTTP."""
import base64
import hashlib
import pathlib
import shutil
import subprocess
import time

import pytest

TOO_LARGE = ("Your push was rejected because it contains files larger than 10 MiB. "
             "Please use https://git-lfs.github.com/ to store large files.")
BINARY = "Your push was rejected because it contains binary files."


@pytest.fixture(scope="module", autouse=True)
def identity(hub):
    for key, value in (("user.name", "Bob"), ("user.email", "bob@example.com"), ("init.defaultBranch", "main"),
                       ("advice.detachedHead", "false"), ("core.autocrlf", "false"),
                       ("protocol.version", "2")):
        subprocess.run(["git", "config", "--global", key, value], check=True)
    subprocess.run(["git", "lfs", "install", "--skip-repo"], check=True, capture_output=True)


class Git:
    """Runs git in one folder as one person."""

    def __init__(self, folder, hub, token=None, user="bob"):
        self.folder, self.hub, self.token, self.user = pathlib.Path(folder), hub, token, user

    def run(self, *arguments, ok=True, cwd=None, data=None):
        extra = []
        if self.token:
            login = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
            extra = ["-c", f"http.{self.hub.url}/.extraHeader=Authorization: Basic {login}"]
        done = subprocess.run(["git", *extra, *map(str, arguments)], cwd=cwd or self.folder, capture_output=True,
                              text=True, input=data, timeout=150)
        if ok:
            assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        elif ok is False:
            assert done.returncode != 0, (arguments, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def put(self, files, message="change"):
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.run("add", "-A")
        self.run("commit", "-q", "-m", message)
        return self.run("rev-parse", "HEAD").strip()


@pytest.fixture
def clone(hub, tokens, tmp_path):
    """clone(id) is a working copy of bob's; clone(id, who="mallory") acts as someone else."""
    def make(repo_id, *options, who="bob", kind="model", ok=True):
        folder = tmp_path / f"{who}-{len(list(tmp_path.iterdir()))}"
        prefix = "" if kind == "model" else f"{kind}s/"
        git = Git(folder, hub, tokens[who] if who else None, who or "nobody")
        text = git.run("clone", *options, f"{hub.url}/{prefix}{repo_id}", folder, ok=ok, cwd=tmp_path)
        return git if ok else text
    return make


def test_clone_commit_push_and_read_over_the_api(clone, api, repo, cache):
    git = clone(repo)
    assert (git.folder / ".gitattributes").exists()
    head = git.put({"a.txt": "from git\n", "d/b.txt": "b"}, "by git")
    git.run("push")
    info = api.model_info(repo)
    assert info.sha == head
    assert open(api.hf_hub_download(repo, "a.txt", cache_dir=cache)).read() == "from git\n"
    assert api.list_repo_commits(repo)[0].title == "by git"


def test_an_api_commit_arrives_by_fetch(clone, api, repo):
    git = clone(repo)
    sha = api.upload_file(path_or_fileobj=b"api", path_in_repo="api.txt", repo_id=repo).oid
    git.run("pull", "-q")
    assert git.run("rev-parse", "HEAD").strip() == sha
    assert (git.folder / "api.txt").read_text() == "api"
    git.run("fsck", "--full", "--strict")


def test_the_suffix_dot_git_names_the_same(hub, repo, tokens, tmp_path):
    git = Git(tmp_path, hub, tokens["bob"])
    one = git.run("ls-remote", f"{hub.url}/{repo}.git")
    assert one == git.run("ls-remote", f"{hub.url}/{repo}") and "refs/heads/main" in one


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_the_other_types(clone, api, new_id, kind):
    repo_id = new_id()
    api.create_repo(repo_id, repo_type=kind, space_sdk="static" if kind == "space" else None)
    git = clone(repo_id, kind=kind)
    git.put({"data.csv": "a\n1\n"})
    git.run("push")
    assert "data.csv" in api.list_repo_files(repo_id, repo_type=kind)


def test_the_real_model_by_git_lfs(clone, api, repo, data):
    git = clone(repo)
    shutil.copytree(data / "minilm", git.folder, dirs_exist_ok=True)
    git.run("add", "-A")
    git.run("commit", "-q", "-m", "the model")
    git.run("push")
    entry = {item.path: item for item in api.list_repo_tree(repo)}["model.safetensors"]
    assert entry.lfs.size == 90_868_376
    again = clone(repo)
    for path in (data / "minilm").rglob("*"):
        if path.is_file():
            assert (again.folder / path.relative_to(data / "minilm")).read_bytes() == path.read_bytes(), path


def test_lfs_round_trip_both_ways(clone, api, repo, cache):
    content = bytes(range(256)) * 3000
    git = clone(repo)
    git.put({"w.bin": content})
    git.run("push")
    assert open(api.hf_hub_download(repo, "w.bin", cache_dir=cache), "rb").read() == content
    api.upload_file(path_or_fileobj=content[::-1], path_in_repo="x.bin", repo_id=repo)
    git.run("pull", "-q")
    assert (git.folder / "x.bin").read_bytes() == content[::-1]
    assert "w.bin" in git.run("lfs", "ls-files") and "x.bin" in git.run("lfs", "ls-files")


def test_shallow_clone(clone, api, repo):
    for number in range(5):
        api.upload_file(path_or_fileobj=b"%d" % number, path_in_repo="n.txt", repo_id=repo)
    git = clone(repo, "--depth", "2")
    assert git.run("rev-list", "--count", "HEAD").strip() == "2"
    git.run("fetch", "--unshallow")
    assert git.run("rev-list", "--count", "HEAD").strip() == "6"


def test_partial_clone(clone, api, repo):
    api.upload_file(path_or_fileobj=b"first version", path_in_repo="n.txt", repo_id=repo)
    api.upload_file(path_or_fileobj=b"second version", path_in_repo="n.txt", repo_id=repo)
    git = clone(repo, "--filter=blob:none", "--no-checkout")
    missing = git.run("rev-list", "--objects", "--all", "--missing=print")
    assert sum(line.startswith("?") for line in missing.splitlines()) >= 3
    git.run("checkout", "-q", "main")
    assert (git.folder / "n.txt").read_text() == "second version"
    assert git.run("show", "HEAD~1:n.txt") == "first version"


def test_branches_and_tags_by_push(clone, api, repo):
    git = clone(repo)
    head = git.put({"a.txt": "a"})
    git.run("branch", "side/one")
    git.run("tag", "v1")
    git.run("tag", "-a", "v2", "-m", "annotated")
    git.run("push", "origin", "main", "side/one", "v1", "v2")
    refs = api.list_repo_refs(repo)
    assert {ref.name for ref in refs.branches} == {"main", "side/one"}
    assert {ref.name for ref in refs.tags} == {"v1", "v2"}
    assert api.model_info(repo, revision="v2").sha == head
    git.run("push", "origin", "--delete", "side/one")
    git.run("push", "origin", ":refs/tags/v1")
    refs = api.list_repo_refs(repo)
    assert {ref.name for ref in refs.branches} == {"main"} and {ref.name for ref in refs.tags} == {"v2"}


def test_main_cannot_be_deleted_by_push(clone, api, repo):
    git = clone(repo)
    git.run("push", "origin", "--delete", "main", ok=False)
    assert [ref.name for ref in api.list_repo_refs(repo).branches] == ["main"]


def test_a_push_that_lost_the_race_is_refused(clone, api, repo):
    git = clone(repo)
    api.upload_file(path_or_fileobj=b"api", path_in_repo="api.txt", repo_id=repo)
    git.put({"a.txt": "a"})
    text = git.run("push", ok=False)
    assert "rejected" in text
    git.run("pull", "-q", "--rebase")
    git.run("push")
    assert {"a.txt", "api.txt"} <= set(api.list_repo_files(repo))


def test_force_push_rewrites(clone, api, repo):
    git = clone(repo)
    git.put({"a.txt": "1"}, "one")
    git.run("push")
    git.run("commit", "-q", "--amend", "-m", "other")
    git.run("push", "--force")
    assert [commit.title for commit in api.list_repo_commits(repo)] == ["other", "initial commit"]


def refused(git, repo, api, expected):
    before = api.model_info(repo).sha
    text = git.run("push", ok=False)
    flat = " ".join(line.removeprefix("remote:").strip() for line in text.splitlines())
    for piece in expected:
        assert piece in flat, text
    assert api.model_info(repo).sha == before


def test_a_large_file_outside_lfs_is_rejected(clone, api, repo):
    git = clone(repo)
    git.put({"large.txt": "line of text\n" * 900_000})
    refused(git, repo, api, [TOO_LARGE, "Offending files:", "- large.txt (ref: refs/heads/main)"])


def test_a_binary_file_outside_lfs_is_rejected(clone, api, repo):
    git = clone(repo)
    git.put({"odd.thing": bytes(range(256)) * 10, "fine.txt": "text"})
    refused(git, repo, api, [BINARY.rstrip("."), "Offending files:", "- odd.thing (ref: refs/heads/main)"])


def test_an_offending_file_in_an_older_commit_of_the_push(clone, api, repo):
    git = clone(repo)
    git.put({"odd.thing": bytes(range(256)) * 10})
    git.run("rm", "-q", "odd.thing")
    git.run("commit", "-q", "-m", "gone again")
    refused(git, repo, api, ["odd.thing"])


def pointer(content):
    return (f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(content).hexdigest()}\n"
            f"size {len(content)}\n")


def test_a_pointer_without_its_object_is_rejected(clone, api, repo, monkeypatch):
    git = clone(repo)
    blob = git.run("hash-object", "-w", "--stdin", data=pointer(b"nobody has this")).strip()
    git.run("update-index", "--add", "--cacheinfo", f"100644,{blob},ghost.bin")
    git.run("commit", "-q", "-m", "a pointer alone")
    monkeypatch.setenv("GIT_LFS_SKIP_PUSH", "1")
    refused(git, repo, api, ["ghost.bin"])


def test_an_invalid_card_is_rejected(clone, api, repo):
    git = clone(repo)
    git.put({"README.md": "---\nlicense: [unclosed\n---\n"})
    refused(git, repo, api, ["README.md"])


def test_strangers_cannot_push_nor_see_private(clone, api, repo, private_repo):
    git = clone(repo, who="mallory")
    git.put({"a.txt": "a"})
    text = git.run("push", ok=False)
    assert "403" in text or "denied" in text.lower() or "forbidden" in text.lower()
    clone(private_repo, who="mallory", ok=False)
    clone(private_repo, who=None, ok=False)
    assert (clone(private_repo).folder / "secret.txt").read_text() == "secret"


def test_a_push_without_a_token_asks_for_one(wire, repo):
    answer = wire.get(f"/{repo}/info/refs?service=git-receive-pack")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_a_reading_token_clones_and_does_not_push(clone, private_repo):
    git = clone(private_repo, who="bob-read")
    git.put({"a.txt": "a"})
    git.run("push", ok=False)


def test_a_push_does_all_that_an_api_commit_does(clone, api, repo):
    git = clone(repo)
    git.put({"README.md": "---\nlicense: mit\npipeline_tag: fill-mask\n---\n# Pushed\n"})
    git.run("push")
    deadline = time.monotonic() + 10

    def listed():
        return [found.id for found in api.list_models(author="bob", filter="license:mit", search=repo)]
    while listed() != [repo] and time.monotonic() < deadline:
        time.sleep(0.05)
    info = api.model_info(repo)
    assert "license:mit" in info.tags and info.pipeline_tag == "fill-mask"
    assert listed() == [repo]


def test_the_old_name_still_clones(clone, api, new_id):
    old, new = new_id(), new_id()
    api.create_repo(old)
    api.upload_file(path_or_fileobj=b"\0moved", path_in_repo="w.bin", repo_id=old)
    api.move_repo(old, new)
    git = clone(old)
    assert (git.folder / "w.bin").read_bytes() == b"\0moved"
    git.put({"a.txt": "a"})
    git.run("push")
    assert "a.txt" in api.list_repo_files(new)


def test_a_large_history_by_git(clone, api, repo):
    git = clone(repo)
    for folder in range(20):
        for number in range(100):
            path = git.folder / f"d{folder}" / f"{number}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{folder}/{number}")
    git.run("add", "-A")
    git.run("commit", "-q", "-m", "two thousand files")
    git.run("push")
    assert len(api.list_repo_files(repo)) == 2001
    assert len(list((clone(repo).folder / "d7").iterdir())) == 100


def test_protocol_versions_zero_and_two(hub, repo, tokens, tmp_path):
    git = Git(tmp_path, hub, tokens["bob"])
    for version in ("0", "2"):
        text = git.run("-c", f"protocol.version={version}", "clone", "-q", f"{hub.url}/{repo}", tmp_path / version)
        assert (tmp_path / version / ".gitattributes").exists(), text


def test_refs_of_the_server_cannot_be_pushed(clone, api, repo):
    git = clone(repo)
    git.put({"a.txt": "a"})
    for ref in ("refs/convert/parquet", "refs/pr/1"):
        git.run("push", "origin", f"HEAD:{ref}", ok=False)


def test_lfs_locks_do_not_warn(clone, repo):
    git = clone(repo)
    git.put({"w.bin": b"\0" * 100})
    text = git.run("push")
    assert "locking" not in text.lower()
