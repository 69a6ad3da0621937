"""What scans found, as the client library reads it."""
import pytest

from harness.hub import ADMIN_TOKEN
from harness.scans import until_scanned

PICKLE = b"cos\nsystem\n(S'id'\ntR."  # calls os.system when it is loaded; nothing here loads it


@pytest.fixture(scope="module")
def scanned(api, wire):
    repo_id = "bob/scanned"
    api.create_repo(repo_id)
    api.upload_file(path_or_fileobj=b"---\nlicense: mit\n---\n# Fine\n", path_in_repo="README.md", repo_id=repo_id)
    api.upload_file(path_or_fileobj=PICKLE, path_in_repo="pytorch_model.bin", repo_id=repo_id)
    until_scanned(wire.as_(ADMIN_TOKEN))
    return repo_id


def test_repository_status(api, scanned):
    info = api.model_info(scanned, securityStatus=True)
    assert info.security_repo_status == {
        "scansDone": True, "filesWithIssues": [{"path": "pytorch_model.bin", "level": "unsafe"}]}


def test_files_status(api, scanned):
    files = {entry.path: entry for entry in api.list_repo_tree(scanned, expand=True)}
    bad = files["pytorch_model.bin"].security
    assert bad.status == "unsafe" and not bad["safe"]
    assert bad.pickle_import_scan["pickleImports"] == [{"module": "os", "name": "system", "safety": "dangerous"}]
    assert files["README.md"].security.status == "safe"
    info, = api.get_paths_info(scanned, ["pytorch_model.bin"], expand=True)
    assert info.security.status == "unsafe"
    assert api.get_paths_info(scanned, ["pytorch_model.bin"])[0].security is None


def test_warning_is_no_refusal(api, scanned, cache):
    assert open(api.hf_hub_download(scanned, "pytorch_model.bin", cache_dir=cache), "rb").read() == PICKLE
