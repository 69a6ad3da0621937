// Tool calls in the text that a model makes, as they come.
//
// Every family of models marks its calls in its own way. A parser takes the text piece by piece
// (with special tokens kept, which most marks are) and gives events: text for the reader, the
// beginning of a call with the function's name, pieces of its arguments, its end. The pieces of one
// call joined are a JSON text, as OpenAI's `arguments` are. What only looks like a call and is none
// is given out as text; nothing is lost but marks.
//
// One file per family, tool_calls_<name>.cc, and one line in tool_calls.inc; the chat template says
// which family a model belongs to.
//
// Thread rule: one parser per text, one thread at a time. Errors: none from any text; kNotFound for
// an unknown family.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace hearth::runtime {

struct ToolCallEvent {
  enum class Kind {
    kText,       // `text` is content
    kReasoning,  // `text` is thought (families that mark it together with calls)
    kCall,       // a call begins; `text` is the function's name
    kArguments,  // `text` is the next piece of the call's arguments
    kCallEnd,
  };
  Kind kind = Kind::kText;
  uint32_t call = 0;  // which call of this text, from 0
  std::string text;
  bool operator==(const ToolCallEvent&) const = default;
};

class ToolCallParser {
 public:
  virtual ~ToolCallParser() = default;
  // Appends what the new text says for sure.
  virtual void Push(std::string_view text, std::vector<ToolCallEvent>* events) = 0;
  // There is no more text: what was held back, and the end of a call that is still open.
  virtual void Finish(std::vector<ToolCallEvent>* events) = 0;
};

// The request's tools, for families whose marks do not say the types of arguments.
class ToolTypes {
 public:
  ToolTypes() = default;
  // The "tools" of an OpenAI request, or a list of functions; what is not understood is passed
  // over.
  explicit ToolTypes(const Json& tools);
  // True for a parameter whose schema allows no string, so that its text is read as JSON.
  bool IsJson(const std::string& function, const std::string& parameter) const;

 private:
  std::map<std::string, std::map<std::string, bool>> is_json_;
};

// How a family writes calls: what a constraint puts around names and arguments.
struct ToolCallFrame {
  enum class Arguments : uint8_t {
    kJson,    // one object
    kMarked,  // key by key: a string as it is, anything else as JSON
  };
  std::string begin, between, end;  // around all calls
  std::string before_name, after_name, after_arguments;
  // What of `begin` and `before_name` tells a call from text: text holds it nowhere, or, where
  // calls are whole answers, does not begin with it.
  std::string trigger;
  bool whole_answer = false;
  Arguments arguments = Arguments::kJson;
  // kMarked: around each key and value. No string holds `after_value`.
  std::string before_key, after_key, after_value;
  bool several = true;  // calls in one answer
  // Marks that may be special tokens.
  std::vector<std::string> marks;
};

// By the template where a family has several forms. Errors: kNotFound for an unknown family.
ToolCallFrame ToolCallFrameOf(std::string_view family, std::string_view chat_template);

// The family's name for MakeToolCallParser; nullopt where the template has no calls that are known.
std::optional<std::string_view> DetectToolCallFamily(std::string_view chat_template);
std::vector<std::string_view> ToolCallFamilies();
std::unique_ptr<ToolCallParser> MakeToolCallParser(std::string_view family,
                                                   const ToolTypes& types = {});

}  // namespace hearth::runtime
