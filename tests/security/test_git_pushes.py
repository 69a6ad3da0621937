"""Pushes with crafted objects: broken packs, symlinks out of the tree, reserved names."""
import base64
import hashlib
import os
import subprocess

import pytest

from harness.repos import put_file


@pytest.fixture
def work(hub, tokens, repo, tmp_path):
    """A clone of bob's repository and a function that runs git in it."""
    environment = dict(os.environ, GIT_CONFIG_GLOBAL=str(tmp_path / "gitconfig"), GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0",
                       GIT_AUTHOR_NAME="Bob", GIT_AUTHOR_EMAIL="bob@example.com", GIT_COMMITTER_NAME="Bob",
                       GIT_COMMITTER_EMAIL="bob@example.com")
    login = base64.b64encode(f"bob:{tokens['bob']}".encode()).decode()
    folder = tmp_path / "work"

    def git(*arguments, data=None, check=True, cwd=folder):
        done = subprocess.run(["git", "-c", f"http.{hub.url}/.extraHeader=Authorization: Basic {login}",
                               "-c", "core.protectNTFS=false", "-c", "core.protectHFS=false", *arguments], cwd=cwd,
                              env=environment, input=data, capture_output=True, timeout=120)
        if check:
            assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done
    git("clone", "-q", f"{hub.url}/{repo}", str(folder), cwd=tmp_path)
    return git


def tree_commit(git, entries):
    """Commits a tree written byte by byte: entries are (mode, name, object id), as no honest tool would write them."""
    raw = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    tree = git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=raw).stdout.decode().strip()
    parent = git("rev-parse", "HEAD").stdout.decode().strip()
    text = (f"tree {tree}\nparent {parent}\nauthor Bob <bob@example.com> 1700000000 +0000\n"
            f"committer Bob <bob@example.com> 1700000000 +0000\n\ncrafted\n").encode()
    return git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", data=text).stdout.decode().strip()


def blob(git, content):
    return git("hash-object", "-w", "--stdin", data=content).stdout.decode().strip()


@pytest.mark.parametrize("name", [b".git", b".GIT", b"..", b".", b"a/b", b"git~1", b""])
def test_reserved_names_in_pushed_trees(work, bob, repo, name):
    before = bob.get(f"/api/models/{repo}").json()["sha"]
    sha = tree_commit(work, [(b"100644", name, blob(work, b"x"))])
    done = work("push", "origin", f"{sha}:refs/heads/main", check=False)
    assert done.returncode != 0, done.stderr
    assert bob.get(f"/api/models/{repo}").json()["sha"] == before


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../../../etc/passwd", b".gitattributes", b"loop"])
def test_symbolic_links_are_never_followed(work, bob, repo, target):
    """A link is refused or kept as a link: reading it gives its own text, never another file's content."""
    sha = tree_commit(work, [(b"120000", b"loop", blob(work, target))])
    done = work("push", "origin", f"{sha}:refs/heads/main", check=False)
    answer = bob.get(f"/{repo}/resolve/main/loop")
    assert b"root:" not in answer.body
    if done.returncode == 0:
        assert answer.body in (target, b"") or 400 <= answer.status < 500
        assert bob.get(f"/api/models/{repo}/tree/main").status == 200


def test_a_submodule_harms_nobody(work, bob, repo):
    sha = tree_commit(work, [(b"160000", b"sub", "1" * 40)])
    done = work("push", "origin", f"{sha}:refs/heads/main", check=False)
    if done.returncode == 0:
        assert bob.get(f"/api/models/{repo}/tree/main?recursive=true").status == 200
        assert 400 <= bob.get(f"/{repo}/resolve/main/sub").status < 500
        assert bob.get(f"/api/models/{repo}?blobs=true").status == 200


def test_a_pushed_file_and_folder_of_one_name(work, bob, repo):
    inner = work("mktree", data=b"").stdout.decode().strip()
    sha = tree_commit(work, [(b"100644", b"a", blob(work, b"x")), (b"40000", b"a", inner)])
    assert work("push", "origin", f"{sha}:refs/heads/main", check=False).returncode != 0
    assert bob.get(f"/api/models/{repo}/tree/main").status == 200


PACKS = {
    "nothing": b"",
    "not a pack": b"JUNKJUNKJUNK" * 100,
    "an empty pack with a wrong sum": b"PACK\0\0\0\2\0\0\0\0" + b"\0" * 20,
    "a pack of a billion objects": b"PACK\0\0\0\2" + b"\x3f\xff\xff\xff" + b"\0" * 100,
    "a version of the future": b"PACK\0\0\0\x63\0\0\0\1" + b"\0" * 100,
    "a cut pack": b"PACK\0\0\0\2\0\0\0\1\x95\x0e\x78",
    "a delta without a base": b"PACK\0\0\0\2\0\0\0\1" + b"\x74" + b"\x11" * 20 + b"\x78\x9c\x03\x00\x00\x00\x00\x01",
}


@pytest.mark.parametrize("shape", PACKS, ids=lambda shape: shape.replace(" ", "-"))
def test_a_broken_pack(bob, repo, shape):
    before = bob.get(f"/api/models/{repo}").json()["sha"]
    pack = PACKS[shape]
    if shape == "an empty pack with a wrong sum":
        assert hashlib.sha1(pack[:12]).digest() != pack[12:]
    line = f"{before} {'2' * 40} refs/heads/main\0 report-status".encode()
    body = b"%04x" % (len(line) + 4) + line + b"0000" + pack
    answer = bob.post(f"/{repo}.git/git-receive-pack", body, {"Content-Type": "application/x-git-receive-pack-request"})
    assert answer.status < 500, answer
    assert b"ok refs/heads/main" not in answer.body
    assert bob.get(f"/api/models/{repo}").json()["sha"] == before


@pytest.mark.parametrize("body", [b"", b"zzzz", b"0003", b"ffff" + b"a" * 10, b"0009want ", b"0032want " + b"1" * 40 + b"\n0000",
                                  b"0014command=ls-refs\n0001" + b"0009peel\n" * 50_000 + b"0000", b"0000" * 10_000])
@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
def test_malformed_packet_lines(bob, repo, service, body):
    answer = bob.post(f"/{repo}.git/{service}", body, {"Content-Type": f"application/x-{service}-request",
                                                       "Git-Protocol": "version=2"})
    assert answer.status < 500, answer


def test_the_protocol_header_is_not_a_way_into_the_environment(bob, repo):
    for value in ("version=2:x=$(id)", "version=2\tPATH=/tmp", "a" * 10_000, "version=99", "version=-1; id"):
        answer = bob.get(f"/{repo}.git/info/refs?service=git-upload-pack", {"Git-Protocol": value})
        assert answer.status in (200, 400), answer


def test_hooks_and_configuration_cannot_be_pushed(work, bob, repo, hub):
    """The bare repository's own configuration stays what the hub wrote, whatever a working tree contains."""
    put_file(bob, repo, "hooks/post-receive", "#!/bin/sh\ntouch /tmp/hearth-hook-ran\n")
    put_file(bob, repo, "config", "[core]\n\thooksPath = hooks\n")
    work("pull", "-q")
    work("commit", "-q", "--allow-empty", "-m", "again")
    work("push", "-q")
    assert not os.path.exists("/tmp/hearth-hook-ran")


def peak_memory(hub):
    """The most bytes that the hub ever held, from Linux's books."""
    with open(f"/proc/{hub.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM:"))


def test_folders_with_huge_names_cost_no_memory(hub, work, bob, repo):
    """Sixty folders in each other, 200,000 bytes of name each: a small pack, but paths grow with the square of the depth."""
    def tree(raw):
        return work("hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=raw).stdout.decode().strip()
    inner = tree(b"100644 x\0" + bytes.fromhex(blob(work, b"x")))
    for _ in range(60):
        inner = tree(b"40000 " + b"n" * 200_000 + b"\0" + bytes.fromhex(inner))
    before = bob.get(f"/api/models/{repo}").json()["sha"]
    peak = peak_memory(hub)
    sha = tree_commit(work, [(b"40000", b"d", inner)])
    done = work("push", "origin", f"{sha}:refs/heads/main", check=False)
    assert done.returncode != 0 and b"path" in done.stderr, done.stderr
    assert bob.get(f"/api/models/{repo}").json()["sha"] == before
    assert peak_memory(hub) - peak < 100 << 20
