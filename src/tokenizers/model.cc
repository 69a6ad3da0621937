#include "tokenizers/model.h"

#include "base/error.h"

namespace hearth::tokenizers {

#define HEARTH_TOKENIZER_MODEL(Name, type) std::unique_ptr<Model> Parse##Name(const Json& json);
#include "tokenizers/models.inc"
#undef HEARTH_TOKENIZER_MODEL

std::unique_ptr<Model> ParseModel(const Json& json) {
  auto type = json.StringField("type");
#define HEARTH_TOKENIZER_MODEL(Name, name) \
  if (type == name) return Parse##Name(json);
#include "tokenizers/models.inc"
#undef HEARTH_TOKENIZER_MODEL
  throw Error(Code::kInvalidArgument,
              "the tokenizer model \"" + type.value_or("") + "\" is unknown");
}

}  // namespace hearth::tokenizers
