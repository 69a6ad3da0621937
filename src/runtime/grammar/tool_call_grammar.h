// Answers that are calls of a request's tools, in the words of the model's family, as a constraint.
//
// Arguments are what a function's schema allows, with nothing that the schema does not name unless
// it says so. Pure. Errors: those of JsonSchemaGrammar, with the function's name; kUnprocessable
// for tools without names, a name that is asked for and not there, or names with odd characters.
#pragma once

#include <optional>
#include <string>

#include "codec/json.h"
#include "runtime/generation/tool_calls.h"
#include "runtime/grammar/byte_grammar.h"

namespace hearth::runtime {

struct ToolCallRules {
  bool text_allowed = true;         // an answer without a call, or text in front of the first
  bool several = true;              // calls
  std::optional<std::string> name;  // the only function that may be called
};

// `tools` as in a request of OpenAI.
ByteGrammar ToolCallGrammar(const ToolCallFrame& frame, const Json& tools,
                            const ToolCallRules& rules);

}  // namespace hearth::runtime
