"""Tool calls that a request forces: a model of random weights has to write valid ones, whole and streamed."""
import json
import shutil

import openai
import pytest

from conftest import TEMPLATE, Worker

MESSAGES = [{"role": "user", "content": "where is the cat ?"}]
WEATHER = {"type": "function", "function": {"name": "get_weather", "strict": True, "parameters": {
    "type": "object", "required": ["city", "days"], "additionalProperties": False, "properties": {
        "city": {"type": "string", "maxLength": 6}, "days": {"type": "integer", "minimum": 1, "maximum": 9}}}}}
STOP = {"type": "function", "function": {"name": "stop", "parameters": {"type": "object", "properties": {}}}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
MARKS = {"hermes": "{# <tool_call> #}", "llama": '{# <|start_header_id|> "parameters" #}', "mistral": "{# [TOOL_CALLS] [ARGS] #}",
         "qwen_xml": "{# <function= <parameter= #}", "glm": "{# <tool_call> <arg_key> #}"}


@pytest.fixture(scope="module", params=sorted(MARKS))
def client(request, llama_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "model"
    shutil.copytree(llama_folder, folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": MARKS[request.param] + TEMPLATE}))
    worker = Worker(folder, "--precision", "fp32")
    yield openai.OpenAI(base_url=worker.url + "/v1", api_key="unused")
    assert worker.stop() == 0


def check(call):
    assert call.type == "function" and call.id.startswith("call_") and call.function.name in ("get_weather", "stop")
    arguments = json.loads(call.function.arguments)
    if call.function.name == "stop":
        assert arguments == {}
    else:
        assert set(arguments) == {"city", "days"} and isinstance(arguments["city"], str) and 1 <= arguments["days"] <= 9


@pytest.mark.parametrize("seed", range(3))
def test_a_named_function_is_called_once(seed, client):
    answer = client.chat.completions.create(model="m", messages=MESSAGES, max_tokens=300, temperature=1, seed=seed, tools=[WEATHER, STOP],
                                            tool_choice=NAMED).choices[0]
    (call,) = answer.message.tool_calls
    assert call.function.name == "get_weather" and not answer.message.content and answer.finish_reason == "tool_calls"
    check(call)


def test_required_calls_at_least_one(client):
    answer = client.chat.completions.create(model="m", messages=MESSAGES, max_tokens=400, temperature=1, seed=5, tools=[STOP, WEATHER],
                                            tool_choice="required", parallel_tool_calls=False).choices[0]
    (call,) = answer.message.tool_calls
    check(call)


def test_streamed_deltas_make_the_same_call(client):
    asked = dict(model="m", messages=MESSAGES, max_tokens=300, temperature=0, tools=[WEATHER], tool_choice=NAMED)
    whole = client.chat.completions.create(**asked).choices[0].message.tool_calls[0]
    name, arguments, ids, last = "", "", set(), None
    for chunk in client.chat.completions.create(**asked, stream=True):
        last = chunk.choices[0].finish_reason or last
        for delta in chunk.choices[0].delta.tool_calls or []:
            assert delta.index == 0
            name += delta.function.name or ""
            arguments += delta.function.arguments or ""
            ids |= {delta.id} - {None}
    assert (name, arguments, last) == (whole.function.name, whole.function.arguments, "tool_calls") and len(ids) == 1


@pytest.mark.parametrize("change, word", [
    (dict(tool_choice={"type": "function", "function": {"name": "nothing"}}), "nothing"),
    (dict(tool_choice="sometimes"), "tool_choice"),
    (dict(tool_choice={"type": "function"}), "tool_choice"),
    (dict(tool_choice="required", tools=[]), "tools"),
    (dict(tool_choice="required", tools=[{"type": "function", "function": {"name": 'a"b'}}]), "name"),
    (dict(tool_choice="required", response_format={"type": "json_object"}), "response_format"),
])
def test_impossible_choices_are_refused(change, word, client):
    with pytest.raises(openai.APIStatusError) as failure:
        client.chat.completions.create(**(dict(model="m", messages=MESSAGES, tools=[WEATHER]) | change))
    assert failure.value.status_code in (400, 422) and word in failure.value.message
