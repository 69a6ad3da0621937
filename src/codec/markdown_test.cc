#include "codec/markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Markdown, RendersTheGithubDialect) {
  EXPECT_EQ(RenderMarkdown("some *text* with `code` and ~~old~~\n"),
            "<p>some <em>text</em> with <code>code</code> and <del>old</del></p>\n");
  EXPECT_THAT(RenderMarkdown("| a | b |\n|---|--:|\n| 1 | 2 |\n"),
              HasSubstr("<th align=\"right\">b</th>"));
  EXPECT_THAT(RenderMarkdown("see https://example.com/x."),
              HasSubstr("<a href=\"https://example.com/x\" rel=\"nofollow noopener\">"));
  EXPECT_THAT(RenderMarkdown("- [x] done\n- [ ] open\n"),
              HasSubstr("<input type=\"checkbox\" disabled=\"\" checked=\"\">"));
  EXPECT_THAT(RenderMarkdown("```python\nx < 1\n```\n"),
              HasSubstr("<pre><code class=\"language-python\">x &lt; 1\n</code></pre>"));
}

TEST(Markdown, FootnotesLinkInsideTheDocument) {
  std::string html = RenderMarkdown("claim[^1]\n\n[^1]: proof\n");
  EXPECT_THAT(html, HasSubstr("href=\"#user-content-fn-1\" id=\"user-content-fnref-1\""));
  EXPECT_THAT(html, HasSubstr("<li id=\"user-content-fn-1\">"));
  EXPECT_THAT(html, HasSubstr("href=\"#user-content-fnref-1\""));
}

TEST(Markdown, FormulasStayAsTheirAuthorsWroteThem) {
  MarkdownOptions options;
  options.math = true;
  auto render = [&options](std::string_view text) { return RenderMarkdown(text, options); };
  EXPECT_EQ(render("so $a_i * b_j < \\frac{1}{2}$ holds"),
            "<p>so <span class=\"math\">a_i * b_j &lt; \\frac{1}{2}</span> holds</p>\n");
  EXPECT_EQ(render("$$\nx_1 \\\\ x_2\n$$"),
            "<p><span class=\"math display\">\nx_1 \\\\ x_2\n</span></p>\n");
  EXPECT_THAT(render("with \\\\(e^x\\\\)"), HasSubstr("<span class=\"math\">e^x</span>"));
  for (const char* price : {"$5 and $10", "from $5-$10", "a $ b $ c", "US$x$", "\\$a$", "$a\n\nb$"})
    EXPECT_THAT(render(price), Not(HasSubstr("math"))) << price;
  // Code is code, and what lands in an attribute stays text.
  EXPECT_EQ(render("`$a_b$` and ``$c` $d_e$``"),
            "<p><code>$a_b$</code> and <code>$c` $d_e$</code></p>\n");
  EXPECT_EQ(render("```sh\necho $a_b$\n```\n"),
            "<pre><code class=\"language-sh\">echo $a_b$\n</code></pre>\n");
  EXPECT_EQ(render("    echo $a_b$\n"), "<pre><code>echo $a_b$\n</code></pre>\n");
  EXPECT_THAT(render("![$a<b$](x.png)"), HasSubstr("alt=\"$a&lt;b$\""));
  EXPECT_THAT(render("$</span><script>x$"), Not(HasSubstr("<script")));
  EXPECT_THAT(render("\uF8F00\uF8F1 $x$"), HasSubstr("<p>0 <span class=\"math\">x</span>"));
}

TEST(Markdown, HeadingsGetUniqueAnchors) {
  std::string html = RenderMarkdown("# Model *Card* & more!\n## Usage\n## Usage\n");
  EXPECT_THAT(html, HasSubstr("<h1 id=\"user-content-model-card--more\">Model <em>Card</em> &amp; "
                              "more!<a class=\"anchor\" "
                              "href=\"#user-content-model-card--more\""));
  EXPECT_THAT(html, HasSubstr("<h2 id=\"user-content-usage\">"));
  EXPECT_THAT(html, HasSubstr("<h2 id=\"user-content-usage-1\">"));
  EXPECT_THAT(RenderMarkdown("[to](#usage)"), HasSubstr("<a href=\"#user-content-usage\">"));
}

TEST(Markdown, RelativeLinksPointIntoTheRepository) {
  MarkdownOptions options;
  options.base_url = "/org/model";
  options.revision = "refs/pr/1";
  options.folder = "docs";
  std::string html = RenderMarkdown(
      "![i](img/a b.png?raw=true) [l](../LICENSE#top) [x](../../../etc) [s](/abs) [q](?a) "
      "![d](./d.jpg)",
      options);
  html += RenderMarkdown("![sp](<img/a b.png>)", options);
  EXPECT_THAT(html, HasSubstr("src=\"/org/model/resolve/refs%2Fpr%2F1/docs/img/a%20b.png\""));
  EXPECT_THAT(html, HasSubstr("href=\"/org/model/blob/refs%2Fpr%2F1/LICENSE#top\""));
  EXPECT_THAT(html, HasSubstr("href=\"/org/model/blob/refs%2Fpr%2F1/etc\""));
  EXPECT_THAT(html, HasSubstr("href=\"/abs\""));
  EXPECT_THAT(html, HasSubstr("src=\"/org/model/resolve/refs%2Fpr%2F1/docs/d.jpg\""));
  EXPECT_THAT(RenderMarkdown("[l](a/b.md)"), HasSubstr("href=\"a/b.md\""));
}

TEST(Sanitize, DropsWhatCanRunOrLoad) {
  const char* hostile[] = {
      "<script>alert(1)</script>",
      "<SCRIPT SRC=//evil></SCRIPT >",
      "<img src=x onerror=alert(1)>",
      "<img/src=x/onerror=alert(1)>",
      "<a href='javascript:alert(1)'>x</a>",
      "<a href=' java\tscript:alert(1)'>x</a>",
      "<a href='&#106;avascript&colon;alert(1)'>x</a>",
      "<a href='&#x6A;avascript&#58alert(1)'>x</a>",
      "<a href='vbscript:x'>x</a>",
      "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
      "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
      "<iframe src='https://e'></iframe>",
      "<style>@import 'https://e'</style>",
      "<p style='background:url(javascript:alert(1))'>x</p>",
      "<form action=x><input name=q><button>go</button></form>",
      "<svg><script>alert(1)</script></svg>",
      "<svg/onload=alert(1)>",
      "<math><mtext><script>alert(1)</script></mtext></math>",
      "<object data=x></object><embed src=x>",
      "<base href='//evil'><link rel=stylesheet href=x><meta http-equiv=refresh content=0>",
      "<div onclick=alert(1) onmouseover='alert(1)'>x</div>",
      "<details ontoggle=alert(1) open>x</details>",
      "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
      "<textarea><script>alert(1)</script></textarea>",
      "<template><script>alert(1)</script></template>",
      "<!--><img src=x onerror=alert(1)>-->",
      "<![CDATA[><img src=x onerror=alert(1)>]]>",
      "<a href=\"x\" \"onclick=alert(1)\">x</a>",
      "<img src=\"x\" title=\"&quot; onerror=alert(1)\">",
      "<p title='\"><script>alert(1)</script>'>x</p>",
      "<xmp><script>alert(1)</script></xmp><plaintext><script>alert(1)</script>",
      "<scr<script>ipt>alert(1)</script>",
      "<img srcset='javascript:alert(1) 2x'>",
      "<video><source onerror=alert(1)></video>",
      "<a name=x id=y class='btn btn-danger'>x</a>",
      "<img src=x:alert(1)>",
      "<\0script>alert(1)</script>",
  };
  for (const char* html : hostile) {
    std::string safe = SanitizeHtml(html);
    // Whatever is left may be text, but no tag that acts.
    for (const char* bad :
         {"<script",   "<style",    "<iframe", "<svg",       "<math",     "<object",
          "<embed",    "<form",     "<button", "<base",      "<link",     "<meta",
          "<textarea", "<template", "<xmp",    "<plaintext", "<noscript", "javascript:",
          "vbscript:", "data:",     " style=", "btn-danger"}) {
      std::string tags = safe;
      for (size_t at = 0; (at = tags.find("&lt;", at)) != std::string::npos;)
        tags.replace(at, 4, "(");
      EXPECT_THAT(tags, Not(HasSubstr(bad))) << html;
    }
    // No attribute starts with "on": look inside of tags only.
    bool in_tag = false, in_quotes = false;
    for (size_t i = 0; i + 3 < safe.size(); ++i) {
      if (safe[i] == '"' && in_tag) in_quotes = !in_quotes;
      if (in_quotes) continue;
      if (safe[i] == '<') in_tag = true;
      if (safe[i] == '>') in_tag = false;
      if (in_tag) EXPECT_NE(safe.substr(i, 3), " on") << html << "\n" << safe;
    }
  }
}

TEST(Sanitize, KeepsWhatCardsUse) {
  EXPECT_EQ(SanitizeHtml(
                "<p align=\"center\"><img src=\"https://e/x.png\" width=\"50%\" alt=\"a&b\"></p>"),
            "<p align=\"center\"><img src=\"https://e/x.png\" width=\"50%\" alt=\"a&amp;b\"></p>");
  EXPECT_EQ(SanitizeHtml("<details open><summary>s</summary>t</details>"),
            "<details open=\"\"><summary>s</summary>t</details>");
  EXPECT_EQ(SanitizeHtml("<kbd>x</kbd><sub>1</sub><br/><a href='mailto:a@b.c'>m</a>"),
            "<kbd>x</kbd><sub>1</sub><br><a href=\"mailto:a@b.c\" rel=\"nofollow noopener\">m</a>");
  EXPECT_EQ(SanitizeHtml("<img src='data:image/png;base64,iVBORw0KGgo='>"),
            "<img src=\"data:image/png;base64,iVBORw0KGgo=\">");
  EXPECT_EQ(SanitizeHtml("a &amp; b &nbsp;&copy; AT&T < 3 <font color=red>r</font>"),
            "a &amp; b &nbsp;&copy; AT&amp;T &lt; 3 r");
  EXPECT_EQ(SanitizeHtml("<picture><source media=\"(prefers-color-scheme: dark)\" "
                         "srcset=\"https://e/d.png 2x, l.png\"><img src=l.png></picture>"),
            "<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"https://e/d.png 2x, "
            "l.png\"><img src=\"l.png\"></picture>");
}

TEST(Sanitize, DocumentsCannotCloseThePageAroundThem) {
  EXPECT_EQ(SanitizeHtml("</div></body><p>x"), "<p>x</p>");
  EXPECT_EQ(SanitizeHtml("<div><b>x</div>y"), "<div><b>x</b></div>y");
  EXPECT_EQ(SanitizeHtml("<ul><li>a<li>b</ul>"), "<ul><li>a</li><li>b</li></ul>");
  EXPECT_EQ(SanitizeHtml("<p>a<p>b"), "<p>a</p><p>b</p>");
  EXPECT_EQ(
      SanitizeHtml("<a href=x>1<a href=y>2</a>"),
      "<a href=\"x\" rel=\"nofollow noopener\">1</a><a href=\"y\" rel=\"nofollow noopener\">2</a>");
  EXPECT_EQ(SanitizeHtml("<p unfinished"), "<p></p>");
  EXPECT_EQ(SanitizeHtml("a < b <"), "a &lt; b &lt;");
}

TEST(Sanitize, IdsLiveInTheirOwnNamespace) {
  EXPECT_EQ(SanitizeHtml("<span id=\"search\">x</span><a name=top></a>"),
            "<span id=\"user-content-search\">x</span><a id=\"user-content-top\"></a>");
  EXPECT_EQ(SanitizeHtml("<span id='a b'>x</span>"), "<span>x</span>");
}

TEST(Sanitize, InvalidUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(SanitizeHtml("a\xFF"
                         "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_THAT(RenderMarkdown("a\xFF"
                             "b"),
              HasSubstr("a\xEF\xBF\xBD"
                        "b"));
}

TEST(Markdown, LimitsAreErrorsAndNotCrashes) {
  MarkdownOptions small;
  small.max_input_bytes = 10;
  EXPECT_THROW(RenderMarkdown("0123456789a", small), Error);
  small = {};
  small.max_output_bytes = 100;
  EXPECT_THROW(RenderMarkdown(std::string(200, 'x'), small), Error);
}

TEST(Markdown, DeepNestingStaysShallowInTheOutput) {
  for (const char* unit : {"> ", "- ", "1. ", "<div>", "<b>", "<ul><li>", "[", "![", "*a ", "`",
                           "~~a ", "<table><tr><td>", "<svg>", "<font color=1>"}) {
    std::string text;
    while (text.size() < 300'000) text += unit;
    std::string html = RenderMarkdown(text + "x");
    size_t depth = 0, deepest = 0;
    for (size_t i = 0; i + 1 < html.size(); ++i) {
      if (html[i] != '<' || html.compare(i, 4, "<br>") == 0) continue;
      if (html[i + 1] == '/') {
        depth -= depth > 0 ? 1 : 0;
      } else {
        deepest = std::max(deepest, ++depth);
      }
    }
    EXPECT_LE(deepest, 110u) << unit;
  }
}

TEST(Markdown, ShapesThatTakeSquareTimeOrMemoryAreText) {
  auto repeat = [](std::string_view unit, size_t times) {
    std::string text;
    for (size_t i = 0; i < times; ++i) text += unit;
    return text;
  };
  // Each row of a table gets all of its columns: 2,000 x 400,000 cells here.
  std::string table =
      repeat("|a", 2000) + "\n" + repeat("|-", 2000) + "\n" + repeat("a\n", 400'000);
  EXPECT_THAT(RenderMarkdown(table), Not(HasSubstr("<table>")));
  // Each use of a reference copies it: 100 kB x 200,000 here.
  std::string references = "[a]: " + repeat("u", 100'000) + "\n\n" + repeat("[a] ", 200'000);
  EXPECT_LT(RenderMarkdown(references).size(), 2'000'000u);
  std::string title = "[a]: u\n  '" + repeat("t\n", 50'000) + "'\n\n" + repeat("[a] ", 200'000);
  EXPECT_LT(RenderMarkdown(title).size(), 2'000'000u);
  std::string lists;
  for (size_t i = 0; i < 600; ++i) lists += repeat("  ", i) + "- a\n";
  EXPECT_LT(RenderMarkdown(lists + repeat("\n", 500'000)).size(), 100'000u);
  EXPECT_THAT(RenderMarkdown("[a][r] [b][r]\n\n[r]: https://e/x 'T'\n"),
              HasSubstr("<a href=\"https://e/x\" title=\"T\" rel"));
}

TEST(Markdown, LongRulesAndTablesAreNotTakenForNesting) {
  std::string dashes(300, '-');
  EXPECT_THAT(RenderMarkdown("```\n" + dashes + "\n```\n"), HasSubstr(dashes));
  EXPECT_EQ(RenderMarkdown(dashes + "\n"), "<hr>\n");
  std::string spaced;
  for (int i = 0; i < 150; ++i) spaced += "* ";
  EXPECT_EQ(RenderMarkdown(spaced + "\n"), "<hr>\n");
}

TEST(Markdown, EveryTruncationOfADocumentRenders) {
  std::string text =
      "# T\n\n<div align=\"center\"><!-- c --><img src='a.png' alt=\"x\"/></div>\n\n| a "
      "|\n|---|\n| `b` |\n"
      "\n1. x\n   - y[^1]\n\n[^1]: &amp; <b>n</b> [l](<u v> \"t\")\n\n```c\nint a;\n```\n";
  for (size_t n = 0; n <= text.size(); ++n) {
    EXPECT_LE(RenderMarkdown(text.substr(0, n)).size(), 4000u);
  }
}

}  // namespace
}  // namespace hearth
