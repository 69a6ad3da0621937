// From a tokenizer to a plan, and from a plan to an encoder.
#pragma once

#include <memory>

#include "codec/json.h"
#include "tokenizers/model.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

// As MakeSegmentEncoder; nullptr when it is not byte-level BPE of a known kind.
std::shared_ptr<const ByteBpePlan> MakeByteBpePlan(const Json& tokenizer_json, const Model& model);

std::unique_ptr<SegmentEncoder> MakeByteBpeEncoder(std::shared_ptr<const ByteBpePlan> plan);

}  // namespace hearth::tokenizers
