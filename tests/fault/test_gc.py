"""hearth gc and hearth scrub: killed at any moment, beside a serving hub, without losing what is live."""
import hashlib
import json
import random
import subprocess
import threading

import pytest

from harness.hub import BINARY
from harness.people import eventually
from harness.repos import commit, create, lfs_row, upload_object
from harness.xet import Cas, LocalStore

REPO = "bob/swept"


def put(place, rng, name):
    data = b"\0" + rng.randbytes(rng.randrange(1_000, 60_000))
    upload_object(place.bob, REPO, data)
    answer = commit(place.bob, REPO, [lfs_row(name, data)])
    assert answer.status == 200, answer
    return data


def squash(place):
    answer = place.bob.post(f"/api/models/{REPO}/super-squash/main", {})
    assert answer.status == 200, answer


def verify(place, live):
    for name, data in live.items():
        answer = place.bob.get(f"/{REPO}/resolve/main/{name}")
        assert answer.status == 200 and answer.body == data, (name, answer)


def start(place, *arguments):
    return subprocess.Popen([str(BINARY), arguments[0], "--data", str(place.hub.data), *arguments[1:]],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", [("gc", "--grace", "0", "--trash-days", "0"), ("scrub", "--rate", "0", "--once")],
                         ids=lambda command: command[0])
def test_killed_runs_lose_nothing_that_is_live(place, command, request):
    rounds = request.config.getoption("--kill-rounds")
    rng = random.Random(f"{request.config.getoption('--kill-seed')}-{command[0]}")
    create(place.bob, REPO)
    live = {}
    for number in range(rounds):
        for _ in range(rng.randrange(1, 6)):
            name = f"f{rng.randrange(8)}.bin"
            live[name] = put(place, rng, name)
        squash(place)
        process = start(place, *command)
        threading.Event().wait(rng.random() * 0.4)
        # The hub goes on working meanwhile.
        name = f"g{rng.randrange(4)}.bin"
        live[name] = put_again(place, rng, name)
        process.kill()
        process.wait()
        verify(place, live)
    squash(place)
    done = place.hub.command("gc", "--grace", "0", "--trash-days", "0", "--json", check=True)
    assert json.loads(done.stdout)["repositories"] is not None
    verify(place, live)
    kept = {hashlib.sha256(data).hexdigest() for data in live.values()}
    stored = {path.name for path in (place.hub.data / "blobs").glob("[0-9a-f][0-9a-f]/*/*")}
    listed = {row["oid"] for row in place.bob.get(f"/api/models/{REPO}/lfs-files").json()}
    assert listed == kept, "dead objects are still granted"
    assert stored <= kept, "dead objects are still stored"
    place.hub.stop()
    assert place.hub.fsck(deep=True).returncode == 0


def put_again(place, rng, name):
    """Without a grace an upload may be collected before its commit; the client then sends it again."""
    data = b"\0" + rng.randbytes(5_000)
    for _ in range(50):
        upload_object(place.bob, REPO, data)
        if commit(place.bob, REPO, [lfs_row(name, data)]).status == 200:
            return data
    raise AssertionError("an upload is collected every time")


def test_a_dry_run_and_an_undo_beside_the_serving_hub(place):
    rng = random.Random(7)
    create(place.bob, REPO)
    old = put(place, rng, "w.bin")
    new = put(place, rng, "w.bin")
    squash(place)
    oid = hashlib.sha256(old).hexdigest()
    told = json.loads(place.hub.command("gc", "--grace", "0", "--dry-run", "--json").stdout)
    assert told["objects"] == 1 and told["freedBytes"] == len(old)
    done = json.loads(place.hub.command("gc", "--grace", "0", "--json").stdout)
    assert done["freedBytes"] == told["freedBytes"] and done["repositories"] == told["repositories"]
    assert oid not in {row["oid"] for row in place.bob.get(f"/api/models/{REPO}/lfs-files").json()}
    place.hub.command("gc", "--undo", done["run"])
    assert oid in {row["oid"] for row in place.bob.get(f"/api/models/{REPO}/lfs-files").json()}
    assert commit(place.bob, REPO, [lfs_row("back.bin", old)]).status == 200
    verify(place, {"w.bin": new, "back.bin": old})


def test_scrub_names_rot_and_an_upload_heals_it(place):
    rng = random.Random(8)
    create(place.bob, REPO)
    data = put(place, rng, "w.bin")
    oid = hashlib.sha256(data).hexdigest()
    files = [path for path in place.hub.data.rglob(oid) if path.is_file()]
    if not files:
        pytest.fail("the object is not stored whole")
    files[0].chmod(0o600)
    with open(files[0], "r+b") as stream:
        stream.seek(100)
        stream.write(b"rot")
    report = place.hub.command("scrub", "--rate", "0", "--json", check=False)
    assert report.returncode == 1
    finding = json.loads(report.stdout)["findings"][0]
    assert finding["what"] == f"object {oid}" and finding["affected"] == [f"model {REPO}: w.bin"]
    assert place.bob.get(f"/{REPO}/resolve/main/w.bin").status >= 400
    upload_object(place.bob, REPO, data)
    verify(place, {"w.bin": data})
    assert place.hub.command("scrub", "--rate", "0", "--once").returncode == 0


@pytest.mark.parametrize("form", ["whole", "xet"])
def test_head_says_what_get_would_about_rot(place, tmp_path, form):
    """Even of a file that the hub remembers, and though another process found the damage."""
    rng = random.Random(9)
    create(place.bob, REPO)
    data = b"\0" + rng.randbytes(200_000)
    name = hashlib.sha256(data).hexdigest()
    if form == "xet":
        store = LocalStore(tmp_path / "store", {"w.bin": data})
        Cas(place.bob, REPO).upload(store)
        (name, _), = store.xorbs()
    else:
        upload_object(place.bob, REPO, data)
    assert commit(place.bob, REPO, [lfs_row("w.bin", data)]).status == 200
    target = f"/{REPO}/resolve/main/w.bin"
    assert [place.bob.head(target).status, place.bob.head(target).status] == [200, 200]
    stored, = [path for path in place.hub.data.rglob(name) if path.is_file()]
    stored.chmod(0o600)
    with open(stored, "r+b") as stream:
        stream.seek(100)
        stream.write(b"rot")
    assert place.hub.command("scrub", "--rate", "0", check=False).returncode == 1
    assert eventually(lambda: place.bob.head(target).status == place.bob.get(target).status == 404)
    assert place.bob.head(target).headers["X-Error-Code"] == "EntryNotFound"
    if form == "xet":
        cas, file_hash = Cas(place.bob, REPO, "read"), store.files["w.bin"].hash
        assert cas.wire.head(f"{cas.base}/v1/files/{file_hash}").status == cas.plan(file_hash).status == 404
        Cas(place.bob, REPO).upload(store)
    else:
        upload_object(place.bob, REPO, data)
    assert place.bob.head(target).status == 200 and place.bob.get(target).body == data


def test_rot_in_a_bucket_is_told_and_healed(place, tmp_path):
    """Every door of a bucket says that the content is missing, until it is sent again."""
    bucket = "bob/rotting"
    assert place.bob.post(f"/api/buckets/{bucket}", {}).status == 200
    data = b"\0" + random.Random(10).randbytes(200_000)
    store = LocalStore(tmp_path / "store", {"f.bin": data})
    (name, _), = store.xorbs()
    file_hash = store.files["f.bin"].hash
    Cas(place.bob, bucket, kind="bucket").upload(store)
    add = json.dumps({"type": "addFile", "path": "f.bin", "xetHash": file_hash, "mtime": 1}).encode() + b"\n"
    assert place.bob.post(f"/api/buckets/{bucket}/batch", add, {"Content-Type": "application/x-ndjson"}).status == 200
    target = f"/buckets/{bucket}/resolve/f.bin"
    assert place.bob.get(target).body == data
    stored, = [path for path in place.hub.data.rglob(name) if path.is_file()]
    stored.chmod(0o600)
    with open(stored, "r+b") as stream:
        stream.seek(100)
        stream.write(b"rot")
    report = place.hub.command("scrub", "--rate", "0", "--json", check=False)
    assert report.returncode == 1
    finding, = json.loads(report.stdout)["findings"]
    assert finding["affected"] == [f"bucket {bucket}: f.bin"]
    assert eventually(lambda: place.bob.head(target).status == place.bob.get(target).status == 404)
    reading = Cas(place.bob, bucket, "read", kind="bucket")
    assert reading.plan(file_hash).status == 404
    Cas(place.bob, bucket, kind="bucket").upload(store)
    assert place.bob.head(target).status == 200 and place.bob.get(target).body == data
    assert reading.plan(file_hash).status == 200
