// Which tokenizer.json the byte-level BPE fast path takes.
#pragma once

#include <optional>

#include "codec/json.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

// Reads normalizer, pre_tokenizer and the model's options (not its vocabulary). nullopt unless
// every one of them is known to mean what the fast path does.
std::optional<ByteBpeConfig> RecogniseByteBpe(const Json& tokenizer_json);

}  // namespace hearth::tokenizers
