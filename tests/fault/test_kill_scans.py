"""kill -9 while files are scanned: every one is scanned in the end, and the answers are the same."""
import random
import threading

from harness.hub import ADMIN_TOKEN
from harness.repos import commit, create, lfs_row, upload_object
from harness.scans import until_scanned

FILES = 60


def pickle(number):
    return b"cos\nsystem\n(S'echo %d'\ntR." % number


def test_scans_go_on_after_a_kill(place):
    rng = random.Random(7)
    create(place.bob, "bob/many")
    names = {}
    for number in range(FILES):
        bad = number % 3 == 0
        # Larger ones take a while: each kill meets some in the middle.
        data = pickle(number) if bad else b"\0" + rng.randbytes(300_000)
        names[f"{number:02}.bin"] = bad
        upload_object(place.bob, "bob/many", data)
        assert commit(place.bob, "bob/many", [lfs_row(f"{number:02}.bin", data)]).status == 200
        if number % 20 == 19:
            threading.Event().wait(rng.random() * 0.3)
            place.hub.kill()
            place.hub.start()
    queue = until_scanned(place.wire.as_(ADMIN_TOKEN))
    assert queue["error"] == 0, queue
    report = place.bob.get("/api/hearth/models/bob/many/safety").json()
    found = {file["path"]: file["state"] for file in report["files"] if file["path"] in names}
    assert {name: state == "unsafe" for name, state in found.items()} == names
    status = place.bob.get("/api/models/bob/many?securityStatus=true").json()["securityRepoStatus"]
    assert status["scansDone"] and len(status["filesWithIssues"]) == FILES // 3
