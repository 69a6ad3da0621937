"""Embeddings of the real MiniLM by every route that clients know."""
import base64
import json
import subprocess

import numpy as np
import openai
import pytest
import requests
from huggingface_hub import InferenceClient

from conftest import BINARY

TEXTS = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]


def cosine(a, b):
    return float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_openai_client_gets_vectors_of_the_models_size(minilm):
    client = openai.OpenAI(base_url=minilm.url + "/v1", api_key="unused")
    answer = client.embeddings.create(model="test/model", input=TEXTS)
    vectors = [np.array(item.embedding) for item in answer.data]
    assert [item.index for item in answer.data] == [0, 1, 2]
    assert all(vector.shape == (384,) for vector in vectors)
    # As sentence-transformers gives them (its card's example): the first two say nearly the same.
    assert cosine(vectors[0], vectors[1]) > 0.7 > 0.2 > cosine(vectors[0], vectors[2])
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 20


def test_float_and_base64_forms_hold_the_same_numbers(minilm):
    def vector(form):
        answer = requests.post(minilm.url + "/v1/embeddings", json={"input": TEXTS[0], "encoding_format": form}).json()
        return answer["data"][0]["embedding"]
    packed = np.frombuffer(base64.b64decode(vector("base64")), dtype="<f4")
    assert np.allclose(vector("float"), packed, atol=1e-7)


def test_inference_client_feature_extraction_and_similarity(minilm):
    client = InferenceClient(model=minilm.url)
    vector = client.feature_extraction(TEXTS[0], normalize=True)
    assert vector.shape == (384,) and abs(np.linalg.norm(vector) - 1) < 1e-4
    scores = client.sentence_similarity(TEXTS[0], other_sentences=TEXTS[1:])
    assert len(scores) == 2 and scores[0] > 0.7 > scores[1]


def test_tei_routes(minilm):
    vectors = requests.post(minilm.url + "/embed", json={"inputs": TEXTS}).json()
    assert np.array(vectors).shape == (3, 384)
    ids = requests.post(minilm.url + "/tokenize", json={"inputs": "Hello world"}).json()[0]
    assert [token["id"] for token in ids] == [101, 7592, 2088, 102]
    assert [token["special"] for token in ids] == [True, False, False, True]
    text = requests.post(minilm.url + "/decode", json={"ids": [101, 7592, 2088, 102]}).json()
    assert text == ["hello world"]
    info = requests.get(minilm.url + "/info").json()
    assert info["model_id"] == "test/model" and info["model_pipeline_tag"] == "feature-extraction"
    assert requests.get(minilm.url + "/health").status_code == 200


def test_texts_that_are_too_long_are_cut_or_refused(minilm):
    long = "word " * 2000
    assert requests.post(minilm.url + "/embed", json={"inputs": long, "truncate": True}).status_code == 200
    refused = requests.post(minilm.url + "/embed", json={"inputs": long, "truncate": False})
    assert refused.status_code == 422 and refused.json()["error_type"] == "validation"


@pytest.mark.parametrize("body, status", [
    (b"{", 400), (b"[]", 400), (b"{}", 422), (b'{"inputs": 5}', 422), (b'{"inputs": []}', 422),
    (b'{"inputs": "a", "prompt_name": "none"}', 422), (b'{"inputs": "\xff"}', 400)])
def test_malformed_bodies_get_a_clear_error(minilm, body, status):
    answer = requests.post(minilm.url + "/embed", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_body_past_the_limit_is_refused(minilm):
    answer = requests.post(minilm.url + "/embed", data=b'{"inputs": "' + b"x" * 3_000_000 + b'"}')
    assert answer.status_code == 413


def test_a_task_that_the_model_cannot_do_says_why(minilm):
    answer = requests.post(minilm.url + "/v1/chat/completions", json={"messages": [{"role": "user", "content": "Hi"}]})
    assert answer.status_code == 422
    assert "has no head for chat" in answer.json()["error"]["message"]


def test_command_line_gives_the_same_vectors(minilm):
    line = subprocess.run([BINARY, "embed", _folder(), TEXTS[0]], capture_output=True, text=True, check=True).stdout
    served = requests.post(minilm.url + "/v1/embeddings", json={"input": TEXTS[0]}).json()["data"][0]["embedding"]
    assert np.allclose(json.loads(line)["embedding"], served, atol=1e-5)


def _folder():
    import test_data
    return str(test_data.DATA / "minilm")
