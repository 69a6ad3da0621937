// What a post-processor makes of one text, found out once: most only put fixed tokens around it,
// and then an encoding can be written down in place instead of being put together from parts.
#pragma once

#include "tokenizers/encoding.h"
#include "tokenizers/post_processor.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {

struct Tokenizer::SingleTextPlan {
  // With special tokens: nothing else but `before`, the text and `after`.
  bool surrounds = true;
  Encoding before;
  Encoding after;
  uint32_t type_id = 0;  // of the text
  // Without them: the text and nothing else.
  bool keeps_plain = true;
  uint32_t plain_type_id = 0;
  // There is a post-processor, so the text is numbered as a sequence.
  bool numbers_sequence = false;
  PostProcessor::Trimming trimming = PostProcessor::Trimming::kNone;
};

}  // namespace hearth::tokenizers
