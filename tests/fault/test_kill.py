"""kill -9 at random moments: what was acknowledged is there and intact, and the retry succeeds.

A worker repeats one operation and keeps a ledger of what the hub acknowledged. The hub is killed at a random moment,
checked, repaired when needed and started again; then the ledger is compared, contents by length and SHA-256, and the
operation that was interrupted is tried again. Each round looks at the newest entries and at some older ones, the end at all:
neither time nor memory of a long run grows with the square of its rounds or with what it stored.
"""
import base64
import hashlib
import http.client
import os
import random
import subprocess
import threading

import pytest

from harness.repos import commit, create, file_row, lfs_row, lfs_batch, local, put_file, upload_object

LOST = (OSError, http.client.HTTPException)
# Most operations take a few to a few hundred milliseconds; a kill in this window meets each of their phases.
LATEST_KILL_SECONDS = 0.6
# Of a ledger's entries, each round checks the newest and as many older ones; a kill harms what was written around it.
CHECKED_NEW, CHECKED_OLD = 8, 12


def digest(data):
    """What a ledger keeps of a content."""
    return len(data), hashlib.sha256(data).hexdigest()


class Worker:
    """Repeats one step until the hub is gone. Subclasses fill the ledger and know how to check it."""

    def __init__(self, place, rng):
        self.place, self.bob, self.rng = place, place.bob, rng
        self.steps = 0
        self.fault = None
        self.everything = False

    def prepare(self):
        """Once, on a living hub."""

    def step(self):
        """One operation; returns only when it was acknowledged."""

    def verify(self):
        """On a living hub: everything in the ledger is there."""

    def retry(self):
        """On a living hub: the interrupted operation succeeds now."""

    def chosen(self, entries):
        """The entries of a ledger that this check looks at."""
        entries = list(entries)
        if self.everything:
            return entries
        old = entries[:-CHECKED_NEW]
        return random.Random(len(entries)).sample(old, min(CHECKED_OLD, len(old))) + entries[-CHECKED_NEW:]

    def verify_everything(self):
        self.everything = True
        self.verify()

    def run(self):
        try:
            while True:
                self.step()
                self.steps += 1
        except LOST:
            pass
        except BaseException as error:  # reported by the test's own thread
            self.fault = error


def acknowledged(answer):
    """An answer of the hub; one that was cut off by the kill counts as lost."""
    assert answer.status == 200, answer
    return answer


class LfsUploads(Worker):
    repo = "bob/lfs-uploads"

    def prepare(self):
        create(self.bob, self.repo)
        self.stored, self.linked, self.pending = {}, {}, None

    def content(self):
        return b"\0" + self.rng.randbytes(self.rng.randrange(1000, 3_000_000))

    def step(self):
        data = self.content()
        name = f"w{len(self.linked):05}.bin"
        self.pending = (name, data)
        self.upload(name, data)

    def upload(self, name, data):
        oid = upload_object(self.bob, self.repo, data)
        self.stored[oid] = len(data)
        acknowledged(commit(self.bob, self.repo, [lfs_row(name, data)]))
        self.linked[name] = digest(data)

    def verify(self):
        for name, expected in self.chosen(self.linked.items()):
            answer = self.bob.get(f"/{self.repo}/resolve/main/{name}")
            assert answer.status == 200 and digest(answer.body) == expected, (name, answer)
        objects = [{"oid": oid, "size": size} for oid, size in self.chosen(self.stored.items())]
        for at in range(0, len(objects), 100):
            for row in lfs_batch(self.bob, self.repo, objects[at:at + 100]).json()["objects"]:
                assert "actions" not in row, ("an acknowledged upload is gone", row)

    def retry(self):
        if self.pending:
            self.upload(*self.pending)


class Commits(Worker):
    repo = "bob/commits"

    def prepare(self):
        create(self.bob, self.repo)
        self.ledger, self.heads, self.pending = {}, [], None

    def step(self):
        files = {f"d{self.rng.randrange(20)}/f{self.rng.randrange(50)}.txt": self.rng.randbytes(30).hex()
                 for _ in range(self.rng.randrange(1, 30))}
        self.pending = files
        self.send(files)

    def send(self, files):
        answer = acknowledged(commit(self.bob, self.repo, [file_row(name, text) for name, text in files.items()]))
        self.heads.append(answer.json()["commitOid"])
        for name in files:  # the newest at the end
            self.ledger.pop(name, None)
        self.ledger.update(files)
        self.pending = None

    def verify(self):
        history = set()
        page = 0
        while True:
            rows = self.bob.get(f"/api/models/{self.repo}/commits/main?limit=1000&p={page}").json()
            history |= {row["id"] for row in rows}
            if len(rows) < 1000:
                break
            page += 1
        assert set(self.heads) <= history, "an acknowledged commit is not in the history"
        # The commit in flight may have landed without its answer; then its files are newer than the ledger.
        for name, text in self.chosen(self.ledger.items()):
            allowed = {text, (self.pending or {}).get(name, text)}
            answer = self.bob.get(f"/{self.repo}/resolve/main/{name}")
            assert answer.status == 200 and answer.text in allowed, (name, answer)

    def retry(self):
        if self.pending:
            self.send(dict(self.pending))


class Pushes(Worker):
    repo = "bob/pushes"

    def prepare(self):
        create(self.bob, self.repo)
        self.work = self.place.hub.data.parent / "clone"
        self.login = base64.b64encode(f"bob:{self.place.tokens['bob']}".encode()).decode()
        self.environment = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0",
                                GIT_AUTHOR_NAME="Bob", GIT_AUTHOR_EMAIL="bob@example.com", GIT_COMMITTER_NAME="Bob",
                                GIT_COMMITTER_EMAIL="bob@example.com")
        self.git("clone", "-q", f"{self.place.hub.url}/{self.repo}", str(self.work), cwd=self.place.hub.data.parent)
        self.pushed = self.git("rev-parse", "HEAD").stdout.strip()
        self.number = 0

    def git(self, *arguments, cwd=None, check=True):
        done = subprocess.run(["git", "-c", f"http.{self.place.hub.url}/.extraHeader=Authorization: Basic {self.login}",
                               *arguments], cwd=cwd or self.work, env=self.environment, capture_output=True, text=True, timeout=120)
        if check:
            assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done

    def step(self):
        self.number += 1
        for part in range(10):
            (self.work / f"{self.number}-{part}.txt").write_text(self.rng.randbytes(3000).hex())
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"push {self.number}")
        self.push()

    def push(self):
        if self.git("push", "-q", "origin", "main", check=False).returncode != 0:
            raise ConnectionError("the push was cut off")
        self.pushed = self.git("rev-parse", "HEAD").stdout.strip()

    def verify(self):
        head = self.bob.get(f"/api/models/{self.repo}").json()["sha"]
        local_head = self.git("rev-parse", "HEAD").stdout.strip()
        assert head in (self.pushed, local_head), "the head is neither the acknowledged nor the interrupted push"
        listed = self.git("ls-remote", "origin", "refs/heads/main").stdout.split()[0]
        assert listed == head, "git and the API disagree about the head"
        for name in self.git("ls-tree", "-r", "--name-only", self.pushed).stdout.split()[-20:]:
            expected = self.git("show", f"{self.pushed}:{name}").stdout
            assert self.bob.get(f"/{self.repo}/resolve/{self.pushed}/{name}").text == expected, name

    def retry(self):
        self.git("push", "-q", "origin", "main")
        self.pushed = self.git("rev-parse", "HEAD").stdout.strip()
        assert self.bob.get(f"/api/models/{self.repo}").json()["sha"] == self.pushed


class Moves(Worker):
    def prepare(self):
        self.name, self.target, self.number = "bob/moved-0", None, 0
        self.weights = b"\0" + self.rng.randbytes(100_000)
        create(self.bob, self.name)
        put_file(self.bob, self.name, "kept.txt", "kept")
        upload_object(self.bob, self.name, self.weights)
        acknowledged(commit(self.bob, self.name, [lfs_row("w.bin", self.weights)]))

    def step(self):
        self.number += 1
        self.target = f"bob/moved-{self.number}"
        self.move()

    def move(self):
        acknowledged(self.bob.post("/api/repos/move", {"fromRepo": self.name, "toRepo": self.target, "type": "model"}))
        self.name, self.target = self.target, None

    def verify(self):
        found = [name for name in (self.name, self.target)
                 if name and self.bob.get(f"/api/models/{name}").status == 200]
        assert len(found) == 1, f"the repository is under {found} of {self.name} and {self.target}"
        assert self.bob.get(f"/{found[0]}/resolve/main/kept.txt").text == "kept"
        assert self.bob.get(f"/{found[0]}/resolve/main/w.bin").body == self.weights
        if found[0] == self.target:
            self.name, self.target = self.target, None
        assert self.bob.get(f"/api/models/{self.name}").json()["id"] == self.name

    def retry(self):
        if self.target:
            self.move()
        put_file(self.bob, self.name, "after.txt", self.name)


class Deletes(Worker):
    def prepare(self):
        self.alive, self.gone, self.doubtful, self.number = {}, set(), None, 0

    def step(self):
        self.number += 1
        name = f"bob/deleted-{self.number}"
        self.doubtful = name
        create(self.bob, name)
        put_file(self.bob, name, "a.txt", name)
        self.alive[name] = name
        self.doubtful = None
        if self.number % 2 == 0:
            self.doubtful = name
            self.delete(name)
            self.doubtful = None

    def delete(self, name):
        acknowledged(self.bob.delete("/api/repos/delete", {"name": name.split("/")[1], "organization": "bob", "type": "model"}))
        self.alive.pop(name, None)
        self.gone.add(name)

    def verify(self):
        for name, text in self.chosen(self.alive.items()):
            if name != self.doubtful:
                assert self.bob.get(f"/{name}/resolve/main/a.txt").text == text, name
        for name in self.chosen(sorted(self.gone, key=lambda name: int(name.rpartition("-")[2]))):
            assert self.bob.get(f"/api/models/{name}").status == 404, name
        listed = {row["id"] for row in self.bob.get("/api/models?author=bob&search=bob/deleted-&limit=1000").json()}
        assert not listed & self.gone

    def retry(self):
        """Half made or half deleted, the name can be deleted and used again."""
        name = self.doubtful
        if name is None:
            return
        answer = self.bob.delete("/api/repos/delete", {"name": name.split("/")[1], "organization": "bob", "type": "model"})
        assert answer.status in (200, 404), answer
        create(self.bob, name)
        put_file(self.bob, name, "a.txt", "again")
        assert self.bob.get(f"/{name}/resolve/main/a.txt").text == "again"
        self.alive[name] = "again"
        self.gone.discard(name)
        self.doubtful = None


WORKERS = [LfsUploads, Commits, Pushes, Moves, Deletes]


def survive(worker, rounds, rng):
    """Kills the hub while the worker runs, again and again; each time what was acknowledged must be there."""
    place = worker.place
    worker.prepare()
    for number in range(rounds):
        thread = threading.Thread(target=worker.run)
        thread.start()
        threading.Event().wait(rng.random() * LATEST_KILL_SECONDS)
        place.hub.kill()
        thread.join(timeout=60)
        assert not thread.is_alive() and worker.fault is None, (number, worker.fault)
        place.restart_clean()
        worker.verify()
        worker.retry()
        worker.verify()
    worker.verify_everything()
    assert worker.steps > 0 or rounds < 3, "the hub was always killed before the first acknowledgement"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", WORKERS, ids=lambda kind: kind.__name__)
def test_nothing_acknowledged_is_lost(place, kind, request):
    rounds = request.config.getoption("--kill-rounds")
    seed = request.config.getoption("--kill-seed")
    survive(kind(place, random.Random(f"{seed}-content")), rounds, random.Random(f"{seed}-{kind.__name__}"))
    place.hub.stop()
    assert place.hub.fsck(deep=True).returncode == 0


def test_killed_during_the_first_start(hub):
    """A hub killed while it makes its folder and database starts all the same."""
    from harness.hub import BINARY
    rng = random.Random(1)
    for _ in range(5):
        process = subprocess.Popen([str(BINARY), "serve", "--data", str(hub.data), "--listen", "127.0.0.1:0"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, HEARTH_ADMIN_USER="alice", HEARTH_ADMIN_PASSWORD="x" * 20,
                                            HEARTH_ADMIN_TOKEN="hf_" + "A" * 34))
        threading.Event().wait(rng.random() * 0.2)
        process.kill()
        process.wait()
    hub.start()
    hub.stop()
    assert hub.fsck().returncode == 0


def test_an_upload_cut_off_by_the_client_leaves_nothing_and_can_be_repeated(place):
    import socket
    create(place.bob, "bob/cut")
    data = b"\0" + random.Random(5).randbytes(5_000_000)
    oid = hashlib.sha256(data).hexdigest()
    batch = lfs_batch(place.bob, "bob/cut", [{"oid": oid, "size": len(data)}]).json()
    href = local(batch["objects"][0]["actions"]["upload"]["href"])
    for part in (1, 100_000, 4_999_000):
        with socket.create_connection(("127.0.0.1", place.hub.port)) as connection:
            connection.sendall(f"PUT {href} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:part])
    assert commit(place.bob, "bob/cut", [lfs_row("w.bin", data)]).status == 400
    upload_object(place.bob, "bob/cut", data)
    assert commit(place.bob, "bob/cut", [lfs_row("w.bin", data)]).status == 200
    assert place.bob.get("/bob/cut/resolve/main/w.bin").body == data
    place.hub.stop()
    assert place.hub.fsck(deep=True).returncode == 0


def test_sigterm_lets_a_running_upload_finish(place):
    import socket
    create(place.bob, "bob/drained")
    data = b"\0" + random.Random(6).randbytes(3_000_000)
    batch = lfs_batch(place.bob, "bob/drained", [{"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}]).json()
    href = local(batch["objects"][0]["actions"]["upload"]["href"])
    with socket.create_connection(("127.0.0.1", place.hub.port), timeout=30) as connection:
        connection.sendall(f"PUT {href} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:1_000_000])
        threading.Event().wait(0.3)
        place.hub.process.terminate()
        threading.Event().wait(0.3)
        connection.sendall(data[1_000_000:])
        answer = connection.recv(10_000)
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")), answer
    assert place.hub.process.wait(timeout=30) == 0
    place.hub.start()
    assert commit(place.bob, "bob/drained", [lfs_row("w.bin", data)]).status == 200
    assert place.bob.get("/bob/drained/resolve/main/w.bin").body == data


def test_sigterm_refuses_new_connections_and_ends(place):
    place.hub.process.terminate()
    assert place.hub.process.wait(timeout=30) == 0
    with pytest.raises(OSError):
        place.wire.get("/healthz")
