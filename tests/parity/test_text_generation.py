"""Text by request of a running worker against transformers' generate: greedy, beams, adapters of PEFT's form."""
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest
import tokenizers
import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_adapters import make_adapter  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("HEARTH_BINARY", ROOT / "build" / "release" / "src" / "apps" / "hearth"))
LETTERS = [chr(code) for code in range(33, 127)] + ["Ġ"]
# Forty tokens: three pages of the cache, so that beams share full pages and part in later ones.
PROMPT = "the cat sat on the mat and saw the dog ."


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(4)
    config = transformers.LlamaConfig(vocab_size=len(LETTERS) + 1, hidden_size=48, intermediate_size=64, num_hidden_layers=2,
                                      num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256,
                                      eos_token_id=0, bos_token_id=None, pad_token_id=0)
    made = transformers.LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for value in made.parameters():
            value.copy_(torch.randn_like(value) * 0.35 + (1 if value.dim() == 1 else 0))
    made.save_pretrained(folder)
    vocabulary = {"<end>": 0} | {letter: i + 1 for i, letter in enumerate(LETTERS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(["<end>"])
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>").save_pretrained(folder)
    made.folder = folder
    return made


@pytest.fixture(scope="module")
def tokenizer(model):
    return transformers.AutoTokenizer.from_pretrained(model.folder)


class Worker:
    def __init__(self, folder, *arguments):
        self.process = subprocess.Popen([str(BINARY), "worker", str(folder), "--listen", "127.0.0.1:0", "--id", "base", "--precision",
                                         "fp32", *map(str, arguments)], text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        lines = queue.Queue()
        threading.Thread(target=lambda: lines.put(self.process.stdout.readline()), daemon=True).start()
        self.url = lines.get(timeout=60).split("listening on ")[1].strip()

    def ask(self, path, **body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body else None,
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text, status = answer.read().decode(), answer.status
        except urllib.error.HTTPError as error:
            text, status = error.read().decode(), error.code
        return status, json.loads(text) if text.startswith(("{", "[")) else text

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)


@pytest.fixture(scope="module", params=["cpu", "torch"])
def worker(request, model):
    # OpenMP's threads wait for each other by spinning, which costs seconds where others need the cores.
    running = Worker(model.folder, "--executor", request.param, "--threads", 1 if request.param == "torch" else 0)
    yield running
    assert running.stop() == 0


def expected(model, tokenizer, prompt=PROMPT, **settings):
    ids = tokenizer(prompt, return_tensors="pt")
    with torch.no_grad():
        made = model.generate(**ids, output_scores=True, return_dict_in_generate=True, **settings)
    texts = tokenizer.batch_decode(made.sequences[:, ids.input_ids.shape[1]:], skip_special_tokens=True)
    scores = getattr(made, "sequences_scores", None)
    return texts, None if scores is None else scores.tolist()


def test_the_pipeline_gives_the_same_text(model, tokenizer, worker):
    pipeline = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)
    for full in (False, True):
        theirs = pipeline(PROMPT, max_new_tokens=60, do_sample=False, return_full_text=full)
        status, ours = worker.ask("/pipeline/text-generation", inputs=PROMPT, parameters={
            "max_new_tokens": 60, "do_sample": False, "return_full_text": full})
        assert status == 200 and ours == theirs


@pytest.mark.parametrize("settings", [
    dict(num_beams=2),
    dict(num_beams=4, num_return_sequences=4),
    dict(num_beams=5, num_return_sequences=2, length_penalty=2.0),
    dict(num_beams=4, num_return_sequences=3, length_penalty=-1.0, early_stopping=True),
    dict(num_beams=3, num_return_sequences=3, early_stopping="never", length_penalty=0.5),
    dict(num_beams=6, num_return_sequences=6, repetition_penalty=1.4, early_stopping=True),
], ids=str)
@pytest.mark.parametrize("count", [1, 7, 70])
def test_beams_are_those_of_transformers(settings, count, model, tokenizer, worker):
    texts, scores = expected(model, tokenizer, max_new_tokens=count, do_sample=False, **settings)
    status, ours = worker.ask("/pipeline/text-generation", inputs=PROMPT, parameters={
        "max_new_tokens": count, "do_sample": False, "details": True, **settings})
    assert status == 200, ours
    assert [one["generated_text"] for one in ours] == texts
    assert [one["details"]["sequence_score"] for one in ours] == pytest.approx(scores, rel=1e-4, abs=1e-4)


def test_beams_in_company_are_those_alone(model, tokenizer, worker):
    """Beams of several requests and plain ones at once, in few pages."""
    small = Worker(model.folder, "--kv-mb", 16)
    prompts = [PROMPT[i:] for i in range(8)]
    answers = {}

    def ask(i):
        answers[i] = small.ask("/generate", inputs=prompts[i], parameters={
            "max_new_tokens": 50, "do_sample": False, **({"num_beams": 4} if i % 2 else {})})
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert small.stop() == 0
    for i, (status, answer) in answers.items():
        beams = {"num_beams": 4} if i % 2 else {}
        assert status == 200 and answer["generated_text"] == expected(model, tokenizer, prompts[i], max_new_tokens=50,
                                                                      do_sample=False, **beams)[0][0]


def test_openai_beams(model, tokenizer, worker):
    texts, _ = expected(model, tokenizer, max_new_tokens=20, do_sample=False, num_beams=4, num_return_sequences=2)
    status, ours = worker.ask("/v1/completions", prompt=PROMPT, max_tokens=20, n=2, best_of=4, use_beam_search=True)
    assert status == 200 and [choice["text"] for choice in ours["choices"]] == texts


@pytest.mark.parametrize("path, body, word", [
    ("/generate", dict(inputs="a", parameters=dict(num_beams=65)), "num_beams"),
    ("/generate", dict(inputs="a", parameters=dict(num_beams=2, num_return_sequences=3)), "num_return_sequences"),
    ("/generate", dict(inputs="a", parameters=dict(num_return_sequences=3)), "do_sample"),
    ("/generate", dict(inputs="a", parameters=dict(num_beams=2, early_stopping="maybe")), "early_stopping"),
    ("/generate", dict(inputs="a", parameters=dict(num_beams=2, grammar={"type": "regex", "value": "a"})), "grammar"),
    ("/generate_stream", dict(inputs="a", parameters=dict(num_beams=2)), "streamed"),
    ("/v1/completions", dict(prompt="a", n=2, best_of=1), "best_of"),
    ("/v1/completions", dict(prompt="a", best_of=3, stream=True), "streamed"),
])
def test_impossible_wishes_are_refused(path, body, word, worker):
    status, answer = worker.ask(path, **body)
    assert status in (400, 422) and word in json.dumps(answer), answer


def rotary_model(kind, settings, folder, tokenizer):
    """Lively enough that another angle gives another text."""
    torch.manual_seed(8)
    made = getattr(transformers, kind + "ForCausalLM")(getattr(transformers, kind + "Config")(
        vocab_size=len(LETTERS) + 1, hidden_size=48, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, eos_token_id=None, bos_token_id=None, pad_token_id=0, **settings)).eval()
    with torch.no_grad():
        for value in made.parameters():
            value.copy_(torch.randn_like(value) * 0.35 + (1 if value.dim() == 1 else 0))
    made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return made


# 40 tokens of prompt: below, at and above the length at which the angles change.
@pytest.mark.parametrize("limit", [24, 39, 40, 41, 48, 60, 200])
@pytest.mark.parametrize("kind", ["longrope", "dynamic"])
def test_texts_that_grow_past_a_models_length(kind, limit, tokenizer, tmp_path):
    """Greedy text beside others that begin alike: one page of the cache holds 16 tokens."""
    if kind == "longrope":
        made = rotary_model("Phi3", dict(max_position_embeddings=512, original_max_position_embeddings=limit, rope_parameters={
            "rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1 + i / 7 for i in range(6)],
            "long_factor": [2 + i / 3 for i in range(6)], "original_max_position_embeddings": limit}), tmp_path, tokenizer)
    else:
        made = rotary_model("Llama", dict(max_position_embeddings=limit, rope_parameters={
            "rope_type": "dynamic", "rope_theta": 10000.0, "factor": 8.0}), tmp_path, tokenizer)
    wanted = expected(made, tokenizer, max_new_tokens=40, min_new_tokens=40, do_sample=False)[0][0]
    worker = Worker(tmp_path)

    def ask(prompt, tokens=40):
        status, answer = worker.ask("/v1/completions", prompt=prompt, max_tokens=tokens, temperature=0)
        assert status == 200, answer
        return answer["choices"][0]["text"]
    assert ask(PROMPT) == wanted
    # What is known of shorter and longer texts is not mixed with this one.
    ask(PROMPT[:30] + " on")
    ask(PROMPT + wanted[:30])
    assert ask(PROMPT) == wanted
    assert worker.stop() == 0


def prompt_logprobs(model, tokenizer, prompt=PROMPT):
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    with torch.no_grad():
        scores = model(ids).logits[0].log_softmax(-1)
    return ids[0].tolist(), [None] + [float(scores[i, token]) for i, token in enumerate(ids[0, 1:].tolist())], scores


@pytest.mark.parametrize("prompt", [PROMPT, "a", PROMPT * 4])
def test_probabilities_of_the_prompt(prompt, model, tokenizer, worker):
    ids, theirs, scores = prompt_logprobs(model, tokenizer, prompt)
    for _ in range(2):  # the second time the prompt's keys and values would be known
        status, answer = worker.ask("/generate", inputs=prompt, parameters={"max_new_tokens": 4, "decoder_input_details": True})
        assert status == 200, answer
        prefill = answer["details"]["prefill"]
        assert [token["id"] for token in prefill] == ids and "".join(token["text"] for token in prefill) == prompt
        assert prefill[0]["logprob"] is None
        assert [token["logprob"] for token in prefill[1:]] == pytest.approx(theirs[1:], abs=1e-4)
    # As evaluation programs ask: nothing is generated but what must be.
    for tokens in (0, 1, 3):
        status, answer = worker.ask("/v1/completions", prompt=prompt, max_tokens=tokens, echo=True, logprobs=2, temperature=0)
        assert status == 200, answer
        (choice,) = answer["choices"]
        logprobs = choice["logprobs"]
        assert choice["text"].startswith(prompt) and "".join(logprobs["tokens"]) == choice["text"]
        assert len(logprobs["tokens"]) == len(ids) + tokens == len(logprobs["token_logprobs"]) == len(logprobs["top_logprobs"])
        assert logprobs["token_logprobs"][0] is None and logprobs["top_logprobs"][0] is None
        assert logprobs["token_logprobs"][1:len(ids)] == pytest.approx(theirs[1:], abs=1e-4)
        assert logprobs["text_offset"] == [sum(map(len, logprobs["tokens"][:i])) for i in range(len(logprobs["tokens"]))]
        for i in range(1, len(ids)):
            best = scores[i - 1].topk(2)
            assert sorted(logprobs["top_logprobs"][i].values(), reverse=True) == pytest.approx(best.values.tolist(), abs=1e-4)
        assert answer["usage"]["completion_tokens"] == tokens
    # Plain prompts share with what was computed, as before.
    _, plain = worker.ask("/v1/completions", prompt=prompt, max_tokens=3, temperature=0)
    assert prompt + plain["choices"][0]["text"] == choice["text"]


def test_streams_tell_the_prompts_probabilities_too(model, tokenizer, worker):
    _, theirs, _ = prompt_logprobs(model, tokenizer)
    _, text = worker.ask("/v1/completions", prompt=PROMPT, max_tokens=3, echo=True, logprobs=1, temperature=0, stream=True)
    chunks = [json.loads(line[6:])["choices"][0] for line in text.splitlines() if line.startswith("data: {")]
    tokens = [token for chunk in chunks for token in chunk["logprobs"]["tokens"]]
    values = [value for chunk in chunks for value in chunk["logprobs"]["token_logprobs"]]
    assert "".join(tokens) == "".join(chunk["text"] for chunk in chunks) and len(tokens) == len(theirs) + 3
    assert values[0] is None and values[1:len(theirs)] == pytest.approx(theirs[1:], abs=1e-4)


def test_tgi_best_of(worker):
    parameters = {"max_new_tokens": 8, "do_sample": True, "temperature": 1.5, "best_of": 5, "details": True}
    status, answer = worker.ask("/generate", inputs=PROMPT, parameters=parameters)
    assert status == 200, answer
    made = [answer["details"], *answer["details"]["best_of_sequences"]]
    assert len(made) == 5 and len({each["seed"] for each in made}) == 5
    means = [sum(token["logprob"] for token in each["tokens"]) / len(each["tokens"]) for each in made]
    assert means[0] == max(means) and answer["generated_text"] not in [each["generated_text"] for each in made[1:]]
    for wrong, word in (({"do_sample": False, "temperature": None}, "sampling"), ({"seed": 3}, "seed"), ({"best_of": 0}, "best_of"),
                        ({"best_of": 1000}, "best_of")):
        status, answer = worker.ask("/generate", inputs=PROMPT, parameters=parameters | wrong)
        assert status == 422 and word in answer["error"], answer
    for path, body, word in (("/generate_stream", {"best_of": 2, "do_sample": True}, "streaming"),
                             ("/generate_stream", {"decoder_input_details": True}, "streaming"),
                             ("/generate", {"decoder_input_details": True, "num_beams": 2}, "num_beams")):
        status, answer = worker.ask(path, inputs=PROMPT, parameters=body)
        assert status == 422 and word in answer["error"], answer


def test_best_of_gives_the_likeliest(worker):
    def ask(**settings):
        status, answer = worker.ask("/v1/completions", prompt=PROMPT, max_tokens=8, seed=5, temperature=2.0, logprobs=0, **settings)
        assert status == 200
        return {choice["text"]: sum(choice["logprobs"]["token_logprobs"]) / len(choice["logprobs"]["token_logprobs"])
                for choice in answer["choices"]}
    all_of_them = ask(n=6)
    assert len(all_of_them) == 6
    best = sorted(all_of_them, key=all_of_them.get, reverse=True)[:2]
    assert list(ask(n=2, best_of=6)) == best


def test_adapters_by_request(model, tokenizer, tmp_path):
    """Two adapters and the model itself in one batch; loaded at the start and at run time."""
    first = make_adapter(model, ["q_proj", "v_proj", "gate_proj", "up_proj", "down_proj", "lm_head"], tmp_path / "first")
    second = make_adapter(model, ["o_proj", "up_proj"], tmp_path / "second", rank=7, use_rslora=True)
    models = {"base": model, "one": first, "two": second}
    worker = Worker(model.folder, "--adapter", f"one={tmp_path / 'first'}", "--adapters-from", tmp_path)
    assert worker.ask("/v1/chat/completions", model="two", messages=[])[0] == 404
    assert worker.ask("/v1/load_lora_adapter", lora_name="two", lora_path="second")[0] == 200
    assert worker.ask("/v1/load_lora_adapter", lora_name="two", lora_path="second")[0] == 409
    assert worker.ask("/v1/load_lora_adapter", lora_name="x", lora_path="../elsewhere")[0] == 403
    assert worker.ask("/v1/load_lora_adapter", lora_name="x", lora_path="nothing")[0] == 404
    _, listed = worker.ask("/v1/models")
    assert {entry["id"]: entry.get("parent") for entry in listed["data"]} == {"base": None, "one": "base", "two": "base"}
    wanted = {name: expected(changed, tokenizer, max_new_tokens=40, do_sample=False)[0][0] for name, changed in models.items()}
    assert len(set(wanted.values())) == 3
    answers = []

    def ask(name):
        _, answer = worker.ask("/v1/completions", model=name, prompt=PROMPT, max_tokens=40, temperature=0)
        answers.append((name, answer["model"], answer["choices"][0]["text"]))
    for _ in range(2):  # the second time the prompt is in the cache, by adapter
        threads = [threading.Thread(target=ask, args=(name,)) for name in models for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 18
    assert all((named, text) == (name, wanted[name]) for name, named, text in answers)
    beams = dict(num_beams=3, max_new_tokens=30, do_sample=False)
    status, answer = worker.ask("/generate", inputs=PROMPT, parameters=beams | {"adapter_id": "two"})
    assert status == 200 and answer["generated_text"] == expected(second, tokenizer, **beams)[0][0]
    assert worker.ask("/generate", inputs=PROMPT, parameters={"adapter_id": "none"})[0] == 422
    assert worker.ask("/v1/unload_lora_adapter", lora_name="two")[0] == 200
    assert worker.ask("/v1/unload_lora_adapter", lora_name="two")[0] == 404
    assert worker.ask("/v1/completions", model="two", prompt="a")[0] == 404
    assert worker.stop() == 0
