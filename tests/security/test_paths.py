"""Paths that would leave the repository, name git's own files or hide from a later reader."""
import pytest

from harness.repos import commit, file_row, lfs_row, put_file, upload_object

ESCAPES = ["../a.txt", "a/../../b.txt", "/etc/passwd", "a//b.txt", "./a.txt", "a/./b.txt", "..", ".", "", "a/", "/",
           "a/..", "C:\\x", "a\\..\\b", "a\0b.txt", "a\nb.txt", "a\r.txt", "\x7f.txt"]
RESERVED = [".git", ".git/config", ".GIT/config", "a/.git/hooks/post-receive", ".git /x", ".git./x", "git~1/config",
            ".g\u200cit/config", "a/.Git"]


@pytest.mark.parametrize("path", ESCAPES + RESERVED)
def test_a_commit_refuses_the_path(bob, repo, path):
    before = bob.get(f"/api/models/{repo}").json()["sha"]
    answer = commit(bob, repo, [file_row(path, "x")])
    assert 400 <= answer.status < 500, answer
    assert bob.get(f"/api/models/{repo}").json()["sha"] == before
    data = b"\0lfs"
    upload_object(bob, repo, data)
    answer = commit(bob, repo, [lfs_row(path, data)])
    assert 400 <= answer.status < 500, answer


@pytest.mark.parametrize("path", ["../x", "a/../../x", ".git/config", "/abs", "a\0b"])
def test_preupload_refuses_the_path(bob, repo, path):
    answer = bob.post(f"/api/models/{repo}/preupload/main", {"files": [{"path": path, "size": 1, "sample": "eA=="}]})
    assert answer.status in (400, 422), answer


@pytest.mark.parametrize("target", [
    "/resolve/main/../../../../etc/passwd", "/resolve/main/%2e%2e/%2e%2e/etc/passwd", "/resolve/main/..%2f..%2fetc%2fpasswd",
    "/resolve/main/%252e%252e/etc/passwd", "/raw/main/..%2f..%2fHEAD", "/resolve/..%2f..%2fHEAD/x", "/resolve/main//etc/passwd",
    "/resolve/main/%00", "/resolve/main/a%00.txt", "/resolve/%2e%2e/config", "/resolve/main/.git/config",
    "/resolve/main/..\\..\\x", "/resolve/main/%c0%ae%c0%ae/x", "/resolve/@%7b-1%7d/x", "/resolve/main~1/.gitattributes",
    "/resolve/main%5e/.gitattributes", "/resolve/main:.gitattributes/x", "/resolve/--upload-pack=x/x", "/resolve/-/x",
    "/resolve/HEAD%20--output=x/x"])
def test_reads_never_leave_the_repository(wire, hub, repo, target):
    for path in (f"/{repo}{target}", f"/api/models/{repo}{target.replace('/resolve/', '/tree/').replace('/raw/', '/tree/')}"):
        answer = wire.get(path)
        assert 300 <= answer.status < 500, answer
        assert b"root:" not in answer.body and b"[core]" not in answer.body
        assert str(hub.data).encode() not in answer.body


@pytest.mark.parametrize("target", ["/..%2f..%2fx/info/refs?service=git-upload-pack", "/bob/..%2fx.git/info/refs?service=git-upload-pack",
                                    "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/..%2f..%2fetc/passwd",
                                    "/bob/%00/info/refs?service=git-upload-pack", "/bob/x.git/objects/../config",
                                    "/bob/x.git/HEAD", "/bob/x.git/config"])
def test_git_and_static_routes_do_not_leave_their_place(wire, target):
    answer = wire.get(target)
    assert 300 <= answer.status < 500, answer
    assert b"root:" not in answer.body and b"[core]" not in answer.body


def test_git_file_routes_are_not_served(wire, repo):
    """The dumb protocol would hand out any file of the bare repository."""
    for name in ("HEAD", "config", "objects/info/packs", "packed-refs", "description"):
        answer = wire.get(f"/{repo}.git/{name}")
        assert answer.status in (401, 403, 404, 405), answer


def test_an_unknown_git_service_is_refused(wire, repo):
    for service in ("git-upload-archive", "upload-pack;id", "git-upload-pack%20--help", ""):
        answer = wire.get(f"/{repo}.git/info/refs?service={service}")
        assert 400 <= answer.status < 500, answer


def test_names_that_differ_in_case_alone(bob, repo):
    """Two names that are one file on half of the world's disks: a clone would lose one of them."""
    put_file(bob, repo, "Readme.txt", "upper")
    answer = commit(bob, repo, [file_row("README.TXT", "other")])
    if answer.status == 200:
        listed = [row["path"] for row in bob.get(f"/api/models/{repo}/tree/main").json()]
        assert {"Readme.txt", "README.TXT"} <= set(listed)
        assert bob.get(f"/{repo}/resolve/main/Readme.txt").text == "upper"
        assert bob.get(f"/{repo}/resolve/main/README.TXT").text == "other"
    else:
        assert answer.status == 400
        assert bob.get(f"/{repo}/resolve/main/Readme.txt").text == "upper"


def test_a_file_where_a_folder_is_and_the_other_way(bob, repo):
    put_file(bob, repo, "a/b.txt", "in the folder")
    for rows in ([file_row("a", "file")], [file_row("a/b.txt/c.txt", "below a file")],
                 [file_row("x", "1"), file_row("x/y", "2")]):
        answer = commit(bob, repo, rows)
        if answer.status == 200:
            names = {row["path"]: row["type"] for row in bob.get(f"/api/models/{repo}/tree/main?recursive=true").json()}
            for name in names:
                assert all(names.get(name[:cut]) == "directory" for cut in range(len(name)) if name[cut] == "/")
        else:
            assert 400 <= answer.status < 500, answer


def test_the_same_path_twice_in_one_commit(bob, repo):
    answer = commit(bob, repo, [file_row("a.txt", "one"), file_row("a.txt", "two")])
    assert answer.status in (200, 400), answer
    if answer.status == 200:
        assert bob.get(f"/{repo}/resolve/main/a.txt").text == "two"


@pytest.mark.parametrize("name", ["refs/heads/x", "../x", "a..b", "a.lock", "-x", "a b", "x~1", "x^", "x:y", "@{0}", "a\\b", ".x", "x/", "x//y",
                                  "a\0b", "HEAD", "x\n"])
def test_odd_branch_and_tag_names(bob, repo, name):
    import urllib.parse
    answer = bob.post(f"/api/models/{repo}/branch/{urllib.parse.quote(name, safe='')}", {})
    assert 400 <= answer.status < 500 or name == "refs/heads/x", (name, answer)
    answer = bob.post(f"/api/models/{repo}/tag/main", {"tag": name})
    assert 400 <= answer.status < 500 or name == "refs/heads/x", (name, answer)
