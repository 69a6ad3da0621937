#include "tokenizers/normalizer.h"

#include "base/error.h"
#include "tokenizers/internal/json_fields.h"

namespace hearth::tokenizers {

#define HEARTH_NORMALIZER(Name, type, key) \
  std::unique_ptr<Normalizer> Parse##Name##Normalizer(const Json& json);
#include "tokenizers/normalizers.inc"
#undef HEARTH_NORMALIZER

std::unique_ptr<Normalizer> ParseNormalizer(const Json& json) {
#define HEARTH_NORMALIZER(Name, name, key) \
  if (internal::HasType(json, name)) return Parse##Name##Normalizer(json);
#include "tokenizers/normalizers.inc"
#undef HEARTH_NORMALIZER
#define HEARTH_NORMALIZER(Name, name, key) \
  if (key[0] != '\0' && json.Find(key) != nullptr) return Parse##Name##Normalizer(json);
#include "tokenizers/normalizers.inc"
#undef HEARTH_NORMALIZER
  throw Error(Code::kInvalidArgument, "the \"type\" of a normalizer is missing or unknown");
}

}  // namespace hearth::tokenizers
