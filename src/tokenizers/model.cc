#include "tokenizers/model.h"

#include "base/error.h"
#include "tokenizers/models/model_parts.h"

namespace hearth::tokenizers {

#define HEARTH_TOKENIZER_MODEL(Name, type) \
  std::unique_ptr<Model> Parse##Name(const Json& json, ModelParts parts);
#include "tokenizers/models.inc"
#undef HEARTH_TOKENIZER_MODEL

namespace {

using ParseFunction = std::unique_ptr<Model> (*)(const Json& json, ModelParts parts);

struct Kind {
  std::string_view type;
  ParseFunction parse;
};

constexpr Kind kKinds[] = {
#define HEARTH_TOKENIZER_MODEL(Name, type) {type, &Parse##Name},
#include "tokenizers/models.inc"
#undef HEARTH_TOKENIZER_MODEL
};

// Files from before "type" was written: the first kind whose fields are all there.
std::unique_ptr<Model> ParseUntyped(const Json& json) {
  for (const Kind& kind : kKinds) {
    try {
      return kind.parse(json, {});
    } catch (const Error&) {
    }
  }
  throw Error(Code::kInvalidArgument, "the tokenizer model has no \"type\" and fits none");
}

}  // namespace

std::unique_ptr<Model> ParseModel(const Json& json) { return ParseModel(json, {}); }

std::unique_ptr<Model> ParseModel(const Json& json, ModelParts parts) {
  if (!json.is_object()) throw Error(Code::kInvalidArgument, "\"model\" must be an object");
  const Json* type = json.Find("type");
  if (type == nullptr) return ParseUntyped(json);
  const std::string* name = type->AsString();
  for (const Kind& kind : kKinds) {
    if (name != nullptr && *name == kind.type) return kind.parse(json, std::move(parts));
  }
  throw Error(Code::kInvalidArgument,
              "the tokenizer model \"" + (name ? *name : type->Dump()) + "\" is unknown");
}

}  // namespace hearth::tokenizers
