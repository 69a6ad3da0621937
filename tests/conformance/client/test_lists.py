"""Lists, search, filters, sorting, expansion and paging through the client library."""
import time

import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import BadRequestError

MODELS = {
    "bert": "license: mit\nlanguage: [en, fr]\npipeline_tag: fill-mask\nlibrary_name: transformers\ntags: [zoo]\n"
            "datasets: [bob/zoo-words]",
    "llama": "license: apache-2.0\nlanguage: en\npipeline_tag: text-generation\nlibrary_name: transformers\ntags: [zoo]",
    "whisper": "license: mit\nlanguage: de\npipeline_tag: automatic-speech-recognition\ntags: [zoo, audio]",
    "plain": "tags: [zoo]",
}


def eventually(read, expected, seconds=10):
    """Facts are computed by a job after the commit: reads until it holds, within a bound."""
    deadline = time.monotonic() + seconds
    while True:
        found = read()
        if found == expected or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


@pytest.fixture(scope="module")
def zoo(api):
    for name, card in MODELS.items():
        api.create_repo(f"bob/zoo-{name}")
        api.upload_file(path_or_fileobj=f"---\n{card}\n---\n# {name}\n".encode(), path_in_repo="README.md",
                        repo_id=f"bob/zoo-{name}")
    api.create_repo("bob/zoo-words", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"---\nlicense: cc-by-4.0\nlanguage: fr\ntask_categories: [text-classification]\n"
                    b"size_categories: [n<1K]\npretty_name: Words\ntags: [zoo]\n---\n", path_in_repo="README.md",
                    repo_id="bob/zoo-words", repo_type="dataset")
    api.create_repo("bob/zoo-demo", repo_type="space", space_sdk="gradio")
    api.upload_file(path_or_fileobj=b"---\ntitle: Demo\nemoji: X\nsdk: gradio\nmodels: [bob/zoo-bert]\n"
                    b"datasets: [bob/zoo-words]\ntags: [zoo]\n---\n",
                    path_in_repo="README.md", repo_id="bob/zoo-demo", repo_type="space")
    assert eventually(lambda: len(list(api.list_models(filter="zoo"))), len(MODELS)) == len(MODELS)
    assert eventually(lambda: len(list(api.list_datasets(filter="zoo"))), 1) == 1
    assert eventually(lambda: len(list(api.list_spaces(filter="zoo"))), 1) == 1
    return "zoo"


def models(api, **query):
    return sorted(info.id.removeprefix("bob/zoo-") for info in api.list_models(author="bob", **query))


@pytest.mark.parametrize("query, expected", [
    (dict(filter="zoo"), ["bert", "llama", "plain", "whisper"]),
    (dict(search="zoo-LLA"), ["llama"]),
    (dict(filter=["zoo", "license:mit"]), ["bert", "whisper"]),
    (dict(filter=["zoo", "license:mit", "audio"]), ["whisper"]),
    (dict(filter=["zoo", "fr"]), ["bert"]),
    (dict(filter=["zoo", "language:en"]), ["bert", "llama"]),
    (dict(filter="zoo", pipeline_tag="text-generation"), ["llama"]),
    (dict(filter=["zoo", "text-generation"]), ["llama"]),
    (dict(filter=["zoo", "transformers"]), ["bert", "llama"]),
    (dict(trained_dataset="bob/zoo-words"), ["bert"]),
    (dict(filter=["zoo", "license:gpl-3.0"]), []),
    (dict(filter="zoo", gated=True), []),
    (dict(filter="zoo", gated=False), ["bert", "llama", "plain", "whisper"]),
    (dict(search="no-such-name-anywhere"), []),
])
def test_filters(anonymous, zoo, query, expected):
    assert models(anonymous, **query) == expected


def test_author_of_nobody(anonymous, zoo):
    assert list(anonymous.list_models(author="nobody-of-that-name")) == []


@pytest.mark.parametrize("query, expected", [
    (dict(language="fr"), ["bob/zoo-words"]),
    (dict(task_categories="text-classification"), ["bob/zoo-words"]),
    (dict(size_categories="n<1K"), ["bob/zoo-words"]),
    (dict(filter="license:cc-by-4.0"), ["bob/zoo-words"]),
    (dict(dataset_name="zoo-words"), ["bob/zoo-words"]),
    (dict(dataset_name="zoo", search="nothing"), []),
    (dict(language="en"), []),
])
def test_data_set_filters(anonymous, zoo, query, expected):
    query = {"filter": "zoo"} | query
    query["filter"] = ["zoo", query["filter"]]
    assert [info.id for info in anonymous.list_datasets(author="bob", **query)] == expected


@pytest.mark.parametrize("query", [dict(filter="gradio"), dict(models="bob/zoo-bert"), dict(datasets="bob/zoo-words"),
                                   dict(search="zoo-demo")])
def test_space_filters(anonymous, zoo, query):
    query["filter"] = ["zoo", query.get("filter", "zoo")]
    assert [info.id for info in anonymous.list_spaces(author="bob", **query)] == ["bob/zoo-demo"]


@pytest.mark.parametrize("sort, field", [("created_at", "created_at"), ("last_modified", "last_modified"),
                                         ("likes", "likes"), ("downloads", "downloads"),
                                         ("trending_score", "trending_score")])
def test_sort_is_descending(anonymous, zoo, sort, field):
    values = [getattr(info, field) for info in anonymous.list_models(filter="zoo", sort=sort, full=True)]
    assert len(values) == 4 and all(value is not None for value in values)
    assert values == sorted(values, reverse=True)


def test_newest_first_by_creation(anonymous, zoo):
    assert [info.id.removeprefix("bob/zoo-") for info in anonymous.list_models(filter="zoo", sort="created_at")] == \
        list(reversed(MODELS))


def test_limit_and_paging(anonymous, wire, zoo):
    assert len(list(anonymous.list_models(filter="zoo", limit=2))) == 2
    seen, target = [], "/api/models?filter=zoo&limit=1&sort=createdAt"
    for _ in range(10):
        answer = wire.get(target)
        seen += [row["id"] for row in answer.json()]
        link = answer.headers.get("Link")
        if not link:
            break
        assert link.startswith(f"<http://{wire.host}:{wire.port}/api/models?") and link.endswith('>; rel="next"')
        target = link[1:].split(">")[0].split(str(wire.port), 1)[1]
    assert seen == [f"bob/zoo-{name}" for name in reversed(MODELS)]


def test_paging_survives_changes_between_pages(api, wire, zoo, new_id):
    """A cursor names a position, not a count: a new repository neither hides nor repeats a row."""
    first = wire.get("/api/models?filter=zoo&limit=2&sort=createdAt")
    api.create_repo(new_id())
    target = first.headers["Link"][1:].split(">")[0].split(str(wire.port), 1)[1]
    rest = wire.get(target).json()
    ids = [row["id"] for row in first.json() + rest]
    assert ids[:4] == [f"bob/zoo-{name}" for name in reversed(MODELS)]


def test_plain_rows_have_the_plain_fields(wire, zoo):
    row = wire.get("/api/models?filter=zoo&search=zoo-bert").json()[0]
    assert {"_id", "id", "modelId", "private", "likes", "downloads", "tags", "createdAt"} <= set(row)
    assert (row["id"], row["modelId"], row["pipeline_tag"], row["library_name"]) == (
        "bob/zoo-bert", "bob/zoo-bert", "fill-mask", "transformers")
    assert len(row["_id"]) == 24 and int(row["_id"], 16) >= 0
    assert "siblings" not in row and "cardData" not in row


def test_full_rows_have_more(anonymous, zoo):
    info = next(iter(anonymous.list_models(search="zoo-bert", full=True)))
    assert info.author == "bob" and len(info.sha) == 40 and info.last_modified is not None
    assert {sibling.rfilename for sibling in info.siblings} == {".gitattributes", "README.md"}


def test_card_data_in_rows(anonymous, zoo):
    info = next(iter(anonymous.list_models(search="zoo-bert", cardData=True)))
    assert info.card_data["license"] == "mit"
    assert info.card_data["language"] == ["en", "fr"]


def test_expand_gives_what_is_asked_and_no_more(wire, zoo):
    row = wire.get("/api/models?search=zoo-bert&expand=likes&expand=tags").json()[0]
    assert set(row) == {"_id", "id", "likes", "tags"}
    row = wire.get("/api/models?search=zoo-bert&expand[]=sha").json()[0]
    assert set(row) == {"_id", "id", "sha"}


EXPAND = {
    "models": ["author", "baseModels", "cardData", "childrenModelCount", "config", "createdAt", "disabled", "downloads",
               "downloadsAllTime", "evalResults", "gated", "gguf", "inference", "inferenceProviderMapping", "lastModified",
               "library_name", "likes", "mask_token", "model-index", "pipeline_tag", "private", "resourceGroup",
               "safetensors", "sha", "siblings", "spaces", "tags", "transformersInfo", "trendingScore", "usedStorage",
               "widgetData"],
    "datasets": ["author", "cardData", "citation", "createdAt", "description", "disabled", "downloads",
                 "downloadsAllTime", "gated", "lastModified", "likes", "mainSize", "paperswithcode_id", "private",
                 "resourceGroup", "sha", "siblings", "tags", "trendingScore", "usedStorage"],
    "spaces": ["author", "cardData", "createdAt", "datasets", "disabled", "lastModified", "likes", "models", "private",
               "region", "resourceGroup", "runtime", "sdk", "sha", "siblings", "subdomain", "tags", "trendingScore",
               "usedStorage"],
}


@pytest.mark.parametrize("kind", EXPAND)
def test_every_expansion_is_known(wire, zoo, kind):
    for field in EXPAND[kind]:
        answer = wire.get(f"/api/{kind}?filter=zoo&expand={field}")
        assert answer.status == 200, (field, answer)
        assert answer.json()
        for row in answer.json():
            assert set(row) <= {"_id", "id", field}, (field, row)
    assert wire.get(f"/api/{kind}?expand=noSuchField").status == 400


def test_expansions_parse_in_the_client(anonymous, zoo):
    listed = {
        "models": anonymous.list_models(filter="zoo", expand=EXPAND["models"][:-1]),
        "datasets": anonymous.list_datasets(filter="zoo", expand=EXPAND["datasets"]),
        "spaces": anonymous.list_spaces(filter="zoo", expand=[f for f in EXPAND["spaces"] if f != "region"]),
    }
    for kind, rows in listed.items():
        assert list(rows), kind


def test_unknown_expansion_is_a_bad_request(anonymous, zoo):
    with pytest.raises(BadRequestError):
        list(anonymous.list_models(expand=["noSuchField"]))


def test_unknown_sort_is_a_bad_request(wire):
    assert wire.get("/api/models?sort=colour").status == 400


def test_private_rows_only_for_those_who_may(api, anonymous, stranger, acting, new_id):
    mine, shared = new_id(), new_id("acme")
    api.create_repo(mine, private=True)
    acting("acme-admin").create_repo(shared, private=True)

    def sees(client):
        return {info.id for info in client.list_models()} & {mine, shared}

    assert sees(api) == {mine}
    assert sees(acting("acme-reader")) == {shared}
    assert sees(anonymous) == sees(stranger) == set()


def test_deleted_and_moved_rows(api, anonymous, new_id):
    one, two, three = new_id(), new_id(), new_id()
    api.create_repo(one)
    api.create_repo(two)
    api.delete_repo(one)
    api.move_repo(two, three)
    ids = [info.id for info in anonymous.list_models(author="bob")]
    assert one not in ids and two not in ids and three in ids


def test_tags_by_type(api, wire, zoo):
    tags = api.get_model_tags()
    assert {"pipeline_tag", "library", "license", "language", "dataset"} <= set(tags)
    assert any(tag["id"] == "license:mit" for tag in tags["license"])
    tags = api.get_dataset_tags()
    assert {"task_categories", "license", "language", "size_categories"} <= set(tags)
    only = wire.get("/api/models-tags-by-type?type=license").json()
    assert set(only) == {"license"}


def test_quick_search(wire, zoo):
    found = wire.get("/api/quicksearch?q=zoo-").json()
    assert "bob/zoo-bert" in [row["id"] for row in found["models"]]
    assert "bob/zoo-words" in [row["id"] for row in found["datasets"]]
    assert found["q"] == "zoo-"
    assert "bob" in [row["user"] for row in wire.get("/api/quicksearch?q=bob").json()["users"]]


def test_quick_search_hides_private_names(api, wire, new_id):
    repo_id = new_id()
    api.create_repo(repo_id, private=True)
    name = repo_id.split("/")[1]
    assert wire.get(f"/api/quicksearch?q={name}").json()["models"] == []


def test_many_rows_come_in_pages(api, anonymous):
    for number in range(25):
        api.create_repo(f"bob/page-{number:02}", repo_type="dataset")
    listed = [info.id for info in anonymous.list_datasets(search="bob/page-", limit=25, sort="created_at")]
    assert listed == [f"bob/page-{number:02}" for number in reversed(range(25))]
    api.create_commit("bob/page-00", repo_type="dataset", commit_message="touch",
                      operations=[CommitOperationAdd("a.txt", b"a")])
    newest = next(iter(anonymous.list_datasets(search="bob/page-", sort="last_modified")))
    assert newest.id == "bob/page-00"
