#include "tokenizers/segment_encoder.h"

namespace hearth::tokenizers {

#define HEARTH_SEGMENT_ENCODER(Name) \
  std::unique_ptr<SegmentEncoder> Make##Name##Encoder(const Json& tokenizer_json);
#include "tokenizers/segment_encoders.inc"
#undef HEARTH_SEGMENT_ENCODER

std::unique_ptr<SegmentEncoder> MakeSegmentEncoder(const Json& tokenizer_json) {
#define HEARTH_SEGMENT_ENCODER(Name) \
  if (auto encoder = Make##Name##Encoder(tokenizer_json)) return encoder;
#include "tokenizers/segment_encoders.inc"
#undef HEARTH_SEGMENT_ENCODER
  static_cast<void>(tokenizer_json);
  return nullptr;
}

}  // namespace hearth::tokenizers
