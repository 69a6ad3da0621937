// A grammar as the engine's filter, and the grammars that requests name.
#pragma once

#include <memory>
#include <vector>

#include "codec/json.h"
#include "runtime/engine/token_filter.h"
#include "runtime/grammar/token_constraint.h"

namespace hearth::runtime {

class GrammarFilter : public TokenFilter {
 public:
  explicit GrammarFilter(std::shared_ptr<TokenConstraint> constraint)
      : constraint_(std::move(constraint)), state_(constraint_->Start()) {}

  std::span<const uint64_t> Allowed() override;
  void Accept(uint32_t token) override { constraint_->Accept(&state_, token); }
  bool finished() const override { return state_.finished(); }

 private:
  std::shared_ptr<TokenConstraint> constraint_;
  TokenConstraint::State state_;
  std::vector<uint64_t> mask_;
};

// A "response_format" of OpenAI ({"type": "json_schema", "json_schema": {"schema"}}, {"type":
// "json_object"}) or a "grammar" of TGI ({"type": "json" or "json_schema" or "regex", "value"});
// also "json_object" with the schema as "value" or "schema". nullptr for {"type": "text"}. Errors:
// kUnprocessable for an unknown type, and those of the grammars.
std::shared_ptr<TokenConstraint> ReadConstraint(const Json& format,
                                                std::shared_ptr<const TokenVocabulary> vocabulary);

}  // namespace hearth::runtime
