"""Search ordered by the real MiniLM: what is meant comes before what only has the word."""
import pytest
import requests
from huggingface_hub import HfApi

import test_data
from harness.hub import ADMIN_TOKEN, Hub
from harness.people import eventually

TEXTS = {
    # Each has the word "python" as often, in a card of much the same length.
    "zoo": "# Python\n\nA python is a large snake that lives in warm forests, swallows small animals whole and lays eggs.",
    "code": "# Python\n\nWrite python programs: functions, classes, packages and tests for software that runs everywhere.",
    "comedy": "# Python\n\nSketches of the Monty Python troupe: actors, stage, jokes and films that made people laugh aloud.",
}
# Words that no text has but "python": only their meaning can tell the texts apart.
QUERIES = {"python reptile": "zoo", "python compiler": "code", "python humour": "comedy"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    test_data.ensure()
    hub = Hub(tmp_path_factory.mktemp("hub") / "data", environment={"HEARTH_SEARCH_MODEL": "alice/minilm"}).start()
    yield hub
    hub.stop()


def test_the_order_follows_the_meaning(hub):
    api = HfApi(hub.url, token=ADMIN_TOKEN)
    for name, text in TEXTS.items():
        api.create_repo(f"alice/{name}", repo_type="dataset")
        api.upload_file(repo_id=f"alice/{name}", repo_type="dataset", path_in_repo="README.md", path_or_fileobj=text.encode())

    def names(query):
        answer = requests.get(f"{hub.url}/api/hearth/search", params={"q": query, "type": "dataset"})
        assert answer.ok, answer.text
        return [hit["id"].split("/")[1] for hit in answer.json()["hits"]]
    assert eventually(lambda: len(names("python")) == 3, seconds=30)
    # By words alone, and with a model that is not there yet, the last word tells nothing.
    assert all(len(names(query)) == 3 for query in QUERIES)
    api.create_repo("alice/minilm")
    api.upload_folder(repo_id="alice/minilm", folder_path=str(test_data.DATA / "minilm"))
    assert eventually(lambda: all(names(query)[0] == best for query, best in QUERIES.items()), seconds=120), \
        {query: names(query) for query in QUERIES}
