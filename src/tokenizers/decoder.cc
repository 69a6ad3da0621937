#include "tokenizers/decoder.h"

#include "base/error.h"
#include "tokenizers/internal/json_fields.h"

namespace hearth::tokenizers {

#define HEARTH_DECODER(Name, type, key) \
  std::unique_ptr<Decoder> Parse##Name##Decoder(const Json& json);
#include "tokenizers/decoders.inc"
#undef HEARTH_DECODER

std::unique_ptr<Decoder> ParseDecoder(const Json& json) {
#define HEARTH_DECODER(Name, name, key) \
  if (internal::HasType(json, name)) return Parse##Name##Decoder(json);
#include "tokenizers/decoders.inc"
#undef HEARTH_DECODER
#define HEARTH_DECODER(Name, name, key) \
  if (key[0] != '\0' && json.Find(key) != nullptr) return Parse##Name##Decoder(json);
#include "tokenizers/decoders.inc"
#undef HEARTH_DECODER
  throw Error(Code::kInvalidArgument, "the \"type\" of a decoder is missing or unknown");
}

}  // namespace hearth::tokenizers
