// From the text of a tokenizer.json to a plan, and from a plan to an encoder.
#pragma once

#include <memory>
#include <string_view>

#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

// nullptr when it is not byte-level BPE of a known kind, or not plainly written.
std::shared_ptr<const ByteBpePlan> LoadByteBpePlan(std::string_view tokenizer_json);

std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(std::shared_ptr<const ByteBpePlan> plan);

}  // namespace hearth::tokenizers
