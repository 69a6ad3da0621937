#include "tokenizers/post_processor.h"

#include "base/error.h"

namespace hearth::tokenizers {

#define HEARTH_POST_PROCESSOR(Name) \
  std::unique_ptr<PostProcessor> Parse##Name##PostProcessor(const Json& json);
#include "tokenizers/post_processors.inc"
#undef HEARTH_POST_PROCESSOR

std::unique_ptr<PostProcessor> ParsePostProcessor(const Json& json) {
#define HEARTH_POST_PROCESSOR(Name) \
  if (auto post_processor = Parse##Name##PostProcessor(json)) return post_processor;
#include "tokenizers/post_processors.inc"
#undef HEARTH_POST_PROCESSOR
  throw Error(Code::kInvalidArgument, "a post-processor has the fields of none that is known");
}

}  // namespace hearth::tokenizers
