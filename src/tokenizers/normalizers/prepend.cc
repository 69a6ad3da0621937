// Prepend: a fixed string before a text that is not empty. It stands for the first character.
#include "tokenizers/internal/edits.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class PrependNormalizer : public Normalizer {
 public:
  explicit PrependNormalizer(std::string prefix) : prefix_(std::move(prefix)) {}

  void Normalize(NormalizedString* text) const override { internal::Prepend(text, prefix_); }
  Json ToJson() const override { return Json::Obj({{"type", "Prepend"}, {"prepend", prefix_}}); }

 private:
  std::string prefix_;
};

}  // namespace

std::unique_ptr<Normalizer> ParsePrependNormalizer(const Json& json) {
  return std::make_unique<PrependNormalizer>(json.RequireString("prepend"));
}

}  // namespace hearth::tokenizers
