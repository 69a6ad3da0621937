#include "tokenizers/pre_tokenizer.h"

#include "base/error.h"
#include "tokenizers/internal/json_fields.h"

namespace hearth::tokenizers {

#define HEARTH_PRE_TOKENIZER(Name, type) \
  std::unique_ptr<PreTokenizer> Parse##Name##PreTokenizer(const Json& json);
#include "tokenizers/pre_tokenizers.inc"
#undef HEARTH_PRE_TOKENIZER

std::unique_ptr<PreTokenizer> ParsePreTokenizer(const Json& json) {
#define HEARTH_PRE_TOKENIZER(Name, name) \
  if (internal::HasType(json, name)) return Parse##Name##PreTokenizer(json);
#include "tokenizers/pre_tokenizers.inc"
#undef HEARTH_PRE_TOKENIZER
  throw Error(Code::kInvalidArgument, "the \"type\" of a pre-tokenizer is missing or unknown");
}

}  // namespace hearth::tokenizers
