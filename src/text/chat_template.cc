#include "text/chat_template.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {
namespace {

// Names under which a message's reasoning comes; templates read the first, gpt-oss's the second.
constexpr std::string_view kReasoningFields[] = {"reasoning_content", "thinking", "reasoning"};
constexpr std::string_view kContinueMark = "CONTINUE_FINAL_MESSAGE_TAG ";
constexpr std::string_view kContinueMarkTrimmed = "CONTINUE_FINAL_MESSAGE_TAG";
constexpr std::string_view kBlanks = " \t\n\r\v\f";

std::string_view Trimmed(std::string_view text) {
  size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// What transformers' template sees for one message: the reasoning under the names that are read.
Json WithReasoning(const Json& message) {
  const Json* reasoning = nullptr;
  for (std::string_view field : kReasoningFields) {
    const Json* value = message.Find(field);
    if (reasoning == nullptr && value != nullptr && !value->is_null()) reasoning = value;
  }
  if (reasoning == nullptr) return message;
  Json result = Json::Obj({{"thinking", *reasoning}});  // first, as Python's {"thinking": ..., **m}
  for (const auto& [key, value] : *message.AsObject()) result.Set(key, value);
  result.Set("reasoning_content", *reasoning);
  return result;
}

Json PlainMessages(const Json& messages) {
  if (!messages.is_array()) throw Error(Code::kInvalidArgument, "messages must be an array");
  Json result = Json::Arr();
  for (const Json& message : *messages.AsArray()) {
    if (!message.is_object()) {
      throw Error(Code::kInvalidArgument, "each message must be an object with role and content");
    }
    result.Push(WithReasoning(message));
  }
  return result;
}

// Appends the mark to a text, or to the last text part of a content in parts; returns the text
// without it.
std::string MarkText(Json* value) {
  if (const std::string* text = value->AsString()) {
    std::string plain = *text;
    *value = Json(plain + std::string(kContinueMark));
    return plain;
  }
  if (Json::Array* parts = value->AsArray()) {
    for (auto part = parts->rbegin(); part != parts->rend(); ++part) {
      Json* text = part->Find("text");
      if (text != nullptr && text->is_string()) return MarkText(text);
    }
  }
  throw Error(Code::kInvalidArgument, "the final message holds no text to continue");
}

// Marks the end of the last message's field; returns its text.
std::string MarkFinalMessage(Json* messages, const std::string& field) {
  if (messages->size() == 0) {
    throw Error(Code::kInvalidArgument, "an empty conversation cannot be continued");
  }
  Json& last = messages->AsArray()->back();
  Json* value = last.Find(field);
  if (value == nullptr || value->is_null()) {
    throw Error(Code::kInvalidArgument, "the final message has no \"" + field + "\" to continue");
  }
  Json original = *value;
  std::string text = MarkText(value);
  bool is_reasoning = std::find(std::begin(kReasoningFields), std::end(kReasoningFields), field) !=
                      std::end(kReasoningFields);
  for (std::string_view other : kReasoningFields) {
    Json* copy = is_reasoning && other != field ? last.Find(other) : nullptr;
    if (copy != nullptr && *copy == original) MarkText(copy);
  }
  return text;
}

void CutAtMark(const std::string& final_text, std::string* rendered) {
  size_t mark = rendered->rfind(kContinueMarkTrimmed);
  if (mark == std::string::npos || rendered->find(Trimmed(final_text)) == std::string::npos) {
    throw Error(
        Code::kInvalidArgument,
        "the final message does not appear in the rendered chat, so it cannot be continued");
  }
  bool keeps_blanks = rendered->compare(mark, kContinueMark.size(), kContinueMark) == 0;
  rendered->resize(mark);
  if (keeps_blanks) return;
  size_t last = rendered->find_last_not_of(kBlanks);
  rendered->resize(last == std::string::npos ? 0 : last + 1);
}

}  // namespace

ChatTemplate ChatTemplate::Parse(std::string_view source, std::string name) {
  return ChatTemplate(Template::Parse(source, ChatTemplateOptions(std::move(name))));
}

RenderedChat ChatTemplate::Render(const ChatInput& input) const {
  Json messages = PlainMessages(input.messages);
  std::string final_text;
  if (!input.continue_field.empty()) {
    if (input.add_generation_prompt) {
      throw Error(Code::kInvalidArgument,
                  "a message is either continued or a new one is begun, not both");
    }
    final_text = MarkFinalMessage(&messages, input.continue_field);
  }
  Json context = Json::Obj();
  for (const auto& [name, value] : input.variables) context.Set(name, value);
  context.Set("messages", std::move(messages));
  context.Set("tools", input.tools);
  context.Set("documents", input.documents);
  context.Set("add_generation_prompt", input.add_generation_prompt);

  RenderedChat chat;
  RenderOptions options;
  options.now_unix_seconds = input.now_unix_seconds;
  options.generation_spans = &chat.assistant_spans;
  chat.text = template_.Render(context, options);
  if (!input.continue_field.empty()) CutAtMark(final_text, &chat.text);
  return chat;
}

std::string ChooseChatTemplate(const Json& chat_template, std::string_view wanted, bool has_tools) {
  if (const std::string* source = chat_template.AsString()) {
    if (wanted.empty() || wanted == "default") return *source;
    throw Error(Code::kInvalidArgument,
                "there is one chat template, without a name, not \"" + std::string(wanted) + "\"");
  }
  std::string names;
  const Json* fallback = nullptr;
  const Json* with_tools = nullptr;
  for (const Json& entry : chat_template.is_array() ? *chat_template.AsArray() : Json::Array()) {
    std::string name = entry.RequireString("name");
    names += (names.empty() ? "" : ", ") + name;
    const Json* source = entry.Find("template");
    if (source == nullptr || !source->is_string()) continue;
    if (!wanted.empty() && name == wanted) return *source->AsString();
    if (name == "default") fallback = source;
    if (name == "tool_use") with_tools = source;
  }
  if (wanted.empty() && has_tools && with_tools != nullptr) return *with_tools->AsString();
  if (wanted.empty() && fallback != nullptr) return *fallback->AsString();
  if (names.empty()) throw Error(Code::kInvalidArgument, "the model has no chat template");
  throw Error(Code::kInvalidArgument,
              "no chat template is called \"" +
                  (wanted.empty() ? std::string("default") : std::string(wanted)) +
                  "\"; there are " + names);
}

}  // namespace hearth
