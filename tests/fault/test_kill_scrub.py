"""hearth scrub, and the scrub that a serving hub does by itself, killed at any moment.

What is whole stays where it is and readable, what rots is found and nothing else, each run goes on where the last one was
cut off, and an upload heals what was found.
"""
import json
import random
import shutil
import sqlite3
import subprocess
import threading

import pytest

from conftest import Place
from harness.hub import BINARY
from harness.people import eventually
from harness.repos import commit, create, lfs_row, upload_object
from harness.xet import Cas, LocalStore, hash_raw

REPO = "bob/scrubbed"
# A scrub notes where it is every 64 objects or xorbs: a run over these has several such places.
OBJECTS, XORBS = 140, 70
# At 10 MB/s the whole store is read in about a third of a second.
MOST_BYTES = 30_000
READ_EACH_ROUND = 15
# A stored xorb ends with a nonce, reserved bytes and a length.
MEANINGLESS_END = 20
TO_THE_END_EVERY = 5


class Store:
    """What lies in the hub, and which of it has rotted. A name stands for one object or for one xorb."""

    def __init__(self, place, rng):
        self.place, self.bob, self.rng = place, place.bob, rng
        self.noise_rng = random.Random(rng.random())  # contents may be made in a thread beside
        self.contents, self.names, self.rotten, self.stores = {}, {}, set(), {}
        create(self.bob, REPO)
        self.cas = Cas(self.bob, REPO)
        self.link({f"o{number}.bin": self.put_object(f"o{number}.bin") for number in range(OBJECTS)})
        self.link({f"x{number}.bin": self.put_xorb(number) for number in range(XORBS)})
        self.progress = self.look()[1:]

    def noise(self):
        return b"\0" + self.noise_rng.randbytes(self.noise_rng.randrange(1000, MOST_BYTES))

    def put(self, path):
        self.link({path: self.put_object(path)})

    def put_object(self, path):
        data = self.noise()
        self.names[upload_object(self.bob, REPO, data)] = path
        return data

    def put_xorb(self, number):
        folder, data = self.place.hub.data.parent / f"store-{number}", self.noise()
        store = LocalStore(folder, {"f": data})
        (name, body), = store.xorbs()
        self.stores[name] = body
        self.cas.upload(store)
        shutil.rmtree(folder)
        self.names[name] = f"x{number}.bin"
        return data

    def link(self, contents):
        answer = commit(self.bob, REPO, [lfs_row(path, data) for path, data in contents.items()])
        assert answer.status == 200, answer
        self.contents.update(contents)

    def rot(self):
        """One bit of something that was whole."""
        name = self.rng.choice(sorted(set(self.names) - self.rotten))
        root = self.place.hub.data / ("xet/xorbs" if name in self.stores else "blobs")
        file = root / name[:2] / name[2:4] / name
        data = bytearray(file.read_bytes())
        meaningful = len(data) - MEANINGLESS_END if name in self.stores else len(data)
        data[self.rng.randrange(meaningful)] ^= 1 << self.rng.randrange(8)
        file.chmod(0o600)
        with open(file, "r+b") as stream:
            stream.write(data)
        self.rotten.add(name)

    def look(self):
        """(names in quarantine, time of the last whole scrub, where the running one is: comparable)."""
        database = sqlite3.connect(f"file:{self.place.hub.data}/hearth.db?mode=ro", uri=True, timeout=30)
        try:
            marked = {bytes(raw) for raw, in database.execute("SELECT hash FROM quarantine")}
            meta = dict(database.execute("SELECT key, value FROM meta WHERE key LIKE 'scrub_%'"))
        finally:
            database.close()
        kind, _, text = meta.get("scrub_cursor", "").partition(":")
        at = {"": b"", "o": bytes.fromhex(text), "x": hash_raw(text)}[kind]
        marked_names = {name for name in self.names if self.raw(name) in marked}
        assert len(marked_names) == len(marked), "something unknown is marked"
        moved = {path.name for path in (self.place.hub.data / "quarantine").glob("*")}
        return moved | marked_names, int(meta.get("scrub_finished_at", "0")), (kind, at)

    def raw(self, name):
        return hash_raw(name) if name in self.stores else bytes.fromhex(name)

    def behind(self, cursor):
        """How many objects and xorbs a run that goes on from there has before it."""
        kind, at = cursor
        database = sqlite3.connect(f"file:{self.place.hub.data}/hearth.db?mode=ro", uri=True, timeout=30)
        try:
            after = {"objects": b"" if kind != "o" else at, "xorbs": b"" if kind != "x" else at}
            objects = 0 if kind == "x" else database.execute("SELECT COUNT(*) FROM objects WHERE sha256 > ?", (after["objects"],))
            xorbs = database.execute("SELECT COUNT(*) FROM xorbs WHERE hash > ?", (after["xorbs"],))
            return [rows if rows == 0 else rows.fetchone()[0] for rows in (objects, xorbs)]
        finally:
            database.close()

    def check(self, everything=False):
        found, *progress = self.look()
        assert found <= self.rotten, "something whole is in quarantine"
        if progress[0] == self.progress[0]:
            assert progress[1] >= self.progress[1], "a scrub went back"
        self.progress = progress
        whole = sorted(set(self.names) - self.rotten)
        for name in whole if everything else self.rng.sample(whole, READ_EACH_ROUND):
            self.read(name)

    def read(self, name):
        path = self.names[name]
        answer = self.bob.get(f"/{REPO}/resolve/main/{path}")
        assert answer.status == 200 and answer.body == self.contents[path], (path, answer)

    def heal(self):
        """All that rotted was found; the same content sent again makes it whole."""
        assert self.look()[0] == self.rotten
        for name in self.rotten:
            answer = self.bob.get(f"/{REPO}/resolve/main/{self.names[name]}")
            assert answer.status >= 400, "rot is served"
            if name in self.stores:
                assert self.cas.post_xorb(name, self.stores[name]).status == 200
            else:
                upload_object(self.bob, REPO, self.contents[self.names[name]])
            self.read(name)
        self.rotten.clear()
        shutil.rmtree(self.place.hub.data / "quarantine", ignore_errors=True)
        self.check(everything=True)


def scrub(store):
    """The rest of an interrupted scrub, which must be exactly that, and then a whole one."""
    expected = store.behind(store.progress[1])
    report = json.loads(store.place.hub.command("scrub", "--rate", "0", "--json", check=False).stdout)
    assert [report["objects"], report["xorbs"]] == expected, "the scrub did not go on where it was"
    again = store.place.hub.command("scrub", "--rate", "0", "--once", "--json", check=False)
    assert again.returncode in (0, 1), again.stderr


@pytest.mark.timeout(3600)
def test_a_killed_scrub_goes_on_and_finds_rot_and_nothing_else(place, request):
    rng = random.Random(f"{request.config.getoption('--kill-seed')}-scrub")
    store = Store(place, rng)
    resumed = 0
    for number in range(1, request.config.getoption("--kill-rounds") + 1):
        if rng.random() < 0.5:
            store.rot()
        process = subprocess.Popen([str(BINARY), "scrub", "--data", str(place.hub.data), "--rate", "10"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        beside = threading.Thread(target=store.put, args=(f"b{number}.bin",))
        beside.start()
        threading.Event().wait(rng.random() * 0.6)
        process.kill()
        process.wait()
        beside.join()
        store.check()
        resumed += store.progress[1][0] != ""
        if number % TO_THE_END_EVERY == 0:
            scrub(store)
            store.check()
            store.heal()
    scrub(store)
    store.check()
    store.heal()
    assert resumed or number < 20, "no run was ever cut off in its middle"
    place.hub.stop()
    assert place.hub.fsck(deep=True).returncode == 0


@pytest.mark.timeout(3600)
def test_a_hub_killed_while_it_scrubs_goes_on_with_it(hub, request):
    hub.environment.update(HEARTH_SCRUB_EVERY="1s", HEARTH_SCRUB_RATE="10", HEARTH_UPKEEP_PAUSE="0")
    place = Place(hub)
    rng = random.Random(f"{request.config.getoption('--kill-seed')}-scheduled-scrub")
    store = Store(place, rng)
    resumed = 0
    for number in range(1, request.config.getoption("--kill-rounds") + 1):
        if rng.random() < 0.5:
            store.rot()
        store.put(f"b{number}.bin")
        threading.Event().wait(rng.random() * 0.6)
        hub.kill()
        resumed += store.look()[2][0] != ""
        hub.start()
        store.check()
        if number % TO_THE_END_EVERY == 0:
            assert eventually(lambda: store.look()[0] == store.rotten, seconds=60), "rot is never found"
            store.heal()
    assert eventually(lambda: store.look()[0] == store.rotten, seconds=60), "rot is never found"
    store.heal()
    assert resumed or number < 20, "no run was ever cut off in its middle"
    hub.stop()
    assert hub.fsck(deep=True).returncode == 0
