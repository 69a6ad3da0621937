#include "codec/json.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth {
namespace {

TEST(Json, KeepsMemberOrderThroughParseAndDump) {
  const char* text = R"({"b":1,"a":[true,null,-2.5,"x\n\u00e9"],"c":{}})";
  EXPECT_EQ(Json::Parse(text).Dump(), "{\"b\":1,\"a\":[true,null,-2.5,\"x\\n\xC3\xA9\"],\"c\":{}}");
}

TEST(Json, WritesReplacementCharacterForInvalidUtf8) {
  EXPECT_EQ(Json(std::string("a\xFFz\xC3")).Dump(), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
}

TEST(Json, IntegersBeyond64BitsBecomeReals) {
  Json read = Json::Parse(
      R"({"model_max_length": 1000000000000000019884624838656, "s": "\"99999999999999999999\\",
          "least": -9223372036854775808, "less": -9223372036854775809, "e": 1e30, "n": [1, -2.5]})");
  EXPECT_EQ(read.Find("model_max_length")->AsDouble(), 1e30);
  EXPECT_EQ(*read.Find("s")->AsString(), "\"99999999999999999999\\");
  EXPECT_EQ(read.Find("least")->AsInt(), INT64_MIN);
  EXPECT_EQ(read.Find("less")->AsDouble(), -9223372036854775809.0);
  EXPECT_EQ(read.Find("e")->AsDouble(), 1e30);
  EXPECT_THROW(Json::Parse("[01]"), Error);
  EXPECT_THROW(Json::Parse("[1.]"), Error);
}

TEST(Json, RejectsWhatIsNotJson) {
  for (const char* text :
       {"", "{", "[1,]", "{\"a\":1,}", "nul", "\"\\ud800", "1 2", "'a'", "{\"a\" 1}"}) {
    EXPECT_THROW(Json::Parse(text), Error) << text;
  }
}

TEST(Json, RejectsNestingBeyondTheLimit) {
  std::string deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_THROW(Json::Parse(deep), Error);
}

TEST(Json, FieldReadersNameTheKeyThatIsWrong) {
  Json body = Json::Parse(R"({"name":3,"files":{}})");
  try {
    body.RequireString("name");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(error.message().find("name"), std::string::npos);
  }
  EXPECT_THROW(body.RequireArray("files"), Error);
  EXPECT_THROW(body.RequireString("absent"), Error);
  EXPECT_EQ(body.StringField("absent"), std::nullopt);
}

TEST(Json, LargeUnsignedSurvives) {
  Json big = Json::Parse("18446744073709551615");
  EXPECT_TRUE(big.is_number());
  EXPECT_EQ(big.Dump(), "18446744073709551615");
  EXPECT_EQ(big.AsUint(), UINT64_MAX);
  EXPECT_FALSE(big == Json(uint64_t{18446744073709551614u}));
  EXPECT_EQ(Json(int64_t{9007199254740993}).Dump(), "9007199254740993");
}

TEST(Json, WholeNumbersPast64BitsAreReal) {
  Json json =
      Json::Parse(R"({"a": 1000000000000000019884624838656, "b\"1": "99999999999999999999999",
      "c": 18446744073709551615, "d": [-9223372036854775808, -99999999999999999999, 1.5e3, -0]})");
  EXPECT_DOUBLE_EQ(*json.Find("a")->AsDouble(), 1e30);
  EXPECT_EQ(*json.Find("b\"1")->AsString(), "99999999999999999999999");
  EXPECT_EQ(*json.Find("c")->AsUint(), UINT64_MAX);
  EXPECT_EQ(*json.Find("d")->AsArray()->at(0).AsInt(), INT64_MIN);
  EXPECT_DOUBLE_EQ(*json.Find("d")->AsArray()->at(1).AsDouble(), -1e20);
  for (const char* text : {"-", "01", "1000000000000000019884624838656x", "[1e]", "-x"}) {
    EXPECT_THROW(Json::Parse(text), Error) << text;
  }
}

}  // namespace
}  // namespace hearth
