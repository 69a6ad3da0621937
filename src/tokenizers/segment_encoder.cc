#include "tokenizers/segment_encoder.h"

#include "base/error.h"
#include "tokenizers/model.h"

namespace hearth::tokenizers {

#define HEARTH_SEGMENT_ENCODER(Name)                                              \
  std::unique_ptr<SegmentEncoder> Make##Name##Encoder(const Json& tokenizer_json, \
                                                      const Model& model, const KeptTables& kept);
#include "tokenizers/segment_encoders.inc"
#undef HEARTH_SEGMENT_ENCODER

std::unique_ptr<SegmentEncoder> MakeSegmentEncoder(const Json& tokenizer_json, const Model& model,
                                                   const KeptTables& kept) {
#define HEARTH_SEGMENT_ENCODER(Name) \
  if (auto encoder = Make##Name##Encoder(tokenizer_json, model, kept)) return encoder;
#include "tokenizers/segment_encoders.inc"
#undef HEARTH_SEGMENT_ENCODER
  return nullptr;
}

std::unique_ptr<SegmentEncoder> MakeSegmentEncoder(const Json& tokenizer_json) {
  const Json* json = tokenizer_json.Find("model");
  if (json == nullptr) return nullptr;
  try {
    return MakeSegmentEncoder(tokenizer_json, *ParseModel(*json));
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace hearth::tokenizers
