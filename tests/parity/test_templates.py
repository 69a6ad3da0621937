"""Chat templates against Python: the real ones, and one of our own per construct, on generated conversations."""
import datetime
import os

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
