"""Text and chat by unmodified clients, streamed and whole, alone and in company."""
import concurrent.futures
import json
import socket
import urllib.parse

import openai
import pytest
import requests
from huggingface_hub import InferenceClient

from conftest import Worker

MESSAGES = [{"role": "user", "content": "where is the cat ?"}]


@pytest.fixture(scope="module")
def client(llama):
    return openai.OpenAI(base_url=llama.url + "/v1", api_key="unused")


def test_chat_whole_and_streamed_are_the_same(client):
    whole = client.chat.completions.create(model="m", messages=MESSAGES, max_tokens=24, temperature=0)
    assert whole.choices[0].message.role == "assistant"
    assert whole.choices[0].finish_reason in ("length", "stop")
    assert whole.usage.completion_tokens <= 24
    stream = client.chat.completions.create(model="m", messages=MESSAGES, max_tokens=24, temperature=0, stream=True,
                                            stream_options={"include_usage": True})
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason


def test_a_seed_repeats_and_n_gives_several(client):
    def ask(seed, n=1):
        answer = client.chat.completions.create(model="m", messages=MESSAGES, max_tokens=16, temperature=1.5, seed=seed, n=n)
        return [choice.message.content for choice in answer.choices]
    assert ask(7) == ask(7)
    assert ask(7) != ask(8)
    several = ask(7, n=3)
    assert len(several) == 3 and several[0] == ask(7)[0] and len(set(several)) > 1


def test_logprobs_come_with_alternatives(client):
    answer = client.chat.completions.create(model="m", messages=MESSAGES, max_tokens=4, temperature=0, logprobs=True,
                                            top_logprobs=3)
    tokens = answer.choices[0].logprobs.content
    assert len(tokens) == answer.usage.completion_tokens
    for token in tokens:
        best = token.top_logprobs[0]
        assert len(token.top_logprobs) == 3 and token.logprob == best.logprob <= 0


def test_stop_strings_end_the_text_before_them(client):
    whole = client.completions.create(model="m", prompt="the cat", max_tokens=20, temperature=0).choices[0].text
    stop = whole[5:7]
    cut = client.completions.create(model="m", prompt="the cat", max_tokens=20, temperature=0, stop=[stop]).choices[0]
    assert cut.text == whole[:whole.index(stop)] and cut.finish_reason == "stop"


def test_an_answer_by_a_json_schema_is_valid(client):
    schema = {"type": "object", "properties": {"name": {"enum": ["cat", "dog"]}, "age": {"type": "integer", "minimum": 0, "maximum": 9}},
              "required": ["name", "age"], "additionalProperties": False}
    answer = client.chat.completions.create(
        model="m", messages=MESSAGES, max_tokens=200, temperature=1, seed=3,
        response_format={"type": "json_schema", "json_schema": {"name": "pet", "schema": schema}})
    value = json.loads(answer.choices[0].message.content)
    assert value["name"] in ("cat", "dog") and 0 <= value["age"] <= 9


def test_inference_client_generates_and_streams(llama):
    client = InferenceClient(model=llama.url)
    whole = client.text_generation("the cat", max_new_tokens=12, do_sample=False)
    assert "".join(client.text_generation("the cat", max_new_tokens=12, do_sample=False, stream=True)) == whole
    detailed = client.text_generation("the cat", max_new_tokens=12, do_sample=False, details=True)
    assert detailed.generated_text == whole
    assert detailed.details.generated_tokens == len(detailed.details.tokens)
    by_regex = client.text_generation("the cat", max_new_tokens=30, grammar={"type": "regex", "value": "(yes|no), [0-9]{3}"})
    assert by_regex in {f"{word}, {number:03}" for word in ("yes", "no") for number in range(1000)}


def test_inference_client_chats_at_a_base_url(llama):
    client = InferenceClient(base_url=llama.url)
    answer = client.chat_completion(MESSAGES, max_tokens=8, temperature=0)
    streamed = client.chat_completion(MESSAGES, max_tokens=8, temperature=0, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices)
    assert text == answer.choices[0].message.content


def test_sixteen_streams_at_once_get_what_they_get_alone(client):
    prompts = [f"the cat number {i} sat" for i in range(16)]

    def ask(prompt):
        stream = client.completions.create(model="m", prompt=prompt, max_tokens=30, temperature=0, stream=True)
        return "".join(chunk.choices[0].text for chunk in stream)
    alone = [ask(prompt) for prompt in prompts]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, prompts)) == alone


def test_a_client_that_leaves_frees_its_place(llama):
    """The answer would take all of the context; the metrics tell that nothing runs a moment after the hang-up."""
    address = urllib.parse.urlparse(llama.url)
    body = json.dumps({"inputs": "the cat", "parameters": {"max_new_tokens": 480, "do_sample": True, "temperature": 2.0}})
    connection = socket.create_connection((address.hostname, address.port))
    connection.sendall(f"POST /generate_stream HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    connection.recv(100)
    connection.close()

    def running():
        lines = requests.get(llama.url + "/metrics").text.splitlines()
        return int(next(line for line in lines if line.startswith("tgi_batch_current_size ")).split()[1])
    # Ends by the test's own time limit when the request goes on for ever.
    while running():
        pass


@pytest.mark.parametrize("path, body, status, text", [
    ("/generate", {"inputs": "a", "parameters": {"max_new_tokens": 0}}, 422, "strictly positive"),
    ("/generate", {"inputs": "a", "parameters": {"temperature": -1}}, 422, "strictly positive"),
    ("/generate", {"inputs": ""}, 422, "cannot be empty"),
    ("/generate", {"inputs": "a " * 5000}, 422, "tokens"),
    ("/generate", {"parameters": {}}, 422, "inputs"),
    ("/v1/chat/completions", {"messages": []}, 400, "empty"),
    ("/v1/chat/completions", {"messages": "hello"}, 400, "messages"),
    ("/generate", {"inputs": "a", "parameters": {"stop": "a"}}, 422, "stop"),
    ("/generate", {"inputs": "a", "parameters": {"truncate": 0}}, 422, "strictly positive"),
    ("/generate", {"inputs": "a", "parameters": {"watermark": True}}, 422, "watermark"),
    ("/generate", {"inputs": "a", "parameters": [1]}, 422, "parameters"),
    ("/", {"inputs": "a", "parameters": "none"}, 422, "parameters"),
    ("/v1/chat/completions", {"messages": [{"content": "x"}]}, 400, "role"),
    ("/v1/chat/completions", {"messages": [{"role": 5, "content": "x"}]}, 400, "role"),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": 5}]}, 400, "content"),
    ("/v1/completions", {"prompt": ["a"] * 65}, 422, "at most 64"),
    ("/v1/completions", {"prompt": ["a", 5]}, 422, "prompt"),
    ("/v1/chat/completions", {"messages": MESSAGES, "temperature": 1000}, 400, "temperature"),
    ("/v1/chat/completions", {"messages": MESSAGES, "n": 1000}, 422, "n"),
    ("/v1/chat/completions", {"messages": MESSAGES, "response_format": {"type": "yaml"}}, 422, "yaml"),
    ("/v1/completions", {"prompt": [1, "a"]}, 400, "whole numbers"),
    ("/v1/completions", {"prompt": [99999]}, 422, "vocabulary"),
    ("/nowhere", {}, 404, "path"),
])
def test_bad_requests_name_what_is_wrong(llama, path, body, status, text):
    answer = requests.post(llama.url + path, json=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert text in (error["message"] if isinstance(error, dict) else error)


def test_a_list_of_prompts_is_answered_in_its_order(client):
    """OpenAI's form for batches: the choices of the first prompt, then those of the second."""
    prompts, settings = ["the cat", "a dog", "where is"], dict(model="m", max_tokens=6, temperature=0)
    alone = [client.completions.create(prompt=prompt, **settings) for prompt in prompts]
    texts = [answer.choices[0].text for answer in alone]
    together = client.completions.create(prompt=prompts, **settings)
    assert [choice.index for choice in together.choices] == [0, 1, 2]
    assert [choice.text for choice in together.choices] == texts
    assert together.usage.prompt_tokens == sum(answer.usage.prompt_tokens for answer in alone)
    assert together.usage.completion_tokens == sum(answer.usage.completion_tokens for answer in alone)
    twice = client.completions.create(prompt=prompts, n=2, echo=True, **settings)
    assert [choice.text for choice in twice.choices] == [before + text for before, text in zip(prompts, texts) for _ in range(2)]
    best = client.completions.create(prompt=prompts, best_of=3, **settings)
    assert [choice.text for choice in best.choices] == texts
    beams = client.completions.create(prompt=prompts, extra_body={"use_beam_search": True, "best_of": 2}, **settings)
    assert len(beams.choices) == 3
    streamed = [""] * 6
    for chunk in client.completions.create(prompt=prompts, n=2, stream=True, stream_options={"include_usage": True}, **settings):
        for choice in chunk.choices:
            streamed[choice.index] += choice.text
    assert streamed == [text for text in texts for _ in range(2)]
    assert chunk.usage.prompt_tokens == together.usage.prompt_tokens
    judged = client.completions.create(prompt=prompts[:2], logprobs=1, echo=True, **settings)
    for choice, answer in zip(judged.choices, alone):
        assert "".join(choice.logprobs.tokens) == choice.text and choice.logprobs.token_logprobs[0] is None
        assert len(choice.logprobs.tokens) == answer.usage.total_tokens


def test_all_of_vllms_tokens_are_drawn_from(client):
    assert client.completions.create(model="m", prompt="the", max_tokens=2, extra_body={"top_k": -1}).choices


def test_tokens_in_tgis_words(llama):
    text = "the cat ÿ?"
    tokens = requests.post(llama.url + "/tokenize", json={"inputs": text}).json()
    assert "".join(token["text"] for token in tokens if token["stop"] <= len("the cat ")) == "the cat "
    assert all(text[token["start"]:token["stop"]] == token["text"] for token in tokens)
    chat = requests.post(llama.url + "/chat_tokenize", json={"messages": MESSAGES}).json()
    assert chat["templated_text"] == "<|user|> where is the cat ? <|assistant|> "
    assert [token["text"] for token in chat["tokenize_response"]][0] == "<|user|>"
    asked = requests.post(llama.url + "/v1/chat/completions", json={"messages": MESSAGES, "max_tokens": 1}).json()
    assert len(chat["tokenize_response"]) == asked["usage"]["prompt_tokens"]


def test_a_prompt_is_cut_to_its_end(llama):
    def ask(inputs, **parameters):
        body = {"inputs": inputs, "parameters": {"max_new_tokens": 8, "details": True, "decoder_input_details": True} | parameters}
        return requests.post(llama.url + "/generate", json=body).json()
    cut, whole = ask("the big cat", truncate=3), ask("cat")
    assert [token["text"] for token in cut["details"]["prefill"]] == ["c", "a", "t"]
    assert cut["generated_text"] == whole["generated_text"]
    assert cut["details"]["seed"] is None, "nothing was drawn"
    assert ask("the", do_sample=True, seed=3)["details"]["seed"] == 3


def test_one_model_by_its_id_and_the_servers_words_of_itself(client, llama):
    assert client.models.retrieve("test/model").id == "test/model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("test/other")
    assert requests.get(llama.url + "/v1/models/test%2Fmodel").json()["id"] == "test/model"
    assert requests.get(llama.url + "/ping").status_code == 200
    assert requests.get(llama.url + "/info").json()["router"] == "text-generation-router"
    generated = requests.post(llama.url + "/invocations", json={"inputs": "the", "parameters": {"max_new_tokens": 2}}).json()
    assert generated == requests.post(llama.url + "/", json={"inputs": "the", "parameters": {"max_new_tokens": 2}}).json()


def test_a_worker_with_a_token_answers_only_to_it(llama_folder):
    worker = Worker(llama_folder, environment={"HEARTH_WORKER_TOKEN": "secret-token"})
    try:
        assert requests.get(worker.url + "/health").status_code == 200
        assert requests.get(worker.url + "/info").status_code == 401
        assert requests.get(worker.url + "/info", headers={"Authorization": "Bearer secret-tokem"}).status_code == 401
        assert requests.get(worker.url + "/info", headers={"Authorization": "Bearer secret-token"}).status_code == 200
    finally:
        worker.stop()
