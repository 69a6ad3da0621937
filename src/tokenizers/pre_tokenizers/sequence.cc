// Sequence: pre-tokenizers one after the other, each cutting further what the last one left.
#include <vector>

#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class SequencePreTokenizer : public PreTokenizer {
 public:
  explicit SequencePreTokenizer(std::vector<std::unique_ptr<PreTokenizer>> steps)
      : steps_(std::move(steps)) {}

  void PreTokenize(PreTokenizedString* text) const override {
    for (const auto& step : steps_) step->PreTokenize(text);
  }

  Json ToJson() const override {
    Json::Array steps;
    for (const auto& step : steps_) steps.push_back(step->ToJson());
    return Json::Obj({{"type", "Sequence"}, {"pretokenizers", std::move(steps)}});
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseSequencePreTokenizer(const Json& json) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const Json& step : json.RequireArray("pretokenizers")) {
    steps.push_back(ParsePreTokenizer(step));
  }
  return std::make_unique<SequencePreTokenizer>(std::move(steps));
}

}  // namespace hearth::tokenizers
