"""A hub that runs what it holds: real `hearth serve`, unmodified clients, models by id."""
import concurrent.futures
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import openai
import pytest
import requests
from huggingface_hub import HfApi, InferenceClient
from huggingface_hub.errors import HfHubHTTPError

import test_data
from conftest import tiny_llama
from harness.hub import ADMIN_TOKEN, Hub
from harness.people import eventually

MESSAGES = [{"role": "user", "content": "where is the cat ?"}]
WAIT = {"x-wait-for-model": "true"}
ENDLESS = 20000  # tokens: some seconds of work, so a stream is under way for as long as a test looks at it


class ModelHub(Hub):
    def api(self, token=ADMIN_TOKEN):
        return HfApi(self.url, token=token)

    def upload(self, name, folder, private=False):
        self.api().create_repo(name, private=private)
        self.api().upload_folder(repo_id=name, folder_path=str(folder))

    def post(self, path, body, token=ADMIN_TOKEN, **headers):
        if token:
            headers["authorization"] = "Bearer " + token
        return requests.post(self.url + path, json=body, headers=headers)

    def openai(self, token=ADMIN_TOKEN):
        return openai.OpenAI(base_url=self.url + "/v1", api_key=token, max_retries=0)

    def workers(self):
        """Process ids of running workers by the id of their model."""
        found = {}
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                words = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                if b"worker" in words:
                    found[words[words.index(b"--id") + 1].decode()] = int(child)
        return found

    def metric(self, name):
        lines = requests.get(self.url + "/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith(name + " ")).split()[1])

    def warm(self, *models):
        for model in models:
            answer = self.post(f"/models/{model}", {"inputs": "the cat", "parameters": {"max_new_tokens": 1}}, **WAIT)
            assert answer.status_code == 200, answer.text


def endless_llama(folder):
    """Never chooses to stop: its weight for the end token is nothing, and it may write on for long."""
    tiny_llama(folder, positions=ENDLESS + 1000)
    path = folder / "model.safetensors"
    raw = bytearray(path.read_bytes())
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + size])
    start = 8 + size + header["model.embed_tokens.weight"]["data_offsets"][0]
    raw[start:start + 48 * 4] = bytes(48 * 4)
    path.write_bytes(raw)


def gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture(scope="module")
def folders(tmp_path_factory, llama_folder):
    test_data.ensure()
    endless = tmp_path_factory.mktemp("endless")
    endless_llama(endless)
    return {"minilm": test_data.DATA / "minilm", "chat": llama_folder, "endless": endless}


@pytest.fixture(scope="module")
def hub(tmp_path_factory, folders):
    hub = ModelHub(tmp_path_factory.mktemp("hub") / "data")
    hub.start()
    hub.make_user("bob")
    hub.bob = hub.make_token("bob", role="read")
    # Another process made it: the hub looks for such changes a few times a second.
    assert eventually(lambda: requests.get(hub.url + "/api/whoami-v2", headers={"authorization": "Bearer " + hub.bob}).ok)
    for name, folder in folders.items():
        hub.upload(f"alice/{name}", folder)
    yield hub
    workers = hub.workers().values()
    hub.stop()
    assert all(gone(pid) for pid in workers), "a worker outlived its hub"


@pytest.fixture
def small_hub(tmp_path, folders):
    """Its own, with room for one tiny model at a time."""
    hub = ModelHub(tmp_path / "data", environment={"HEARTH_INFERENCE_MEMORY": "80M"})
    hub.start()
    yield hub
    hub.stop()


def test_a_cold_model_says_how_long_and_then_answers(hub, folders):
    hub.upload("alice/fresh", folders["minilm"])
    client = InferenceClient(model=hub.url + "/models/alice/fresh", token=ADMIN_TOKEN)
    with pytest.raises(HfHubHTTPError) as caught:
        client.feature_extraction("Hello")
    response = caught.value.response
    assert response.status_code == 503
    assert response.json()["error"] == "Model alice/fresh is currently loading"
    assert response.json()["estimated_time"] > 0 and int(response.headers["retry-after"]) >= 1
    patient = InferenceClient(model=hub.url + "/models/alice/fresh", token=ADMIN_TOKEN, headers=WAIT)
    vector = patient.feature_extraction("Hello")
    assert vector.shape[-1] == 384
    # Warm now: no need to say that one waits.
    assert (client.feature_extraction("Hello") == vector).all()
    answer = hub.post("/models/alice/fresh", {"inputs": "Hello"})
    assert answer.headers["x-compute-type"] == "cpu" and float(answer.headers["x-compute-time"]) >= 0
    assert hub.post("/models/alice/fresh/health", {}).status_code == 405
    assert requests.get(hub.url + "/models/alice/fresh/health").json() == {"state": "warm"}


def test_every_address_of_a_model_gives_the_same(hub):
    body = {"inputs": {"source_sentence": "a cat", "sentences": ["a kitten", "a stone"]}}
    addresses = ["/models/alice/minilm", "/hf-inference/models/alice/minilm",
                 "/models/alice/minilm/pipeline/sentence-similarity", "/pipeline/sentence-similarity/alice/minilm",
                 "/hf-inference/pipeline/sentence-similarity/alice/minilm",
                 "/hf-inference/models/alice/minilm/pipeline/sentence-similarity"]
    answers = [hub.post(address, body, **WAIT) for address in addresses]
    assert [answer.status_code for answer in answers] == [200] * len(addresses)
    assert all(answer.json() == answers[0].json() for answer in answers)
    close, far = answers[0].json()
    assert close > 0.5 > far
    embedded = hub.post("/models/alice/minilm/embed", {"inputs": "a cat"}).json()[0]
    assert embedded == pytest.approx(hub.openai().embeddings.create(
        model="alice/minilm", input="a cat", encoding_format="float").data[0].embedding, abs=1e-6)


def test_openai_by_model_id(hub):
    client = hub.openai()
    whole = client.chat.completions.create(model="alice/chat", messages=MESSAGES, max_tokens=24, temperature=0)
    assert whole.model == "alice/chat"
    text = whole.choices[0].message.content
    stream = client.chat.completions.create(model="alice/chat:hf-inference", messages=MESSAGES, max_tokens=24,
                                            temperature=0, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == text
    by_hugging_face = InferenceClient(base_url=hub.url + "/v1", api_key=ADMIN_TOKEN).chat_completion(
        MESSAGES, model="alice/chat", max_tokens=24, temperature=0)
    assert by_hugging_face.choices[0].message.content == text
    by_address = InferenceClient(model=hub.url + "/models/alice/chat", token=ADMIN_TOKEN).chat_completion(
        MESSAGES, max_tokens=24, temperature=0)
    assert by_address.choices[0].message.content == text
    below = openai.OpenAI(base_url=hub.url + "/hf-inference/models/alice/chat/v1", api_key=ADMIN_TOKEN)
    assert below.chat.completions.create(model="any", messages=MESSAGES, max_tokens=24,
                                         temperature=0).choices[0].message.content == text
    assert "alice/chat" in [model.id for model in client.models.list()]
    assert client.models.retrieve("alice/chat").id == "alice/chat"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("alice/nothing")
    assert [model.id for model in below.models.list()] == ["alice/chat"]


def test_models_that_nobody_has_loaded_are_listed_and_answer(hub, folders):
    hub.upload("alice/asleep", folders["chat"])
    client = hub.openai()
    assert eventually(lambda: {"alice/asleep": "cold"}.items() <= {model.id: model.status for model in client.models.list()}.items())
    status = lambda: requests.get(hub.url + "/status/alice/asleep").json()  # noqa: E731
    assert status() == {"loaded": False, "state": "Loadable", "compute_type": "cpu", "framework": status()["framework"]}
    hub.warm("alice/asleep")
    listed = [model.id for model in client.models.list()]
    assert listed[0] == "alice/asleep", "loaded ones first"
    assert status()["state"] == "Loaded"


def test_tei_and_tgi_below_a_model(hub):
    hub.warm("alice/minilm", "alice/chat")
    states = hub.post("/models/alice/minilm/embed_all", {"inputs": "a cat"}).json()
    assert len(states) == 1 and len(states[0]) == 4 and len(states[0][0]) == 384
    assert hub.post("/models/alice/minilm/embed_sparse", {"inputs": "a cat"}).status_code == 422
    tokens = hub.post("/models/alice/chat/chat_tokenize", {"messages": MESSAGES}).json()
    assert tokens["templated_text"].startswith("<|user|>")


def test_tgi_by_address(hub):
    client = InferenceClient(model=hub.url + "/models/alice/chat", token=ADMIN_TOKEN, headers=WAIT)
    whole = client.text_generation("the cat", max_new_tokens=12)
    assert "".join(client.text_generation("the cat", max_new_tokens=12, stream=True)) == whole
    assert requests.get(hub.url + "/models/alice/chat/info").json()["model_id"] == "alice/chat"
    generated = hub.post("/models/alice/chat/generate", {"inputs": "the cat", "parameters": {"max_new_tokens": 12}})
    assert generated.json()["generated_text"] == whole


def test_who_may_not_see_a_model_learns_nothing(hub, folders):
    hub.upload("alice/secret", folders["chat"], private=True)
    bob = hub.bob
    hub.warm("alice/secret")
    for token, status in ((bob, 404), (None, 401)):
        for path in ("/models/alice/{}", "/pipeline/text-generation/alice/{}", "/hf-inference/models/alice/{}/v1/completions"):
            hidden, missing = (hub.post(path.format(name), {"inputs": "a"}, token) for name in ("secret", "nothing"))
            assert hidden.status_code == missing.status_code == status
            assert hidden.text == missing.text.replace("nothing", "secret")
        hidden, missing = (hub.post("/v1/chat/completions", {"model": f"alice/{name}", "messages": MESSAGES}, token)
                           for name in ("secret", "nothing"))
        assert hidden.status_code == missing.status_code == status
        assert hidden.text == missing.text.replace("nothing", "secret")
    with pytest.raises(openai.NotFoundError):
        hub.openai(bob).chat.completions.create(model="alice/nothing", messages=MESSAGES)
    with pytest.raises(openai.NotFoundError):
        hub.openai(bob).chat.completions.create(model="nobody", messages=MESSAGES)
    assert "alice/secret" not in requests.get(hub.url + "/v1/models").text
    assert "alice/secret" in [model.id for model in hub.openai().models.list()]


def test_a_gate_holds(hub, folders):
    hub.upload("alice/gated", folders["chat"])
    hub.api().update_repo_settings("alice/gated", gated="manual")
    bob = hub.bob
    answer = hub.post("/models/alice/gated", {"inputs": "a"}, bob)
    assert answer.status_code == 403 and answer.headers["x-error-code"] == "GatedRepo"


def test_bodies_that_are_wrong_or_too_large(hub):
    hub.warm("alice/chat")
    assert hub.post("/models/alice/chat", {"nothing": 1}).status_code == 422
    assert hub.post("/models/alice/chat", {"inputs": "a" * 3_000_000}).status_code == 413
    assert hub.post("/v1/chat/completions", {"messages": MESSAGES}).status_code == 400
    assert hub.post("/v1/chat/completions", {"model": 7, "messages": MESSAGES}).json()["error"]["message"]


def test_sixteen_streams_at_once_are_as_alone(hub):
    """As far as rounding goes: rows of a larger batch are summed in another order, and late tokens may be near ties."""
    prompts = [f"the {a} {b}" for a in ("cat", "dog", "tree", "mat") for b in ("sat", "ran", "was", "red")]
    client = hub.openai()

    def ask(prompt, tokens):
        stream = client.completions.create(model="alice/chat", prompt=prompt, max_tokens=tokens, temperature=0, stream=True)
        chunks = [chunk.choices[0] for chunk in stream if chunk.choices]
        return "".join(chunk.text for chunk in chunks), chunks[-1].finish_reason
    alone = [ask(prompt, 8) for prompt in prompts]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, prompts, [8] * 16)) == alone
        for (text, reason), (begin, _) in zip(pool.map(ask, prompts, [40] * 16), alone):
            assert text.startswith(begin) and reason in ("stop", "length")


def test_a_worker_killed_in_a_stream_ends_it_clearly(hub):
    hub.warm("alice/endless")
    client = hub.openai()
    stream = client.completions.create(model="alice/endless", prompt="the", max_tokens=ENDLESS, temperature=0, stream=True)
    next(iter(stream))
    first = hub.workers()["alice/endless"]
    os.kill(first, signal.SIGKILL)
    with pytest.raises(openai.APIError, match="worker ended"):
        list(stream)
    # The next request finds a new one.
    assert client.completions.create(model="alice/endless", prompt="the", max_tokens=2).choices[0].text
    second = hub.workers()["alice/endless"]
    assert second != first
    by_hugging_face = InferenceClient(model=hub.url + "/models/alice/endless", token=ADMIN_TOKEN)
    tokens = by_hugging_face.text_generation("the", max_new_tokens=ENDLESS, stream=True)
    next(tokens)
    os.kill(second, signal.SIGKILL)
    with pytest.raises(Exception, match="worker ended"):
        list(tokens)
    assert eventually(lambda: hub.metric("hearth_inference_crashes_total") >= 2)


class WorkerMetrics:
    """Straight to a worker's socket, with the token that only it and the hub know."""

    def __init__(self, pid):
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        self.path = words[words.index("--listen") + 1].removeprefix("unix:")
        environment = pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0")
        self.environment = dict(line.split("=", 1) for line in environment if line)

    def ask(self, token):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.path)
            connection.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def value(self, name):
        text = self.ask(self.environment["HEARTH_WORKER_TOKEN"])
        return int(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])

    def running(self):
        return self.value("tgi_batch_current_size")


def test_a_client_that_leaves_ends_its_request_in_the_worker(hub):
    hub.warm("alice/endless")
    worker = WorkerMetrics(hub.workers()["alice/endless"])
    host, port = hub.url.removeprefix("http://").split(":")
    body = json.dumps({"inputs": "the cat", "parameters": {"max_new_tokens": ENDLESS}})
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"POST /models/alice/endless/generate_stream HTTP/1.1\r\nHost: x\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert b"200" in connection.recv(100)
        assert eventually(lambda: worker.running() == 1)
    assert eventually(lambda: worker.running() == 0)
    assert eventually(lambda: hub.metric("hearth_inference_active_requests") == 0)


@pytest.mark.parametrize("path, body", [
    ("/models/alice/endless", {"inputs": "the cat", "parameters": {"max_new_tokens": ENDLESS}}),
    ("/models/alice/endless/generate", {"inputs": "the cat", "parameters": {"max_new_tokens": ENDLESS}}),
    ("/v1/completions", {"model": "alice/endless", "prompt": "the cat", "max_tokens": ENDLESS, "temperature": 0, "n": 2}),
    ("/v1/completions", {"model": "alice/endless", "prompt": "the cat", "max_tokens": ENDLESS, "temperature": 0, "n": 2, "use_beam_search": True}),
    ("/v1/chat/completions", {"model": "alice/endless", "messages": MESSAGES, "max_tokens": ENDLESS, "temperature": 0}),
    ("/api/generate", {"model": "alice/endless", "prompt": "the cat", "stream": False, "options": {"num_predict": ENDLESS, "temperature": 0}}),
], ids=["task", "tgi", "completions", "beams", "chat", "ollama"])
def test_a_client_that_leaves_ends_its_whole_answer_too(hub, path, body):
    """Nothing has been answered when the connection closes: the sequences leave the batch all the same."""
    hub.warm("alice/endless")
    worker = WorkerMetrics(hub.workers()["alice/endless"])
    before = worker.value("tgi_request_generated_tokens_total")
    host, port = hub.url.removeprefix("http://").split(":")
    body = json.dumps(body)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert eventually(lambda: worker.running() >= 1)
    assert eventually(lambda: worker.running() == 0)
    assert worker.value("tgi_request_generated_tokens_total") - before < ENDLESS
    assert eventually(lambda: hub.metric("hearth_inference_active_requests") == 0)


def test_a_worker_knows_its_own_secret_only(hub):
    hub.warm("alice/chat")
    worker = WorkerMetrics(hub.workers()["alice/chat"])
    assert set(worker.environment) == {"PATH", "LANG", "HEARTH_WORKER_TOKEN"}
    assert worker.ask("another").startswith("HTTP/1.1 401")
    descriptors = pathlib.Path(f"/proc/{hub.workers()['alice/chat']}/fd")
    opened = [os.readlink(descriptor) for descriptor in descriptors.iterdir()]
    assert not [path for path in opened if path.endswith((".db", ".db-wal", ".key", ".log"))], opened


def test_a_worker_is_confined_by_the_kernel(hub):
    """A filter of system calls, in all of its threads, unless this kernel has none (said in the log then)."""
    hub.warm("alice/chat")
    threads = pathlib.Path(f"/proc/{hub.workers()['alice/chat']}/task")
    for thread in threads.iterdir():
        status = dict(line.split(":\t", 1) for line in (thread / "status").read_text().splitlines() if ":\t" in line)
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", thread
    # What it serves goes on, with threads that are made later.
    assert hub.post("/v1/completions", {"model": "alice/chat", "prompt": "a", "max_tokens": 2}).ok


def test_too_many_requests_are_refused_before_they_are_read(hub):
    hub.warm("alice/chat")
    pid = hub.workers()["alice/chat"]
    host, port = hub.url.removeprefix("http://").split(":")
    body = json.dumps({"inputs": "a", "parameters": {"max_new_tokens": 1}})
    request = f"POST /models/alice/chat HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    before = hub.metric("hearth_inference_active_requests")
    os.kill(pid, signal.SIGSTOP)
    try:
        waiting = [socket.create_connection((host, int(port))) for _ in range(64)]
        for connection in waiting:
            connection.sendall(request)
        assert eventually(lambda: hub.metric("hearth_inference_active_requests") == before + 64)
        # The rest of this body never comes.
        with socket.create_connection((host, int(port))) as refused:
            refused.sendall(b"POST /models/alice/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{")
            head = refused.recv(4096).decode()
        assert head.startswith("HTTP/1.1 429") and "Retry-After" in head
        with pytest.raises(openai.RateLimitError):
            hub.openai().completions.create(model="alice/chat", prompt="a", max_tokens=1)
        # Another model has a queue of its own.
        hub.warm("alice/minilm")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert all(connection.recv(12) == b"HTTP/1.1 200" for connection in waiting)
    hub.warm("alice/chat")


def test_a_new_commit_is_served(hub, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    tiny_llama(folder)
    hub.upload("alice/moving", folder)
    ask = {"inputs": "the cat", "parameters": {"max_new_tokens": 30, "return_full_text": False}}
    old = hub.post("/models/alice/moving", ask, **WAIT).json()
    first = hub.workers()["alice/moving"]
    # A card changes nothing that a worker reads.
    hub.api().upload_file(repo_id="alice/moving", path_in_repo="README.md", path_or_fileobj=b"# A model\n")
    assert hub.post("/models/alice/moving", ask).json() == old
    assert hub.workers()["alice/moving"] == first
    tiny_llama(folder, seed=4)
    hub.api().upload_folder(repo_id="alice/moving", folder_path=str(folder))
    new = hub.post("/models/alice/moving", ask, **WAIT)
    assert new.status_code == 200 and new.json() != old
    assert hub.workers()["alice/moving"] != first
    assert eventually(lambda: gone(first))
    # What the old commit needed is gone with its worker.
    models = hub.data / "inference" / "models"
    number = {path.name.split("-")[0] for path in models.iterdir()
              if path.name.endswith(hub.api().model_info("alice/moving").sha)}
    assert len(number) == 1
    assert eventually(lambda: len([path for path in models.iterdir() if path.name.startswith(next(iter(number)) + "-")]) == 1)


def test_a_model_that_cannot_be_run_says_why_until_it_is_mended(hub, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    tiny_llama(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(dict(config, model_type="unheard", architectures=["UnheardForCausalLM"])))
    hub.upload("alice/broken", folder)
    answer = hub.post("/models/alice/broken", {"inputs": "a"}, **WAIT)
    assert answer.status_code == 422 and "unheard" in answer.json()["error"].lower(), answer.text
    again = hub.post("/models/alice/broken", {"inputs": "a"})
    assert again.status_code == 422 and again.text == answer.text, "told at once, not tried again"
    with pytest.raises(openai.UnprocessableEntityError, match="cannot run here"):
        hub.openai().completions.create(model="alice/broken", prompt="a")
    (folder / "config.json").write_text(json.dumps(config))
    hub.api().upload_file(repo_id="alice/broken", path_in_repo="config.json", path_or_fileobj=str(folder / "config.json"))
    hub.warm("alice/broken")
    hub.api().create_repo("alice/empty")
    nothing = hub.post("/models/alice/empty", {"inputs": "a"})
    assert nothing.status_code == 422 and "no weights" in nothing.json()["error"]


def test_a_client_sees_only_what_the_worker_said(hub):
    hub.warm("alice/chat")
    answer = hub.post("/models/alice/chat", {"inputs": "a", "parameters": {"max_new_tokens": 1}},
                      cookie="other=1", origin="https://elsewhere.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers
    assert answer.headers["server"] == "hearth" and len(answer.headers["date"]) > 10


def test_memory_is_shared_by_letting_the_oldest_go(small_hub, folders):
    small_hub.upload("alice/one", folders["chat"])
    small_hub.upload("alice/two", folders["endless"])
    small_hub.upload("alice/large", folders["minilm"])
    small_hub.warm("alice/one")
    assert set(small_hub.workers()) == {"alice/one"}
    small_hub.warm("alice/two")
    assert set(small_hub.workers()) == {"alice/two"}
    answer = small_hub.post("/models/alice/large", {"inputs": "a"}, **WAIT)
    assert answer.status_code == 422 and "memory" in answer.json()["error"]
    # A model that is answering is not taken away: the other one waits for it.
    with small_hub.openai().completions.create(model="alice/two", prompt="the", max_tokens=ENDLESS, temperature=0, stream=True) as stream:
        next(iter(stream))
        assert small_hub.post("/models/alice/one", {"inputs": "a"}).status_code == 503
        assert set(small_hub.workers()) == {"alice/two"}
    small_hub.warm("alice/one")
    assert small_hub.metric("hearth_inference_evictions_total") == 2


def test_idle_models_go_and_off_means_off(tmp_path, folders):
    hub = ModelHub(tmp_path / "data", environment={"HEARTH_INFERENCE_IDLE": "1s"})
    hub.start()
    try:
        hub.upload("alice/chat", folders["chat"])
        hub.warm("alice/chat")
        assert eventually(lambda: not hub.workers())
        hub.warm("alice/chat")
        hub.stop()
        hub.environment = {"HEARTH_INFERENCE": "off"}
        hub.start()
        assert hub.post("/models/alice/chat", {"inputs": "a"}).status_code == 501
        assert hub.post("/v1/chat/completions", {"model": "alice/chat", "messages": MESSAGES}).status_code == 501
    finally:
        hub.stop()


def test_no_worker_outlives_a_hub_that_was_killed(tmp_path, folders):
    hub = ModelHub(tmp_path / "data")
    hub.start()
    try:
        hub.upload("alice/chat", folders["chat"])
        hub.warm("alice/chat")
        worker = hub.workers()["alice/chat"]
        hub.kill()
        assert eventually(lambda: gone(worker))
        hub.start()
        hub.warm("alice/chat")
    finally:
        hub.stop()


def test_files_that_are_stored_whole_are_not_copied(tmp_path, folders):
    hub = ModelHub(tmp_path / "data", environment={"HEARTH_XET_CONVERT_AFTER": "off"})
    hub.start()
    try:
        hub.api().create_repo("alice/chat")
        script = ("import sys; from huggingface_hub import HfApi;"
                  "HfApi(sys.argv[1], token=sys.argv[2]).upload_folder(repo_id='alice/chat', folder_path=sys.argv[3])")
        subprocess.run([sys.executable, "-c", script, hub.url, ADMIN_TOKEN, str(folders["chat"])], check=True,
                       env=dict(os.environ, HF_HUB_DISABLE_XET="1"))
        hub.warm("alice/chat")
        weights = next((hub.data / "inference" / "models").glob("*/model.safetensors"))
        assert weights.stat().st_nlink == 2
        assert weights.read_bytes() == (folders["chat"] / "model.safetensors").read_bytes()
    finally:
        hub.stop()
