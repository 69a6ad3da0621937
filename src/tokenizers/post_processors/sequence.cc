// Sequence: post-processors one after the other.
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/post_processor.h"

namespace hearth::tokenizers {
namespace {

class SequencePostProcessor : public PostProcessor {
 public:
  explicit SequencePostProcessor(std::vector<std::unique_ptr<PostProcessor>> steps)
      : steps_(std::move(steps)) {}

  size_t added_tokens(bool is_pair) const override {
    size_t count = 0;
    for (const auto& step : steps_) count += step->added_tokens(is_pair);
    return count;
  }

  std::vector<Encoding> Process(std::vector<Encoding> encodings,
                                bool add_special_tokens) const override {
    for (const auto& step : steps_) {
      encodings = step->Process(std::move(encodings), add_special_tokens);
    }
    return encodings;
  }

  Trimming trimming() const override {
    if (steps_.empty()) return Trimming::kNone;
    for (size_t i = 1; i < steps_.size(); ++i) {
      if (steps_[i]->trimming() != Trimming::kNone) return Trimming::kOther;
    }
    return steps_[0]->trimming();
  }

  Json ToJson() const override {
    Json::Array steps;
    for (const auto& step : steps_) steps.push_back(step->ToJson());
    return Json::Obj({{"type", "Sequence"}, {"processors", std::move(steps)}});
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> steps_;
};

}  // namespace

std::unique_ptr<PostProcessor> ParseSequencePostProcessor(const Json& json) {
  if (!internal::HasType(json, "Sequence")) return nullptr;
  std::vector<std::unique_ptr<PostProcessor>> steps;
  for (const Json& step : json.RequireArray("processors")) {
    steps.push_back(ParsePostProcessor(step));
  }
  return std::make_unique<SequencePostProcessor>(std::move(steps));
}

}  // namespace hearth::tokenizers
