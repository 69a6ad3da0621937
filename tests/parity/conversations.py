"""Generated conversations for chat templates: roles, tools, tool calls, reasoning, documents, content in parts."""
import json
import random

TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "The weather at a place \"now\" & later.",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "Name, e.g. Zürich"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
            "days": {"type": ["integer", "null"]}}, "required": ["city"]},
        "return": {"type": "string", "description": "text"}}},
    {"type": "function", "function": {
        "name": "search", "description": "Finds pages.\nSecond line.",
        "parameters": {"type": "object", "properties": {
            "query": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
            "options": {"type": "object", "properties": {"deep": {"type": "boolean", "description": "look further"}}}},
            "required": ["query", "tags"]}}},
    {"type": "function", "function": {"name": "noop", "description": "", "parameters": {"type": "object", "properties": {}}}},
]
SIMPLE_TOOL = {"type": "function", "function": {
    "name": "add", "description": "Adds two numbers.",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer", "description": "first"}}, "required": ["a"]}}}
WORDS = ["hello", "naïve", "日本語", "🙂", "<b>&amp;</b>", "\"quoted\"", "it's", "line\nbreak", "tab\there", "x = {1: 2}", "{{ braces }}",
         "  spaced  ", "</think>", "<think>", "1.5", "C:\\path", "\u200bzero", "END", "Ünï", "a" * 40]


def text(rng):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(0, 6)))


def content(rng, plain):
    if plain or rng.random() < 0.7:
        return text(rng)
    parts = [{"type": "text", "text": text(rng)} for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        parts.insert(0, {"type": "image"})
    return parts


def tool_call(rng, number):
    arguments = rng.choice([{"city": text(rng), "days": 3}, {"query": text(rng), "tags": ["a", "ß"], "options": {"deep": True}},
                            {}, {"city": None, "unit": 1.5}])
    call = {"id": f"call{number:05d}", "type": "function",
            "function": {"name": rng.choice(["get_weather", "search", "noop"]),
                         "arguments": json.dumps(arguments) if rng.random() < 0.2 else arguments}}
    if rng.random() < 0.1:
        del call["id"]
    return call


def conversation(seed):
    """The variables of one rendering: messages and whatever else a template may look at.

    Every other conversation is plain (text, simple tools): some templates refuse more than that.
    """
    rng = random.Random(seed)
    plain = seed % 2 == 0
    messages = []
    if rng.random() < 0.5:
        messages.append({"role": rng.choice(["system", "system", "developer"]), "content": content(rng, plain)})
    number = 0
    for _ in range(rng.randint(1, 3)):
        messages.append({"role": "user", "content": content(rng, plain)})
        if rng.random() < 0.4:
            calls = []
            for _ in range(rng.randint(1, 2)):
                number += 1
                calls.append(tool_call(rng, number))
            message = {"role": "assistant", "tool_calls": calls}
            if rng.random() < 0.8:
                message["content"] = rng.choice(["", None, text(rng)])
            messages.append(message)
            for call in calls:
                reply = {"role": "tool", "name": call["function"]["name"], "content": rng.choice([text(rng), json.dumps({"ok": 1})])}
                if "id" in call:
                    reply["tool_call_id"] = call["id"]
                messages.append(reply)
        if rng.random() < 0.8:
            message = {"role": "assistant", "content": content(rng, plain)}
            if rng.random() < 0.3:
                message[rng.choice(["reasoning_content", "thinking", "reasoning"])] = text(rng)
            messages.append(message)
    if rng.random() < 0.05 and not plain:
        messages.insert(0, {"role": "assistant", "content": "first"})
    variables = {"messages": messages, "add_generation_prompt": rng.random() < 0.6, "bos_token": "<s>", "eos_token": "</s>",
                 "pad_token": "<pad>", "unk_token": "<unk>",
                 "functions": json.dumps(TOOLS[:1]), "datetime": "2025-11-24"}
    if rng.random() < 0.6:
        variables["tools"] = [SIMPLE_TOOL] if plain else rng.sample(TOOLS, rng.randint(1, 3))
    elif rng.random() < 0.5 and not plain:
        variables["tools"] = None
    if rng.random() < 0.2:
        variables["documents"] = [{"title": text(rng), "text": text(rng)} for _ in range(rng.randint(1, 2))]
    for name, values in (("enable_thinking", [True, False]), ("reasoning_effort", ["low", "high"]), ("xml_tools", [["a"]]),
                         ("date_string", ["1 Jan 2025"]), ("custom_tools", [None]), ("builtin_tools", [["code_interpreter"]]),
                         ("thinking", [True, False]), ("preserve_thinking", [True]), ("keep_past_thinking", [True])):
        if rng.random() < 0.25:
            variables[name] = rng.choice(values)
    return variables
