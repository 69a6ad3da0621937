#include "runtime/grammar/tool_call_grammar.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/json_emitter.h"
#include "runtime/grammar/json_grammar.h"
#include "runtime/grammar/schema_merge.h"

namespace hearth::runtime {
namespace {

constexpr size_t kMaxTools = 512;
constexpr size_t kMaxNameBytes = 256;
// Longer bounds of a text are not worth their states.
constexpr uint64_t kMaxBound = 4096;

struct Function {
  std::string name;
  Json parameters;  // a schema; null: takes none
  bool strict = false;
};

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':' || c == '/';
}

Function ReadFunction(const Json& tool) {
  const Json* described = tool.Find("function");
  if (described == nullptr) described = &tool;
  const Json* name = described->Find("name");
  if (name == nullptr || name->AsString() == nullptr) {
    throw Error(Code::kUnprocessable, "a tool needs a function with a \"name\"");
  }
  Function function;
  function.name = *name->AsString();
  if (function.name.empty() || function.name.size() > kMaxNameBytes ||
      !std::all_of(function.name.begin(), function.name.end(), IsNameByte)) {
    throw Error(Code::kUnprocessable, "a function's name may have letters, digits and _-.:/ only");
  }
  const Json* parameters = described->Find("parameters");
  if (parameters != nullptr) function.parameters = *parameters;
  function.strict = described->BoolField("strict").value_or(false);
  return function;
}

std::vector<Function> ReadFunctions(const Json& tools, const std::optional<std::string>& wanted) {
  std::vector<Function> functions;
  for (const Json& tool : *tools.AsArray()) {
    Function function = ReadFunction(tool);
    if (!wanted || function.name == *wanted) functions.push_back(std::move(function));
  }
  if (functions.size() > kMaxTools) throw Error(Code::kTooLarge, "too many tools");
  if (functions.empty()) {
    throw Error(Code::kUnprocessable, wanted ? "`tool_choice` names \"" +
                                                   wanted->substr(0, kMaxNameBytes) +
                                                   "\", which is none of the `tools`"
                                             : std::string("`tools` is empty"));
  }
  return functions;
}

// As a JSON pointer spells it.
std::string PointerPart(const std::string& name) {
  std::string part;
  for (char c : name) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  return part;
}

class Writer {
 public:
  Writer(const ToolCallFrame& frame, const ToolCallRules& rules) : frame_(frame), rules_(rules) {
    options_.max_whitespace = 2;
    options_.additional_properties = false;
  }

  ByteGrammar Write(const std::vector<Function>& functions) {
    uint32_t root = builder_.AddRule();
    uint32_t begin = builder_.start(root), end = builder_.end(root);
    uint32_t call = builder_.AddRule();
    for (const Function& function : functions) {
      Call(function, builder_.start(call), builder_.end(call));
    }
    uint32_t calls = builder_.AddState(), last = builder_.AddState();
    if (rules_.text_allowed) {
      Prose(begin, calls, end);
    } else {
      builder_.AddText(begin, calls, frame_.begin + frame_.before_name);
    }
    // The first call's mark has been taken.
    builder_.AddCall(calls, last, call);
    builder_.AddText(last, end, frame_.end);
    if (rules_.several && frame_.several) {
      builder_.AddText(last, calls, frame_.between + frame_.before_name);
    }
    return builder_.Build(root);
  }

 private:
  // Text up to the mark of the first call, or without any: the automaton that searches the mark.
  void Prose(uint32_t begin, uint32_t calls, uint32_t end) {
    std::string opening = frame_.begin + frame_.before_name;
    size_t cut = opening.find(frame_.trigger) + frame_.trigger.size();
    uint32_t triggered = builder_.AddState();
    builder_.AddText(triggered, calls, opening.substr(cut));
    if (frame_.whole_answer) return WholeAnswer(begin, triggered, end);
    const std::string& mark = frame_.trigger;
    std::vector<size_t> falls(mark.size() + 1);
    for (size_t i = 1, k = 0; i < mark.size(); ++i) {
      while (k > 0 && mark[i] != mark[k]) k = falls[k];
      if (mark[i] == mark[k]) ++k;
      falls[i + 1] = k;
    }
    std::vector<uint32_t> states = {begin};
    for (size_t i = 1; i < mark.size(); ++i) states.push_back(builder_.AddState());
    for (size_t at = 0; at < states.size(); ++at) {
      // Bytes that go on with the mark, or with a shorter beginning of it; all others begin anew.
      std::set<uint8_t> taken;
      for (size_t k = at;; k = falls[k]) {
        auto byte = static_cast<uint8_t>(mark[k]);
        if (taken.insert(byte).second) {
          uint32_t to = k + 1 == mark.size() ? triggered : states[k + 1];
          builder_.AddBytes(states[at], to, byte, byte);
        }
        if (k == 0) break;
      }
      unsigned from = 0;
      for (uint8_t byte : taken) {
        if (byte > from) Others(states[at], begin, from, byte - 1u);
        from = byte + 1u;
      }
      if (from <= 255) Others(states[at], begin, from, 255);
      builder_.AddEmpty(states[at], end);
    }
  }
  // A call, or text that does not begin like one.
  void WholeAnswer(uint32_t begin, uint32_t triggered, uint32_t end) {
    auto first = static_cast<uint8_t>(frame_.trigger.front());
    uint32_t text = builder_.AddState();
    builder_.AddText(begin, triggered, frame_.trigger);
    Others(begin, text, 0, first - 1u);
    Others(begin, text, first + 1u, 255);
    Others(text, text, 0, 255);
    builder_.AddEmpty(text, end);
    builder_.AddEmpty(begin, end);
  }
  void Others(uint32_t from, uint32_t to, unsigned first, unsigned last) {
    builder_.AddBytes(from, to, static_cast<uint8_t>(first), static_cast<uint8_t>(last));
  }

  // Behind `before_name`.
  void Call(const Function& function, uint32_t begin, uint32_t end) {
    uint32_t arguments = builder_.AddState(), after = builder_.AddState();
    builder_.AddText(begin, arguments, function.name + frame_.after_name);
    try {
      if (frame_.arguments == ToolCallFrame::Arguments::kMarked) {
        Marked(function, arguments, after);
      } else {
        builder_.AddCall(arguments, after, Object(function));
      }
    } catch (const Error& error) {
      throw Error(error.code(), "the function \"" + function.name + "\": " + error.message());
    }
    builder_.AddText(after, end, frame_.after_arguments);
  }

  uint32_t Object(const Function& function) {
    Json schema = function.parameters;
    if (schema.is_null()) schema = Json::Obj({{"properties", Json::Obj()}});
    bool says_more = schema.Find("$ref") != nullptr || schema.Find("anyOf") != nullptr;
    if (schema.is_object() && schema.Find("type") == nullptr && !says_more) {
      schema.Set("type", "object");
    }
    try {
      return AddJsonSchema(schema, "#", options_, &builder_);
    } catch (const Error&) {
      // A schema beyond what constraints know binds only where it was asked to.
      if (function.strict) throw;
    }
    uint32_t rule = builder_.AddRule();
    JsonEmitter(&builder_, options_.max_whitespace)
        .AnyObject(builder_.start(rule), builder_.end(rule));
    return rule;
  }

  // The properties in their order, each in its marks; those that are not required may be left out.
  void Marked(const Function& function, uint32_t begin, uint32_t end) {
    const Json* properties = function.parameters.Find("properties");
    const Json* required = function.parameters.Find("required");
    uint32_t at = begin;
    if (properties != nullptr && properties->AsObject() != nullptr) {
      for (const auto& [key, schema] : *properties->AsObject()) {
        uint32_t value = builder_.AddState(), after = builder_.AddState(),
                 next = builder_.AddState();
        builder_.AddText(at, value, frame_.before_key + key + frame_.after_key);
        Value(function, key, schema, {value, after});
        builder_.AddText(after, next, frame_.after_value);
        bool needed = required != nullptr && required->AsArray() != nullptr &&
                      std::find(required->AsArray()->begin(), required->AsArray()->end(),
                                Json(key)) != required->AsArray()->end();
        if (!needed) builder_.AddEmpty(at, next);
        at = next;
      }
    }
    builder_.AddEmpty(at, end);
  }

  void Value(const Function& function, const std::string& key, const Json& schema,
             std::pair<uint32_t, uint32_t> span) {
    Json tool = Json::Obj({{"name", function.name}, {"parameters", function.parameters}});
    if (!ToolTypes(Json::Arr({tool})).IsJson(function.name, key)) {
      const Json* choices = schema.Find("enum");
      if (choices != nullptr && choices->AsArray() != nullptr) {
        for (const Json& choice : *choices->AsArray()) {
          std::string text = choice.AsString() != nullptr ? *choice.AsString() : choice.Dump();
          builder_.AddText(span.first, span.second, text);
        }
        return;
      }
      // Text in which no closing mark can begin.
      LengthBounds bounds;
      auto bound = [&](const char* key) {
        const Json* value = schema.Find(key);
        auto count = value != nullptr ? value->AsUint() : std::nullopt;
        return count && *count <= kMaxBound ? std::optional(static_cast<uint32_t>(*count))
                                            : std::nullopt;
      };
      bounds.min = bound("minLength").value_or(0);
      bounds.max = bound("maxLength");
      return AddGraph(ParseRegex("(?:[^<]|<+[^</])*", Anchoring::kWhole), Spelling::kUtf8, bounds,
                      span, &builder_);
    }
    uint32_t rule = 0;
    try {
      rule = AddJsonSchema(function.parameters, "#/properties/" + PointerPart(key), options_,
                           &builder_);
    } catch (const Error&) {
      if (function.strict) throw;
      return JsonEmitter(&builder_, options_.max_whitespace).AnyValue(span.first, span.second);
    }
    builder_.AddCall(span.first, span.second, rule);
  }

  const ToolCallFrame& frame_;
  const ToolCallRules& rules_;
  JsonGrammarOptions options_;
  GrammarBuilder builder_;
};

}  // namespace

ByteGrammar ToolCallGrammar(const ToolCallFrame& frame, const Json& tools,
                            const ToolCallRules& rules) {
  return Writer(frame, rules).Write(ReadFunctions(tools, rules.name));
}

}  // namespace hearth::runtime
