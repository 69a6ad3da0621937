"""What a hub says of the models that it runs, to clients that look for them, to pages and to local applications."""
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import requests
from huggingface_hub import HfApi

import test_data
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests"))
from harness.hub import ADMIN_TOKEN, Hub  # noqa: E402
from harness.people import eventually  # noqa: E402

ADMIN = {"Authorization": "Bearer " + ADMIN_TOKEN}
CARD = "---\npipeline_tag: sentence-similarity\ntags: [feature-extraction, sentence-similarity]\nlicense: apache-2.0\n---\n# Small\n"
CHAT_CARD = "---\npipeline_tag: text-generation\nwidget:\n- text: where is the <b>cat</b> ?\n  example_title: Cats & dogs\n---\n# Chat\n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory, llama_folder):
    test_data.ensure()
    hub = Hub(tmp_path_factory.mktemp("pages") / "data")
    hub.start()
    api = HfApi(hub.url, token=ADMIN_TOKEN)
    odd = tmp_path_factory.mktemp("odd")
    shutil.copytree(llama_folder, odd, dirs_exist_ok=True)
    (odd / "config.json").write_text(json.dumps({"model_type": "lama", "architectures": ["LamaForCausalLM"]}))
    for name, folder, card in [("minilm", test_data.DATA / "minilm", CARD), ("chat", llama_folder, CHAT_CARD), ("odd", odd, CHAT_CARD)]:
        api.create_repo(f"alice/{name}")
        api.upload_folder(repo_id=f"alice/{name}", folder_path=str(folder), ignore_patterns=["README.md"])
        api.upload_file(repo_id=f"alice/{name}", path_in_repo="README.md", path_or_fileobj=card.encode())
    # The card of the last commit shows once the indexer has read it.
    while "warm" not in [model.inference for model in api.list_models(pipeline_tag="text-generation", expand=["inference"])]:
        pass
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def api(hub):
    return HfApi(hub.url, token=ADMIN_TOKEN)


def in_client(hub, code):
    """Runs code in a process whose client takes this hub for the public one and its router."""
    start = (f"import huggingface_hub.constants as c; c.INFERENCE_PROXY_TEMPLATE = '{hub.url}/{{provider}}'\n"
             "from huggingface_hub import InferenceClient\n"
             f"client = InferenceClient(provider='hf-inference', api_key='{ADMIN_TOKEN}', headers={{'x-wait-for-model': 'true'}})\n")
    done = subprocess.run([sys.executable, "-c", start + code], env=dict(os.environ, HF_ENDPOINT=hub.url), text=True,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_client_finds_what_runs(api):
    assert {model.id for model in api.list_models(inference="warm")} == {"alice/minilm", "alice/chat"}
    assert {model.id for model in api.list_models(inference_provider="hf-inference")} == {"alice/minilm", "alice/chat"}
    assert {model.id for model in api.list_models(inference_provider="all", pipeline_tag="text-generation")} == {"alice/chat"}
    assert list(api.list_models(inference_provider="together")) == []
    row = next(iter(api.list_models(inference="warm", pipeline_tag="text-generation", expand=["inferenceProviderMapping"])))
    assert [(m.provider, m.provider_id, m.status, m.task) for m in row.inference_provider_mapping] == [
        ("hf-inference", "alice/chat", "live", "conversational")]


def test_one_model_is_described_alike(api):
    info = api.model_info("alice/minilm", expand=["inference", "inferenceProviderMapping"])
    assert info.inference == "warm"
    mapping, = info.inference_provider_mapping
    assert (mapping.provider, mapping.provider_id, mapping.status, mapping.task) == (
        "hf-inference", "alice/minilm", "live", "sentence-similarity")
    odd = api.model_info("alice/odd", expand=["inference", "inferenceProviderMapping"])
    assert odd.inference is None and not odd.inference_provider_mapping


def test_a_provider_serves_embeddings_and_chat(hub):
    assert "384" in in_client(hub, "print(client.feature_extraction('Hello', model='alice/minilm').shape)")
    answer = in_client(hub, "print(client.sentence_similarity('a cat', ['a kitten', 'a stone'], model='alice/minilm'))")
    close, far = json.loads(answer)
    assert close > far
    text = in_client(hub, "for part in client.chat_completion([{'role': 'user', 'content': 'hi'}], model='alice/chat', max_tokens=5,"
                          " stream=True): print(part.choices[0].delta.content or '', end='')")
    assert text


def test_a_client_without_a_model_gets_one_that_runs(hub):
    close, far = json.loads(in_client(hub, "print(client.sentence_similarity('a cat', ['a kitten', 'a stone']))"))
    assert close > far


def test_the_status_follows_the_model(hub):
    path = hub.url + "/api/models/alice/chat/inference"
    assert requests.post(path + "/unload").status_code == 401
    requests.post(path + "/unload", headers=ADMIN).raise_for_status()
    requests.post(path + "/warm", headers=ADMIN).raise_for_status()
    seen = set()
    while "warm" not in seen:
        status = requests.get(path).json()
        assert status["state"] in ("cold", "loading", "warm"), status
        seen.add(status["state"])
        assert 0 <= status.get("progress", 0) <= 1
    assert status["tasks"][:2] == ["text-generation", "conversational"] and status["task"] == "conversational"
    assert status["memory_bytes"] > 0 and status["pinned"] is False
    pinned = requests.post(path + "/pin", headers=ADMIN).json()
    assert pinned["state"] == "warm"
    loaded = requests.get(hub.url + "/api/inference/loaded", headers=ADMIN).json()
    assert "alice/chat" in [model["id"] for model in loaded["models"]]
    assert 0 < loaded["memory_bytes"] <= loaded["memory_budget_bytes"]
    requests.post(path + "/unpin", headers=ADMIN).raise_for_status()


def test_a_model_that_does_not_run_says_so_at_every_door(hub):
    reason = "models of type \"lama\" do not run here yet; types near to it that do: llama"
    assert requests.get(hub.url + "/api/models/alice/odd/inference").json() == {"state": "unsupported", "tasks": [], "reason": reason}
    assert "Does not run here" in requests.get(hub.url + "/alice/odd").text
    answer = requests.post(hub.url + "/models/alice/odd", json={"inputs": "x"}, headers=ADMIN)
    assert answer.status_code == 422 and reason in answer.json()["error"]


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.widget, self.names, self.examples = None, set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("id") == "widget":
            self.widget = attributes
        if "name" in attributes:
            self.names.add(attributes["name"])
        if "data-example" in attributes:
            self.examples.append(json.loads(attributes["data-example"]))


def test_the_page_holds_the_form_of_each_task(hub):
    answer = requests.get(hub.url + "/alice/chat")
    page = Page(answer.text)
    assert page.widget["data-model"] == "alice/chat" and page.widget["data-path"] == "/alice/chat"
    assert {"task", "message", "inputs", "max_new_tokens", "stop", "clear"} <= page.names
    assert page.examples == [{"text": "where is the <b>cat</b> ?", "example_title": "Cats & dogs"}]
    assert {"source_sentence", "sentences"} <= Page(requests.get(hub.url + "/alice/minilm").text).names


def test_the_requests_of_the_page_are_answered(hub):
    """What the page's script sends for each task that these models have, in its own words."""
    ask = requests.Session()
    ask.headers.update(ADMIN | {"x-wait-for-model": "true"})
    scores = ask.post(hub.url + "/models/alice/minilm/pipeline/sentence-similarity",
                      json={"inputs": {"source_sentence": "a cat", "sentences": ["a kitten", "a stone"]}}).json()
    assert len(scores) == 2 and all(isinstance(score, float) for score in scores)
    vector = ask.post(hub.url + "/models/alice/minilm/pipeline/feature-extraction", json={"inputs": "a cat"}).json()
    assert isinstance(vector, list)
    stream = ask.post(hub.url + "/models/alice/chat", stream=True,
                      json={"inputs": "the cat", "parameters": {"max_new_tokens": 8}, "stream": True})
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[5:]) for line in stream.iter_lines() if line.startswith(b"data:")]
    assert all("token" in event for event in events) and events[-1]["generated_text"]
    chat = ask.post(hub.url + "/models/alice/chat/v1/chat/completions", stream=True, json={
        "model": "alice/chat", "messages": [{"role": "user", "content": "hi"}], "stream": True, "max_tokens": 8})
    lines = [line[5:].strip() for line in chat.iter_lines() if line.startswith(b"data:")]
    assert lines[-1] == b"[DONE]"
    assert json.loads(lines[0])["choices"][0]["delta"]["role"] == "assistant"


# --- Ollama's words

def test_ollama_chats_in_lines_and_whole(hub):
    body = {"model": "alice/chat", "messages": [{"role": "user", "content": "where is the cat ?"}],
            "options": {"temperature": 0, "num_predict": 12}}
    stream = requests.post(hub.url + "/api/chat", json=body, headers=ADMIN, stream=True)
    assert stream.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in stream.iter_lines()]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert all(line["model"] == "alice/chat" and line["message"]["role"] == "assistant" for line in lines)
    whole = requests.post(hub.url + "/api/chat", json=body | {"stream": False}, headers=ADMIN).json()
    assert whole["message"]["content"] == "".join(line["message"]["content"] for line in lines)
    for end in (lines[-1], whole):
        assert end["done_reason"] in ("stop", "length") and end["eval_count"] <= 12
        assert end["total_duration"] >= end["eval_duration"] > 0 and end["prompt_eval_count"] > 0


def test_ollama_generates_embeds_and_lists(hub):
    made = requests.post(hub.url + "/api/generate", headers=ADMIN, json={
        "model": "alice/chat:latest", "prompt": "the cat", "raw": True, "stream": False, "options": {"num_predict": 6}}).json()
    assert made["done"] and made["response"] and made["eval_count"] <= 6
    loaded = requests.post(hub.url + "/api/generate", headers=ADMIN, json={"model": "alice/chat"}).json()
    assert loaded["done_reason"] == "load" and loaded["response"] == ""
    embedded = requests.post(hub.url + "/api/embed", headers=ADMIN, json={"model": "alice/minilm", "input": ["a cat", "a dog"]}).json()
    assert [len(vector) for vector in embedded["embeddings"]] == [384, 384]
    assert sum(x * x for x in embedded["embeddings"][0]) == pytest.approx(1, abs=1e-3)
    old = requests.post(hub.url + "/api/embeddings", headers=ADMIN, json={"model": "alice/minilm", "prompt": "a cat"}).json()
    assert len(old["embedding"]) == 384
    assert {model["name"] for model in requests.get(hub.url + "/api/tags").json()["models"]} == {"alice/chat", "alice/minilm"}
    assert "alice/chat" in [model["name"] for model in requests.get(hub.url + "/api/ps").json()["models"]]
    show = requests.post(hub.url + "/api/show", json={"model": "alice/chat"}).json()
    assert "completion" in show["capabilities"] and "<|assistant|>" in show["template"]
    assert requests.post(hub.url + "/api/chat", json={"model": "alice/none", "messages": []}, headers=ADMIN).status_code == 404


# --- limits

def test_callers_that_ask_too_often_wait(tmp_path, hub, llama_folder):
    small = Hub(tmp_path / "data", environment={"HEARTH_INFERENCE_REQUESTS_ANONYMOUS": "2", "HEARTH_INFERENCE_REQUESTS": "3"})
    small.start()
    try:
        small.make_user("bob")
        token = small.make_token("bob", "read")
        api = HfApi(small.url, token=ADMIN_TOKEN)
        api.create_repo("alice/chat")
        api.upload_folder(repo_id="alice/chat", folder_path=str(llama_folder))

        def ask(headers):
            return requests.post(small.url + "/models/alice/chat", headers=headers | {"x-wait-for-model": "true"},
                                 json={"inputs": "the", "parameters": {"max_new_tokens": 1}})
        assert [ask({}).status_code for _ in range(3)] == [200, 200, 429]
        refused = ask({})
        assert refused.json()["error_type"] == "overloaded" and int(refused.headers["retry-after"]) > 0
        assert re.fullmatch(r'"inference";r=0;t=\d+', refused.headers["ratelimit"])
        assert re.search(r"q=2;w=300", refused.headers["ratelimit-policy"])
        bob = {"Authorization": "Bearer " + token}
        assert eventually(lambda: requests.get(small.url + "/api/whoami-v2", headers=bob).ok)
        assert [ask(bob).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert [ask(ADMIN).status_code for _ in range(5)] == [200] * 5
    finally:
        small.stop()
