#include "runtime/generation/tool_calls.h"

#include "base/error.h"

namespace hearth::runtime {

#define HEARTH_TOOL_CALLS(Name, name)                                \
  bool Matches##Name##ToolCalls(std::string_view chat_template);     \
  ToolCallFrame Name##ToolCallFrame(std::string_view chat_template); \
  std::unique_ptr<ToolCallParser> Make##Name##ToolCallParser(const ToolTypes& types);
#include "runtime/generation/tool_calls.inc"
#undef HEARTH_TOOL_CALLS

std::optional<std::string_view> DetectToolCallFamily(std::string_view chat_template) {
#define HEARTH_TOOL_CALLS(Name, name) \
  if (Matches##Name##ToolCalls(chat_template)) return name;
#include "runtime/generation/tool_calls.inc"
#undef HEARTH_TOOL_CALLS
  return std::nullopt;
}

std::vector<std::string_view> ToolCallFamilies() {
  return {
#define HEARTH_TOOL_CALLS(Name, name) name,
#include "runtime/generation/tool_calls.inc"
#undef HEARTH_TOOL_CALLS
  };
}

std::unique_ptr<ToolCallParser> MakeToolCallParser(std::string_view family,
                                                   const ToolTypes& types) {
#define HEARTH_TOOL_CALLS(Name, name) \
  if (family == name) return Make##Name##ToolCallParser(types);
#include "runtime/generation/tool_calls.inc"
#undef HEARTH_TOOL_CALLS
  throw Error(Code::kNotFound, "unknown family of tool calls: " + std::string(family));
}

ToolCallFrame ToolCallFrameOf(std::string_view family, std::string_view chat_template) {
#define HEARTH_TOOL_CALLS(Name, name) \
  if (family == name) return Name##ToolCallFrame(chat_template);
#include "runtime/generation/tool_calls.inc"
#undef HEARTH_TOOL_CALLS
  throw Error(Code::kNotFound, "unknown family of tool calls: " + std::string(family));
}

ToolTypes::ToolTypes(const Json& tools) {
  const Json::Array* list = tools.AsArray();
  if (list == nullptr) return;
  for (const Json& tool : *list) {
    const Json* function = tool.Find("function");
    if (function == nullptr) function = &tool;
    const Json* name = function->Find("name");
    const Json* parameters = function->Find("parameters");
    const Json* properties = parameters != nullptr ? parameters->Find("properties") : nullptr;
    if (name == nullptr || name->AsString() == nullptr || properties == nullptr) continue;
    if (properties->AsObject() == nullptr) continue;
    for (const auto& [parameter, schema] : *properties->AsObject()) {
      const Json* type = schema.Find("type");
      bool string = type == nullptr;
      if (type != nullptr && type->AsString() != nullptr) string = *type->AsString() == "string";
      if (type != nullptr && type->AsArray() != nullptr) {
        for (const Json& one : *type->AsArray()) string = string || one == Json("string");
      }
      is_json_[*name->AsString()][parameter] = !string;
    }
  }
}

bool ToolTypes::IsJson(const std::string& function, const std::string& parameter) const {
  auto known = is_json_.find(function);
  if (known == is_json_.end()) return false;
  auto type = known->second.find(parameter);
  return type != known->second.end() && type->second;
}

}  // namespace hearth::runtime
