"""Chat templates against Python: the real ones, and one of our own per construct, on generated conversations."""
import datetime
import json
import os
import random

import pytest
from constructs import SOURCES
from conversations import conversation
from probes import Probe, data_folder
from transformers.utils import chat_template_utils

NOW = 1_764_000_000
SEEDS = 400 if os.environ.get("HEARTH_LONG") == "1" else 30
TEMPLATES = data_folder() / "templates"
REAL = sorted(path.name for path in TEMPLATES.glob("*.jinja"))


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, datetime.timezone.utc)


chat_template_utils.datetime = FixedClock


@pytest.fixture(scope="module")
def probe():
    with Probe("template_probe") as running:
        yield running


def by_python(source, variables):
    """(text, spans in bytes) or the exception."""
    given = dict(variables)
    messages, tools = given.pop("messages"), given.pop("tools", None)
    documents, prompt = given.pop("documents", None), given.pop("add_generation_prompt")
    messages = chat_template_utils._alias_reasoning_fields(messages)
    try:
        text, spans = chat_template_utils._render_with_assistant_indices(
            chat_template_utils._compile_jinja_template(source), messages, tools, documents, prompt, **given)
    except Exception as fault:  # whatever a template can make Python raise
        return fault
    bytes_before = [0]
    for character in text:
        bytes_before.append(bytes_before[-1] + len(character.encode("utf-8", "surrogatepass")))
    return text, [[bytes_before[min(begin, len(text))], bytes_before[min(end, len(text))]] for begin, end in spans]


def compare(probe, source, seed):
    variables = conversation(seed)
    expected = by_python(source, variables)
    answer = probe.ask({"template": source, "variables": variables, "now": NOW})
    if isinstance(expected, Exception):
        assert "error" in answer, f"seed {seed}: Python raises {expected!r}, Hearth prints {answer['text'][:200]!r}"
        if type(expected).__name__ == "TemplateError":
            assert str(expected) in answer["error"], seed
        return False
    assert answer.get("text") == expected[0], f"seed {seed}: {answer.get('error')}"
    assert answer["spans"] == expected[1], f"seed {seed}"
    return True


@pytest.mark.parametrize("name", REAL)
def test_a_real_template_renders_as_in_python(probe, name):
    source = (TEMPLATES / name).read_text()
    rendered = sum(compare(probe, source, seed) for seed in range(SEEDS))
    assert rendered > 0, "no generated conversation suits this template"


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_construct_renders_as_in_python(probe, name):
    for seed in range(SEEDS):
        compare(probe, SOURCES[name], seed)


EXPRESSIONS = [
    *(f"'{text}'{form}" for text in ("ß", "ΑΣ", "ΑΣ Σ ΑΣ'", "İstanbul", "ŉ a", "ǆ x ǆ", "ﬁ-ﬁ (ß)", "ΐ", "ab12cd x\u2003ß", "ǅǄ", "Ꭰꭰ", "ᾳ") for form in (
        "|upper", "|lower", "|title", "|capitalize", ".upper()", ".lower()", ".title()", ".capitalize()", ".swapcase()", ".casefold()")),
    "5|round", "true|round", "15|round(-1)", "25|round(-1)", "-25|round(-1)", "5|round(-1)", "7|round(-20)", "5|round(2)", "5.5|round", "2.5|round", "5|round(1, 'ceil')", "5|round(0, 'floor')",
    "range(3)", "range(1, 7)", "range(1, 7, 2)", "range(5, 0, -1)", "[range(2)]", "range(3) ~ ''", "range(3)|string", "range(3)|tojson", "range(3)|list|tojson",
    "range(2) == [0, 1]", "range(2) == range(2)", "range(3)|length", "range(3)[1]", "2 in range(3)", "range(3)|sum", "range(2) + [1]", "range(3)|join(',')",
    "('<s>'|safe)|list", "['<s>'|safe]", "'<s>'|safe", "0 ** -1", "0.0 ** -1", "2 ** -1", "2 ** 0.5", "10.0 ** 400", "2 ** 62",
    "'-inf'|filesizeformat",
    "'a\\tb'.expandtabs()", "'a\\tb\\n\\té\\t|'.expandtabs(4)", "'\\t'.expandtabs(0)", "'a\\tb'.expandtabs(tabsize=3)",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_what_python_makes_of_it(probe, expression):
    compare(probe, "{{ " + expression + " }}", seed=1)


def test_every_character_has_pythons_case(probe):
    characters = "".join(chr(value) for value in range(0x10000) if chr(value).upper() != chr(value).lower() != "")
    for form in ("upper", "lower", "title", "capitalize", "swapcase", "casefold"):
        source = "{% for c in text %}{{ c." + form + "() }}{{ ('A' ~ c ~ 'Σ')." + form + "() }};{% endfor %}"
        expected = "".join(getattr(c, form)() + getattr("A" + c + "Σ", form)() + ";" for c in characters)
        variables = {"messages": [], "add_generation_prompt": False, "text": characters}
        assert probe.ask({"template": source, "variables": variables, "now": NOW})["text"] == expected, form


PRETTY = [
    "none", "1.5", "missing", "''", "'short'", "'it\\'s'", "{}", "[]", "()", "(1,)", "{'b': 1, 'a': {'d': 2, 'c': 3}}",
    "'word ' * 30", "'x' * 100", "'line\\n' * 3", "('a long line of words ' * 6 ~ '\\n') * 3", "'\\n\\n' ~ 'y' * 90", "'é\\u2028ü\\r\\nz ' * 15",
    "['word ' * 30]", "{'k': 'word ' * 30}", "{'k' * 70: 'word ' * 5, 'l' * 90: []}", "[['x' * 40] * 2] * 2", "('a' * 50, 'b' * 50)", "('z' * 90,)",
    "{3: 'c' * 30, 1.5: 'b' * 30, none: 'a' * 30, true: 'd' * 30, 'x': 'e' * 30}", "range(50)|list", "{'deep': {'er': {'est': range(30)|list}}}",
    "[range(1, 9), ['a'] * 30]", "['<b>'|safe, 'x' * 90]", "('safe ' * 30)|safe", "{'a': ('t ' * 45,), 'b': (1, ('u ' * 45,))}", "[{}] * 40",
    "'日本語 ' * 25", "'tab\\tand \\x85 next\\x1c' * 9", "messages|groupby('role')|list", "{'b': 1, 'a': 2}|dictsort", "(tools, messages)",
    "'  leading and   inner    blanks ' * 4", "'\\u3000' * 90", "[1.0, 1e30, -0.5, true] * 12",
]


@pytest.mark.parametrize("value", PRETTY)
def test_a_value_is_pretty_printed_as_in_python(probe, value):
    assert compare(probe, "{{ (" + value + ") | pprint }}", seed=3)


def pretty_value(random_, depth):
    kind = random_.randrange(9 if depth else 5)
    if kind < 3:
        words = ["a", "be", "sea", "long-word" * random_.randint(1, 12), "\n", "'", '"', "\\", "\u00e9", "\u3042\u3044", "\x85", "\r\n", "\t ", "\x1f"]
        return random_.choice(["", " ", " ", "  "]).join(random_.choices(words, k=random_.choice([0, 1, 3, 8, 25, 60])))
    if kind < 5:
        return random_.choice([None, True, False, 0, -17, 1.5, 1e22, random_.randint(-10**15, 10**15)])
    if kind < 7:
        return [pretty_value(random_, depth - 1) for _ in range(random_.choice([0, 1, 2, 5, 20]))]
    return {pretty_value(random_, 0) if random_.random() < 0.1 else "key" * random_.randint(0, 9) + str(n): pretty_value(random_, depth - 1)
            for n in range(random_.choice([0, 1, 2, 5, 12]))}


def test_generated_values_are_pretty_printed_as_in_python(probe):
    for seed in range(SEEDS * 20):
        value = json.loads(json.dumps(pretty_value(random.Random(seed), 4)))  # keys are strings
        variables = {"messages": [], "add_generation_prompt": False, "value": value, "now": NOW}
        source = "{{ value | pprint }}#{{ [(value, 1)] | pprint }}"
        answer = probe.ask({"template": source, "variables": variables, "now": NOW})
        assert answer.get("text") == by_python(source, variables)[0], (seed, answer.get("error"))


def test_integers_beyond_64_bits_are_an_error(probe):
    for source in ("{{ 2 ** 63 }}", "{{ -1e30 | filesizeformat }}"):
        answer = probe.ask({"template": source, "variables": conversation(1), "now": NOW})
        assert "integer overflow" in answer["error"], source


def test_a_final_message_is_continued(probe):
    source = "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</{{ m.role }}>\n{% endfor %}"
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "The answer "}]
    expected, _ = chat_template_utils.render_jinja_template([chat], chat_template=source, continue_final_message=True)
    answer = probe.ask({"template": source, "variables": {"messages": chat}, "continue": "content"})
    assert answer["text"] == expected[0] == "<user>hi</user>\n<assistant>The answer"


def test_a_hostile_template_ends_with_an_error(probe):
    for source in ("{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}",
                   "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ messages.__init__.__globals__ }}",
                   "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ 'x' * 10 ** 12 }}", "{% include '/etc/passwd' %}",
                   "{% import 'os' as os %}{{ os }}", "{{ ('%' ~ 'x')|attr('__class__')() }}"):
        assert "error" in probe.ask({"template": source, "variables": {"messages": []}}), source


def test_of_named_templates_the_one_for_tools_is_used_with_tools():
    with Probe("template_probe") as running:
        named = [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]
        assert running.ask({"named": named, "variables": {"messages": []}})["text"] == "plain"
        assert running.ask({"named": named, "variables": {"messages": [], "tools": [{}]}})["text"] == "tools"
        assert "default, tool_use" in running.ask({"named": named, "wanted": "x", "variables": {"messages": []}})["error"]
