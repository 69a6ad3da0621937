#include "text/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"

namespace hearth {
namespace {

using ::testing::HasSubstr;

const Json& Context() {
  static const Json context = Json::Parse(R"({
    "s": "Hello World", "n": 5, "f": 2.5, "t": true, "no": null, "l": [3, 1, 2], "empty": [],
    "d": {"b": 1, "a": 2, "k": {"x": [1, 2]}}, "h": "<b>&\"'</b>", "u": "h\u00e9llo \u4e16\u754c",
    "users": [{"name": "bob", "age": 30}, {"name": "Al", "age": 25}, {"name": "cy", "age": 30}],
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}]}, {"v": 5, "c": []}]})");
  return context;
}

std::string Render(std::string_view source, const RenderOptions& options = {}) {
  return Template::Parse(source).Render(Context(), options);
}

std::string RenderHtml(std::string_view source) {
  RenderOptions options;
  options.autoescape = true;
  return Render(source, options);
}

std::string FailureOf(std::string_view source, Code expected = Code::kInvalidArgument,
                      const RenderOptions& options = {}) {
  try {
    return "no error: " + Render(source, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected) << source << ": " << error.message();
    return error.message();
  }
}

struct Case {
  const char* source;
  const char* expected;
};

// The expected texts are what jinja2 3.1 prints.
template <size_t N>
void ExpectAll(const Case (&cases)[N]) {
  for (const Case& test : cases) EXPECT_EQ(Render(test.source), test.expected) << test.source;
}

TEST(Template, PrintsValuesAsPythonDoes) {
  const Case cases[] = {
      {"{{ s }}|{{ n }}|{{ f }}|{{ t }}|{{ no }}|{{ missing }}|", "Hello World|5|2.5|True|None||"},
      {"{{ l }} {{ d }}", "[3, 1, 2] {'b': 1, 'a': 2, 'k': {'x': [1, 2]}}"},
      {"{{ [1, 'it\\'s', (2,), {'k': none}] }}", "[1, \"it's\", (2,), {'k': None}]"},
      {"{{ 1e20 }} {{ 1.0 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 1e15 }} {{ 1e16 }}",
       "1e+20 1.0 1e-05 0.30000000000000004 1000000000000000.0 1e+16"},
  };
  ExpectAll(cases);
}

TEST(Template, OperatorsFollowJinja) {
  const Case cases[] = {
      {"{{ 1 + 2 * 3 - 4 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}",
       "5.0 -4 2 64 4"},
      {"{{ 'a' ~ 1 ~ none }} {{ 'a' + 'b' }} {{ 'ab' * 2 }} {{ [1] + [2] }}",
       "a1None ab abab [1, 2]"},
      {"{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 3 in l }} {{ 'x' not in s }} {{ 'b' in d }}",
       "True False True True True"},
      {"{{ 1 and 0 or 3 }} {{ none or 'x' }} {{ not 1 == 2 }}", "3 x True"},
      {"{{ 'y' if t else 'n' }} {{ 'x' if no }}|{{ 1 if false else 2 if false else 3 }}", "y |3"},
      {"{{ '%s is %05.2f%%' % ('x', 2.5) }} {{ '%-4s|%3d' | format('a', 7) }}",
       "x is 02.50% a   |  7"},
      {"{{ n | string + 'x' }} {{ -3 | abs }} {{ l | length > 2 }}", "5x 3 True"},
  };
  ExpectAll(cases);
}

TEST(Template, AccessAndSlices) {
  const Case cases[] = {
      {"{{ d.a }} {{ d['b'] }} {{ d.k.x[0] }} {{ d.zzz }}|{{ l[5] }}|{{ users.0.name }}",
       "2 1 1 ||bob"},
      {"{{ s[0] }}{{ s[-1] }} {{ s[1:4] }} {{ s[::-1] }} {{ s[:-3] }} {{ l[1:] }} {{ l[::2] }}",
       "Hd ell dlroW olleH Hello Wo [1, 2] [3, 2]"},
      {"{{ u[1] }} {{ u[6:] }} {{ l[-2:0:-1] }} {{ s[-100:2] }}{{ l[10:] }}",
       "\xC3\xA9 \xE4\xB8\x96\xE7\x95\x8C [1] He[]"},
      {"{{ d.items() | list }} {{ d.get('q', 9) }} {{ d.keys() | list }}",
       "[('b', 1), ('a', 2), ('k', {'x': [1, 2]})] 9 ['b', 'a', 'k']"},
  };
  ExpectAll(cases);
}

TEST(Template, LoopsKnowWhereTheyAre) {
  const Case cases[] = {
      {"{% for x in l %}{{ loop.index }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}"
       "{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }};{% endfor %}",
       "12TrueFalse1a;21FalseFalse32b;30FalseTrue1a;"},
      {"{% for x in empty %}x{% else %}none{% endfor %}", "none"},
      {"{% for k, v in d.items() if k != 'k' %}{{ k }}={{ v }}{{ ',' if not loop.last }}{% endfor "
       "%}",
       "b=1,a=2"},
      {"{% for x in tree recursive %}{{ x.v }}@{{ loop.depth }}{% if x.c %}({{ loop(x.c) }}){% "
       "endif %}"
       "{% endfor %}",
       "1@1(2@2)5@1"},
      {"{% for i in range(6) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}"
       "{% endif %}{{ i }}{% endfor %}",
       "023"},
      {"{% for x in [1,1,2] %}{% if loop.changed(x) %}{{ x }}{% endif %}{% endfor %}", "12"},
  };
  ExpectAll(cases);
}

TEST(Template, ScopesAreThoseOfJinja) {
  const Case cases[] = {
      {"{% set x = 1 %}{% for i in l %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "3121"},
      {"{% if true %}{% set x = 9 %}{% endif %}{{ x }}", "9"},
      {"{% set ns = namespace(a=1) %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a "
       "}}",
       "7"},
      {"{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c %}in {{ a }}{% endset %}{{ c }}", "12in 1"},
      {"{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}|", "3|"},
      {"{% set up | upper %}abc{% endset %}{{ up }}{% filter upper %}x{% endfilter %}", "ABCX"},
  };
  ExpectAll(cases);
}

TEST(Template, MacrosTakeDefaultsKeywordsAndCallers) {
  const Case cases[] = {
      {"{% macro m(a, b=2) %}[{{ a }},{{ b }},{{ varargs }}]{% endmacro %}{{ m(1) }}{{ m(b=1, a=0) "
       "}}"
       "{{ m(1, 2, 3) }}",
       "[1,2,()][0,1,()][1,2,(3,)]"},
      {"{% macro w(x) %}<{{ caller(x) }}>{% endmacro %}{% call(a) w(7) %}{{ a }}{{ n }}{% endcall "
       "%}",
       "<75>"},
      {"{% macro f(k) %}{% if k <= 1 %}1{% else %}{{ k }}*{{ f(k - 1) }}{% endif %}{% endmacro "
       "%}{{ f(4) }}",
       "4*3*2*1"},
  };
  ExpectAll(cases);
}

TEST(Template, WhiteSpaceControl) {
  const Case cases[] = {
      {"a {#- x -#} b {%- if true -%} c {%- endif -%} d {{- 'e' -}} f", "abcdef"},
      {"{% raw %}{{ not }}{% endraw %}|{%- raw -%} q {%- endraw -%} |", "{{ not }}|q|"},
      {"a\r\nb\n", "a\nb"},
  };
  ExpectAll(cases);
  auto chat = [](std::string_view source) {
    return Template::Parse(source, ChatTemplateOptions("chat")).Render(Context());
  };
  EXPECT_EQ(chat("  {% if true %}\n  a\n  {% endif %}\nb"), "  a\nb");
  EXPECT_EQ(chat("   {# c #}\nx\n  {%+ if true %}y{% endif +%}\nz"), "x\n  y\nz");
}

TEST(Template, TextFilters) {
  const Case cases[] = {
      {"{{ s | upper }} {{ 'hello wORLD-foo' | title }} {{ 'hELLO' | capitalize }} {{ ' x ' | trim "
       "}}",
       "HELLO WORLD Hello World-Foo Hello x"},
      {"{{ u | upper }} {{ u | length }}", "H\xC3\x89LLO \xE4\xB8\x96\xE7\x95\x8C 8"},
      {"{{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, true) }}",
       "foo... foo ba..."},
      {"{{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\nb' | indent(1, true) }}", "a\n    b\n\n    c| a\n b"},
      {"{{ '42' | int }} {{ 'x' | int(7) }} {{ '3.9' | int }} {{ 'ff' | int(0, 16) }} {{ '1.5' | "
       "float }}",
       "42 7 3 255 1.5"},
      {"{{ 42.55 | round }} {{ 42.55 | round(1, 'floor') }} {{ 2.5 | round }} {{ 3.5 | round }}",
       "43.0 42.5 2.0 4.0"},
      {"{{ 'a b&c/d' | urlencode }} {{ {'a b': 'x&y'} | urlencode }}", "a%20b%26c/d a+b=x%26y"},
      {"{{ 1 | filesizeformat }} {{ 1500000 | filesizeformat }} {{ 1024 | filesizeformat(true) }}",
       "1 Byte 1.5 MB 1.0 KiB"},
      {"{{ 'aXbX' | replace('X', '-', 1) }} {{ h | striptags }} {{ 'aa bb cc' | wordwrap(5) }}",
       "a-bX &\"' aa bb\ncc"},
  };
  ExpectAll(cases);
}

TEST(Template, SequenceFilters) {
  const Case cases[] = {
      {"{{ missing | default('D') }} {{ no | default('D') }} {{ no | d('D', true) }}", "D None D"},
      {"{{ l | join(', ') }} {{ users | join('-', attribute='name') }}", "3, 1, 2 bob-Al-cy"},
      {"{{ l | sort }} {{ l | sort(reverse=true) }} {{ users | sort(attribute='age,name') | "
       "map(attribute='name') | list }}",
       "[1, 2, 3] [3, 2, 1] ['Al', 'bob', 'cy']"},
      {"{{ l | select('odd') | list }} {{ l | reject('gt', 1) | list }} {{ users | "
       "selectattr('age', 'eq', 30)"
       " | map(attribute='name') | join }} {{ users | rejectattr('age', '==', 30) | list | length "
       "}}",
       "[3, 1] [1] bobcy 1"},
      {"{{ l | sum }} {{ l | min }} {{ users | max(attribute='age') }}",
       "6 1 {'name': 'bob', 'age': 30}"},
      {"{{ [1, 1, 'a', 'A'] | unique | list }} {{ [1, 2, 3] | batch(2, 'x') | list }} {{ s | "
       "reverse }}",
       "[1, 'a'] [[1, 2], [3, 'x']] dlroW olleH"},
      {"{{ {'b': 1, 'A': 2} | dictsort }} {{ d | items | first }}",
       "[('A', 2), ('b', 1)] ('b', 1)"},
      {"{% for age, who in users | groupby('age') %}{{ age }}:{{ who | length }};{% endfor %}",
       "25:1;30:2;"},
      {"{{ ['b', 'A'] | map('upper') | sort | join }} {{ range(5) | batch(2) | map('sum') | list "
       "}}",
       "AB [1, 5, 4]"},
  };
  ExpectAll(cases);
}

TEST(Template, TestsOfJinja) {
  const Case cases[] = {
      {"{{ d is mapping }}{{ l is sequence }}{{ s is string }}{{ n is number }}{{ f is float }}"
       "{{ n is odd }}{{ n is divisibleby 5 }}{{ t is true }}{{ no is none }}{{ missing is "
       "undefined }}"
       "{{ n is gt 3 and n is lt 9 }}{{ 'x' is in 'xy' }}",
       "TrueTrueTrueTrueTrueTrueTrueTrueTrueTrueTrueTrue"},
      {"{{ t is integer }}{{ n is iterable }}{{ missing is defined }}{{ n is not none }}",
       "FalseFalseFalseTrue"},
  };
  ExpectAll(cases);
}

TEST(Template, MethodsOfStringsListsAndDicts) {
  const Case cases[] = {
      {"{{ 'a-b-c'.split('-') }} {{ ' a b  c '.split() }} {{ 'a,b,c'.rsplit(',', 1) }}",
       "['a', 'b', 'c'] ['a', 'b', 'c'] ['a,b', 'c']"},
      {"{{ ' x '.strip() }}{{ 'xax'.strip('x') }}{{ 'abc'.startswith('ab') }}{{ "
       "'abc'.endswith(('x', 'c')) }}",
       "xaTrueTrue"},
      {"{{ '{} {n:>4} {f:.2f}'.format('a', n=42, f=3.14159) }} {{ 'k=v'.partition('=') }}",
       "a   42 3.14 ('k', '=', 'v')"},
  };
  ExpectAll(cases);
}

TEST(Template, NothingChangesInPlace) {
  EXPECT_THAT(FailureOf("{% set x = [1] %}{% set _ = x.append(5) %}"),
              HasSubstr("may not change a list"));
  EXPECT_THAT(FailureOf("{% set _ = l.pop() %}"), HasSubstr("may not change a list"));
  EXPECT_THAT(FailureOf("{% set _ = d.update({'a': 1}) %}"), HasSubstr("may not change a dict"));
}

TEST(Template, LazyFiltersGiveGenerators) {
  const Case cases[] = {
      {"{{ 'yes' if l | select('gt', 99) else 'no' }}", "yes"},
      {"{{ 'yes' if l | select('gt', 99) | list else 'no' }}", "no"},
      {"{% set x = l | map('string') %}{{ x | join(',') }};{{ x | join(',') }}", "3,1,2;"},
      {"{{ l | reverse | list }}{{ d | items | first }}", "[2, 1, 3]('b', 1)"},
  };
  ExpectAll(cases);
  EXPECT_THAT(FailureOf("{{ l | map('string') | length }}"), HasSubstr("| list | length"));
  EXPECT_THAT(FailureOf("{{ l | map('string') | tojson }}"), HasSubstr("| list | tojson"));
}

TEST(Template, ReprEscapesWhatPythonDoesNotPrint) {
  Json context = Json::Obj({{"x", Json::Arr({"\u200bz\u00a0\u00e9\U0001F642\x7f\u2028'"})}});
  EXPECT_EQ(Template::Parse("{{ x }}").Render(context),
            "[\"\\u200bz\\xa0\u00e9\U0001F642\\x7f\\u2028'\"]");
}

TEST(Template, ChatTemplatesGetPlainJson) {
  EXPECT_EQ(Render("{{ {'a': ['<', 1.0, none, true]} | tojson }}"),
            R"({"a": ["<", 1.0, null, true]})");
  EXPECT_EQ(Render("{{ {'a': [1], 'b': {}} | tojson(indent=2) }}"),
            "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}");
  RenderOptions options;
  options.now_unix_seconds = 1'700'000'000;
  EXPECT_EQ(Render("{{ strftime_now('%d %b %Y') }}", options), "14 Nov 2023");
  EXPECT_THAT(FailureOf("\n{{ raise_exception('roles must alternate') }}"),
              HasSubstr("line 2: roles must alternate"));
}

TEST(Template, PrettyPrintsAsPythonDoes) {
  EXPECT_EQ(Render("{{ {'b': 'it', 'a': (1,)} | pprint }}"), "{'a': (1,), 'b': 'it'}");
  EXPECT_EQ(
      Render("{{ {'b': 'words ' * 12, 'a': [1]} | pprint }}"),
      "{'a': [1],\n 'b': 'words words words words words words words words words words words '\n"
      "      'words '}");
  EXPECT_EQ(Render("{{ ('x' * 60 ~ '\n' ~ 'y' * 30) | pprint }}"),
            "('" + std::string(60, 'x') + "\\n'\n '" + std::string(30, 'y') + "')");
}

TEST(TemplateEscaping, EscapesWhatIsNotMarkedSafe) {
  EXPECT_EQ(RenderHtml("<i>{{ h }}</i>"), "<i>&lt;b&gt;&amp;&#34;&#39;&lt;/b&gt;</i>");
  EXPECT_EQ(RenderHtml("{{ h | safe }}{{ h | e | e }}"),
            "<b>&\"'</b>&lt;b&gt;&amp;&#34;&#39;&lt;/b&gt;");
  EXPECT_EQ(RenderHtml("{{ ('<i>' | safe) ~ '<' }}{{ ('<i>' | safe) + '<' }}{{ '<' + '<' }}"),
            "<i>&lt;<i>&lt;&lt;&lt;");
  EXPECT_EQ(RenderHtml("{{ ['<', '<br>' | safe] | join }}"), "&lt;<br>");
  EXPECT_EQ(RenderHtml("{{ ['<'] }}{{ d.k }}"), "[&#39;&lt;&#39;]{&#39;x&#39;: [1, 2]}");
  EXPECT_EQ(
      RenderHtml(
          "{% macro m(x) %}<p>{{ x }}</p>{% endmacro %}{{ m('<') }}{% set v %}<u>{{ h[0] }}</u>"
          "{% endset %}{{ v }}"),
      "<p>&lt;</p><u>&lt;</u>");
  EXPECT_EQ(RenderHtml("{{ '<%s>' | safe | format('<') }}{{ '<{}>'.format('<') | safe }}"),
            "<<><<>");
  EXPECT_EQ(RenderHtml("{{ h[0:1] | upper }}{{ 'a<b' | replace('a', '<') }}"), "&lt;&lt;&lt;b");
  EXPECT_EQ(RenderHtml("<script>x = {{ {'a': '</script>'} | tojson }}</script>"),
            "<script>x = {\"a\": \"\\u003c/script\\u003e\"}</script>");
  EXPECT_EQ(RenderHtml("{% autoescape false %}{{ h }}{% endautoescape %}{{ '<' }}"),
            "<b>&\"'</b>&lt;");
  EXPECT_EQ(RenderHtml("{{ {'title': '\"x', 'b': none} | xmlattr }}"), " title=\"&#34;x\"");
}

TEST(TemplateSetTest, InheritanceIncludesAndImports) {
  std::map<std::string, std::string, std::less<>> sources = {
      {"base", "<{% block title %}base{% endblock %}|{% block body %}{% endblock %}>{{ top }}"},
      {"mid",
       "{% extends 'base' %}{% block body %}mid[{% block inner %}i{% endblock %}]{% endblock %}"},
      {"page",
       "{% extends 'mid' %}dropped{% set top = 'T' %}{% block title %}p-{{ super() }}{% endblock %}"
       "{% block inner %}{{ super() }}{{ n }}{{ top }}{% endblock %}"},
      {"row", "({{ x }}{{ n }})"},
      {"list",
       "{% for x in l %}{% include 'row' %}{% endfor %}{% include 'none' ignore missing %}"},
      {"lib", "{% macro hi(x) %}hi {{ x }}{{ n }}{% endmacro %}{% set c = 'C' %}"},
      {"user",
       "{% import 'lib' as lib %}{{ lib.hi('<') }}{% from 'lib' import hi as h2, c with context %}"
       "{{ h2('b') }}{{ c }}"},
      {"loop", "{% include 'loop' %}"},
      {"missing", "{% include 'nope' %}"},
      {"self", "{% block a %}1{% endblock %}{{ self.a() }}"},
  };
  int loads = 0;
  TemplateSet set([&](std::string_view name) -> std::optional<std::string> {
    ++loads;
    auto found = sources.find(name);
    if (found == sources.end()) return std::nullopt;
    return found->second;
  });
  EXPECT_EQ(set.Render("page", Context()), "<p-base|mid[i5T]>T");
  EXPECT_EQ(set.Render("list", Context()), "(35)(15)(25)");
  EXPECT_EQ(set.Render("user", Context()), "hi &lt;hi b5C");
  EXPECT_EQ(set.Render("self", Context()), "11");
  EXPECT_THROW(set.Render("loop", Context()), Error);
  try {
    set.Render("missing", Context());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_THAT(error.message(), HasSubstr("template missing, line 1"));
  }
  int before = loads;
  set.Render("page", Context());
  EXPECT_EQ(loads, before);
  sources["page"] = "new";
  set.Clear();
  EXPECT_EQ(set.Render("page", Context()), "new");
}

TEST(TemplateSetTest, RendersFromManyThreads) {
  TemplateSet set([](std::string_view name) -> std::optional<std::string> {
    return name == "a" ? "{% include 'b' %}" : "{{ s | upper }}";
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) EXPECT_EQ(set.Render("a", Context()), "HELLO WORLD");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Template, CallersAddFiltersAndFunctions) {
  TemplateExtensions extensions;
  extensions.filters["shout"] = {[](const std::vector<Json>& args, const Json::Object& keywords) {
    return Json(*args.at(0).AsString() + (keywords.empty() ? "!" : *keywords[0].second.AsString()));
  }};
  extensions.functions["icon"] = {[](const std::vector<Json>& args, const Json::Object&) {
                                    return Json("<svg>" + *args.at(0).AsString() + "</svg>");
                                  },
                                  /*returns_html=*/true};
  RenderOptions options;
  options.autoescape = true;
  options.extensions = &extensions;
  EXPECT_EQ(Render("{{ '<' | shout }}{{ 'a' | shout(mark='?') }}{{ icon('x') }}", options),
            "&lt;!a?<svg>x</svg>");
  EXPECT_EQ(Render("{{ l | map('string') | map('shout') | join }}", options), "3!1!2!");
}

TEST(TemplateErrors, NameTemplateLineAndReason) {
  const Case cases[] = {
      {"a\n{{ missing.x }}", "line 2: 'missing' is undefined"},
      {"{{ missing + 1 }}", "'missing' is undefined"},
      {"{{ 1 + 'a' }}", "unsupported operands for +: int and str"},
      {"{{ nofn() }}", "'nofn' is undefined"},
      {"{{ 1 // 0 }}", "division by zero"},
      {"{{ s | nofilter }}", "no filter named 'nofilter'"},
      {"{{ s is notest }}", "no test named 'notest'"},
      {"{% for x in 5 %}{% endfor %}", "not iterable"},
      {"{% for a, b in [1] %}{% endfor %}", "not iterable"},
      {"{{ 9223372036854775807 + 1 }}", "integer overflow"},
      {"{{ 1 < 'a' }}", "no order"},
      {"{% if %}", "expected an expression"},
      {"{{ 1 + }}", "expected an expression"},
      {"{% endfor %}", "unknown tag 'endfor'"},
      {"{% for x in l %}\n\n", "expected '{% endfor %}'"},
      {"\n{{ 'open", "line 2: a string is not closed"},
      {"{# open", "a comment is not closed"},
      {"{% raw %}", "a raw block is not closed"},
      {"{{ (1 }}", "unexpected '}'"},
      {"{% break %}", "outside of a loop"},
      {"{% block a %}{% endblock %}{% block a %}{% endblock %}", "defined twice"},
      {"{{ s.__class__ }}{{ s.__class__.__mro__ }}", "'__class__' is undefined"},
  };
  for (const Case& test : cases) {
    EXPECT_THAT(FailureOf(test.source), HasSubstr(test.expected)) << test.source;
    EXPECT_THAT(FailureOf(test.source), HasSubstr("template template, line "));
  }
}

TEST(TemplateLimits, HostileTemplatesEnd) {
  const char* endless[] = {
      "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
      "{{ 'x' * 1000000000000 }}",
      "{{ [0] * 1000000000 }}",
      "{{ range(10000000) }}",
      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
      "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(90) %}{% set ns.x = ns.x + ns.x "
      "%}{% endfor %}",
      "{% set ns = namespace(x=[1]) %}{% for i in range(90) %}{% set ns.x = ns.x + ns.x %}{% "
      "endfor %}",
      "{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor "
      "%}{{ ns.x }}",
      "{% for x in [[[]]] recursive %}{{ loop([x]) }}{% endfor %}",
      "{{ '%9999d' % 1 * 100000000 }}",
      "{{ 'a' | center(100000000000) }}",
      "{{ 'a\\nb' | indent(100000000000) }}",
      "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = ns.l + ['x' * "
      "100000] "
      "%}{% endfor %}",
  };
  for (const char* source : endless) FailureOf(source, Code::kTooLarge);
}

TEST(TemplateLimits, DeepSourcesAreErrorsAndNotCrashes) {
  auto repeat = [](std::string_view unit) {
    std::string text;
    while (text.size() < 400'000) text += unit;
    return text;
  };
  for (const char* unit :
       {"(", "[", "{'a':", "not ", "-", "a if b else ", "a.b(", "a|f(", "a[", "1 ** -"}) {
    EXPECT_THROW(Template::Parse("{{ " + repeat(unit)), Error) << unit;
  }
  for (const char* unit : {"a + ", "a.b.", "a|upper|", "a[0][0]", "a()()", "a is b is "}) {
    EXPECT_THROW(Template::Parse("{{ a." + repeat(unit) + "a }}"), Error) << unit;
  }
  for (const char* unit : {"{% if a %}", "{% for a in b %}", "{% block a %}", "{% with %}",
                           "{% call a() %}", "{% macro a() %}", "{% set a %}", "{% filter a %}"}) {
    EXPECT_THROW(Template::Parse(repeat(unit)), Error) << unit;
  }
  // Long but flat is fine.
  std::string flat = "{% if false %}";
  for (int i = 0; i < 5000; ++i) flat += "{% elif false %}x";
  EXPECT_EQ(Render(flat + "{% else %}y{% endif %}"), "y");
  std::string joined = "{{ 'a'";
  for (int i = 0; i < 5000; ++i) joined += " ~ 'a'";
  EXPECT_EQ(Render(joined + " }}").size(), 5001u);
}

TEST(Template, TruncationNeverThrowsAnythingButError) {
  std::string source =
      "{% macro m(a, b='x') %}{{ a | default(b) }}{% endmacro %}{# c #}{% for k, v in d.items() if "
      "v is not "
      "none recursive %}{{- m(k, b=\"q\\n\")[1:] ~ {'a': [1, 2.5]}.a[-1] -}}{% else %}{% raw %}x{% "
      "endraw %}"
      "{% endfor %}{% set ns = namespace(a=1) %}{% set ns.a = 2 ** 3 %}{% include 'x' ignore "
      "missing %}";
  for (size_t n = 0; n <= source.size(); ++n) {
    try {
      Render(source.substr(0, n));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.message();
    }
  }
}

}  // namespace
}  // namespace hearth
