// What a constraint lets a model write is read back by its family's parser as the call that was
// asked for.
#include "runtime/grammar/tool_call_grammar.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/error.h"
#include "runtime/grammar/token_constraint.h"

namespace hearth::runtime {
namespace {

const char* const kTools = R"([
  {"type": "function", "function": {"name": "get_weather", "strict": true, "parameters": {
    "type": "object", "required": ["city", "days"], "properties": {
      "city": {"type": "string", "maxLength": 8}, "unit": {"enum": ["C", "F"], "type": "string"},
      "days": {"type": "integer", "minimum": 1, "maximum": 9}}}}},
  {"type": "function", "function": {"name": "stop", "parameters": {"type": "object", "properties": {}}}},
  {"type": "function", "function": {"name": "odd", "parameters": {"type": "object", "if": {}}}}])";

// A vocabulary of single bytes; 256 ends a text.
std::shared_ptr<const TokenVocabulary> Bytes() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  tokens.emplace_back();
  return std::make_shared<TokenVocabulary>(std::move(tokens), std::vector<uint32_t>{256});
}

std::string TemplateOf(std::string_view family, bool older) {
  if (family == "mistral") return older ? "[TOOL_CALLS]" : "[TOOL_CALLS] [ARGS]";
  if (family == "deepseek") return older ? "```json" : "";
  return "";
}

// A random text of the grammar: random bytes for a while, then the shortest way to an end.
std::string Write(TokenConstraint& constraint, uint32_t seed, int length) {
  std::mt19937 random(seed);
  TokenConstraint::State state = constraint.Start();
  for (int i = 0; i < length; ++i) {
    std::vector<uint64_t> mask;
    constraint.FillMask(&state, &mask);
    std::vector<uint32_t> allowed;
    for (uint32_t byte = 32; byte < 127; ++byte) {
      if (mask[byte / 64] >> (byte % 64) & 1) allowed.push_back(byte);
    }
    if (allowed.empty()) {
      std::string forced = constraint.ForcedText(&state);
      if (forced.empty() || !constraint.AcceptText(&state, forced)) break;
      continue;
    }
    EXPECT_TRUE(constraint.Accept(&state, allowed[random() % allowed.size()]));
  }
  return state.text() + constraint.ShortestCompletion(&state);
}

struct Calls {
  std::vector<std::pair<std::string, std::string>> calls;
  std::string text;
};

Calls Read(std::string_view family, const std::string& text) {
  auto parser = MakeToolCallParser(family, ToolTypes(Json::Parse(kTools)));
  std::vector<ToolCallEvent> events;
  parser->Push(text, &events);
  parser->Finish(&events);
  Calls read;
  for (const ToolCallEvent& event : events) {
    if (event.kind == ToolCallEvent::Kind::kCall) read.calls.emplace_back(event.text, "");
    if (event.kind == ToolCallEvent::Kind::kArguments) read.calls.back().second += event.text;
    if (event.kind == ToolCallEvent::Kind::kText) read.text += event.text;
  }
  return read;
}

void ExpectWeather(const std::string& arguments) {
  Json read = Json::Parse(arguments);
  ASSERT_NE(read.Find("city"), nullptr) << arguments;
  EXPECT_NE(read.Find("city")->AsString(), nullptr) << arguments;
  int64_t days = read.Find("days")->AsInt().value_or(0);
  EXPECT_TRUE(days >= 1 && days <= 9) << arguments;
  if (const Json* unit = read.Find("unit")) {
    EXPECT_TRUE(*unit == Json("C") || *unit == Json("F")) << arguments;
  }
}

class EveryFamily : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryFamily, AForcedCallIsTheFunctionThatWasNamed) {
  for (bool older : {false, true}) {
    ToolCallFrame frame = ToolCallFrameOf(GetParam(), TemplateOf(GetParam(), older));
    ToolCallRules rules{.text_allowed = false, .several = false, .name = "get_weather"};
    TokenConstraint constraint(Bytes(), ToolCallGrammar(frame, Json::Parse(kTools), rules));
    for (uint32_t seed = 0; seed < 40; ++seed) {
      std::string text = Write(constraint, seed, 20 + 4 * static_cast<int>(seed));
      Calls read = Read(GetParam(), text);
      ASSERT_EQ(read.calls.size(), 1u) << text;
      EXPECT_EQ(read.calls[0].first, "get_weather");
      ExpectWeather(read.calls[0].second);
      EXPECT_EQ(read.text.find_first_not_of(" \n"), std::string::npos) << text;
    }
  }
}

TEST_P(EveryFamily, ARequiredCallIsOneOrMoreOfAnyFunction) {
  ToolCallFrame frame = ToolCallFrameOf(GetParam(), TemplateOf(GetParam(), false));
  ToolCallRules rules{.text_allowed = false};
  TokenConstraint constraint(Bytes(), ToolCallGrammar(frame, Json::Parse(kTools), rules));
  std::map<std::string, int> seen;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::string text = Write(constraint, seed, 30 * static_cast<int>(seed % 20));
    Calls read = Read(GetParam(), text);
    ASSERT_GE(read.calls.size(), 1u) << text;
    for (const auto& [name, arguments] : read.calls) {
      ++seen[name];
      // What "odd" takes may be any object, numbers without a bound included.
      EXPECT_TRUE(arguments.starts_with('{') && arguments.ends_with('}')) << text;
      if (name == "get_weather") ExpectWeather(arguments);
      if (name == "stop") EXPECT_EQ(Json::Parse(arguments).size(), 0u) << text;
    }
  }
  EXPECT_EQ(seen.size(), 3u);
}

TEST_P(EveryFamily, TextIsFreeUntilACallBegins) {
  ToolCallFrame frame = ToolCallFrameOf(GetParam(), TemplateOf(GetParam(), false));
  TokenConstraint constraint(Bytes(), ToolCallGrammar(frame, Json::Parse(kTools), {}));
  auto accepts = [&](const std::string& text) {
    TokenConstraint::State state = constraint.Start();
    return constraint.AcceptText(&state, text) && constraint.IsComplete(&state);
  };
  EXPECT_TRUE(accepts(""));
  EXPECT_TRUE(accepts("It rains < [TOOL <tool <<tool_cal \xE6\x9D\xB1."));
  std::string opening = frame.begin + frame.before_name;
  EXPECT_FALSE(accepts(opening));
  EXPECT_FALSE(accepts(opening + "none"));
  ToolCallRules forced{.text_allowed = false, .several = false, .name = "stop"};
  TokenConstraint one(Bytes(), ToolCallGrammar(frame, Json::Parse(kTools), forced));
  std::string call = Write(one, 1, 0);
  EXPECT_TRUE(accepts(call)) << call;
  if (!frame.whole_answer) EXPECT_TRUE(accepts("Let me see. " + call)) << call;
}

INSTANTIATE_TEST_SUITE_P(ToolCallGrammar, EveryFamily, testing::ValuesIn(ToolCallFamilies()));

TEST(ToolCallGrammar, RefusesWhatCannotBeCalled) {
  ToolCallFrame frame = ToolCallFrameOf("hermes", "");
  auto code = [&](const char* tools, const ToolCallRules& rules) {
    try {
      ToolCallGrammar(frame, Json::Parse(tools), rules);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  };
  EXPECT_EQ(code("[]", {}), Code::kUnprocessable);
  EXPECT_EQ(code(kTools, {.name = "nothing"}), Code::kUnprocessable);
  EXPECT_EQ(code(R"([{"function": {"name": "a\"b"}}])", {}), Code::kUnprocessable);
  EXPECT_EQ(code(R"([{"function": {}}])", {}), Code::kUnprocessable);
  EXPECT_EQ(code(R"([{"function": {"name": "f", "strict": true, "parameters": {"type": "object",
                 "if": {}}}}])",
                 {}),
            Code::kUnimplemented);
}

}  // namespace
}  // namespace hearth::runtime
