#include "codec/yaml.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace hearth {
namespace {

std::string Read(std::string_view yaml) { return ParseYaml(yaml).Dump(); }

std::string FailureOf(std::string_view yaml, const YamlLimits& limits = {}) {
  try {
    ParseYaml(yaml, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.message();
  }
  return "";
}

TEST(Yaml, TypesPlainScalarsAsPyYamlDoes) {
  EXPECT_EQ(Read("[yes, No, ON, off, true, False, y, n]"),
            R"([true,false,true,false,true,false,"y","n"])");
  EXPECT_EQ(Read("[~, null, Null, NULL, nUll, '']"), R"([null,null,null,null,"nUll",""])");
  EXPECT_EQ(Read("[1, -5, +7, 0, 1_000, 0x1F, 0b101, 017, 08, -0x10]"),
            R"([1,-5,7,0,1000,31,5,15,"08",-16])");
  EXPECT_EQ(Read("[1.5, -2., .5, 1.0e+3, 1.5e-1, 1e5, 1e-5, 1.5e3, 1.2.3]"),
            R"([1.5,-2.0,0.5,1000.0,0.15,"1e5","1e-5","1.5e3","1.2.3"])");
  EXPECT_EQ(Read("[2024-01-02, 12:30, 0o17, 18446744073709551615, 18446744073709551616]"),
            R"(["2024-01-02","12:30","0o17",18446744073709551615,"18446744073709551616"])");
  Json special = ParseYaml("[.inf, -.INF, .NaN]");
  EXPECT_EQ(special.AsArray()->at(0).AsDouble(), HUGE_VAL);
  EXPECT_EQ(special.AsArray()->at(1).AsDouble(), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(*special.AsArray()->at(2).AsDouble()));
}

TEST(Yaml, QuotedAndBlockScalarsAreStrings) {
  EXPECT_EQ(Read("a: '12'\nb: \"yes\"\nc: |\n  12\nd: >-\n  one\n  two\n"),
            R"({"a":"12","b":"yes","c":"12\n","d":"one two"})");
}

TEST(Yaml, ExplicitTagsDecide) {
  EXPECT_EQ(Read("[!!str 12, !!int '12', !!float 3, !!bool 'no', !!null x, ! 12, !!str]"),
            R"(["12",12,3.0,false,null,"12",""])");
  for (const char* bad : {"!!int x", "!!python/object:os.system []", "!custom 1", "!!bool maybe"}) {
    EXPECT_NE(FailureOf(bad), "") << bad;
  }
}

TEST(Yaml, ReadsTheFrontMatterOfACard) {
  Json card = ParseYaml(
      "license: apache-2.0\nlanguage:\n- en\n- \"no\"\ntags: [a, b]\nmodel-index:\n- name: x\n"
      "  results:\n  - task: {type: text-classification}\n    metrics:\n    - type: accuracy\n"
      "      value: 0.91\n# comment\nempty:\n");
  EXPECT_EQ(card.Dump(),
            R"({"license":"apache-2.0","language":["en","no"],"tags":["a","b"],"model-index":)"
            R"([{"name":"x","results":[{"task":{"type":"text-classification"},"metrics":)"
            R"([{"type":"accuracy","value":0.91}]}]}],"empty":null})");
}

TEST(Yaml, KeysKeepTheirText) {
  EXPECT_EQ(Read("1: a\nno: b\n'q': c\n1.50: d"), R"({"1":"a","no":"b","q":"c","1.50":"d"})");
}

TEST(Yaml, OfDuplicateKeysTheLastWins) { EXPECT_EQ(Read("a: 1\nb: 2\na: 3"), R"({"a":3,"b":2})"); }

TEST(Yaml, EmptyTextIsNullAndASecondDocumentAnError) {
  EXPECT_EQ(Read(""), "null");
  EXPECT_EQ(Read("\n# only a comment\n"), "null");
  EXPECT_EQ(Read("\xEF\xBB\xBF---\na: 1\r\nb: 2\r\n...\n"), R"({"a":1,"b":2})");
  EXPECT_NE(FailureOf("a: 1\n---\nb: 2\n").find("second document"), std::string::npos);
}

TEST(Yaml, AnchorsAndMergeKeys) {
  EXPECT_EQ(Read("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nlist: [*b]"),
            R"({"base":{"x":1,"y":2},"use":{"x":1,"y":3},"list":[{"x":1,"y":2}]})");
  EXPECT_EQ(Read("a: &a {x: 1}\nb: &b {x: 2, z: 9}\nc: {<<: [*a, *b], w: 0}"),
            R"({"a":{"x":1},"b":{"x":2,"z":9},"c":{"x":1,"z":9,"w":0}})");
  EXPECT_EQ(Read("&k key: v\nother: *k"), R"({"key":"v","other":"key"})");
  EXPECT_NE(FailureOf("a: &a [*a]"), "");
  EXPECT_NE(FailureOf("a: *nowhere"), "");
  EXPECT_NE(FailureOf("<<: 5"), "");
}

TEST(Yaml, BillionLaughsIsRefused) {
  std::string yaml = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 12; ++i) {
    std::string before = "*a" + std::to_string(i - 1);
    yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) yaml += ", " + before;
    yaml += "]\n";
  }
  EXPECT_NE(FailureOf(yaml).find("aliases"), std::string::npos);
  std::string wide = "a: &a '" + std::string(100'000, 'x') + "'\nb: [*a";
  for (int i = 0; i < 2000; ++i) wide += ", *a";
  EXPECT_NE(FailureOf(wide + "]").find("aliases"), std::string::npos);
}

TEST(Yaml, DeepNestingIsAnErrorAndNotACrash) {
  for (const char* open : {"[", "{a: ", "- ", "? ", "[? ", "{? {", "!!str [", "&a ["}) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += open;
    EXPECT_NE(FailureOf(deep), "") << open;
  }
  std::string block;
  for (int i = 0; i < 1000; ++i) block += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_NE(FailureOf(block), "");
  EXPECT_EQ(Read(std::string(90, '[') + std::string(90, ']')).size(), 180u);
}

TEST(Yaml, ErrorsSayLineAndColumn) {
  EXPECT_NE(FailureOf("a: 1\nb: [1, 2\nc: 3\n").find("(line "), std::string::npos);
  EXPECT_NE(FailureOf("a: 1\nb: \"open").find("(line "), std::string::npos);
  EXPECT_NE(FailureOf("ok: 1\nbad: \x01").find("(line 2, column 6)"), std::string::npos);
  EXPECT_NE(FailureOf("ok: 1\n\nbad: \xFF").find("(line 3,"), std::string::npos);
  EXPECT_NE(FailureOf("a: b: c").find("(line 1,"), std::string::npos);
  EXPECT_NE(FailureOf("? [a]\n: 1").find("key that is not a scalar"), std::string::npos);
}

TEST(Yaml, SizeAndNodeLimitsHold) {
  YamlLimits limits;
  limits.max_bytes = 10;
  EXPECT_THROW(ParseYaml("aaaaaaaaaaa", limits), Error);
  limits = {};
  limits.max_nodes = 5;
  EXPECT_NE(FailureOf("[1,2,3,4,5]", limits), "");
  EXPECT_EQ(FailureOf("[1,2,3,4]", limits), "");
}

TEST(Yaml, TruncationNeverThrowsAnythingButError) {
  std::string yaml =
      "a: &x {b: [1, 'two', \"th\\u0072ee\"], c: |\n  text\n}\nd: *x\n? k\n: >-\n  folded\n  "
      "more\n";
  for (size_t n = 0; n <= yaml.size(); ++n) {
    try {
      ParseYaml(yaml.substr(0, n));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
    }
  }
}

TEST(YamlDump, WritesBlockStyleAsPeopleWriteIt) {
  Json card = Json::Obj(
      {{"license", "mit"},
       {"tags", Json::Arr({"a", "b"})},
       {"index", Json::Arr({Json::Obj({{"name", "x"}, {"value", 1.5}}), Json::Arr({1, 2})})},
       {"none", Json()},
       {"empty", Json::Arr()},
       {"text", "line one\nline two\n"},
       {"map", Json::Obj({{"k", Json::Obj()}})}});
  EXPECT_EQ(DumpYaml(card),
            "license: mit\ntags:\n- a\n- b\nindex:\n- name: x\n  value: 1.5\n- - 1\n  - 2\n"
            "none: null\nempty: []\ntext: |\n  line one\n  line two\nmap:\n  k: {}\n");
}

TEST(YamlDump, EveryStringReadsBackEqual) {
  const std::string_view texts[] = {"",
                                    " ",
                                    "a",
                                    "yes",
                                    "No",
                                    "null",
                                    "~",
                                    "12",
                                    "-1",
                                    "0x1f",
                                    "1e5",
                                    "1.5",
                                    ".5",
                                    ".inf",
                                    "=",
                                    "<<",
                                    "2024-01-01",
                                    "12:30",
                                    "a: b",
                                    "a:",
                                    ":a",
                                    "a #b",
                                    "#a",
                                    "- a",
                                    "-",
                                    "-a",
                                    "? x",
                                    "[a",
                                    "{a",
                                    "&a",
                                    "*a",
                                    "!a",
                                    "|",
                                    ">",
                                    "'",
                                    "\"",
                                    "it's",
                                    "say \"hi\"",
                                    "%a",
                                    "@a",
                                    "`a",
                                    "\\",
                                    "a\\nb",
                                    "two\nlines",
                                    "two\nlines\n",
                                    "\nlead",
                                    "end\n\n",
                                    " lead\nx",
                                    "trail \nx",
                                    "\n",
                                    "tab\tin",
                                    "\ttab",
                                    "tab\nx\t\ny",
                                    "cr\rx",
                                    "crlf\r\nx",
                                    "\x01",
                                    "\x7F",
                                    "nel\xC2\x85x",
                                    "ls\xE2\x80\xA8x",
                                    "bom\xEF\xBB\xBFx",
                                    "\xC3\xA9t\xC3\xA9",
                                    "\xF0\x9F\xA4\x97 emoji",
                                    "...",
                                    "---",
                                    "a, b",
                                    "[]",
                                    "{}",
                                    "y",
                                    "n",
                                    "a\n  indented\nb",
                                    "\xEF\xBF\xBE",
                                    "key: |\n  x\n",
                                    "# not\n# comment",
                                    "x\n#y",
                                    "null\n",
                                    "1\n",
                                    "a\n---\nb",
                                    "a\n...\nb",
                                    "%TAG\nx"};
  Json all;
  for (std::string_view text : texts) {
    Json value(text);
    EXPECT_EQ(ParseYaml(DumpYaml(value)), value) << DumpYaml(value);
    Json nested = Json::Obj({{std::string(text), text}, {"l", Json::Arr({Json::Arr({text})})}});
    EXPECT_EQ(ParseYaml(DumpYaml(nested)), nested) << DumpYaml(nested);
    all.Push(value);
  }
  EXPECT_EQ(ParseYaml(DumpYaml(all)), all);
  Json long_key = Json::Obj({{std::string(3000, 'k'), Json::Arr({1})}});
  EXPECT_EQ(ParseYaml(DumpYaml(long_key)), long_key);
}

TEST(YamlDump, NumbersKeepTheirType) {
  for (double value : {1.0, 1e20, 1e-7, 1.5e300, -0.25, 123456789.0}) {
    Json back = ParseYaml(DumpYaml(Json(value)));
    EXPECT_EQ(back.AsDouble(), value) << DumpYaml(Json(value));
    EXPECT_FALSE(back.is_int()) << DumpYaml(Json(value));
  }
  EXPECT_EQ(DumpYaml(Json(1e20)), "1.0e+20\n");
  EXPECT_EQ(ParseYaml(DumpYaml(Json(UINT64_MAX))), Json(UINT64_MAX));
  EXPECT_EQ(ParseYaml(DumpYaml(Json(INT64_MIN))), Json(INT64_MIN));
  EXPECT_EQ(ParseYaml(DumpYaml(Json(HUGE_VAL))).AsDouble(), HUGE_VAL);
}

TEST(FrontMatterSplit, FindsTheBlockBetweenTheMarkers) {
  FrontMatter card = SplitFrontMatter("---\nlicense: mit\n---\n# Title\n");
  EXPECT_TRUE(card.present);
  EXPECT_EQ(card.yaml, "license: mit\n");
  EXPECT_EQ(card.body, "# Title\n");
}

TEST(FrontMatterSplit, ToleratesWindowsFilesMarksAndBlankStart) {
  FrontMatter card = SplitFrontMatter("\xEF\xBB\xBF\r\n--- \r\na: 1\r\n---\r\nbody");
  EXPECT_TRUE(card.present);
  EXPECT_EQ(card.yaml, "a: 1\r\n");
  EXPECT_EQ(card.body, "body");
  EXPECT_TRUE(SplitFrontMatter("---\n---").present);
  EXPECT_EQ(SplitFrontMatter("---\na: 1\n---").yaml, "a: 1\n");
}

TEST(FrontMatterSplit, WithoutBothMarkersAllIsBody) {
  for (std::string_view text : {"", "# Title\n---\na\n---\n", "---\nlicense: mit\n",
                                "----\na\n---\n", "---", "text", "---a\n---\n"}) {
    FrontMatter card = SplitFrontMatter(text);
    EXPECT_FALSE(card.present) << text;
    EXPECT_EQ(card.body, text);
    EXPECT_EQ(card.yaml, "");
  }
}

}  // namespace
}  // namespace hearth
