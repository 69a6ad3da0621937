"""The error contract: each row of status, X-Error-Code and X-Error-Message, and the exception it becomes."""
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    BadRequestError,
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from harness.people import eventually, whoami

BAD_TOKEN = "hf_thisTokenWasNeverGivenToAnybody0000"


def caught(kind, call):
    with pytest.raises(kind) as info:
        call()
    error = info.value
    response = error.response
    assert response.headers["X-Request-Id"]
    if response.request.method != "HEAD":
        assert response.headers["Content-Type"].startswith("application/json")
        assert isinstance(response.json()["error"], str)
    return error


def row(error):
    headers = error.response.headers
    return error.response.status_code, headers.get("X-Error-Code"), headers.get("X-Error-Message")


@pytest.fixture(params=["missing", "private"])
def invisible(request, new_id, private_repo):
    return new_id() if request.param == "missing" else private_repo


@pytest.fixture
def gated(api, new_id):
    repo_id = new_id()
    api.create_repo(repo_id)
    api.upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id=repo_id)
    api.update_repo_settings(repo_id, gated="manual")
    return repo_id


def test_no_such_repository_without_a_token(anonymous, invisible, cache):
    error = caught(RepositoryNotFoundError, lambda: anonymous.model_info(invisible))
    assert type(error) is RepositoryNotFoundError
    assert row(error) == (401, "RepoNotFound", "Repository not found")
    error = caught(RepositoryNotFoundError,
                   lambda: anonymous.get_hf_file_metadata(url=f"{anonymous.endpoint}/{invisible}/resolve/main/a.txt"))
    assert row(error) == (401, "RepoNotFound", "Invalid username or password.")


def test_no_such_repository_with_a_token(stranger, invisible):
    error = caught(RepositoryNotFoundError, lambda: stranger.model_info(invisible))
    assert row(error) == (404, "RepoNotFound", "Repository not found")
    error = caught(RepositoryNotFoundError,
                   lambda: stranger.get_hf_file_metadata(url=f"{stranger.endpoint}/{invisible}/resolve/main/a.txt"))
    assert row(error) == (404, "RepoNotFound", "Repository not found")


@pytest.mark.parametrize("call", ["list_repo_tree", "list_repo_commits", "list_repo_refs", "auth_check", "create_branch",
                                  "upload_file", "get_paths_info"])
def test_every_route_hides_what_is_not_visible(stranger, invisible, call):
    calls = {
        "list_repo_tree": lambda: list(stranger.list_repo_tree(invisible)),
        "list_repo_commits": lambda: stranger.list_repo_commits(invisible),
        "list_repo_refs": lambda: stranger.list_repo_refs(invisible),
        "auth_check": lambda: stranger.auth_check(invisible),
        "create_branch": lambda: stranger.create_branch(invisible, branch="b"),
        "upload_file": lambda: stranger.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=invisible),
        "get_paths_info": lambda: stranger.get_paths_info(invisible, ["a"]),
    }
    error = caught(RepositoryNotFoundError, calls[call])
    assert row(error)[:2] == (404, "RepoNotFound")


def test_a_bad_token_on_any_route(hub, repo):
    client = HfApi(endpoint=hub.url, token=BAD_TOKEN)
    for call in (client.whoami, lambda: client.model_info(repo), lambda: list(client.list_models()),
                 lambda: client.create_repo("bob/never-made"),
                 lambda: client.get_hf_file_metadata(url=f"{hub.url}/{repo}/resolve/main/.gitattributes")):
        with pytest.raises(HfHubHTTPError) as info:
            call()
        assert not isinstance(info.value, RepositoryNotFoundError)
        assert row(info.value) == (401, None, "Invalid credentials in Authorization header")


def test_a_gated_file_without_a_token(anonymous, gated, cache):
    error = caught(GatedRepoError, lambda: anonymous.get_hf_file_metadata(
        url=f"{anonymous.endpoint}/{gated}/resolve/main/config.json"))
    status, code, message = row(error)
    assert (status, code) == (401, "GatedRepo")
    assert message == (f"Access to model {gated} is restricted. You must have access to it and be authenticated to "
                       "access it. Please log in.")
    with pytest.raises(GatedRepoError):
        anonymous.hf_hub_download(gated, "config.json", cache_dir=cache)
    with pytest.raises(GatedRepoError):
        anonymous.file_exists(gated, "config.json")


def test_a_gated_file_with_a_token_that_has_no_access(stranger, hub, gated):
    error = caught(GatedRepoError, lambda: stranger.get_hf_file_metadata(
        url=f"{stranger.endpoint}/{gated}/resolve/main/config.json"))
    assert row(error) == (403, "GatedRepo", f"Access to model {gated} is restricted and you are not in the authorized "
                          f"list. Visit {hub.url}/{gated} to ask for access.")


def test_a_gated_repository_is_open_to_its_owner_and_its_metadata_to_all(api, anonymous, gated, cache):
    assert open(api.hf_hub_download(gated, "config.json", cache_dir=cache)).read() == "{}"
    assert anonymous.model_info(gated).gated == "manual"
    assert "config.json" in [entry.path for entry in anonymous.list_repo_tree(gated)]
    assert anonymous.list_repo_refs(gated).branches


def test_a_missing_revision(api, repo):
    for call in (lambda: api.model_info(repo, revision="nowhere"),
                 lambda: list(api.list_repo_tree(repo, revision="nowhere")),
                 lambda: api.get_hf_file_metadata(url=f"{api.endpoint}/{repo}/resolve/nowhere/a.txt")):
        error = caught(RevisionNotFoundError, call)
        assert row(error) == (404, "RevisionNotFound", "Invalid rev id: nowhere")


def test_a_missing_file(api, repo):
    error = caught(RemoteEntryNotFoundError,
                   lambda: api.get_hf_file_metadata(url=f"{api.endpoint}/{repo}/resolve/main/missing.txt"))
    assert row(error) == (404, "EntryNotFound", "Entry not found")
    assert error.response.headers["X-Repo-Commit"] == api.model_info(repo).sha


def test_a_missing_folder(api, repo):
    error = caught(EntryNotFoundError, lambda: list(api.list_repo_tree(repo, "nothing/here")))
    assert row(error) == (404, "EntryNotFound", 'nothing/here does not exist on "main"')


def test_a_token_that_may_not_write(stranger, repo):
    error = caught(HfHubHTTPError, lambda: stranger.create_branch(repo, branch="b"))
    assert not isinstance(error, RepositoryNotFoundError)
    status, code, message = row(error)
    assert (status, code) == (403, None)
    assert message and message.isascii() and "\n" not in message
    assert message in str(error)


def test_a_bad_request(api, repo):
    error = caught(BadRequestError, lambda: api.list_models(expand=["notAField"]).__iter__().__next__())
    status, code, message = row(error)
    assert (status, code) == (400, None)
    assert "notAField" in message


def test_a_disabled_repository(hub, wire, api, repo, cache):
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo)
    hub.admin("repo", "disable", repo)
    assert eventually(lambda: wire.get(f"/api/models/{repo}/refs").status == 403)
    for call in (lambda: api.get_hf_file_metadata(url=f"{api.endpoint}/{repo}/resolve/main/x.txt"),
                 lambda: list(api.list_repo_tree(repo))):
        error = caught(DisabledRepoError, call)
        assert row(error) == (403, None, "Access to this resource is disabled.")
    hub.admin("repo", "enable", repo)
    assert eventually(lambda: wire.get(f"/api/models/{repo}/refs").status == 200)
    assert open(api.hf_hub_download(repo, "x.txt", cache_dir=cache)).read() == "x"


def test_a_disabled_user_has_no_token(hub, wire):
    hub.make_user("short-lived")
    token = hub.make_token("short-lived")
    assert eventually(lambda: whoami(hub, token))
    client = HfApi(endpoint=hub.url, token=token)
    assert client.whoami()["name"] == "short-lived"
    hub.admin("user", "disable", "short-lived")
    assert eventually(lambda: whoami(hub, token) is None)
    answer = wire.as_(token).get("/api/whoami-v2")
    assert (answer.status, answer.code, answer.message) == (401, None, "Invalid credentials in Authorization header")


def test_the_request_id_is_in_the_message(api, new_id):
    with pytest.raises(RepositoryNotFoundError) as info:
        api.model_info(new_id())
    assert "(Request ID:" in str(info.value)
