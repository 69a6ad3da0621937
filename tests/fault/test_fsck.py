"""hearth fsck finds damage, says where, and rebuilds the index of git."""
import os
import pathlib
import random
import sqlite3
import subprocess

from harness.repos import commit, create, lfs_row, put_file, upload_object

DATA = b"\0" + random.Random(9).randbytes(300_000)


def stock(place):
    create(place.bob, "bob/checked")
    put_file(place.bob, "bob/checked", "README.md", "---\nlicense: mit\ntags: [checked]\n---\n")
    oid = upload_object(place.bob, "bob/checked", DATA)
    assert commit(place.bob, "bob/checked", [lfs_row("w.bin", DATA)]).status == 200
    return oid


def blob_path(place, oid):
    found = [path for path in (place.hub.data / "blobs").rglob(oid) if path.is_file()]
    assert len(found) == 1, found
    return found[0]


def git_folder(place):
    found = [path for path in (place.hub.data / "git").rglob("*.git") if path.is_dir()]
    assert len(found) == 1, found
    return found[0]


def test_a_sound_hub_is_clean(place):
    stock(place)
    place.hub.stop()
    for deep in (False, True):
        check = place.hub.fsck(deep=deep)
        assert check.returncode == 0 and check.stdout.strip(), check.stdout + check.stderr


def test_a_running_hub_is_not_checked_under_its_feet(place):
    stock(place)
    running = place.hub.fsck(repair=True)
    assert running.returncode != 0
    assert running.stderr.strip()
    assert place.bob.get("/bob/checked/resolve/main/w.bin").body == DATA


def test_a_lost_object_is_named(place):
    oid = stock(place)
    place.hub.stop()
    blob_path(place, oid).unlink()
    check = place.hub.fsck()
    assert check.returncode != 0
    assert oid in check.stdout + check.stderr and "bob/checked" in check.stdout + check.stderr
    place.hub.start()
    answer = place.bob.get("/bob/checked/resolve/main/w.bin")
    assert 400 <= answer.status < 600
    assert place.bob.get("/bob/checked/resolve/main/README.md").status == 200
    upload_object(place.bob, "bob/checked", DATA)
    assert place.bob.get("/bob/checked/resolve/main/w.bin").body == DATA


def test_a_flipped_bit_is_found(place):
    oid = stock(place)
    place.hub.stop()
    path = blob_path(place, oid)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    os.chmod(path, 0o600)
    path.write_bytes(content)
    check = place.hub.fsck(deep=True)
    assert check.returncode != 0
    assert oid in check.stdout + check.stderr


def test_a_cut_object_is_found(place):
    oid = stock(place)
    place.hub.stop()
    os.truncate(blob_path(place, oid), 1000)
    check = place.hub.fsck()
    assert check.returncode != 0 and oid in check.stdout + check.stderr


def test_what_a_crash_leaves_in_the_spool_is_no_damage_and_goes_away(place):
    stock(place)
    place.hub.stop()
    spool = place.hub.data / "tmp"
    spool.mkdir(exist_ok=True)
    (spool / "left-over").write_bytes(b"x" * 1000)
    assert place.hub.fsck(repair=True).returncode == 0
    assert place.hub.fsck().returncode == 0
    place.hub.start()
    assert not (spool / "left-over").exists()


def test_a_ref_that_moved_behind_the_hub_is_indexed_again(place):
    """An administrator pushed into the bare repository by hand: git is the truth, the index follows."""
    stock(place)
    place.hub.stop()
    bare = git_folder(place)
    work = pathlib.Path(place.hub.data.parent / "by-hand")
    environment = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@example.com",
                       GIT_COMMITTER_NAME="A", GIT_COMMITTER_EMAIL="a@example.com", GIT_LFS_SKIP_SMUDGE="1")

    def git(*arguments, cwd=work):
        done = subprocess.run(["git", "-c", "core.hooksPath=/dev/null", *arguments], cwd=cwd, env=environment,
                              capture_output=True, text=True)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.strip()
    git("clone", "-q", str(bare), str(work), cwd=place.hub.data.parent)
    (work / "README.md").write_text("---\nlicense: apache-2.0\ntags: [by-hand]\n---\n")
    git("commit", "-q", "-a", "-m", "by hand")
    head = git("rev-parse", "HEAD")
    # Straight into the object store: a hook of the hub would see a push.
    git("-c", "receive.denyCurrentBranch=ignore", "fetch", "-q", str(work), "HEAD:refs/heads/by-hand", cwd=bare)
    git("update-ref", "refs/heads/main", head, cwd=bare)
    git("update-ref", "-d", "refs/heads/by-hand", cwd=bare)
    repair = place.hub.fsck(repair=True)
    assert repair.returncode == 0, repair.stdout + repair.stderr
    assert place.hub.fsck().returncode == 0
    place.hub.start()
    info = place.bob.get("/api/models/bob/checked").json()
    assert info["sha"] == head
    assert "by-hand" in info["tags"] and "license:apache-2.0" in info["tags"]
    assert [row["id"] for row in place.bob.get("/api/models?filter=by-hand").json()] == ["bob/checked"]


def test_a_lost_reference_in_git_is_found(place):
    stock(place)
    place.hub.stop()
    bare = git_folder(place)
    objects = [path for path in (bare / "objects").rglob("*") if path.is_file()]
    assert objects
    for path in objects:
        os.chmod(path, 0o600)
        path.write_bytes(b"")
    assert place.hub.fsck().returncode != 0


def test_a_newer_database_is_refused(place):
    stock(place)
    place.hub.stop()
    with sqlite3.connect(place.hub.data / "hearth.db") as database:
        names = [row[0] for row in database.execute("select name from sqlite_master where type='table'")]
        holder = next((name for name in names if "migration" in name or "schema" in name), None)
        if holder is None:
            version = database.execute("pragma user_version").fetchone()[0]
            assert version > 0
            database.execute(f"pragma user_version = {version + 1000}")
        else:
            column = database.execute(f"pragma table_info({holder})").fetchall()[0][1]
            top = database.execute(f"select max({column}) from {holder}").fetchone()[0]
            database.execute(f"update {holder} set {column} = ? where {column} = ?", (int(top) + 1000, top))
    from harness.hub import HubError
    try:
        place.hub.start()
    except HubError as error:
        assert "ended with status" in str(error)
        assert "newer" in place.hub.log_tail().lower()
    else:
        raise AssertionError("a database of a newer version was opened")
