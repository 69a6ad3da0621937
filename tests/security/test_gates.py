"""A gated repository shows its card and its list of files to everybody, and the content of no file."""
import pytest

from harness.repos import create, put_file


@pytest.fixture(scope="module")
def gated(bob):
    """(id, commit before the secret, commit with it)"""
    repo_id = "bob/behind-a-gate"
    create(bob, repo_id)
    before = put_file(bob, repo_id, "docs/README.md", "an older-gated-line\n")
    after = put_file(bob, repo_id, "docs/README.md", "a guarded-line of text\n")
    assert bob.put(f"/api/models/{repo_id}/settings", {"gated": "manual"}).status == 200
    return repo_id, before, after


@pytest.mark.parametrize("who", ["anonymous", "mallory"])
def test_no_route_shows_a_line_of_a_gated_file(wire, mallory, gated, who):
    repo_id, before, after = gated
    client = wire if who == "anonymous" else mallory
    for target in (f"/api/models/{repo_id}/compare/{before}..{after}", f"/{repo_id}/tree/main/docs",
                   f"/{repo_id}/tree/{before}/docs", f"/{repo_id}/blob/main/docs/README.md",
                   f"/{repo_id}/commit/{after}", f"/{repo_id}/resolve/main/docs/README.md",
                   f"/{repo_id}/raw/main/docs/README.md"):
        answer = client.get(target)
        assert b"guarded-line" not in answer.body, target
        assert b"older-gated-line" not in answer.body, target


def test_the_list_of_files_stays_open(wire, gated):
    assert b"README.md" in wire.get(f"/{gated[0]}/tree/main/docs").body


def test_its_owner_reads_everything(bob, gated):
    repo_id, before, after = gated
    assert b"guarded-line" in bob.get(f"/api/models/{repo_id}/compare/{before}..{after}").body
    assert b"guarded-line" in bob.get(f"/{repo_id}/tree/main/docs").body
