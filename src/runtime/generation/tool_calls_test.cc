#include "runtime/generation/tool_calls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace hearth::runtime {
namespace {

using Kind = ToolCallEvent::Kind;

// What a reader of the events ends up with.
struct Answer {
  std::string text, reasoning;
  std::vector<std::pair<std::string, std::string>> calls;  // name, arguments
  bool operator==(const Answer&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  out << "text [" << answer.text << "] reasoning [" << answer.reasoning << "]";
  for (const auto& [name, arguments] : answer.calls) out << " " << name << "(" << arguments << ")";
  return out;
}

Answer Gather(const std::vector<ToolCallEvent>& events) {
  Answer answer;
  size_t open = SIZE_MAX;
  for (const ToolCallEvent& event : events) {
    switch (event.kind) {
      case Kind::kText:
        answer.text += event.text;
        break;
      case Kind::kReasoning:
        answer.reasoning += event.text;
        break;
      case Kind::kCall:
        EXPECT_EQ(event.call, answer.calls.size());
        open = event.call;
        answer.calls.emplace_back(event.text, "");
        break;
      case Kind::kArguments:
        EXPECT_EQ(event.call, open);
        answer.calls.at(event.call).second += event.text;
        break;
      case Kind::kCallEnd:
        open = SIZE_MAX;
        break;
    }
  }
  EXPECT_EQ(open, SIZE_MAX) << "a call without an end";
  return answer;
}

Answer Read(std::string_view family, std::string_view text, size_t piece,
            const ToolTypes& types = {}) {
  auto parser = MakeToolCallParser(family, types);
  std::vector<ToolCallEvent> events;
  for (size_t at = 0; at < text.size(); at += piece) parser->Push(text.substr(at, piece), &events);
  parser->Finish(&events);
  return Gather(events);
}

// The same answer in pieces of every size.
void Expect(std::string_view family, std::string_view text, const Answer& expected,
            const ToolTypes& types = {}) {
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    Answer answer = Read(family, text, piece, types);
    ASSERT_EQ(answer, expected) << family << " in pieces of " << piece << ": " << text;
  }
}

TEST(ToolCalls, Hermes) {
  Expect("hermes", "no call <tool> here", {"no call <tool> here", "", {}});
  Expect(
      "hermes",
      "Let me see.\n<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": \"}\\\"\", \"b\": "
      "[1]}}\n"
      "</tool_call>\n<tool_call>{\"arguments\": {\"x\": 1}, \"name\": \"two\"}</tool_call>",
      {"Let me see.\n\n", "", {{"get", "{\"a\": \"}\\\"\", \"b\": [1]}"}, {"two", "{\"x\": 1}"}}});
  Expect("hermes", "<tool_call>{\"name\": \"none\"}</tool_call>", {"", "", {{"none", "{}"}}});
  Expect("hermes", R"(<tool_call>{"name": "q", "arguments": "{\"a\": 1}"}</tool_call>)",
         {"", "", {{"q", R"({"a": 1})"}}});
  Expect("hermes", "<tool_call>not json</tool_call>", {"<tool_call>not json</tool_call>", "", {}});
}

TEST(ToolCalls, CutOffCallsEndAndBeginningsAreText) {
  Expect("hermes", R"(<tool_call>{"name": "f", "arguments": {"a": "b)",
         {"", "", {{"f", R"({"a": "b)"}}});
  Expect("hermes", R"(<tool_call>{"na)", {R"(<tool_call>{"na)", "", {}});
  Expect("mistral", "[TOOL_CALLS]name", {"[TOOL_CALLS]name", "", {}});
}

TEST(ToolCalls, ArgumentsStreamBeforeTheyAreWhole) {
  auto parser = MakeToolCallParser("hermes");
  std::vector<ToolCallEvent> events;
  parser->Push(R"(<tool_call>{"name": "f", "arguments": {"city": "Par)", &events);
  Answer answer;
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0], (ToolCallEvent{Kind::kCall, 0, "f"}));
  EXPECT_EQ(events[1], (ToolCallEvent{Kind::kArguments, 0, R"({"city": "Par)"}));
}

TEST(ToolCalls, Llama) {
  Expect("llama", "  just text {\"a\": 1}", {"  just text {\"a\": 1}", "", {}});
  Expect("llama", R"({"name": "f", "parameters": {"a": 1}})", {"", "", {{"f", R"({"a": 1})"}}});
  Expect("llama",
         R"(<|python_tag|>{"name": "f", "parameters": {}}; {"name": "g", "parameters": {"b": 2}})",
         {"", "", {{"f", "{}"}, {"g", R"({"b": 2})"}}});
  Expect("llama", "<|python_tag|>brave_search.call(query=\"rain, today\")<|eom_id|>",
         {"", "", {{"brave_search", R"({"query":"rain, today"})"}}});
  Expect("llama", "<|python_tag|>print(1)", {"", "", {{"python", R"x({"code":"print(1)"})x"}}});
  Expect("llama", R"({"answer": 42})", {R"({"answer": 42})", "", {}});
}

TEST(ToolCalls, Mistral) {
  Expect(
      "mistral",
      R"(Hi [TOOL_CALLS][{"name": "f", "arguments": {"a": [1, 2]}}, {"name": "g", "arguments": {}}])",
      {"Hi ", "", {{"f", R"({"a": [1, 2]})"}, {"g", "{}"}}});
  Expect("mistral", R"([TOOL_CALLS]f[ARGS]{"a": "x"}[TOOL_CALLS]g{"b": 1})",
         {"", "", {{"f", R"({"a": "x"})"}, {"g", R"({"b": 1})"}}});
  Expect("mistral", R"([TOOL_CALLS]f[CALL_ID]abc123456[ARGS]{"a": 1})",
         {"", "", {{"f", R"({"a": 1})"}}});
}

TEST(ToolCalls, QwenXml) {
  ToolTypes types(Json::Parse(
      R"([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties":
          {"n": {"type": "integer"}, "s": {"type": "string"}, "o": {"type": ["object", "null"]}}}}}])"));
  Expect("qwen_xml",
         "ok\n<tool_call>\n<function=f>\n<parameter=n>\n7\n</"
         "parameter>\n<parameter=s>\n12\n\"é\"\n\n</parameter>\n"
         "<parameter=o>\n{\"k\": null}\n</parameter>\n</function>\n</tool_call>",
         {"ok\n", "", {{"f", R"({"n": 7, "s": "12\n\"é\"\n", "o": {"k":null}})"}}}, types);
  Expect("qwen_xml", "<function=g></function> more", {"more", "", {{"g", "{}"}}});
  Expect("qwen_xml", "<tool_call> other", {"<tool_call>other", "", {}});
}

TEST(ToolCalls, Glm) {
  ToolTypes types(Json::Parse(
      R"([{"name": "f", "parameters": {"properties": {"days": {"type": "integer"}}}}])"));
  Expect("glm",
         "Sure<tool_call>f\n<arg_key>city</arg_key>\n<arg_value>Köln</"
         "arg_value>\n<arg_key>days</arg_key>\n"
         "<arg_value>3</arg_value>\n</tool_call><tool_call>g\n</tool_call>",
         {"Sure", "", {{"f", R"({"city": "Köln", "days": 3})"}, {"g", "{}"}}}, types);
}

TEST(ToolCalls, DeepSeek) {
  Expect("deepseek",
         "x<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\":"
         " 1}\n```<｜tool▁call▁end｜>\n"
         "<｜tool▁call▁begin｜>function<｜tool▁sep｜>g\n```json\n{}\n```<｜tool▁call▁end｜><"
         "｜tool▁calls▁end｜>",
         {"x", "", {{"f", "{\"a\": 1}"}, {"g", "{}"}}});
  Expect("deepseek",
         "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": {\"b\": "
         "2}}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
         {"", "", {{"f", "{\"a\": {\"b\": 2}}"}}});
}

TEST(ToolCalls, Harmony) {
  Expect("harmony",
         "<|channel|>analysis<|message|>think<|end|><|start|>assistant<|channel|>commentary "
         "to=functions.f "
         "<|constrain|>json<|message|>{\"a\": 1}<|call|>",
         {"", "think", {{"f", "{\"a\": 1}"}}});
  Expect("harmony",
         "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant "
         "to=functions.g<|channel|>commentary json"
         "<|message|>{}<|call|>",
         {"I look.", "", {{"g", "{}"}}});
  Expect("harmony", "<|channel|>final<|message|>Done<|return|>", {"Done", "", {}});
  Expect("harmony", "plain text", {"plain text", "", {}});
}

TEST(ToolCalls, FamiliesAreFoundFromRealTemplates) {
  const std::filesystem::path folder = ".cache/testdata/templates";
  const std::pair<const char*, const char*> kExpected[] = {
      {"openai-gpt-oss-120b", "harmony"},
      {"deepseek-ai-DeepSeek-V3.1", "deepseek"},
      {"llama-cpp-deepseek-r1", "deepseek"},
      {"GLM-4.6", "glm"},
      {"Qwen3-Coder", "qwen_xml"},
      {"Qwen3.5-4B", "qwen_xml"},
      {"Qwen-Qwen3-0.6B", "hermes"},
      {"Qwen-Qwen2.5-7B-Instruct", "hermes"},
      {"NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", "hermes"},
      {"mistralai-Mistral-Nemo-Instruct-2407", "mistral"},
      {"unsloth-mistral-Devstral-Small-2507", "mistral"},
      {"meta-llama-Llama-3.1-8B-Instruct", "llama"},
      {"meta-llama-Llama-3.2-3B-Instruct", "llama"}};
  for (auto [name, family] : kExpected) {
    std::ifstream file(folder / (std::string(name) + ".jinja"));
    ASSERT_TRUE(file) << name << ": fetch it with tools/test_data.py";
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(DetectToolCallFamily(text.str()), family) << name;
  }
  EXPECT_EQ(DetectToolCallFamily("{{ messages }}"), std::nullopt);
  EXPECT_THROW(MakeToolCallParser("none"), Error);
}

}  // namespace
}  // namespace hearth::runtime
