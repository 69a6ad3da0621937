// Renders chat templates for tests/parity/test_templates.py. A request has "template" (a source) or
// "named" (the array form, with "wanted"), "variables" (messages, tools, ... in one object), "now"
// and "continue"; the answer is {"text", "spans"} or {"error"}.
#include <iostream>
#include <string>

#include "base/error.h"
#include "codec/json.h"
#include "text/chat_template.h"

namespace hearth {
namespace {

ChatInput ReadInput(const Json& request) {
  ChatInput input;
  for (const auto& [name, value] : *request.Find("variables")->AsObject()) {
    if (name == "messages") {
      input.messages = value;
    } else if (name == "tools") {
      input.tools = value;
    } else if (name == "documents") {
      input.documents = value;
    } else if (name == "add_generation_prompt") {
      input.add_generation_prompt = value.AsBool().value_or(false);
    } else {
      input.variables.emplace_back(name, value);
    }
  }
  input.now_unix_seconds = request.IntField("now");
  input.continue_field = request.StringField("continue").value_or("");
  return input;
}

Json Answer(const std::string& line) {
  try {
    Json request = Json::Parse(line);
    ChatInput input = ReadInput(request);
    const Json* named = request.Find("named");
    std::string source =
        ChooseChatTemplate(named != nullptr ? *named : *request.Find("template"),
                           request.StringField("wanted").value_or(""), !input.tools.is_null());
    RenderedChat chat = ChatTemplate::Parse(source).Render(input);
    Json spans = Json::Arr();
    for (TextSpan span : chat.assistant_spans) spans.Push(Json::Arr({span.begin, span.end}));
    return Json::Obj({{"text", chat.text}, {"spans", spans}});
  } catch (const Error& error) {
    return Json::Obj({{"error", error.message()}});
  }
}

}  // namespace
}  // namespace hearth

int main() {
  std::string line;
  while (std::getline(std::cin, line)) std::cout << hearth::Answer(line).Dump() << std::endl;
}
