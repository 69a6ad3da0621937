"""kill -9 while xorbs, shards and conversions are under way; see test_kill.py for the method."""
import random
import shutil
import threading

import pytest

from harness.machine import Machine
from harness.people import eventually
from harness.repos import commit, create, lfs_row, local
from harness.xet import Cas, LocalStore, plainly, tree_entry
from test_kill import LfsUploads, Worker, acknowledged, digest, survive


class XetUploads(Worker):
    """Real xorbs and shards, sent step by step, so that each acknowledgement of its own is remembered."""

    repo = "bob/xet-uploads"

    def prepare(self):
        create(self.bob, self.repo)
        self.cas = Cas(self.bob, self.repo)
        self.folder = self.place.hub.data.parent / "local-stores"
        self.xorbs, self.registered, self.linked, self.pending = [], [], {}, None
        self.number = 0

    def step(self):
        self.number += 1
        part = self.rng.randbytes(200_000)
        contents = {f"f{self.number}-{index}.bin": b"\0" + self.rng.randbytes(self.rng.randrange(1000, 2_000_000)) + part
                    for index in range(self.rng.randrange(1, 4))}
        self.pending = (LocalStore(self.folder / str(self.number), contents), contents)
        self.send_pending()

    def send_pending(self):
        store, contents = self.pending
        self.upload(store, contents)
        self.pending = None
        shutil.rmtree(store.folder)

    def upload(self, store, contents):
        for name, body in store.xorbs():
            acknowledged(self.cas.post_xorb(name, body))
            self.xorbs.append(name)
        if self.number % 2:
            acknowledged(self.cas.post_shard(store.shard()))
        else:
            status, last = self.cas.stream_shard(store.shard())
            if status == 200 and (last is None or last["type"] != "result"):
                raise ConnectionError(f"the stream was cut off after {last}")
            assert status == 200
        self.registered += [info.hash for info in store.files.values()]
        acknowledged(commit(self.bob, self.repo, [lfs_row(name, data) for name, data in contents.items()]))
        self.linked.update({name: digest(data) for name, data in contents.items()})

    def verify(self):
        for xorb in self.chosen(self.xorbs):
            assert self.cas.grant(xorb).status == 200, "an acknowledged xorb is gone"
        for file_hash in self.chosen(self.registered):
            assert self.cas.plan(file_hash).status == 200, "an acknowledged file is gone"
        for name, expected in self.chosen(self.linked.items()):
            answer = self.bob.get(f"/{self.repo}/resolve/main/{name}")
            assert answer.status == 200 and digest(answer.body) == expected, (name, answer)

    def retry(self):
        if self.pending:
            self.send_pending()


class FormUploads(Worker):
    """The same content privately by two people, whose clients compress differently: each has their own form of each xorb,
    whichever came first, and a number that a kill left half taken confuses nobody."""

    def prepare(self):
        self.folder = self.place.hub.data.parent / "local-stores"
        self.people = {}
        for name in ("bob", "mallory"):
            who, repo = self.place.wire.as_(self.place.tokens[name]), f"{name}/forms"
            create(who, repo, private=True)
            self.people[name] = (who, repo, Cas(who, repo), {})
        self.number, self.pending = 0, None

    def step(self):
        self.number += 1
        lines = self.rng.randrange(1000, 20_000)
        data = b"".join(b"%d %d the quick brown fox\n" % (self.number, line) for line in range(lines))
        store = LocalStore(self.folder / str(self.number), {"w": data})
        self.pending = (store, data, self.rng.sample(sorted(self.people), 2))
        self.send_pending()

    def send_pending(self):
        store, data, order = self.pending
        (xorb, body), = store.xorbs()
        for name in order:
            who, repo, cas, ledger = self.people[name]
            sent = body if name == "bob" else plainly(body, data)
            acknowledged(cas.post_xorb(xorb, sent))
            acknowledged(cas.post_shard(store.shard()))
            path = f"w{self.number}.bin"
            acknowledged(commit(who, repo, [lfs_row(path, data)]))
            ledger[path] = (digest(data), store.files["w"].hash, sent, len(data))
        self.pending = None
        shutil.rmtree(store.folder)

    def verify(self):
        for who, repo, cas, ledger in self.people.values():
            for path, (expected, file_hash, sent, size) in self.chosen(ledger.items()):
                answer = who.get(f"/{repo}/resolve/main/{path}")
                assert answer.status == 200 and digest(answer.body) == expected, (path, answer)
                plan = cas.plan(file_hash)
                assert plan.status == 200, "an acknowledged file is gone"
                (entry,), = plan.json()["xorbs"].values()
                end = entry["ranges"][0]["bytes"]["end"]
                bytes_ = who.as_(None).get(local(entry["url"]), {"Range": f"bytes=0-{end}"})
                assert bytes_.status == 206 and bytes_.body == sent[:end + 1], "the form is somebody else's"
                # The stock client's own store has a footer behind the records.
                assert end + 1 == len(sent) or sent[end + 1:].startswith(b"XETBLOB"), (end, len(sent))

    def retry(self):
        if self.pending:
            self.send_pending()


class Conversions(LfsUploads):
    """Whole objects arrive faster than they are converted; in either form, or between, they must read the same."""

    repo = "bob/conversions"

    def finish(self):
        def all_converted():
            names = list(self.linked)
            rows = [row for at in range(0, len(names), 500) for row in
                    self.bob.post(f"/api/models/{self.repo}/paths-info/main", {"paths": names[at:at + 500]}).json()]
            return len(rows) == len(names) and all("xetHash" in row for row in rows)
        assert eventually(all_converted, seconds=120), "the conversion never came to its end"
        self.verify_everything()
        reader = Machine(self.place.hub.data.parent / "reader", self.place.hub.url, self.place.tokens["bob"])
        names = list(self.linked)[-5:]
        for path, name in zip(reader.download(self.repo, names), names):
            assert digest(path.read_bytes()) == self.linked[name], name


def rounds_of(request):
    return request.config.getoption("--kill-rounds")


@pytest.mark.timeout(3600)
def test_no_acknowledged_xorb_or_shard_is_lost(place, request):
    seed = request.config.getoption("--kill-seed")
    survive(XetUploads(place, random.Random(f"{seed}-xet-content")), rounds_of(request), random.Random(f"{seed}-xet"))
    place.hub.stop()
    assert place.hub.fsck(deep=True).returncode == 0


@pytest.mark.timeout(3600)
def test_no_form_is_lost_or_mistaken(place, request):
    seed = request.config.getoption("--kill-seed")
    worker = FormUploads(place, random.Random(f"{seed}-forms-content"))
    survive(worker, rounds_of(request), random.Random(f"{seed}-forms"))
    place.hub.stop()
    place.hub.command("gc", "--grace", "0")
    place.hub.start()
    worker.verify_everything()
    place.hub.stop()
    assert place.hub.fsck(deep=True).returncode == 0


@pytest.mark.timeout(3600)
def test_a_conversion_cut_off_loses_nothing(converting_place, request):
    seed = request.config.getoption("--kill-seed")
    worker = Conversions(converting_place, random.Random(f"{seed}-conversions-content"))
    survive(worker, rounds_of(request), random.Random(f"{seed}-conversions"))
    worker.finish()
    converting_place.hub.stop()
    assert converting_place.hub.fsck(deep=True).returncode == 0


@pytest.mark.timeout(3600)
def test_the_client_ends_its_upload_by_itself(place, request, folder):
    """Its own retries bridge the restart, or its next call succeeds: nobody has to clean up in between."""
    rng = random.Random(f"{request.config.getoption('--kill-seed')}-client")
    create(place.bob, "bob/by-client")
    machine = Machine(folder / "machine", place.hub.url, place.tokens["bob"], HF_XET_CLIENT_RETRY_BASE_DELAY="300ms")
    for number in range(rounds_of(request)):
        path = folder / f"w{number}.bin"
        path.write_bytes(b"\0" + rng.randbytes(30_000_000))
        name = f"w{number}.bin"
        running = machine.start("upload", "bob/by-client", files={name: str(path)})
        # An upload takes about as long as the client's start, one to two seconds: kill in either.
        threading.Event().wait(0.8 + rng.random() * 1.5)
        place.hub.kill()
        place.restart_clean()
        running.communicate(timeout=300)
        if running.returncode != 0:
            machine.upload("bob/by-client", {name: path})
        answer = place.bob.get(f"/bob/by-client/resolve/main/{name}")
        assert answer.status == 200 and answer.body == path.read_bytes()
        assert "xetHash" in tree_entry(place.bob, "bob/by-client", name)
        back, = machine.download("bob/by-client", [name])
        assert back.read_bytes() == path.read_bytes()
        path.unlink()
        shutil.rmtree(machine.folder / f"cache-{machine.downloads}")
    place.hub.stop()
    assert place.hub.fsck(deep=True).returncode == 0
