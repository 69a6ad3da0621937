"""Methods and filters of the template language against Python and jinja2, on generated texts, lists and dicts."""
import copy
import random

import pytest
from probes import Probe
from test_templates import NOW, by_python

WORDS = ["", "a", "Be", "sea", "ÉTÉ", "straße", "日本", "一二", "٣٤", "½", "²", "ǅ", "x_y", "--", "-", "long-haired", "e-mail", "a--b", "'tis", "12", "-7", "+3",
         "0x1F", "1_000", "1e3", "3.5", "nan", "<b>", "</b>", "<!-- c -->", "&lt;", "&#233;", "%41", "/", "?q=1&r=2", "😀", "e\u0301", "ΑΣ", "(x", "[y]", "{z}", "0", "\u2160"]
BLANKS = [" ", " ", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u2028", "\x1c", "\x85", "\v", "\u3000", "\r", "-", ""]


def text_of(random_, longest=9):
    return "".join(part for _ in range(random_.randint(0, longest)) for part in (random_.choice(WORDS), random_.choice(BLANKS)))


def index_of(random_):
    return random_.choice([0, 1, 2, 3, 5, 9, -1, -2, -4, 40, -40])


def literal(value):
    """The value as a literal of the template language."""
    if isinstance(value, str):
        return "'" + "".join(f"\\U{ord(c):08x}" if ord(c) > 126 or ord(c) < 32 or c in "\\'{}%#" else c for c in value) + "'"
    return {None: "none", True: "true", False: "false"}.get(value, repr(value)) if not isinstance(value, int) or isinstance(value, bool) else repr(value)


def part_of(random_, text):
    begin = random_.randint(0, len(text))
    return random_.choice([text[begin:begin + random_.randint(0, 3)], random_.choice(WORDS), random_.choice(BLANKS)])


def bounds(random_):
    return random_.choice([[], [], [index_of(random_)], [index_of(random_), index_of(random_)]])


def search(random_, text):
    return [part_of(random_, text), *bounds(random_)]


def split(random_, text):
    return random_.choice([[], [None, random_.randint(-1, 3)], [part_of(random_, text) or "x"], [part_of(random_, text) or "x", random_.randint(-1, 3)]])


def nothing(_random, _text):
    return []


def padding(random_, text):
    return [random_.choice([0, 3, 12, 31, -1]), *random_.choice([[], ["*"], ["é"], ["日"]])]


METHODS = {
    **{name: nothing for name in (
        "capitalize", "casefold", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace",
        "istitle", "isupper", "lower", "swapcase", "title", "upper")},
    **{name: search for name in ("count", "endswith", "find", "index", "rfind", "rindex", "startswith")},
    **{name: split for name in ("split", "rsplit")},
    **{name: padding for name in ("center", "ljust", "rjust")},
    **{name: lambda random_, text: random_.choice([[], [None], [part_of(random_, text)], ["-aé \n"]]) for name in ("strip", "lstrip", "rstrip")},
    **{name: lambda random_, text: [part_of(random_, text) or "x"] for name in ("partition", "rpartition")},
    **{name: lambda random_, text: [part_of(random_, text)] for name in ("removeprefix", "removesuffix")},
    "expandtabs": lambda random_, text: random_.choice([[], [4], [0], [1]]),
    "replace": lambda random_, text: [part_of(random_, text), random_.choice(WORDS), *random_.choice([[], [2], [0], [-1]])],
    "splitlines": lambda random_, text: random_.choice([[], [True]]),
    "zfill": lambda random_, text: [random_.choice([0, 4, 19])],
}
FILTERS = {
    **{name: nothing for name in ("capitalize", "lower", "upper", "title", "trim", "wordcount", "striptags", "length", "list", "first", "last", "reverse", "urlencode", "string", "e",
                                  "float", "unique | list", "sort", "filesizeformat")},
    "int": lambda random_, text: random_.choice([[], [5], [0, 16], [0, 2], [7, 0], [0, 36]]),
    "trim": lambda random_, text: random_.choice([[], [part_of(random_, text)]]),
    "center": lambda random_, text: random_.choice([[], [9], [30]]),
    "indent": lambda random_, text: random_.choice([[], [2], ["> "], [2, True], [3, False, True], [1, True, True]]),
    "truncate": lambda random_, text: random_.choice([[9], [12, True], [10, False, "~"], [8, False, "...", 0], [3]]),
    "wordwrap": lambda random_, text: random_.choice([[], [5], [12], [7, False], [9, True, "|"], [6, True, "\n", False], [4, False, None, False], [1], [2]]),
    "replace": lambda random_, text: [part_of(random_, text), random_.choice(WORDS)],
    "batch": lambda random_, text: random_.choice([[3], [4, "-"]]),
    "join": lambda random_, text: random_.choice([[], ["-"], [" é"]]),
}


def cases(random_):
    for name, arguments in METHODS.items():
        text = text_of(random_)
        yield text, f"text.{name}({', '.join(map(literal, arguments(random_, text)))})"
    for name, arguments in FILTERS.items():
        text = random_.choice([text_of(random_), text_of(random_, 1), random_.choice(WORDS)])
        given = ", ".join(map(literal, arguments(random_, text)))
        yield text, f"text | {name}" + (f"({given})" if given else "") + (" | list" if name == "batch" else "")


SCALARS = ["a", "B", "b", "Ab", "é", "É", "10", "9", "", "zz", "ß", "SS"]
OF_LISTS = [
    "v|sort", "v|sort(true)", "v|sort(case_sensitive=true)", "v|unique|list", "v|unique(true)|list", "v|min", "v|max", "v|max(case_sensitive=true)", "v|sum",
    "v|sum(start=3)", "v|first", "v|last", "v|reverse|list", "v|length", "v|join", "v|join('-')", "v|batch(3)|list", "v|batch(2, 'x')|list", "v|slice(3)|list",
    "v|slice(2, 'y')|list", "v|list", "v[1:]", "v[::-1]", "v[-2:5]", "v|tojson", "v|tojson(indent=2)", "v|tojson(ensure_ascii=true)",
    "v|tojson(separators=(',', ':'))", "v|string|length", "v|map('string')|list", "v|map('upper')|list", "v|select('string')|list", "v|reject('none')|list",
    "v|select|list", "v|select('in', [1, 'a'])|list", "v + [1]", "v * 2", "1 in v", "'a' in v", "v.index('a')", "v.count(1)", "v|pprint", "v|default('q', true)",
    "v is sequence", "v|sort|groupby(0)", "v < [1]", "v >= ['a']", "v.append(4)",
]
OF_DICTS = [
    "v|sort(attribute='k')", "v|sort(attribute='n')", "v|sort(attribute='k,n')", "v|sort(attribute='d.x')", "v|groupby('k')|list", "v|groupby('n')|list",
    "v|groupby('n', case_sensitive=true)|list", "v|groupby('o', default='-')|list", "v|map(attribute='n')|list", "v|map(attribute='o', default='?')|list",
    "v|selectattr('f')|list", "v|rejectattr('f')|list", "v|selectattr('k', 'gt', 1)|list", "v|selectattr('o', 'defined')|list",
    "v|selectattr('n', 'equalto', 'a')|map(attribute='k')|list", "v|unique(attribute='k')|list", "v|min(attribute='k')", "v|max(attribute='n')",
    "v|sum(attribute='k')", "v|sum('k')", "v|join(',', attribute='n')", "v[0].items()|list", "v[0]|dictsort", "v[0]|dictsort(true, 'value')",
    "v[0]|dictsort(reverse=true)", "v[0].keys()|list", "v[0].values()|list", "v[0].get('o', 'none')", "v[0].get('o')", "v[0]|items|list", "v[0]|length", "v[0]|list",
    "v[0]|tojson(sort_keys=true)", "'n' in v[0]", "v[0].copy()", "v[0]|xmlattr", "v[0].pop('n')", "v[0].update({'n': 1})", "v[0] == v[-1]", "v[0]|urlencode",
    "v|map('attr', 'n')|list", "v[0]|attr('items')|string|length > 0", "v[0]|string",
]


def list_of(random_):
    kinds = [lambda: random_.choice(SCALARS), lambda: random_.randint(-5, 9), lambda: random_.choice([1.5, 2, -1, 0.25]),
             lambda: random_.choice([random_.choice(SCALARS), random_.randint(-3, 12), 1.5, 2.0, True, False, None])]
    kind = random_.choice(kinds)
    return [kind() for _ in range(random_.choice([0, 1, 3, 7]))]


def dicts_of(random_):
    return [{"n": random_.choice(SCALARS), "k": random_.randint(0, 3), "f": random_.random() < 0.5, "d": {"x": random_.randint(0, 2)},
             **({"o": random_.choice(SCALARS)} if random_.random() < 0.5 else {})} for _ in range(random_.choice([0, 1, 4, 9]))]


def compare(probe, expression, **given):
    source = "{{ [" + expression + "] }}"
    variables = {"messages": [], "add_generation_prompt": False, **given}
    expected = by_python(source, copy.deepcopy(variables))
    answer = probe.ask({"template": source, "variables": variables, "now": NOW})
    if isinstance(expected, Exception):
        assert "error" in answer, (given, expression, expected, answer)
    else:
        assert answer.get("text") == expected[0], (given, expression, answer.get("error"))


@pytest.mark.parametrize("block", range(8))
def test_generated_texts_are_what_python_makes_of_them(block):
    with Probe("template_probe") as probe:
        for seed in range(block * 60, block * 60 + 60):
            for text, expression in cases(random.Random(seed)):
                compare(probe, expression, text=text)


@pytest.mark.parametrize("block", range(4))
def test_generated_lists_and_dicts_are_what_python_makes_of_them(block):
    with Probe("template_probe") as probe:
        for seed in range(block * 25, block * 25 + 25):
            random_ = random.Random(seed)
            for expression in OF_LISTS:
                compare(probe, expression, v=list_of(random_))
            for expression in OF_DICTS:
                compare(probe, expression, v=dicts_of(random_))
