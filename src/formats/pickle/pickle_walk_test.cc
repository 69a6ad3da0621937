#include "formats/pickle/pickle_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearth {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A literal that may hold zeros.
template <size_t N>
std::string_view Bytes(const char (&literal)[N]) {
  return std::string_view(literal, N - 1);
}

PickleReport Walk(std::string_view bytes) {
  MemorySource source(bytes);
  return PickleWalker(source).Walk(0, bytes.size());
}

std::vector<std::string> Names(const PickleReport& report) {
  std::vector<std::string> names;
  for (const PickleGlobal& global : report.globals) {
    names.push_back(global.module + "." + global.name + " " +
                    std::string(GlobalClassName(global.cls)));
  }
  return names;
}

TEST(PickleWalkTest, ReportsACallWithItsArguments) {
  PickleReport report = Walk(Bytes("\x80\2cos\nsystem\nX\2\0\0\0id\x85R."));
  EXPECT_TRUE(report.complete);
  ASSERT_THAT(Names(report), ElementsAre("os.system dangerous"));
  EXPECT_EQ(report.globals[0].offset, 2u);
  EXPECT_EQ(report.globals[0].use, "called with ('id')");
  EXPECT_THAT(report.issues, IsEmpty());
}

TEST(PickleWalkTest, FindsNamesThatComeFromTheMemo) {
  PickleReport report =
      Walk(Bytes("\x80\4\x8c\2os\x94\x8c\6system\x94"
                 "00h\0h\1\x93."));
  EXPECT_THAT(Names(report), ElementsAre("os.system dangerous"));
}

TEST(PickleWalkTest, ANameThatIsComputedIsAFindingOfItsOwn) {
  PickleReport report = Walk("c_codecs\nencode\n(S'bf'\nS'rot13'\ntRS'system'\n\x93.");
  EXPECT_THAT(report.issues, Contains(AllOf(Field(&PickleIssue::kind, "pickle-computed-name"),
                                            Field(&PickleIssue::severity, Severity::kDangerous))));
}

TEST(PickleWalkTest, WhatCameBeforeABreakIsReported) {
  PickleReport report = Walk("cos\nsystem\n(S'id'\ntR\xff\xff");
  EXPECT_FALSE(report.complete);
  EXPECT_THAT(Names(report), ElementsAre("os.system dangerous"));
  EXPECT_THAT(report.issues, Contains(Field(&PickleIssue::kind, "pickle-malformed")));
}

TEST(PickleWalkTest, AnEmptyStackDoesNotStopTheWalk) {
  PickleReport report = Walk("0000RRbcos\nsystem\n(S'id'\ntR.");
  EXPECT_THAT(Names(report), ElementsAre("os.system dangerous"));
}

TEST(PickleWalkTest, CarriesTheMemoOnToTheNextPickle) {
  std::string bytes("\x80\4\x8c\2os\x94\x8c\6system\x94N.\x80\4h\0h\1\x93.", 26);
  MemorySource source(bytes);
  PickleWalker walker(source);
  PickleReport first = walker.Walk(0, bytes.size());
  EXPECT_THAT(Names(first), IsEmpty());
  EXPECT_THAT(Names(walker.Walk(first.end, bytes.size())), ElementsAre("os.system dangerous"));
}

TEST(PickleWalkTest, ChangingAClassIsDangerous) {
  PickleReport report = Walk("ccollections\nOrderedDict\n}S'x'\nI1\nsb.");
  EXPECT_THAT(report.issues, Contains(Field(&PickleIssue::kind, "pickle-changes-global")));
}

TEST(PickleWalkTest, HarmlessGlobalsAreSafe) {
  EXPECT_EQ(ClassifyGlobal("collections", "OrderedDict"), GlobalClass::kSafe);
  EXPECT_EQ(ClassifyGlobal("torch._utils", "_rebuild_tensor_v2"), GlobalClass::kSafe);
  EXPECT_EQ(ClassifyGlobal("torch", "FloatStorage"), GlobalClass::kSafe);
  EXPECT_EQ(ClassifyGlobal("torch.nn.modules.linear", "Linear"), GlobalClass::kSafe);
  EXPECT_EQ(ClassifyGlobal("__builtin__", "set"), GlobalClass::kSafe);
}

TEST(PickleWalkTest, WhatIsNotKnownIsSuspicious) {
  EXPECT_EQ(ClassifyGlobal("sklearn.linear_model._logistic", "LogisticRegression"),
            GlobalClass::kSuspicious);
  EXPECT_EQ(ClassifyGlobal("__main__", "Net"), GlobalClass::kSuspicious);
  EXPECT_EQ(ClassifyGlobal("torch.nn.modules.linear", "linear"), GlobalClass::kSuspicious);
  EXPECT_EQ(ClassifyGlobal("", ""), GlobalClass::kSuspicious);
}

TEST(PickleWalkTest, PathsThatLeadToDangerAreDangerous) {
  EXPECT_EQ(ClassifyGlobal("torch.nn", "os.system"), GlobalClass::kDangerous);
  EXPECT_EQ(ClassifyGlobal("collections", "OrderedDict.__init__.__globals__"),
            GlobalClass::kDangerous);
  EXPECT_EQ(ClassifyGlobal("anything", "check_output"), GlobalClass::kDangerous);
  EXPECT_EQ(ClassifyGlobal("xml.sax", "sys.modules"), GlobalClass::kDangerous);
  EXPECT_EQ(ClassifyGlobal("os.path", "join"), GlobalClass::kDangerous);
}

TEST(PickleWalkTest, NotesBytesThatMayBeAPickle) {
  PickleReport report = Walk(Bytes("\x80\3C\x08\x80\2cos\nsy."));
  ASSERT_EQ(report.literals.size(), 1u);
  EXPECT_EQ(report.literals[0].offset, 4u);
}

}  // namespace
}  // namespace hearth
