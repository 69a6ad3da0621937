"""Constrained output: walks over the masks give valid texts, always finish, and masks agree with a slow check by bytes."""
import datetime
import json
import random
import re

import jsonschema
import pytest

from probes import Probe, data_folder

SCHEMAS = {
    "person": {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 150}, "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3}},
               "required": ["name", "age"], "additionalProperties": False},
    "optional": {"type": "object", "properties": {k: {"type": "boolean"} for k in "abcdef"}, "required": ["c"], "additionalProperties": False},
    "others": {"type": "object", "properties": {"a": {"type": "integer"}, "ab": {"type": "null"}, "é\n": {"type": "null"}}, "additionalProperties": {"type": "string"}},
    "others-any": {"properties": {"type": {"const": "x"}}, "required": ["type", "more"]},
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": {"type": "boolean"}, "minItems": 1, "maxItems": 5},
    "tuple-closed": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": False, "minItems": 2},
    "tuple-old": {"$schema": "http://json-schema.org/draft-04/schema#", "type": "array", "items": [{"type": "string"}, {"type": "integer"}], "additionalItems": False},
    "tree": {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, "required": ["value"], "additionalProperties": False}}},
    "list": {"$defs": {"l": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"next": {"$ref": "#/$defs/l"}}, "required": ["next"], "additionalProperties": False}]}}, "$ref": "#/$defs/l"},
    "enum": {"enum": ["red", 1, 2.5, None, True, {"a": [1, "x"]}, "quo\"te\\\u0001é"]},
    "enum-typed": {"type": "string", "enum": ["a", 1, "b"]},
    "any-of": {"anyOf": [{"type": "string", "maxLength": 4}, {"type": "array", "items": {"type": "integer"}, "minItems": 1}, {"const": 7}]},
    "any-of-siblings": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "additionalProperties": False, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "one-of": {"oneOf": [{"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["kind", "lives"]},
                         {"type": "object", "properties": {"kind": {"const": "dog"}, "name": {"type": "string"}}, "required": ["kind", "name"]}]},
    "all-of": {"allOf": [{"type": "object", "properties": {"a": {"type": "number", "minimum": 2}}, "required": ["a"]}, {"properties": {"a": {"type": "integer", "maximum": 40}, "b": {"type": "string"}}, "additionalProperties": False}]},
    "nullable": {"type": "object", "properties": {"x": {"type": ["integer", "null"]}, "y": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "required": ["x", "y"], "additionalProperties": False},
    "lengths": {"type": "string", "minLength": 2, "maxLength": 5}, "min-length": {"type": "string", "minLength": 3},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2,3}-\\d+$"}, "pattern-search": {"type": "string", "pattern": "ab|^x"}, "pattern-escapes": {"type": "string", "pattern": "^[\"\\\\/\\n\\t\\x01-\\x03]{1,4}$"},
    "pattern-length": {"type": "string", "pattern": "^(ab)*c+$", "minLength": 4, "maxLength": 9},
    "pattern-unicode": {"type": "string", "pattern": "^[α-ωЀ-я😀-😂]{1,3}$"},
    **{f"format-{f}": {"type": "string", "format": f} for f in ("date", "time", "date-time", "uuid", "email", "ipv4")},
    **{f"integers{low}..{high}": {"type": "integer", "minimum": low, "maximum": high} for low, high in ((0, 9), (-5, 5), (17, 17), (-1234, 98), (99, 1001), (-20, -3))},
    "integers-from": {"type": "integer", "minimum": 1995}, "integers-to": {"type": "integer", "exclusiveMaximum": -7}, "integers-half": {"type": "integer", "minimum": -2.5, "exclusiveMaximum": 2.5},
    **{f"numbers{low}..{high}": {"type": "number", "minimum": low, "maximum": high} for low, high in ((0, 1), (-0.25, 0.125), (3.75, 12.5), (-100.5, -99.25), (0.001, 0.002))},
    "numbers-open": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "numbers-from": {"type": "number", "exclusiveMinimum": -1.5}, "numbers-old": {"$schema": "http://json-schema.org/draft-04/schema#", "type": "number", "minimum": 3, "exclusiveMinimum": True, "maximum": 4},
    "anything": {}, "true": True, "any-array": {"type": "array"}, "any-object": {"type": "object"},
    "deep": {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "object", "properties": {"c": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}}, "required": ["c"]}}, "required": ["b"]}}, "required": ["a"]},
}


@pytest.fixture(scope="module")
def probe():
    with Probe("grammar_probe") as running:
        yield running


@pytest.fixture(scope="module")
def real(probe):
    """Llama 3's vocabulary."""
    path = data_folder() / "tokenizers" / "llama3" / "tokenizer.json"
    answer = probe.ask({"op": "vocabulary", "tokenizer": str(path), "eos": [128001]})
    assert answer["size"] > 128_000
    return probe


def valid(schema, text):
    value = json.loads(text)
    jsonschema.validate(value, schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    if isinstance(schema, dict) and schema.get("format") in ("date-time", "time"):  # not checked without more packages
        clock = value if schema["format"] == "date-time" else "2000-01-01T" + value
        datetime.datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", clock))


@pytest.mark.parametrize("name", SCHEMAS)
def test_walks_over_masks_give_valid_values(real, name):
    schema = SCHEMAS[name]
    for whitespace in (64, 0):
        assert "error" not in (answer := real.ask({"op": "schema", "schema": schema, "whitespace": whitespace})), answer
        for seed in range(15):
            answer = real.ask({"op": "walk", "seed": seed, "max_tokens": random.Random(seed).choice([0, 3, 10, 40])})
            assert answer.get("complete"), (name, seed, answer)
            valid(schema, answer["text"])


def test_any_object(real):
    real.ask({"op": "object"})
    for seed in range(30):
        answer = real.ask({"op": "walk", "seed": seed, "max_tokens": 30})
        assert answer["complete"] and isinstance(json.loads(answer["text"]), dict)


REGEXES = ["[a-z]+@[a-z]+\\.(com|org)", "(?:ab|a(?<n>bc)*){2,3}", "\\d{3}-\\d{4}", "[^\\W\\d_]{2}", ".{0,3}é?", "a*b+c?", "(a|b|)x{0}y", "[\\]\\-a-c]+", "\\u00e9\\x41\\u{1F600}", "(-?(0|[1-9]\\d*))(\\.\\d+)?", "^whole$", "[ -~]{3,}?", "\\$\\(\\[\\*"]


@pytest.mark.parametrize("regex", REGEXES)
def test_walks_of_regexes_match(real, regex):
    assert "error" not in (answer := real.ask({"op": "regex", "regex": regex})), answer
    python = re.compile(re.sub(r"\\u\{([0-9A-F]+)\}", lambda m: chr(int(m[1], 16)), regex).replace("(?<", "(?P<"))
    for seed in range(25):
        answer = real.ask({"op": "walk", "seed": seed, "max_tokens": 6})
        assert answer["complete"] and python.fullmatch(answer["text"]), answer


@pytest.mark.parametrize("regex", REGEXES)
def test_regexes_accept_what_python_matches(real, regex):
    real.ask({"op": "regex", "regex": regex})
    python = re.compile(re.sub(r"\\u\{([0-9A-F]+)\}", lambda m: chr(int(m[1], 16)), regex).replace("(?<", "(?P<"), re.ASCII)
    rng = random.Random(regex)
    alphabet = "abcxyz019-._@$([*] é]😀A\\com"
    texts = ["".join(rng.choice(alphabet) for _ in range(rng.randint(0, 9))) for _ in range(3000)]
    texts += ["ab@cd.com", "555-1234", "-12.50", "whole", "é", "éA😀", "$([*"]
    answer = real.ask({"op": "accepts", "texts": texts})["accepts"]
    for text, got in zip(texts, answer):
        assert got == bool(python.fullmatch(text)), (regex, text)


def test_choices(real):
    choices = ["yes", "no", "yes, sir", "ναι", "\"quoted\""]
    real.ask({"op": "choice", "choices": choices})
    seen = {real.ask({"op": "walk", "seed": seed, "max_tokens": 9})["text"] for seed in range(80)}
    assert seen <= set(choices) and len(seen) > 2
    assert real.ask({"op": "accepts", "texts": choices + ["ye", "noo", ""]})["accepts"] == [True] * 5 + [False] * 3


ACCEPTS = {
    "person": (['{"name":"x","age":3}', '{ "name" : "\\u0041\\n" ,\n "age" : 150, "tags": ["a","b"]}', '{"name":"\\ud83d\\ude00","age":0}'],
               ['{"name":"x"}', '{"name":"x","age":151}', '{"name":"x","age":-1}', '{"name":"x","age":03}', '{"name":"x","age":3,}', '{"name":"x","age":3,"z":1}', '{"name":"\\ud83d","age":3}', '{"name":"a\nb","age":1}', '', '{', '{"name":1,"age":1}']),
    "others": (['{}', '{"a":1}', '{"a":1,"b":"x"}', '{"b":"x","c":"y"}', '{"abc":"x"}', '{"é":"1"}', '{"":""}', '{"A":"\\n"}'], ['{"b":1}', '{"a":"x"}', '{"ab":"x"}', '{"\\u0061":"x"}', '{"a\\u0062":"x"}', '{"é\\n":"x"}']),
    "tuple": (['["a"]', '["a",1.5]', '["a",1e5,true]'], ['[]', '[1]', '["a","b"]', '["a",1,2]', '["a",1,true,true,true,true]']),
    "one-of": (['{"kind":"cat","lives":9}', '{"kind":"dog","name":"x"}'], ['{"kind":"cat"}', '{"kind":"dog","lives":9}', '{"kind":"cow","name":"x"}']),
    "all-of": (['{"a":2}', '{"a":40,"b":""}'], ['{"a":1}', '{"a":41}', '{"a":2.5}', '{"a":3,"c":1}']),
    "nullable": (['{"x":null,"y":"s"}', '{"x":3,"y":null}'], ['{"x":"s","y":null}', '{"x":null}']),
    "lengths": (['"ab"', '"\\n\\u0041é😀x"'], ['"a"', '"abcdef"', '""']),
    "pattern-search": (['"ab"', '"xyz"', '"__ab__"', '"\\n ab"'], ['"a"', '"yx"', '""']),
    "format-date": (['"2024-02-29"', '"2023-12-31"', '"2000-02-29"'], ['"2023-02-29"', '"1900-02-29"', '"2023-13-01"', '"2023-04-31"', '"23-01-01"']),
    "format-ipv4": (['"0.0.0.0"', '"255.1.20.199"'], ['"256.1.1.1"', '"1.1.1"', '"01.1.1.1"']),
    "numbers-0.25..0.125": (['-0.25', '0', '0.125', '-0.0', '0.1250', '-0.2499999'], ['-0.26', '0.1251', '0.13', '1', '-1', '-0.250001', '.1', '0.']),
    "numbers-open": (['0.5', '0.0001', '0.99'], ['0', '1', '0.0', '1.0', '-0.5', '0.000']),
    "integers-half": (['-2', '0', '2', '-0'], ['-3', '3', '1.5']),
    "integers-1234..98": (['-1234', '-999', '0', '98'], ['-1235', '99', '100', '-12340']),
    "list": (['null', '{"next":null}', '{"next":{"next":null}}'], ['{}', '{"next":1}']),
    "enum": (['"red"', '1', '{"a":[1,"x"]}', '{ "a": [ 1, "x" ] }', '"quo\\"te\\\\\\u0001é"'], ['"blue"', '2', 'false']),
}


@pytest.mark.parametrize("name", ACCEPTS)
def test_texts_inside_and_outside(real, name):
    good, bad = ACCEPTS[name]
    real.ask({"op": "schema", "schema": SCHEMAS[name]})
    assert real.ask({"op": "accepts", "texts": good})["accepts"] == [True] * len(good)
    assert real.ask({"op": "accepts", "texts": bad})["accepts"] == [False] * len(bad)
    for text in good:
        valid(SCHEMAS[name], text)


@pytest.mark.parametrize("name", SCHEMAS)
def test_changed_texts_are_accepted_only_when_valid(real, name):
    """Bytes of valid texts deleted, doubled and exchanged: what is still accepted is still valid."""
    rng = random.Random(name)
    real.ask({"op": "schema", "schema": SCHEMAS[name]})
    texts = [real.ask({"op": "walk", "seed": seed, "max_tokens": 12})["text"] for seed in range(8)]
    changed = []
    for text in texts * 25:
        at = rng.randrange(len(text))
        changed.append(text[:at] + rng.choice(["", text[at] * 2, rng.choice('{}[]",:019-.ex\\n ')]) + text[at + rng.randint(0, 1):])
    accepted = [text for text, good in zip(changed, real.ask({"op": "accepts", "texts": changed})["accepts"]) if good]
    for text in accepted:
        valid(SCHEMAS[name], text)


@pytest.mark.parametrize("schema, code, words", [
    ({"type": "object", "patternProperties": {}}, "Unimplemented", "#/patternProperties"), ({"properties": {"a": {"not": {}}}}, "Unimplemented", "#/properties/a/not"),
    ({"type": "array", "uniqueItems": True}, "Unimplemented", "uniqueItems"), ({"type": "number", "multipleOf": 3}, "Unimplemented", "multipleOf"),
    ({"type": "string", "format": "iri-reference"}, "Unimplemented", "format"), ({"type": "strin"}, "InvalidArgument", "strin"), ({"$ref": "#/nowhere"}, "InvalidArgument", "nowhere"), ({"$ref": "http://x/y"}, "Unimplemented", "outside"),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "Unimplemented", "oneOf"), ({"type": "string", "pattern": "(?=a)"}, "Unimplemented", "pattern"), ({"type": "string", "pattern": "("}, "InvalidArgument", "pattern"),
    ({"$ref": "#"}, "Unprocessable", "no text"), ({"anyOf": [{"$ref": "#"}, {"type": "null"}]}, "Unprocessable", "itself"), ({"allOf": [{"$ref": "#"}]}, None, ""), (False, "Unprocessable", "no text"), ({"type": "integer", "minimum": 3, "maximum": 2}, "Unprocessable", "no text"),
    ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "Unprocessable", "no text"), (7, "InvalidArgument", "#"), ({"type": "string", "minLength": 10**9}, "TooLarge", ""), ({"type": "string", "maxLength": 50_000}, "TooLarge", ""),
    ({"type": "string", "pattern": "((((a{1000}){1000}){1000}){1000})"}, "TooLarge", ""), ({"type": "string", "pattern": "(" * 5000 + ")" * 5000}, "TooLarge", ""),
    ({"allOf": [{"anyOf": [{"type": "string", "title": f"{i}{j}"} for j in range(20)]} for i in range(20)]}, "TooLarge", ""),
    ({"$defs": {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]} for i in range(60)} | {"d60": {"type": "object"}}, "$ref": "#/$defs/d0"}, None, ""),
])
def test_what_cannot_be_kept_is_refused(real, schema, code, words):
    answer = real.ask({"op": "schema", "schema": schema})
    if code is None:
        return  # an answer of any kind, in time
    assert "error" in answer, answer
    assert words in answer["error"], answer
    assert code.lower() in answer["code"].lower().replace("_", ""), answer


def test_nested_schemas_do_not_explode(real):
    schema = {"type": "integer"}
    for _ in range(5000):
        schema = {"type": "array", "items": schema}
        if len(json.dumps(schema)) > 4000:
            break
    answer = real.ask({"op": "schema", "schema": schema})
    assert "error" not in answer or "TooLarge" in answer["code"].replace("_", "") or "deep" in answer["error"]


def test_masks_equal_a_check_token_by_token(probe):
    """On a small vocabulary with every kind of token, each mask against accepting each token alone."""
    rng = random.Random(4)
    tokens = [""] + ["".join(rng.choice('{}[]":, \nabtrue0159-.\\e') for _ in range(rng.randint(1, 4))) for _ in range(400)]
    tokens += list('{}[]":, \n0123456789abcdefghijklmnopqrstuvwxyz\\-.+E') + ['"}', '"]', '":"', '", "', '"a"', 'true}', '{"a', '":', "aé", "\ta"]
    probe.ask({"op": "vocabulary", "tokens": tokens, "eos": [0]})
    for name in ("person", "others", "tuple", "tree", "any-of", "anything", "lengths", "numbers-0.25..0.125", "one-of", "pattern-length"):
        probe.ask({"op": "schema", "schema": SCHEMAS[name], "whitespace": 3})
        for seed in range(6):
            walk = probe.ask({"op": "walk", "seed": seed, "max_tokens": 15, "complete": False})
            answer = probe.ask({"op": "masks", "tokens": walk["tokens"], "check": True})
            assert answer["agree"], (name, walk)


def test_forced_text_is_what_must_follow(real):
    real.ask({"op": "schema", "schema": SCHEMAS["one-of"], "whitespace": 0})
    assert real.ask({"op": "masks", "tokens": []})["forced"] == ['{"kind":"']
    real.ask({"op": "regex", "regex": "abc[xy]de"})
    assert real.ask({"op": "masks", "tokens": []})["forced"] == ["abc"]
