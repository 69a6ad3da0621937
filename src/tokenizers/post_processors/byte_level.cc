// ByteLevel: no special tokens; trims the white space off the offsets.
#include "tokenizers/byte_level_options.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/internal/trim_offsets.h"
#include "tokenizers/post_processor.h"

namespace hearth::tokenizers {
namespace {

class ByteLevelPostProcessor : public PostProcessor {
 public:
  explicit ByteLevelPostProcessor(ByteLevelOptions options) : options_(options) {}

  size_t added_tokens(bool) const override { return 0; }

  std::vector<Encoding> Process(std::vector<Encoding> encodings, bool) const override {
    for (size_t i = 0; i < encodings.size(); ++i) {
      if (options_.trim_offsets) internal::TrimOffsets(options_.add_prefix_space, &encodings[i]);
      encodings[i].SetSequence(i);
    }
    return encodings;
  }

  Trimming trimming() const override {
    if (!options_.trim_offsets) return Trimming::kNone;
    return options_.add_prefix_space ? Trimming::kWithPrefixSpace : Trimming::kPlain;
  }

  Json ToJson() const override { return options_.ToJson(); }

 private:
  ByteLevelOptions options_;
};

}  // namespace

std::unique_ptr<PostProcessor> ParseByteLevelPostProcessor(const Json& json) {
  if (!internal::HasType(json, "ByteLevel")) return nullptr;
  return std::make_unique<ByteLevelPostProcessor>(ByteLevelOptions::Parse(json));
}

}  // namespace hearth::tokenizers
