"""Uploads into a pull request, which this hub cannot open yet: refused before a byte is sent, and the tokens that are
asked for on the way give no right that their holder does not have."""
import hashlib

import pytest

from harness.repos import commit, lfs_row
from harness.traffic import folder_bytes
from harness.xet import tree_entry

ROUTE = "xet-write-token/None?create_pr=1"


def upload_by(hub, token, repo, content):
    """Through the stock client's session; the identity of what it stored."""
    import hf_xet
    session = hf_xet.XetSession().new_upload_commit(token_refresh_url=f"{hub.url}/api/models/{repo}/{ROUTE}",
                                                    token_refresh_headers={"Authorization": f"Bearer {token}"})
    handle = session.start_upload_bytes(content, name="w.bin")
    session.wait_to_finish()
    return handle.result().xet_info


@pytest.mark.parametrize("who, status", [("bob", 501), ("mallory", 403)])
def test_a_pull_request_is_refused_before_anything_is_sent(acting, wire, repo, rng, traffic, store_folder, who, status):
    from huggingface_hub.utils import HfHubHTTPError
    before = folder_bytes(store_folder)
    traffic.mark()
    with pytest.raises(HfHubHTTPError) as refused:
        acting(who).upload_file(path_or_fileobj=b"\0" + rng.randbytes(3_000_000), path_in_repo="w.bin", repo_id=repo,
                                create_pr=True)
    assert refused.value.response.status_code == status
    if status == 501:
        assert "pull request" in str(refused.value), "the person is told why"
    assert traffic.bytes_in() < 20_000 and folder_bytes(store_folder) == before
    assert traffic.count("POST", r"^/xet/") == 0
    assert "w.bin" not in [row["path"] for row in wire.get(f"/api/models/{repo}/tree/main").json()]


@pytest.mark.newest_client
def test_a_writer_s_upload_for_a_pull_request_can_be_committed_to_a_branch(hub, wire, bob, tokens, repo, rng):
    content = b"\0" + rng.randbytes(3_000_000)
    info = upload_by(hub, tokens["bob"], repo, content)
    assert info.sha256 == hashlib.sha256(content).hexdigest()
    assert commit(bob, repo, [lfs_row("w.bin", content)]).status == 200
    assert tree_entry(wire, repo, "w.bin")["xetHash"] == info.hash
    assert wire.get(f"/{repo}/resolve/main/w.bin").body == content


@pytest.mark.newest_client
def test_a_reader_s_token_for_a_pull_request_stores_nothing(hub, bob, tokens, repo, rng, store_folder):
    content = b"\0" + rng.randbytes(300_000)
    before = folder_bytes(store_folder)
    with pytest.raises(Exception, match="(?i)forbidden|403"):
        upload_by(hub, tokens["mallory"], repo, content)
    assert folder_bytes(store_folder) == before
    assert commit(bob, repo, [lfs_row("w.bin", content)]).status == 400, "it is not there"
