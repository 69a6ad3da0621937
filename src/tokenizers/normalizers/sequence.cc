// Sequence: normalizers one after the other.
#include <vector>

#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

class SequenceNormalizer : public Normalizer {
 public:
  explicit SequenceNormalizer(std::vector<std::unique_ptr<Normalizer>> steps)
      : steps_(std::move(steps)) {}

  void Normalize(NormalizedString* text) const override {
    for (const auto& step : steps_) step->Normalize(text);
  }

  Json ToJson() const override {
    Json::Array steps;
    for (const auto& step : steps_) steps.push_back(step->ToJson());
    return Json::Obj({{"type", "Sequence"}, {"normalizers", std::move(steps)}});
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace

std::unique_ptr<Normalizer> ParseSequenceNormalizer(const Json& json) {
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (const Json& step : json.RequireArray("normalizers")) steps.push_back(ParseNormalizer(step));
  return std::make_unique<SequenceNormalizer>(std::move(steps));
}

}  // namespace hearth::tokenizers
