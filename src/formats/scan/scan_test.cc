#include "formats/scan/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/archive/archive_fixture.h"

namespace hearth {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;

const std::string kEvil = "cos\nsystem\n(S'id'\ntR.";

ScanReport Scan(const std::string& file, std::string_view name) {
  MemorySource source(file);
  return ScanSource(source, name);
}

TEST(ScanTest, FindingsSayWhereInsideOfTheFile) {
  ScanReport report = Scan(MakeTestZip({{.name = "m/data.pkl", .data = kEvil}}), "model.bin");
  EXPECT_EQ(report.verdict(), Severity::kDangerous);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].path, "model.bin!m/data.pkl");
  EXPECT_EQ(report.findings[0].evidence, "os.system, called with ('id')");
}

TEST(ScanTest, WorstFindingsComeFirst) {
  ScanReport report = Scan("cmystery.module\nthing\n0" + kEvil, "a.pkl");
  ASSERT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(report.findings[0].severity, Severity::kDangerous);
  EXPECT_EQ(report.findings[1].severity, Severity::kSuspicious);
}

TEST(ScanTest, HarmlessFilesHaveNoFindings) {
  for (auto [name, text] :
       {std::pair<const char*, std::string>{"README.md", "cos\nsystem\nis a line of a text"},
        {"vocab.txt", "cat\nsystem\ncos\nsin\nios\nsystem\n"},
        {"config.json", R"({"model_type": "bert"})"},
        {"weights.raw", std::string(5000, '\x80')},
        {"empty.bin", ""}}) {
    EXPECT_THAT(Scan(text, name).findings, IsEmpty()) << name;
  }
}

TEST(ScanTest, ArchivesMayNotNestWithoutEnd) {
  std::string file = kEvil;
  for (int i = 0; i < 20; ++i) file = MakeTestZip({{.name = "x.zip", .data = file}});
  EXPECT_THAT(Scan(file, "deep.zip").findings, Contains(Field(&ScanFinding::kind, "not-examined")));
}

TEST(ScanTest, EvidenceCannotMoveTheCursor) {
  ScanReport report = Scan("cos\nsys\x1b[2Jtem\n.", "a.pkl");
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].evidence.find('\x1b'), std::string::npos);
}

std::string Repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(ScanTest, BeginningsOfConfigurationsAreNotFollowedWithoutEnd) {
  std::string file = "\x89HDF\r\n\x1a\n" + std::string(512, '\0');
  file += Repeated("{\"class_name\":", 500'000);
  EXPECT_THAT(Scan(file, "model.h5").findings, Contains(Field(&ScanFinding::kind, "not-examined")));
}

TEST(ScanTemplateTest, ManyStatementsAreReadOnce) {
  EXPECT_THAT(ScanTemplate(Repeated("{% if x %}{", 300'000), "chat_template.jinja"), IsEmpty());
  EXPECT_FALSE(ScanTemplate(Repeated("{%x%}{", 300'000) + "{{ a.__class__ }}", "t").empty());
}

TEST(ScanTest, EveryTruncationOfAnArchiveIsExamined) {
  std::string file =
      MakeTestZip({{.name = "m/data.pkl", .data = kEvil}, {.name = "m/x", .data = "data"}});
  // From where the call is whole, no cut hides it.
  for (size_t n = file.find("tR.") + 2; n < file.size(); ++n) {
    EXPECT_EQ(Scan(file.substr(0, n), "m.pt").verdict(), Severity::kDangerous) << n;
  }
}

TEST(ScanTemplateTest, HonestTemplatesPass) {
  for (const char* text :
       {"{% for m in messages %}{{ m['role'] ~ '\n' ~ m.content | trim }}{% endfor %}",
        "{% set ns = namespace(found=false) %}{{ messages | selectattr('role', 'eq', 'x') | list "
        "}}",
        "{% macro f(x) %}{{ x | tojson }}{% endmacro %} __class__ outside of code {{ bos_token "
        "}}"}) {
    EXPECT_THAT(ScanTemplate(text, "t"), IsEmpty()) << text;
  }
}

TEST(ScanTemplateTest, FindsWaysToPython) {
  for (const char* text :
       {"{{ x.__class__ }}", "{{ x['__cla' ~ 'ss__'] }}", "{{ x['\\x5f_class_\\x5f'] }}",
        "{% if lipsum %}{% endif %}", "{{ x|attr('\\137\\137globals\\137\\137') }}"}) {
    EXPECT_THAT(ScanTemplate(text, "t"),
                Contains(Field(&ScanFinding::severity, Severity::kDangerous)))
        << text;
  }
}

}  // namespace
}  // namespace hearth
