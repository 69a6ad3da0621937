// Chat templates: a conversation -> the text that a model was trained on, as transformers'
// apply_chat_template renders it (an immutable sandbox with trim_blocks and lstrip_blocks).
//
// Thread rule: a ChatTemplate is immutable and safe for concurrent use. Errors: kInvalidArgument
// with "template NAME, line L: reason", also for the template's own raise_exception; kTooLarge when
// a limit of the render is passed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "text/template.h"

namespace hearth {

struct ChatInput {
  Json messages;   // array of objects with "role" and mostly "content"
  Json tools;      // array of JSON schemas, or null
  Json documents;  // array of {"title", "text"}, or null
  bool add_generation_prompt = false;
  // Everything else a template may read: bos_token, eos_token, enable_thinking, ...
  Json::Object variables;
  std::optional<int64_t> now_unix_seconds;  // for strftime_now; nullopt = the system clock
  // Renders up to the end of this field of the last message ("content", "reasoning_content"), so
  // that a model continues it. Empty: the conversation is whole.
  std::string continue_field;
};

struct RenderedChat {
  std::string text;
  std::vector<TextSpan> assistant_spans;  // of the template's {% generation %} blocks
};

class ChatTemplate {
 public:
  static ChatTemplate Parse(std::string_view source, std::string name = "chat_template");
  RenderedChat Render(const ChatInput& input) const;

 private:
  explicit ChatTemplate(Template parsed) : template_(std::move(parsed)) {}
  Template template_;
};

// The template to use of a "chat_template" value: a string, or an array of {"name", "template"}
// from which `wanted` is taken; without a wish "tool_use" when there are tools and the array has
// it, else "default". Throws kInvalidArgument naming what there is.
std::string ChooseChatTemplate(const Json& chat_template, std::string_view wanted, bool has_tools);

}  // namespace hearth
