"""Repository life cycle through the client library."""
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RepositoryNotFoundError

KINDS = ["model", "dataset", "space"]
PREFIX = {"model": "", "dataset": "datasets/", "space": "spaces/"}


def create(api, repo_id, kind, **extra):
    return api.create_repo(repo_id, repo_type=kind, **({"space_sdk": "gradio"} if kind == "space" else {}), **extra)


@pytest.mark.parametrize("kind", KINDS)
def test_create_answers_the_url_and_one_first_commit(api, hub, new_id, kind):
    repo_id = new_id()
    url = create(api, repo_id, kind)
    assert url == f"{hub.url}/{PREFIX[kind]}{repo_id}"
    assert (url.repo_id, url.repo_type, url.endpoint) == (repo_id, kind, hub.url)
    commits = api.list_repo_commits(repo_id, repo_type=kind)
    assert [commit.title for commit in commits] == ["initial commit"]
    assert ".gitattributes" in api.list_repo_files(repo_id, repo_type=kind)
    assert set(api.list_repo_files(repo_id, repo_type=kind)) <= {".gitattributes", "README.md"}


def test_dataset_attributes_cover_sound_and_pictures(api, new_id, cache):
    texts = {}
    for kind in KINDS:
        repo_id = new_id()
        create(api, repo_id, kind)
        path = api.hf_hub_download(repo_id, ".gitattributes", repo_type=kind, cache_dir=cache)
        texts[kind] = open(path).read()
    for kind in KINDS:
        assert "*.safetensors filter=lfs diff=lfs merge=lfs -text" in texts[kind]
    assert "*.png filter=lfs" in texts["dataset"] and "*.wav filter=lfs" in texts["dataset"]
    assert "*.png" not in texts["model"]


@pytest.mark.parametrize("kind", KINDS)
def test_create_twice_is_a_conflict_unless_allowed(api, new_id, kind):
    repo_id = new_id()
    url = create(api, repo_id, kind)
    with pytest.raises(HfHubHTTPError) as caught:
        create(api, repo_id, kind)
    assert caught.value.response.status_code == 409
    assert create(api, repo_id, kind, exist_ok=True) == url


def test_the_same_name_may_be_a_model_a_dataset_and_a_space(api, new_id):
    repo_id = new_id()
    for kind in KINDS:
        create(api, repo_id, kind)
    for kind in KINDS:
        assert api.repo_info(repo_id, repo_type=kind).id == repo_id


def test_create_without_a_namespace_is_my_own(api, new_id):
    name = new_id().split("/")[1]
    assert api.create_repo(name).repo_id == f"bob/{name}"


def test_names_that_break_the_rules_are_refused_by_the_hub(bob):
    for name in ("a--b", "a..b", "-a", "a-", ".a", "a.git", "a b", "ä", "a/b/c", "", "x" * 97):
        answer = bob.post("/api/repos/create", {"name": name, "organization": "bob", "type": "model"})
        assert answer.status == 400, (name, answer)


def test_create_in_a_foreign_namespace_is_forbidden(api, new_id):
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_repo(new_id("mallory"))
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("who, allowed", [("acme-reader", False), ("acme-contributor", True), ("acme-writer", True),
                                          ("acme-admin", True), ("mallory", False)])
def test_create_in_an_organisation_needs_a_role(acting, new_id, who, allowed):
    repo_id = new_id("acme")
    if allowed:
        assert acting(who).create_repo(repo_id).repo_id == repo_id
    else:
        with pytest.raises(HfHubHTTPError) as caught:
            acting(who).create_repo(repo_id)
        assert caught.value.response.status_code == 403


def test_exists(api, anonymous, repo, private_repo, new_id):
    assert api.repo_exists(repo)
    assert anonymous.repo_exists(repo)
    assert not api.repo_exists(new_id())
    assert api.repo_exists(private_repo)
    assert not anonymous.repo_exists(private_repo)
    assert not api.repo_exists(repo, repo_type="dataset")


@pytest.mark.parametrize("kind", KINDS)
def test_delete(api, new_id, kind):
    repo_id = new_id()
    create(api, repo_id, kind)
    api.delete_repo(repo_id, repo_type=kind)
    assert not api.repo_exists(repo_id, repo_type=kind)
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo(repo_id, repo_type=kind)
    api.delete_repo(repo_id, repo_type=kind, missing_ok=True)
    create(api, repo_id, kind)
    assert len(api.list_repo_commits(repo_id, repo_type=kind)) == 1


def test_only_owners_delete(api, stranger, acting, repo, new_id):
    with pytest.raises(HfHubHTTPError) as caught:
        stranger.delete_repo(repo)
    assert caught.value.response.status_code == 403
    shared = new_id("acme")
    acting("acme-admin").create_repo(shared)
    with pytest.raises(HfHubHTTPError):
        acting("acme-writer").delete_repo(shared)
    acting("acme-admin").delete_repo(shared)


@pytest.mark.parametrize("kind", KINDS)
def test_move_keeps_content_and_forwards_the_old_name(api, new_id, cache, wire, kind):
    old, new = new_id(), new_id()
    create(api, old, kind)
    api.upload_file(path_or_fileobj=b"kept", path_in_repo="kept.txt", repo_id=old, repo_type=kind)
    api.move_repo(old, new, repo_type=kind)
    assert api.repo_info(new, repo_type=kind).id == new
    assert api.repo_info(old, repo_type=kind).id == new
    path = api.hf_hub_download(old, "kept.txt", repo_type=kind, cache_dir=cache)
    assert open(path, "rb").read() == b"kept"
    answer = wire.get(f"/api/{kind}s/{old}")
    assert (answer.status, answer.headers["Location"]) == (307, f"/api/{kind}s/{new}")
    answer = wire.get(f"/{PREFIX[kind]}{old}/resolve/main/kept.txt")
    assert (answer.status, answer.headers["Location"]) == (307, f"/{PREFIX[kind]}{new}/resolve/main/kept.txt")


def test_move_between_namespaces_needs_both(api, acting, new_id):
    mine, theirs = new_id(), new_id("acme")
    api.create_repo(mine)
    with pytest.raises(HfHubHTTPError) as caught:
        api.move_repo(mine, theirs)
    assert caught.value.response.status_code == 403
    shared, renamed = new_id("acme"), new_id("acme")
    acting("acme-admin").create_repo(shared)
    acting("acme-admin").move_repo(shared, renamed)
    assert acting("acme-reader").repo_info(shared).id == renamed


def test_move_onto_an_existing_name_is_a_conflict(api, new_id):
    first, second = new_id(), new_id()
    api.create_repo(first)
    api.create_repo(second)
    with pytest.raises(HfHubHTTPError) as caught:
        api.move_repo(first, second)
    assert caught.value.response.status_code == 409


def test_move_of_a_missing_repository(api, new_id):
    with pytest.raises(RepositoryNotFoundError):
        api.move_repo(new_id(), new_id())


def test_a_private_repository_is_for_its_owner(api, anonymous, stranger, administrator, private_repo):
    assert api.model_info(private_repo).private is True
    for other in (anonymous, stranger):
        with pytest.raises(RepositoryNotFoundError):
            other.model_info(private_repo)
        with pytest.raises(RepositoryNotFoundError):
            other.list_repo_files(private_repo)
        assert private_repo not in [info.id for info in other.list_models(search=private_repo.split("/")[1])]
    assert private_repo in [info.id for info in api.list_models(search=private_repo.split("/")[1])]


def test_visibility_follows_the_settings(api, anonymous, repo):
    assert anonymous.repo_exists(repo)
    api.update_repo_settings(repo, private=True)
    assert api.model_info(repo).private is True
    assert not anonymous.repo_exists(repo)
    api.update_repo_settings(repo, private=False)
    assert anonymous.repo_exists(repo)


def test_gating_follows_the_settings(api, repo):
    assert api.model_info(repo).gated is False
    for value in ("auto", "manual", False):
        api.update_repo_settings(repo, gated=value)
        assert api.model_info(repo).gated == value


def test_settings_need_the_owner(stranger, acting, repo, new_id):
    with pytest.raises(HfHubHTTPError) as caught:
        stranger.update_repo_settings(repo, private=True)
    assert caught.value.response.status_code == 403
    shared = new_id("acme")
    acting("acme-admin").create_repo(shared)
    with pytest.raises(HfHubHTTPError):
        acting("acme-writer").update_repo_settings(shared, private=True)


def test_unknown_gating_is_a_bad_request(bob, repo):
    assert bob.put(f"/api/models/{repo}/settings", {"gated": "sometimes"}).status == 400


@pytest.mark.parametrize("kind", KINDS)
def test_duplicate_copies_files_of_both_kinds(api, new_id, cache, kind):
    if not hasattr(HfApi, "duplicate_repo"):
        pytest.fail("this client has no duplicate_repo: run it in the environments that have")
    source, target = new_id(), new_id()
    create(api, source, kind)
    api.upload_file(path_or_fileobj=b"text", path_in_repo="a/text.txt", repo_id=source, repo_type=kind)
    api.upload_file(path_or_fileobj=b"\0" * 5000, path_in_repo="weights.bin", repo_id=source, repo_type=kind)
    url = api.duplicate_repo(source, target, repo_type=kind)
    assert url.repo_id == target
    for name, content in (("a/text.txt", b"text"), ("weights.bin", b"\0" * 5000)):
        path = api.hf_hub_download(target, name, repo_type=kind, cache_dir=cache)
        assert open(path, "rb").read() == content
    with pytest.raises(HfHubHTTPError) as caught:
        api.duplicate_repo(source, target, repo_type=kind)
    assert caught.value.response.status_code == 409
    assert api.duplicate_repo(source, target, repo_type=kind, exist_ok=True) == url


def test_a_private_repository_is_not_duplicated_by_others(stranger, private_repo, new_id):
    with pytest.raises(RepositoryNotFoundError):
        stranger.duplicate_repo(private_repo, new_id("mallory"))


def test_auth_check(api, stranger, anonymous, acting, repo, private_repo, new_id):
    for client in (api, stranger, anonymous):
        client.auth_check(repo)
    api.auth_check(repo, write=True)
    with pytest.raises(HfHubHTTPError) as caught:
        stranger.auth_check(repo, write=True)
    assert caught.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError) as caught:
        anonymous.auth_check(repo, write=True)
    assert caught.value.response.status_code == 401
    for client in (stranger, anonymous):
        with pytest.raises(RepositoryNotFoundError):
            client.auth_check(private_repo)
    with pytest.raises(RepositoryNotFoundError):
        api.auth_check(new_id())


def test_a_reading_token_reads_private_content_and_writes_nothing(acting, private_repo, cache):
    reader = acting("bob-read")
    assert open(reader.hf_hub_download(private_repo, "secret.txt", cache_dir=cache)).read() == "secret"
    reader.auth_check(private_repo)
    for attempt in (
        lambda: reader.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=private_repo),
        lambda: reader.create_branch(private_repo, branch="b"),
        lambda: reader.delete_repo(private_repo),
        lambda: reader.update_repo_settings(private_repo, private=False),
        lambda: reader.create_repo("bob/made-with-a-reading-token"),
        lambda: reader.auth_check(private_repo, write=True),
    ):
        with pytest.raises(HfHubHTTPError) as caught:
            attempt()
        assert caught.value.response.status_code == 403


@pytest.mark.parametrize("who, may_write", [("acme-reader", False), ("acme-contributor", False),
                                            ("acme-writer", True), ("acme-admin", True)])
def test_members_see_private_repositories_and_write_by_role(acting, new_id, who, may_write, cache):
    repo_id = new_id("acme")
    acting("acme-admin").create_repo(repo_id, private=True)
    member = acting(who)
    assert member.model_info(repo_id).private
    if may_write:
        member.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo_id)
        assert "x.txt" in member.list_repo_files(repo_id)
    else:
        with pytest.raises(HfHubHTTPError) as caught:
            member.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo_id)
        assert caught.value.response.status_code == 403


def test_a_contributor_writes_what_it_created(acting, new_id):
    repo_id = new_id("acme")
    acting("acme-contributor").create_repo(repo_id)
    acting("acme-contributor").upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo_id)
    assert "x.txt" in acting("acme-reader").list_repo_files(repo_id)


def test_ids_match_in_any_case_and_answer_canonically(api, repo):
    info = api.model_info(repo.upper())
    assert info.id == repo


def test_a_space_remembers_its_sdk(api, new_id):
    repo_id = new_id()
    api.create_repo(repo_id, repo_type="space", space_sdk="static")
    info = api.space_info(repo_id)
    assert info.sdk == "static"
    assert "static" in info.tags


def test_a_space_without_a_known_sdk_is_a_bad_request(bob):
    answer = bob.post("/api/repos/create", {"name": "odd", "organization": "bob", "type": "space", "sdk": "cobol"})
    assert answer.status == 400
    assert isinstance(answer.json()["error"], str)


def test_whoami(api, acting):
    me = api.whoami()
    assert (me["type"], me["name"], me["orgs"]) == ("user", "bob", [])
    assert me["auth"]["accessToken"]["role"] == "write"
    them = acting("acme-admin").whoami()
    assert [(org["name"], org["roleInOrg"]) for org in them["orgs"]] == [("acme", "admin")]


def test_a_large_folder_name_is_a_client_error_and_not_a_crash(api, repo):
    with pytest.raises(HfHubHTTPError) as caught:
        api.upload_file(path_or_fileobj=b"x", path_in_repo="d/" * 3000 + "x", repo_id=repo)
    assert 400 <= caught.value.response.status_code < 500
    assert isinstance(caught.value, (BadRequestError, HfHubHTTPError))
