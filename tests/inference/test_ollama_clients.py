"""Ollama's own clients, unmodified: the packages `ollama` of PyPI and of npm, against a worker and against a hub."""
import json
import os
import subprocess

import ollama
import pytest
import requests

import test_data
from conftest import ROOT, TEMPLATE, Worker, tiny_llama
from harness.hub import ADMIN_TOKEN, Hub
from harness.node import node_packages
from harness.people import eventually
from huggingface_hub import HfApi

MESSAGES = [{"role": "user", "content": "where is the cat ?"}]
TOOL_TEMPLATE = "{% if tools %}<tool_call>{{ tools | tojson }}</tool_call>{% endif %}" + TEMPLATE
SURE = {"temperature": 0, "num_predict": 12}
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Of a city.", "parameters": {
    "type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}}}


@pytest.fixture(scope="module")
def hub(tmp_path_factory, llama_folder):
    test_data.ensure()
    hub = Hub(tmp_path_factory.mktemp("hub") / "data")
    hub.start()
    api = HfApi(hub.url, token=ADMIN_TOKEN)
    for name, folder in {"chat": llama_folder, "minilm": test_data.DATA / "minilm"}.items():
        api.create_repo(f"alice/{name}")
        api.upload_folder(repo_id=f"alice/{name}", folder_path=str(folder))
    # What runs is judged a moment after the commit.
    listed = {"headers": {"authorization": "Bearer " + ADMIN_TOKEN}}
    assert eventually(lambda: len(requests.get(hub.url + "/api/tags", **listed).json()["models"]) == 2)
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def on_hub(hub):
    return ollama.Client(hub.url, headers={"authorization": "Bearer " + ADMIN_TOKEN})


@pytest.fixture
def javascript():
    home = node_packages()

    def ask(url, call, token="", **arguments):
        done = subprocess.run(["node", str(ROOT / "tests" / "inference" / "ollama_client.mjs"), url, call, json.dumps(arguments)],
                              capture_output=True, text=True, timeout=120,
                              env={**os.environ, "HEARTH_NODE_HOME": home, "HEARTH_TOKEN": token})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return ask


def openai_text(llama):
    answer = requests.post(llama.url + "/v1/chat/completions", json=dict(messages=MESSAGES, temperature=0, max_tokens=12))
    return answer.json()["choices"][0]["message"]["content"]


def test_python_chat_whole_and_streamed(llama):
    client = ollama.Client(llama.url)
    whole = client.chat("test/model", MESSAGES, options=SURE)
    assert whole.message.role == "assistant" and whole.message.content == openai_text(llama)
    assert whole.done and whole.done_reason in ("length", "stop") and whole.eval_count > 0 and whole.prompt_eval_count > 0
    parts = list(client.chat("test/model", MESSAGES, options=SURE, stream=True))
    assert "".join(part.message.content for part in parts) == whole.message.content
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True] and parts[-1].total_duration > 0


def test_python_generate_whole_and_streamed(llama):
    client = ollama.Client(llama.url)
    whole = client.generate("test/model", "the cat", raw=True, options=SURE)
    plain = requests.post(llama.url + "/v1/completions", json=dict(prompt="the cat", temperature=0, max_tokens=12)).json()
    assert whole.response == plain["choices"][0]["text"]
    parts = list(client.generate("test/model", "the cat", raw=True, options=SURE, stream=True))
    assert "".join(part.response for part in parts) == whole.response and parts[-1].done
    # No prompt: the model is loaded, and that is all.
    assert client.generate("test/model").done_reason == "load"


def test_python_formats_and_tools(llama):
    client = ollama.Client(llama.url)
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"], "additionalProperties": False}
    answer = client.chat("test/model", MESSAGES, format=schema, options={"temperature": 0, "num_predict": 200})
    if answer.done_reason == "stop":
        assert isinstance(json.loads(answer.message.content)["age"], int)
    else:
        assert answer.message.content.lstrip().startswith("{")
    # The template of this model knows no tools, which is told; what a tool said can be told all the same, the call's
    # arguments an object as Ollama has them.
    with pytest.raises(ollama.ResponseError, match="knows no tools") as caught:
        client.chat("test/model", MESSAGES, tools=[WEATHER], options=SURE)
    assert caught.value.status_code == 422
    called = [*MESSAGES, {"role": "assistant", "content": "", "tool_calls": [
        {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]},
        {"role": "tool", "tool_name": "get_weather", "content": "11 degrees"}]
    assert client.chat("test/model", called, options=SURE).done


def test_python_calls_of_tools(tmp_path):
    """A model that is made to call: the arguments come as an object, whole and streamed."""
    tiny_llama(tmp_path)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings["chat_template"] = TOOL_TEMPLATE
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    worker = Worker(tmp_path, "--precision", "fp32")
    client = ollama.Client(worker.url)
    for stream in (False, True):
        answers = client.chat("test/model", MESSAGES, tools=[WEATHER], options=SURE, stream=stream)
        for answer in answers if stream else [answers]:
            for call in answer.message.tool_calls or []:
                assert call.function.name == "get_weather" and isinstance(call.function.arguments, dict)
        assert answer.done
    assert worker.stop() == 0


def test_python_logprobs(llama):
    client = ollama.Client(llama.url)
    theirs = requests.post(llama.url + "/v1/chat/completions", json=dict(messages=MESSAGES, temperature=0, max_tokens=12, logprobs=True,
                                                                        top_logprobs=2)).json()["choices"][0]["logprobs"]["content"]
    expected = [(each["token"], each["logprob"], [other["token"] for other in each["top_logprobs"]]) for each in theirs]
    whole = client.chat("test/model", MESSAGES, options=SURE, logprobs=True, top_logprobs=2)
    parts = list(client.chat("test/model", MESSAGES, options=SURE, logprobs=True, top_logprobs=2, stream=True))
    for found in (whole.logprobs, [each for part in parts for each in part.logprobs or []]):
        assert [(each.token, each.logprob, [other.token for other in each.top_logprobs]) for each in found] == expected
    assert client.chat("test/model", MESSAGES, options=SURE).logprobs is None
    made = client.generate("test/model", "the cat", raw=True, options=SURE, logprobs=True)
    assert len(made.logprobs) == made.eval_count


def test_python_thinking_is_the_templates(tmp_path):
    tiny_llama(tmp_path)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings["chat_template"] = ("{% if enable_thinking is defined %}{{ 'cat' if enable_thinking else 'mat' }}{% endif %}"
                                 "{% if reasoning_effort == 'high' %}dog{% endif %}" + TEMPLATE)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    worker = Worker(tmp_path, "--precision", "fp32")
    client = ollama.Client(worker.url)
    tokens = {think: client.chat("test/model", MESSAGES, options=SURE, think=think).prompt_eval_count for think in (None, False, True, "high")}
    assert tokens[None] + 3 == tokens[False] == tokens[True] == tokens["high"] - 3
    assert client.generate("test/model", MESSAGES[0]["content"], options=SURE, think="high").prompt_eval_count == tokens["high"]
    answer = requests.post(worker.url + "/api/chat", json={"messages": MESSAGES, "think": "much"})
    assert answer.status_code == 400 and "think" in answer.json()["error"]
    assert worker.stop() == 0


def test_python_embeddings(minilm):
    client = ollama.Client(minilm.url)
    two = client.embed("test/model", ["a cat", "a stone"])
    direct = requests.post(minilm.url + "/embed", json={"inputs": ["a cat", "a stone"]}).json()
    assert [list(vector) for vector in two.embeddings] == [pytest.approx(vector, abs=1e-6) for vector in direct]
    assert list(client.embed("test/model", "a cat").embeddings[0]) == pytest.approx(direct[0], abs=1e-5)
    assert len(client.embeddings("test/model", "a cat").embedding) == 384


def test_python_lists_and_shows(llama):
    client = ollama.Client(llama.url)
    (entry,) = client.list().models
    assert entry.model == "test/model" and entry.size > 0 and entry.details.family == "llama" and entry.modified_at.year >= 2026
    shown = client.show("test/model")
    assert "completion" in shown.capabilities and shown.modelinfo["general.architecture"] == "llama"


def test_python_against_a_hub(hub, on_hub):
    assert {model.model for model in on_hub.list().models} == {"alice/chat", "alice/minilm"}
    whole = on_hub.chat("alice/chat", MESSAGES, options=SURE)
    assert whole.done and whole.model == "alice/chat"
    parts = list(on_hub.generate("alice/chat:latest", "the cat", options=SURE, stream=True))
    assert parts[-1].done and any(part.response for part in parts)
    assert len(on_hub.embed("alice/minilm", "a cat").embeddings[0]) == 384
    assert "embedding" in on_hub.show("alice/minilm").capabilities
    assert "completion" in on_hub.show("alice/chat").capabilities
    assert "alice/chat" in [model.model for model in on_hub.ps().models]
    with pytest.raises(ollama.ResponseError) as caught:
        on_hub.chat("alice/nothing", MESSAGES)
    assert caught.value.status_code == 404 and "not found" in caught.value.error.lower()
    # What the model cannot do is told with the reason.
    with pytest.raises(ollama.ResponseError) as caught:
        on_hub.chat("alice/minilm", MESSAGES)
    assert caught.value.status_code == 422 and caught.value.error


def test_javascript_against_a_worker(javascript, llama, minilm):
    settings = dict(model="test/model", messages=MESSAGES, options=SURE)
    whole = javascript(llama.url, "chat", **settings)
    parts = javascript(llama.url, "chat", stream=True, **settings)
    assert whole["message"]["content"] == openai_text(llama) == "".join(part["message"]["content"] for part in parts)
    assert parts[-1]["done"] and parts[-1]["eval_count"] > 0
    texts = javascript(llama.url, "generate", model="test/model", prompt="the cat", options=SURE, stream=True)
    assert "".join(part["response"] for part in texts) == javascript(
        llama.url, "generate", model="test/model", prompt="the cat", options=SURE)["response"]
    assert len(javascript(minilm.url, "embed", model="test/model", input=["a", "b"])["embeddings"]) == 2


def test_javascript_against_a_hub(javascript, hub):
    listed = javascript(hub.url, "list", token=ADMIN_TOKEN)
    assert {model["name"] for model in listed["models"]} == {"alice/chat", "alice/minilm"}
    assert "embedding" in javascript(hub.url, "show", token=ADMIN_TOKEN, model="alice/minilm")["capabilities"]
    parts = javascript(hub.url, "chat", token=ADMIN_TOKEN, model="alice/chat", messages=MESSAGES, options=SURE, stream=True)
    assert parts[-1]["done"]
    assert len(javascript(hub.url, "embed", token=ADMIN_TOKEN, model="alice/minilm", input="a")["embeddings"][0]) == 384
