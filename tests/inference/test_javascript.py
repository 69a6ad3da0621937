"""The JavaScript client, @huggingface/inference, with the worker as its endpoint."""
import json
import os
import subprocess

import pytest
import requests

from conftest import ROOT
from harness.node import node_packages

MESSAGES = [{"role": "user", "content": "where is the cat ?"}]
TEXTS = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]


@pytest.fixture(scope="session")
def node_home():
    return node_packages()


@pytest.fixture
def javascript(node_home):
    def ask(worker, call, **arguments):
        done = subprocess.run(["node", str(ROOT / "tests" / "inference" / "client.mjs"), worker.url, call, json.dumps(arguments)],
                              capture_output=True, text=True, timeout=60, env={**os.environ, "HEARTH_NODE_HOME": node_home})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return ask


def test_chat_whole_and_streamed(javascript, llama):
    settings = dict(messages=MESSAGES, max_tokens=16, temperature=0)
    whole = javascript(llama, "chatCompletion", **settings)
    parts = javascript(llama, "chatCompletionStream", **settings)
    text = whole["choices"][0]["message"]["content"]
    assert "".join(part["choices"][0]["delta"].get("content") or "" for part in parts if part["choices"]) == text
    direct = requests.post(llama.url + "/v1/chat/completions", json=settings, timeout=60).json()
    assert text == direct["choices"][0]["message"]["content"]


def test_text_generation_whole_and_streamed(javascript, llama):
    settings = dict(inputs="the cat", parameters=dict(max_new_tokens=12, temperature=0))
    whole = javascript(llama, "textGeneration", **settings)
    parts = javascript(llama, "textGenerationStream", **settings)
    # The client asks /v1/completions and hands its chunks on as they come.
    assert len(parts) > 1 and "".join(part["choices"][0]["text"] for part in parts) == whole["generated_text"]


def test_embeddings_and_similarities(javascript, minilm):
    vectors = javascript(minilm, "featureExtraction", inputs=TEXTS)
    direct = requests.post(minilm.url + "/embed", json={"inputs": TEXTS, "normalize": False}, timeout=60).json()
    assert vectors == [pytest.approx(row, abs=1e-6) for row in direct]
    near, far = javascript(minilm, "sentenceSimilarity", inputs=dict(source_sentence=TEXTS[0], sentences=TEXTS[1:]))
    assert near > 0.5 > far


def test_what_a_model_cannot_do_is_an_error_with_the_reason(node_home, minilm):
    done = subprocess.run(["node", str(ROOT / "tests" / "inference" / "client.mjs"), minilm.url, "textGeneration",
                           json.dumps({"inputs": "x"})], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "HEARTH_NODE_HOME": node_home})
    assert done.returncode != 0 and "this model is a BertModel, which has no head" in done.stderr, done.stderr
