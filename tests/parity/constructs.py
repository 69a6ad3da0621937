"""Templates that use, one construct after the other, what real chat templates are made of."""

SOURCES = {
    "loop_variables": """{% for m in messages %}{{ loop.index }}/{{ loop.length }} {{ loop.index0 }} {{ loop.revindex }}{{ loop.revindex0 }}
{%- if loop.first %} first{% endif %}{% if loop.last %} last{% endif %} {{ loop.previtem.role }}>{{ loop.nextitem.role }}
{{ loop.cycle('a', 'b') }}{{ loop.changed(m.role) }}{{ loop.depth }}
{% else %}nothing{% endfor %}""",
    "loop_filters": "{% for m in messages if m.role != 'system' %}{{ loop.index }}{{ m.role }};{% endfor %}",
    "loop_controls": """{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}{% if loop.index > 4 %}{% break %}{% endif %}
{{ m.role }}{% endfor %}""",
    "loop_nested": """{% for t in tools or [] %}{% for name, spec in t.function.parameters.properties.items() %}{{ loop.index }}{{ name }}
{%- for k, v in spec.items() %} {{ k }}={{ v }}{% endfor %};{% endfor %}{% endfor %}""",
    "recursion": """{% macro walk(x, depth=0) %}{% if x is mapping %}{{ '{' }}{% for k in x %}{{ k }}:{{ walk(x[k], depth + 1) }},{% endfor %}{{ '}' }}
{%- elif x is sequence and x is not string %}[{% for i in x %}{{ walk(i, depth + 1) }},{% endfor %}]{% else %}{{ depth }}:{{ x }}{% endif %}{% endmacro %}
{{ walk(tools) }}{{ walk(messages[0]) }}""",
    "macro_arguments": """{% macro f(a, b='B', c=none) %}{{ a }}|{{ b }}|{{ c }}|{{ varargs }}|{{ kwargs }}{% endmacro %}
{{ f(1) }} {{ f(1, c=2) }} {{ f(1, 2, 3, 4, 5) }} {{ f(1, z=3) }} {{ f.name }} {{ f.arguments }}""",
    "macro_caller": """{% macro box(title) %}[{{ title }}: {{ caller('x') }}]{% endmacro %}
{% call(v) box('t') %}body {{ v }} {{ messages|length }}{% endcall %}""",
    "namespace": """{% set ns = namespace(n=0, last='', found=false) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% set ns.last = m.role %}
{%- if m.role == 'tool' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.n }} {{ ns.last }} {{ ns.found }}""",
    "scoping": """{% set x = 1 %}{% for m in messages %}{% set x = 2 %}{% endfor %}{{ x }}{% if true %}{% set x = 3 %}{% endif %}{{ x }}
{% with x = 4, y = x %}{{ x }}{{ y }}{% endwith %}{{ x }}""",
    "set_blocks": """{% set text %}{% for m in messages %}{{ m.role }} {% endfor %}{% endset %}[{{ text | trim }}]{{ text is string }}
{% set upper | upper | trim %} shout {% endset %}{{ upper }}""",
    "unpacking": "{% set a, b = (1, [2, 3]) %}{{ a }}{{ b }}{% for k, v in {'x': 1, 'y': [2]} | items %}{{ k }}{{ v }}{% endfor %}",
    "white_space": """  {%- if messages %}
      yes
  {%- endif %}

    {% if true %}
  kept
    {% endif %}
  {{- ' tight ' -}}
  {% raw %}{{ raw }} {% x %}{% endraw %}
  {# comment #}
{%+ if true %}plus{%+ endif +%}
end""",
    "operators": """{{ 7 // 2 }} {{ 7 / 2 }} {{ 7 % 3 }} {{ 2 ** 5 }} {{ -7 // 2 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ 1 < 2 < 3 }} {{ 'x' ~ 1 ~ none ~ true }}
{{ 'b' in 'abc' }} {{ 'role' in messages[0] }} {{ 3 not in [1, 2] }} {{ not messages }} {{ (1 or 0) and 'z' }} {{ [1] + [2] }} {{ 'ab' * 3 }}""",
    "ternary": "{{ 'tools' if tools else 'none' }}{{ 'x' if false }}{{ (messages | length > 3) | string }}{{ 1 if none is none else 2 }}",
    "slices": """{% for m in messages[1:] %}{{ m.role[0] }}{% endfor %}{{ messages[::-1][0].role }}{{ 'hello'[1:3] }}{{ 'hello'[-2:] }}{{ 'hello'[::-1] }}
{{ messages[-1].role }}{{ messages[:2] | length }}{{ messages[99:] }}""",
    "subscripts": """{{ messages[0]['role'] }}{{ messages[0].role }}{{ messages[0]['missing'] is defined }}{{ messages[0].get('content') is none }}
{{ messages[0].get('missing', 'fallback') }}{{ {'a': {'b': 1}}.a.b }}{{ [[1, 2], [3]][0][1] }}""",
    "tests": """{% for v in [1, 1.5, 'a', true, none, [], {}, missing, messages] %}{{ v is defined }}{{ v is undefined }}{{ v is none }}{{ v is string }}
{{- v is number }}{{ v is integer }}{{ v is float }}{{ v is boolean }}{{ v is true }}{{ v is false }}{{ v is mapping }}{{ v is sequence }}{{ v is iterable }};{% endfor %}
{{ 4 is even }}{{ 4 is odd }}{{ 4 is divisibleby 2 }}{{ 'a' is eq 'a' }}{{ 3 is gt 2 }}{{ 'x' is in ['x'] }}{{ 'A' is upper }}{{ 1 is sameas 1 }}""",
    "json": """{{ tools | tojson }}
{{ messages | tojson(indent=2) }}
{{ tools | tojson(separators=(',', ':')) }}{{ {'b': 1, 'a': [1.0, 1e30, 'é\u2028<>&']} | tojson(sort_keys=true, ensure_ascii=true) }}
{{ 'text "q"' | tojson }}{{ none | tojson }}{{ true | tojson }}{{ 3 | tojson }}""",
    "pprint": "{{ tools | pprint }}\n{{ messages | pprint }}\n{% for m in messages %}{{ m.content | pprint }}\n{{ m | pprint | length }}{% endfor %}",
    "string_filters": """{{ '  a b ' | trim }}|{{ 'xxaxx' | trim('x') }}|{{ 'Hello World' | lower | upper | capitalize | title }}|{{ 'a-b' | replace('-', '+') }}
{{ 'a\nb\n\nc' | indent(2) }}|{{ 'a\nb' | indent(2, true) }}|{{ 'abc' | length }}|{{ 12 | string | length }}|{{ 'long text here' | truncate(8) }}|{{ 'w' | center(5) }}
{{ '%s and %d' | format('x', 3) }}|{{ 'a b c' | wordcount }}|{{ '3' | int + 1 }}|{{ 'x' | int(7) }}|{{ '2.5' | float }}|{{ 2.567 | round(1) }}|{{ -3 | abs }}|{{ '<b>' | e }}""",
    "sequence_filters": """{{ [3, 1, 2] | sort }}{{ ['b', 'A', 'c'] | sort }}{{ ['b', 'A'] | sort(case_sensitive=true, reverse=true) }}{{ [1, 1, 2] | unique | list }}
{{ [1, 2, 3] | first }}{{ [1, 2, 3] | last }}{{ [1, 2, 3] | sum }}{{ [1, 2, 3] | max }}{{ [] | join(',') }}{{ [1, none, 'x'] | join('-') }}{{ [1, 2, 3] | reverse | list }}
{{ messages | map(attribute='role') | join(' ') }}{{ messages | map(attribute='nope', default='d') | list | length }}{{ ['a', 'b'] | map('upper') | list }}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | rejectattr('content') | list | length }}{{ [0, 1, '', 'x'] | select | list }}
{{ [1, 2, 3, 4] | reject('even') | list }}{{ [1, 2, 3] | batch(2) | list }}{{ [1, 2, 3] | slice(2) | list }}{{ {'b': 1, 'a': 2} | dictsort }}{{ {'b': 1, 'a': 2} | dictsort(by='value') }}
{{ messages | groupby('role') | map('first') | list }}{{ missing | default('d') }}{{ '' | default('d', true) }}{{ 'abc' | list }}{{ {'a': 1} | list }}{{ 'x' | safe }}""",
    "string_methods": """{{ 'a,b,c'.split(',') }}{{ ' a  b '.split() }}{{ 'a,b,c'.split(',', 1) }}{{ 'a,b'.rsplit(',', 1)[0] }}{{ 'x.y'.endswith('.y') }}{{ 'xy'.startswith(('a', 'x')) }}
{{ '  s '.strip() }}|{{ 'xxs'.lstrip('x') }}|{{ 'sxx'.rstrip('x') }}|{{ 'a'.upper() }}{{ 'A'.lower() }}{{ 'ab cd'.title() }}{{ 'ab'.capitalize() }}{{ 'aXbX'.replace('X', '-', 1) }}
{{ 'abc'.find('c') }}{{ 'aa'.count('a') }}{{ '-'.join(['a', 'b']) }}{{ 'a{}b{x}'.format(1, x=2) }}{{ '12'.isdigit() }}{{ 'ab'.isalpha() }}{{ 'k=v=w'.partition('=') }}{{ 'a\nb'.splitlines() }}
{{ '7'.zfill(3) }}{{ 'Ab'.swapcase() }}{{ 'prefix-x'.removeprefix('prefix-') }}""",
    "dict_methods": "{% set d = {'a': 1, 'b': none} %}{{ d.items() | list }}{{ d.keys() | list }}{{ d.values() | list }}{{ d.get('c') }}{{ dict(d, c=3) }}{{ dict(x=1) }}",
    "generation": """{% for m in messages %}{% if m.role == 'assistant' %}<a>{% generation %}{{ m.content }}{% for c in m.tool_calls or [] %}{{ c.function.name }}{% endfor %}</a>{% endgeneration %}
{% else %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}<a>{% endif %}""",
    "raise": "{% if messages[0].role != 'user' %}{{ raise_exception('the first message is a ' ~ messages[0].role ~ ', not a user\\'s') }}{% endif %}ok",
    "dates": "{{ strftime_now('%Y-%m-%d %H:%M') }}{{ strftime_now('%d %b %Y') }}",
    "range": "{% for i in range(3) %}{{ i }}{% endfor %}{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}{{ range(4) | list }}{{ range(messages | length) | last }}",
    "undefined": "{{ missing }}|{{ missing is defined }}|{{ missing or 'x' }}|{% for x in missing %}{% endfor %}{% if missing %}{% endif %}{{ messages[0].nope }}",
    "undefined_attribute": "{{ missing.attribute }}",
    "reasoning": "{% for m in messages %}{{ m.reasoning_content }}/{{ m.thinking }};{% endfor %}",
    "literals": """{{ [1, 'a', (2, 3), {'k': none, 1: true}] }}{{ "it's" }}{{ ["it's", 'q"q', 'b\\\\b', 'n\\nn'] }}{{ 1e3 }}{{ 1_000 }}{{ 0.1 + 0.2 }}{{ 1.0 }}{{ true }}{{ True }}{{ None }}{{ () }}{{ (1,) }}""",
    "blocks": "{% filter upper %}a{{ messages[0].role }}{% endfilter %}{% set x = joiner('; ') %}{% for i in [1, 2] %}{{ x() }}{{ i }}{% endfor %}{% set c = cycler('o', 'e') %}{{ c.next() }}{{ c.next() }}{{ c.current }}",
    "underscore": "{% set ns = namespace() %}{% set ns._x = 1 %}",
    "mutation": "{% set x = [] %}{% set _ = x.append(1) %}{{ x }}",
    "lazy_length": "{{ messages | map(attribute='role') | length }}",
}
