// ByteLevel: each byte of the text becomes the character that stands for it.
#include "tokenizers/byte_level_alphabet.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class ByteLevelNormalizer : public Normalizer {
 public:
  void Normalize(NormalizedString* text) const override { ApplyByteLevel(text); }
  Json ToJson() const override { return Json::Obj({{"type", "ByteLevel"}}); }
};

}  // namespace

std::unique_ptr<Normalizer> ParseByteLevelNormalizer(const Json&) {
  return std::make_unique<ByteLevelNormalizer>();
}

}  // namespace hearth::tokenizers
