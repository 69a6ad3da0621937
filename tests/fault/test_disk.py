"""A full disk and a read-only one: a clear 507 or 500, no damage, and the service goes on.

The disk is a small tmpfs that the test mounts (root in a container may). Where mounting is not permitted, a limit on the
size of any one file stands in for the full disk; the read-only tests need the mount.
"""
import errno
import hashlib
import os
import random
import subprocess

import pytest

from conftest import Place
from harness.hub import Hub, HubError
from harness.repos import commit, create, file_row, lfs_batch, lfs_row, local, put_file, upload_object
from harness.xet import Cas, LocalStore

DISK_BYTES = 48 * 1024 * 1024
BIG = b"\0" + random.Random(7).randbytes(16 * 1024 * 1024)
SMALL = b"\0" + random.Random(8).randbytes(200_000)


def mount(point, *options):
    point.mkdir(parents=True, exist_ok=True)
    return subprocess.run(["mount", *options, str(point)], capture_output=True, text=True)


@pytest.fixture
def small_disk(folder):
    """A running hub on a disk of 48 MB, and a function that fills it and one that frees it."""
    data = folder / "data"
    made = mount(data, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs")
    if made.returncode != 0:
        pytest.fail(f"the test must mount a tmpfs and may not: {made.stderr}")
    hub = Hub(data)
    place = Place(hub)
    yield place
    hub.kill()


def fill(place, leave):
    """A ballast file that leaves so many bytes free."""
    free = os.statvfs(place.hub.data)
    try:
        with open(place.hub.data / "ballast", "wb") as ballast:
            ballast.write(b"\0" * max(0, free.f_bavail * free.f_frsize - leave))
    except OSError as error:  # the hub wrote meanwhile: as full as it gets
        assert error.errno == errno.ENOSPC


def free(place):
    (place.hub.data / "ballast").unlink()


def full(answer):
    assert answer.status in (500, 507), answer
    assert answer.headers["Content-Type"].startswith("application/")
    assert answer.body


def upload_href(client, repo_id, data):
    row = lfs_batch(client, repo_id, [{"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}])
    assert row.status == 200, row
    return local(row.json()["objects"][0]["actions"]["upload"]["href"])


def test_a_full_disk_refuses_a_large_upload_and_goes_on(small_disk):
    place, bob = small_disk, small_disk.bob
    create(bob, "bob/full")
    put_file(bob, "bob/full", "a.txt", "before")
    upload_object(bob, "bob/full", SMALL)
    assert commit(bob, "bob/full", [lfs_row("small.bin", SMALL)]).status == 200
    href = upload_href(bob, "bob/full", BIG)
    fill(place, leave=8 * 1024 * 1024)
    full(place.wire.put(href, BIG))
    assert bob.get("/bob/full/resolve/main/a.txt").text == "before"
    assert bob.get("/bob/full/resolve/main/small.bin").body == SMALL
    assert place.wire.get("/healthz").status == 200
    free(place)
    assert place.wire.put(href, BIG).status in (200, 201)
    assert commit(bob, "bob/full", [lfs_row("big.bin", BIG)]).status == 200
    assert bob.get("/bob/full/resolve/main/big.bin").body == BIG
    place.hub.stop()
    assert place.hub.fsck().returncode == 0


def test_xorbs_leave_a_reserve(folder):
    """Xorbs that no shard ever names may not take the room that git and the database need."""
    data = folder / "data"
    made = mount(data, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs")
    assert made.returncode == 0, made.stderr
    place = Place(Hub(data, environment={"HEARTH_RESERVE_BYTES": str(12 * 1024 * 1024)}))
    try:
        create(place.bob, "bob/full")
        cas = Cas(place.bob, "bob/full")
        stored = 0
        for number in range(20):
            content = random.Random(number).randbytes(4 * 1024 * 1024)
            (name, body), = LocalStore(folder / f"store{number}", {"x.bin": content}).xorbs()
            answer = cas.post_xorb(name, body)
            if answer.status != 200:
                break
            stored += 1
        assert answer.status == 507, answer
        assert stored > 2
        disk = os.statvfs(data)
        assert disk.f_bavail * disk.f_frsize > 6 * 1024 * 1024
        put_file(place.bob, "bob/full", "a.txt", "the rest of the hub goes on")
        assert cas.grant(name).status == 404
    finally:
        place.hub.kill()


def test_a_disk_with_no_byte_left(small_disk):
    place, bob = small_disk, small_disk.bob
    create(bob, "bob/full")
    put_file(bob, "bob/full", "a.txt", "before")
    fill(place, leave=0)
    for answer in (
        commit(bob, "bob/full", [file_row(f"{n}.txt", random.Random(n).randbytes(4000).hex()) for n in range(200)]),
        bob.post("/api/repos/create", {"name": "never", "organization": "bob", "type": "model"}),
        place.wire.put(upload_href(bob, "bob/full", SMALL), SMALL),
    ):
        full(answer)
    assert bob.get("/bob/full/resolve/main/a.txt").text == "before"
    assert bob.get("/api/models/bob/full").status == 200
    free(place)
    put_file(bob, "bob/full", "b.txt", "after")
    assert bob.get("/bob/full/resolve/main/b.txt").text == "after"
    assert "never" not in [row["id"] for row in bob.get("/api/models?author=bob").json()]
    create(bob, "bob/never")
    place.hub.stop()
    assert place.hub.fsck().returncode == 0


def test_a_disk_that_fills_up_under_a_git_push(small_disk, folder):
    place, bob = small_disk, small_disk.bob
    create(bob, "bob/full")
    before = bob.get("/api/models/bob/full").json()["sha"]
    environment = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_TERMINAL_PROMPT="0", GIT_AUTHOR_NAME="Bob",
                       GIT_AUTHOR_EMAIL="b@example.com", GIT_COMMITTER_NAME="Bob", GIT_COMMITTER_EMAIL="b@example.com")
    work = folder / "work"
    url = place.hub.url.replace("http://", f"http://bob:{place.tokens['bob']}@") + "/bob/full"

    def git(*arguments, cwd=work):
        return subprocess.run(["git", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
    assert git("clone", "-q", url, str(work), cwd=folder).returncode == 0
    for number in range(8):
        (work / f"{number}.txt").write_text(random.Random(number).randbytes(1_500_000).hex())
    git("add", "-A")
    git("commit", "-q", "-m", "large")
    fill(place, leave=2 * 1024 * 1024)
    assert git("push").returncode != 0
    assert bob.get("/api/models/bob/full").json()["sha"] == before
    free(place)
    done = git("push")
    assert done.returncode == 0, done.stderr
    assert bob.get("/bob/full/resolve/main/7.txt").text == (work / "7.txt").read_text()
    place.hub.stop()
    assert place.hub.fsck().returncode == 0


def test_folders_that_became_read_only(small_disk):
    """The disk below blobs, repositories and spools turns read-only, as a failing disk does."""
    place, bob = small_disk, small_disk.bob
    create(bob, "bob/frozen")
    put_file(bob, "bob/frozen", "a.txt", "before")
    upload_object(bob, "bob/frozen", SMALL)
    commit(bob, "bob/frozen", [lfs_row("small.bin", SMALL)])
    href = upload_href(bob, "bob/frozen", BIG)
    points = [place.hub.data / name for name in ("blobs", "git", "tmp") if (place.hub.data / name).is_dir()]
    assert len(points) >= 2
    for point in points:
        assert mount(point, "--bind", str(point)).returncode == 0
        done = subprocess.run(["mount", "-o", "remount,bind,ro", str(point)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    full(place.wire.put(href, BIG))
    full(commit(bob, "bob/frozen", [file_row("b.txt", "x")]))
    full(bob.post("/api/repos/create", {"name": "never", "organization": "bob", "type": "model"}))
    assert bob.get("/bob/frozen/resolve/main/a.txt").text == "before"
    assert bob.get("/bob/frozen/resolve/main/small.bin").body == SMALL
    assert bob.get("/api/models/bob/frozen/tree/main").status == 200
    for point in points:
        subprocess.run(["umount", str(point)], check=True)
    put_file(bob, "bob/frozen", "b.txt", "after")
    create(bob, "bob/never")
    place.hub.stop()
    assert place.hub.fsck().returncode == 0


def test_a_read_only_data_folder_at_the_start_is_told_in_words(small_disk):
    place = small_disk
    create(place.bob, "bob/kept")
    put_file(place.bob, "bob/kept", "a.txt", "kept")
    place.hub.stop()
    assert subprocess.run(["mount", "-o", "remount,ro", str(place.hub.data)]).returncode == 0
    try:
        place.hub.start()
    except HubError as error:
        assert "ended with status" in str(error), error
        assert str(place.hub.data) in place.hub.log_tail() or "read" in place.hub.log_tail().lower()
    else:
        assert place.bob.get("/bob/kept/resolve/main/a.txt").text == "kept"
        full(commit(place.bob, "bob/kept", [file_row("b.txt", "x")]))
        place.hub.kill()
    assert subprocess.run(["mount", "-o", "remount,rw", str(place.hub.data)]).returncode == 0
    place.hub.start()
    assert place.bob.get("/bob/kept/resolve/main/a.txt").text == "kept"
