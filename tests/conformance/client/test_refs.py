"""Branches, tags, history and squashing through the client library."""
import pytest
from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError


def put(api, repo, name, text, **extra):
    return api.upload_file(path_or_fileobj=text.encode(), path_in_repo=name, repo_id=repo, **extra)


def read(api, repo, name, cache, revision=None):
    return open(api.hf_hub_download(repo, name, revision=revision, cache_dir=cache)).read()


def branches(api, repo):
    return {ref.name: ref for ref in api.list_repo_refs(repo).branches}


def test_a_new_repository_has_main_alone(api, repo):
    refs = api.list_repo_refs(repo)
    assert [(ref.name, ref.ref) for ref in refs.branches] == [("main", "refs/heads/main")]
    assert refs.tags == [] and refs.converts == []
    assert refs.branches[0].target_commit == api.model_info(repo).sha


def test_a_branch_lives_apart_from_main(api, repo, cache):
    put(api, repo, "a.txt", "main")
    api.create_branch(repo, branch="side")
    put(api, repo, "a.txt", "side", revision="side")
    assert read(api, repo, "a.txt", cache) == "main"
    assert read(api, repo, "a.txt", cache, "side") == "side"
    api.delete_branch(repo, branch="side")
    assert "side" not in branches(api, repo)
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(repo, "a.txt", revision="side", cache_dir=cache, force_download=True)


@pytest.mark.parametrize("name", ["feature/one", "v1.0", "ünï", "a/b/c"])
def test_branch_names_with_slashes_and_letters(api, repo, cache, name):
    api.create_branch(repo, branch=name)
    put(api, repo, "dir/file.txt", "there", revision=name)
    assert read(api, repo, "dir/file.txt", cache, name) == "there"
    assert "dir/file.txt" in api.list_repo_files(repo, revision=name)
    assert api.list_repo_commits(repo, revision=name)[0].title.startswith("Upload dir/file.txt")
    assert api.model_info(repo, revision=name).sha == branches(api, repo)[name].target_commit


def test_a_branch_starts_where_it_is_told(api, repo):
    first = put(api, repo, "a.txt", "1").oid
    put(api, repo, "a.txt", "2")
    api.create_branch(repo, branch="old", revision=first)
    assert branches(api, repo)["old"].target_commit == first
    api.create_branch(repo, branch="copy", revision="old")
    assert branches(api, repo)["copy"].target_commit == first


def test_a_branch_made_twice(api, repo):
    api.create_branch(repo, branch="twice")
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_branch(repo, branch="twice")
    assert caught.value.response.status_code == 409
    assert "Reference refs/heads/twice already exists" in str(caught.value)
    api.create_branch(repo, branch="twice", exist_ok=True)


def test_a_branch_from_nowhere(api, repo):
    with pytest.raises(RevisionNotFoundError):
        api.create_branch(repo, branch="b", revision="does-not-exist")


def test_main_cannot_be_deleted(api, repo):
    with pytest.raises(HfHubHTTPError) as caught:
        api.delete_branch(repo, branch="main")
    assert caught.value.response.status_code == 403
    assert "Cannot delete refs/heads/main" in str(caught.value)


def test_deleting_a_missing_branch(api, repo):
    with pytest.raises(HfHubHTTPError) as caught:
        api.delete_branch(repo, branch="never-was")
    assert 400 <= caught.value.response.status_code < 500


def test_tags(api, repo, cache):
    first = put(api, repo, "a.txt", "1").oid
    api.create_tag(repo, tag="v1", tag_message="the first")
    put(api, repo, "a.txt", "2")
    assert read(api, repo, "a.txt", cache, "v1") == "1"
    assert api.model_info(repo, revision="v1").sha == first
    tags = {ref.name: ref for ref in api.list_repo_refs(repo).tags}
    assert tags["v1"].ref == "refs/tags/v1"
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_tag(repo, tag="v1")
    assert caught.value.response.status_code == 409
    api.create_tag(repo, tag="v1", exist_ok=True)
    api.create_tag(repo, tag="v0", revision=first)
    api.delete_tag(repo, tag="v1")
    assert [ref.name for ref in api.list_repo_refs(repo).tags] == ["v0"]
    with pytest.raises(RevisionNotFoundError):
        api.delete_tag(repo, tag="v1")
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(repo, tag="v2", revision="does-not-exist")


def test_a_lightweight_and_an_annotated_tag_point_at_the_commit(api, repo):
    sha = put(api, repo, "a.txt", "1").oid
    api.create_tag(repo, tag="light")
    api.create_tag(repo, tag="annotated", tag_message="words")
    for ref in api.list_repo_refs(repo).tags:
        assert api.model_info(repo, revision=ref.name).sha == sha


def test_history_in_order_with_authors_and_messages(api, repo):
    put(api, repo, "a.txt", "1", commit_message="first change", commit_description="with a body")
    put(api, repo, "a.txt", "2", commit_message="second *change*")
    commits = api.list_repo_commits(repo)
    assert [commit.title for commit in commits] == ["second *change*", "first change", "initial commit"]
    assert commits[1].message == "with a body"
    assert all(commit.authors == ["bob"] for commit in commits)
    dates = [commit.created_at for commit in commits]
    assert dates == sorted(dates, reverse=True)
    formatted = api.list_repo_commits(repo, formatted=True)
    assert formatted[0].formatted_title is not None
    assert commits[0].formatted_title is None


def test_history_longer_than_a_page(api, repo, wire):
    for number in range(60):
        put(api, repo, "n.txt", str(number), commit_message=f"number {number}")
    commits = api.list_repo_commits(repo)
    assert len(commits) == 61
    assert [commit.title for commit in commits[:-1]] == [f"number {n}" for n in reversed(range(60))]
    assert len({commit.commit_id for commit in commits}) == 61
    answer = wire.get(f"/api/models/{repo}/commits/main?limit=1")
    assert answer.headers["X-Total-Count"] == "61"
    assert len(answer.json()) == 1


def test_history_of_a_missing_revision(api, repo):
    with pytest.raises(RevisionNotFoundError):
        api.list_repo_commits(repo, revision="nowhere")


@pytest.mark.parametrize("short", [7, 12, 40])
def test_a_commit_is_a_revision_in_short_and_in_full(api, repo, wire, short):
    sha = put(api, repo, "a.txt", "1").oid
    put(api, repo, "a.txt", "2")
    answer = wire.get(f"/{repo}/resolve/{sha[:short]}/a.txt")
    assert (answer.status, answer.text) == (200, "1")
    assert answer.headers["X-Repo-Commit"] == sha


def test_revision_exists(api, repo):
    sha = put(api, repo, "a.txt", "1").oid
    assert api.revision_exists(repo, "main")
    assert api.revision_exists(repo, sha)
    assert not api.revision_exists(repo, "nowhere")
    assert not api.revision_exists(repo + "x", "main")


def test_super_squash_leaves_the_tree_and_one_commit(api, repo, cache):
    for number in range(3):
        put(api, repo, f"{number}.txt", str(number))
    api.upload_file(path_or_fileobj=b"\0\1" * 3000, path_in_repo="w.bin", repo_id=repo)
    before = api.list_repo_files(repo)
    api.super_squash_history(repo, commit_message="all in one")
    assert [commit.title for commit in api.list_repo_commits(repo)] == ["all in one"]
    assert api.list_repo_files(repo) == before
    assert read(api, repo, "2.txt", cache) == "2"
    with open(api.hf_hub_download(repo, "w.bin", cache_dir=cache), "rb") as stream:
        assert stream.read() == b"\0\1" * 3000
    with pytest.raises(RevisionNotFoundError):
        api.super_squash_history(repo, branch="nowhere")


def test_default_branch_is_also_called_head(wire, api, repo):
    answer = wire.get(f"/api/models/{repo}/revision/HEAD")
    assert answer.json()["sha"] == api.model_info(repo).sha
