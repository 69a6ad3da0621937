// The decision note as a page for print: one file, no script, nothing loaded.
#include "hub/inspector/compare/decision_note.h"
#include "text/template.h"

namespace hearth::inspector {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light; }
body { font: 15px/1.55 Georgia, "DejaVu Serif", serif; color: #221d18; background: #fff; max-width: 1000px; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; border-bottom: 1px solid #ccc3b6; padding-bottom: .2rem; }
h1, h2, th, td, li, p { overflow-wrap: anywhere; }
.by { color: #5c544b; margin: 0 0 1rem; } .text { white-space: pre-wrap; margin: 0; }
.missing { color: #7a5200; font-style: italic; }
code { font: .86em "DejaVu Sans Mono", Consolas, monospace; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: .86rem; line-height: 1.4; }
th:first-child { width: 17%; } .checklist th:nth-child(3) { width: 20%; } .checklist th:nth-child(4) { width: 24%; }
@media screen { table { min-width: 640px; } }
th, td { border: 1px solid #d8cfc2; padding: .3rem .5rem; text-align: left; vertical-align: top; }
thead th { background: #f3eee6; } tr.differs > th::before { content: "\2260\00a0"; color: #9a3412; }
.level { color: #5c544b; font-size: .92em; white-space: nowrap; } .where { color: #5c544b; }
.chosen { font-weight: 700; } footer { margin-top: 2rem; color: #5c544b; font-size: .85rem; }
@page { margin: 16mm 14mm; }
@media print {
  body { font-size: 10.5pt; margin: 0; max-width: none; padding: 0; }
  h2 { break-after: avoid; } tr, li { break-inside: avoid; } thead { display: table-header-group; }
  a { color: inherit; text-decoration: none; } .wide { overflow: visible; }
  table { font-size: 8.5pt; }
}
)css";

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Decision: {{ note.title }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
{% macro found(cell) %}{% if cell.level == 'missing' %}<span class="missing">missing</span>{% else %}{{ cell.text }} <span class="level">({{ cell.level }})</span>{% endif %}{% endmacro %}
<main>
<h1>Decision: {{ note.title }}</h1>
<p class="by">{{ note.date }}{% if note.author %}, by {{ note.author }}{% endif %}</p>
{% for part in [['Decision', note.decision], ['Why', note.why], ['Alternatives', note.alternatives], ['Judged by', note.success_criteria]] %}
<h2>{{ part[0] }}</h2>
{% if part[1] %}<p class="text">{{ part[1] }}</p>{% else %}<p class="missing">missing</p>{% endif %}
{% endfor %}
<h2>Repositories</h2>
<ul>
{% for repo in note.repositories %}
<li{% if repo.chosen %} class="chosen"{% endif %}>{{ repo.type }} {% if repo.url %}<a href="{{ repo.url }}">{{ repo.id }}</a>{% else %}{{ repo.id }}{% endif %}{% if repo.commit %} at commit <code>{{ repo.commit }}</code>{% endif %}{% if repo.chosen %} (chosen){% endif %}</li>
{% endfor %}
</ul>
{% for repo in note.repositories %}
<h2>Checklist of {{ repo.id }}</h2>
<p class="by">{{ repo.progress.filled }} of {{ repo.progress.of }} known, {{ repo.progress.checked }} looked at</p>
<div class="wide"><table class="checklist">
<thead><tr><th scope="col">Question</th><th scope="col">Found</th><th scope="col">Where</th><th scope="col">Answer</th></tr></thead>
<tbody>
{% for field in repo.checklist %}
<tr><th scope="row">{{ field.title }}</th><td>{{ found(field.found) }}</td><td class="where">{% for item in field.found.evidence[:3] %}{% if not loop.first %}; {% endif %}{% if item.repo %}{{ item.repo }} {% endif %}{{ item.file or item.rule }}{% if item.place %} {{ item.place }}{% endif %}{% endfor %}</td><td>{% if field.answer %}{{ field.answer.text or ('agreed' if field.answer.checked else '') }}{% endif %}</td></tr>
{% endfor %}
</tbody></table></div>
{% endfor %}
{% if note.repositories|length > 1 %}
<h2>Side by side</h2>
<div class="wide"><table>
<thead><tr><th scope="col">Row</th>{% for repo in note.repositories %}<th scope="col">{{ repo.id }}</th>{% endfor %}</tr></thead>
<tbody>
{% for group in note.comparison.groups %}{% for row in group.rows %}
<tr{% if row.differs %} class="differs"{% endif %}><th scope="row">{{ row.title }}</th>{% for cell in row.cells %}<td>{% if cell.applies %}{{ found(cell) }}{% else %}–{% endif %}</td>{% endfor %}</tr>
{% endfor %}{% endfor %}
</tbody></table></div>
{% endif %}
<footer>What is not said is missing, never guessed. Likes and downloads play no part. What is said of licences is a reading aid, not legal advice.</footer>
</main>
</body>
</html>
)html";

}  // namespace

std::string_view NoteStyle() { return kStyle; }

std::string NoteHtml(const Json& note) {
  static const Template page = Template::Parse(
      kPage, {.name = "decision_note.html", .trim_blocks = true, .lstrip_blocks = true});
  RenderOptions options;
  options.autoescape = true;
  return page.Render(Json::Obj({{"note", note}, {"style", kStyle}}), options);
}

}  // namespace hearth::inspector
