"""Embeddings of the real MiniLM by every route that clients know."""
import base64
import concurrent.futures
import json
import socket
import subprocess
import urllib.parse

import numpy as np
import openai
import pytest
import requests
from huggingface_hub import InferenceClient

import test_data
from conftest import BINARY, Worker

@pytest.fixture(scope="module")
def minilm_states(tmp_path_factory):
    """The same weights in a repository that says nothing of sentences."""
    folder = tmp_path_factory.mktemp("states")
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).symlink_to(test_data.DATA / "minilm" / name)
    worker = Worker(folder)
    yield worker
    assert worker.stop() == 0


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
    assert info["model_type"] == {"embedding": {"pooling": "mean"}}
    assert requests.get(minilm.url + "/health").status_code == 200


def test_states_of_all_tokens_are_what_is_pooled(minilm):
    states = requests.post(minilm.url + "/embed_all", json={"inputs": TEXTS}).json()
    vectors = requests.post(minilm.url + "/embed", json={"inputs": TEXTS}).json()
    for tokens, vector in zip(states, vectors, strict=True):
        mean = np.array(tokens).mean(axis=0)
        assert mean / np.linalg.norm(mean) == pytest.approx(np.array(vector), abs=2e-3)
    refused = requests.post(minilm.url + "/embed_sparse", json={"inputs": TEXTS})
    assert refused.status_code == 422 and "sparse" in refused.json()["error"]


def test_a_model_without_pooling_gives_its_states(minilm_states):
    states = np.array(requests.post(minilm_states.url + "/pipeline/feature-extraction", json={"inputs": TEXTS[0]}).json())
    assert states.ndim == 3 and states.shape[0] == 1 and states.shape[2] == 384
    several = requests.post(minilm_states.url + "/", json={"inputs": TEXTS})
    assert len(several.json()) == 3 and np.array(several.json()[0]) == pytest.approx(states, abs=2e-3)
    assert len(several.content) < 13 * sum(np.array(item).size for item in several.json()), "no digits that say nothing"
    assert InferenceClient(model=minilm_states.url).feature_extraction(TEXTS[0]).shape == states.shape


@pytest.mark.parametrize("count", [1, 31, 32, 33, 200])
def test_lists_of_any_length_give_the_vectors_of_their_texts(minilm, count):
    texts = [f"t{n % 7}" for n in range(count)]
    single = {text: requests.post(minilm.url + "/embed", json={"inputs": text}).json()[0] for text in set(texts)}
    vectors = requests.post(minilm.url + "/embed", json={"inputs": texts}).json()
    assert len(vectors) == count
    for text, vector in zip(texts, vectors):
        assert vector == pytest.approx(single[text], abs=2e-3)


def test_clients_that_leave_and_short_requests_beside_long_lists(minilm):
    """Each is answered with its own vectors, whatever others ask and whoever leaves meanwhile."""
    expected = {text: requests.post(minilm.url + "/embed", json={"inputs": text}).json()[0] for text in TEXTS}

    def leave(_):
        with socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(minilm.url).port)) as connection:
            body = json.dumps({"inputs": TEXTS[0]}).encode()
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def ask(text):
        return text, requests.post(minilm.url + "/embed", json={"inputs": text}).json()[0]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        long = [pool.submit(requests.post, minilm.url + "/embed", json={"inputs": ["word"] * 300}) for _ in range(3)]
        left = [pool.submit(leave, n) for n in range(30)]
        answers = list(pool.map(ask, list(TEXTS) * 20))
    assert all(len(each.result().json()) == 300 for each in long) and all(each.result() is None for each in left)
    for text, vector in answers:
        assert vector == pytest.approx(expected[text], abs=2e-3)
    assert requests.get(minilm.url + "/health").status_code == 200


# Of one text: the body, and where its vector lies in the answer.
ROUTES = {
    "/embed": (lambda text: {"inputs": text, "normalize": False}, lambda answer: answer[0]),
    "/v1/embeddings": (lambda text: {"input": text, "model": "any"}, lambda answer: answer["data"][0]["embedding"]),
    "/api/embed": (lambda text: {"input": text, "model": "any"}, lambda answer: answer["embeddings"][0]),
    "/api/embeddings": (lambda text: {"prompt": text, "model": "any"}, lambda answer: answer["embedding"]),
    "/": (lambda text: {"inputs": text}, lambda answer: answer),
    "/pipeline/feature-extraction": (lambda text: {"inputs": text}, lambda answer: answer),
}


@pytest.mark.parametrize("route", ROUTES)
def test_sixty_four_clients_at_once_get_their_own_vectors_beside_some_that_leave(minilm, route):
    body, vector = ROUTES[route]
    texts = [f"Number {n} is {'odd' if n % 2 else 'even'}." for n in range(64)]
    alone = requests.post(minilm.url + "/embed", json={"inputs": texts, "normalize": False}).json()

    def leave(text):
        with socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(minilm.url).port)) as connection:
            content = json.dumps(body(text)).encode()
            connection.sendall(b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (route.encode(), len(content)) + content)

    def ask(text):
        answer = requests.post(minilm.url + route, json=body(text))
        assert answer.status_code == 200 and float(answer.headers["x-compute-time"]) >= 0
        return vector(answer.json())

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        left = [pool.submit(leave, text) for text in texts[:16]]
        answers = list(pool.map(ask, texts))
    assert all(each.result() is None for each in left)
    for expected, given in zip(alone, answers):
        assert cosine(expected, given) > 0.999 and given == pytest.approx(expected, abs=2e-2)
    assert requests.get(minilm.url + "/health").status_code == 200


@pytest.mark.parametrize("route, body, status", [
    ("/v1/embeddings", b"{", 400), ("/v1/embeddings", b"{}", 400), ("/v1/embeddings", b'{"input": []}', 400),
    ("/v1/embeddings", b'{"input": "a", "encoding_format": "hex"}', 400), ("/v1/embeddings", b'{"input": "a", "dimensions": 500}', 400),
    ("/v1/embeddings", b'{"input": "a", "dimensions": -1}', 422), ("/v1/embeddings", b'{"input": [[101, 99999999, 102]]}', 400),
    ("/api/embed", b"{}", 400), ("/api/embed", b'{"input": 5}', 422), ("/api/embeddings", b"[1]", 400), ("/api/embeddings", b"{}", 400),
    ("/", b'{"inputs": 5}', 422), ("/", b"{}", 422), ("/", b'{"inputs": "a", "parameters": {"normalize": 1}}', 422),
    ("/pipeline/feature-extraction", b'{"inputs": []}', 422), ("/pipeline/feature-extraction", b'{"inputs": "\xff"}', 400),
    ("/pipeline/sentence-similarity", b'{"inputs": {"source_sentence": "a", "sentences": []}}', 422),
    ("/similarity", b'{"inputs": {"source_sentence": "a", "sentences": ["b", 5]}}', 422)])
def test_malformed_requests_get_a_clear_error_on_every_route(minilm, route, body, status):
    answer = requests.post(minilm.url + route, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"] if route.startswith("/v1/") else error


@pytest.mark.parametrize("route", ROUTES)
def test_bodies_past_the_limit_are_refused_on_every_route(minilm, route):
    answer = requests.post(minilm.url + route, data=json.dumps(ROUTES[route][0]("x" * 3_000_000)))
    assert answer.status_code == 413


def test_numbers_are_as_short_as_they_can_be_and_read_back_as_the_same(minilm):
    answer = requests.post(minilm.url + "/v1/embeddings", json={"input": [TEXTS[0]]})
    numbers = answer.json()["data"][0]["embedding"]
    assert len(answer.content) < 13 * 384 + 200
    packed = requests.post(minilm.url + "/v1/embeddings", json={"input": [TEXTS[0]], "encoding_format": "base64"}).json()
    assert np.frombuffer(base64.b64decode(packed["data"][0]["embedding"]), "<f4") == pytest.approx(np.array(numbers, "<f4"), abs=1e-6)


@pytest.mark.parametrize("route", sorted(set(ROUTES) - {"/api/embeddings"}))
def test_fewer_dimensions_are_the_first_ones(minilm, route):
    body, vector = ROUTES[route]
    whole = np.array(vector(requests.post(minilm.url + route, json=body(TEXTS[0])).json()))
    cut = np.array(vector(requests.post(minilm.url + route, json=body(TEXTS[0]) | {"dimensions": 64}).json()))
    # The model gives vectors of length 1, and so does every route when they are cut.
    assert cut == pytest.approx(whole[:64] / np.linalg.norm(whole[:64]), abs=2e-3) and np.linalg.norm(cut) == pytest.approx(1, abs=1e-4)
    refused = requests.post(minilm.url + route, json=body(TEXTS[0]) | {"dimensions": 385})
    assert refused.status_code == 400 and "dimensions" in refused.text


def test_clients_choose_dimensions(minilm):
    assert InferenceClient(model=minilm.url).feature_extraction(TEXTS[0], dimensions=16, normalize=True).shape == (16,)


def test_metrics_count_what_was_embedded(minilm):
    def count(name):
        lines = requests.get(minilm.url + "/metrics").text.splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name + " "))
    texts, tokens = count("hearth_embedded_texts_total"), count("hearth_embedded_tokens_total")
    used = requests.post(minilm.url + "/v1/embeddings", json={"input": TEXTS}).json()["usage"]["prompt_tokens"]
    assert count("hearth_embedded_texts_total") - texts == 3 and count("hearth_embedded_tokens_total") - tokens == used
    assert count("te_queue_size") == 0


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
    assert len(line) < 13 * 384 + 200, "no digits that say nothing"
    cut = subprocess.run([BINARY, "embed", _folder(), "--dimensions", "64", TEXTS[0]], capture_output=True, text=True, check=True).stdout
    assert np.linalg.norm(json.loads(cut)["embedding"]) == pytest.approx(1, abs=1e-4) and len(json.loads(cut)["embedding"]) == 64


def _folder():
    return str(test_data.DATA / "minilm")
