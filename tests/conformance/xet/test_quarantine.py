"""A hub that does not give out what its scan judges unsafe: no door of the store opens for it."""
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import LocalEntryNotFoundError

from harness.hub import ADMIN_TOKEN, Hub
from harness.people import settle
from harness.scans import until_scanned
from harness.wire import Wire
from harness.xet import Cas, LocalStore
from harness.repos import commit, lfs_row

# Calls os.system when it is loaded; nothing here loads it. What follows the end of the pickle makes it a large file.
UNSAFE = b"cos\nsystem\n(S'id'\ntR." + b"\0" * 200_000
PLAIN = b"\x80\x02]q\x00K\x01a."


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("strict") / "data", environment={"HEARTH_QUARANTINE": "block"}).start()
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def people(strict):
    return settle(strict)


def test_an_unsafe_file_leaves_by_no_door(strict, people, tmp_path):
    bob = Wire(strict.url).as_(people["bob"])
    api = HfApi(endpoint=strict.url, token=people["bob"])
    api.create_repo("bob/infected")
    files = {"bad.bin": UNSAFE, "good.bin": PLAIN}
    store = LocalStore(tmp_path / "store", files)
    cas = Cas(bob, "bob/infected")
    cas.upload(store)
    assert commit(bob, "bob/infected", [lfs_row(name, data) for name, data in files.items()]).status == 200
    queue = until_scanned(Wire(strict.url).as_(ADMIN_TOKEN))
    assert queue["unsafe"] == 1

    reader = HfApi(endpoint=strict.url, token=people["mallory"])
    # The client looks into its cache when asking for a file's place is refused; why it was refused is the cause.
    with pytest.raises(LocalEntryNotFoundError) as refusal:
        reader.hf_hub_download("bob/infected", "bad.bin", cache_dir=tmp_path / "cache")
    assert "judged unsafe" in str(refusal.value.__cause__)
    with open(reader.hf_hub_download("bob/infected", "good.bin", cache_dir=tmp_path / "cache"), "rb") as file:
        assert file.read() == PLAIN

    # Who knows the hash and has a token of the repository, its writer among them.
    for wire in (bob, Wire(strict.url).as_(people["mallory"])):
        reading = Cas(wire, "bob/infected", "read")
        for version in (1, 2):
            refused = reading.plan(store.files["bad.bin"].hash, version=version)
            assert refused.status == 403 and "judged unsafe" in refused.text, refused
            assert reading.plan(store.files["good.bin"].hash, version=version).status == 200
    assert bob.get("/bob/infected/resolve/main/bad.bin").status == 403
    assert bob.get("/bob/infected/resolve/main/bad.bin?allow_unsafe=1").body == UNSAFE
