// Sequence: decoders one after the other.
#include "tokenizers/decoder.h"

namespace hearth::tokenizers {
namespace {

class SequenceDecoder : public Decoder {
 public:
  explicit SequenceDecoder(std::vector<std::unique_ptr<Decoder>> steps)
      : steps_(std::move(steps)) {}

  void Decode(std::vector<std::string>* tokens) const override {
    for (const auto& step : steps_) step->Decode(tokens);
  }

  Json ToJson() const override {
    Json::Array steps;
    for (const auto& step : steps_) steps.push_back(step->ToJson());
    return Json::Obj({{"type", "Sequence"}, {"decoders", std::move(steps)}});
  }

 private:
  std::vector<std::unique_ptr<Decoder>> steps_;
};

}  // namespace

std::unique_ptr<Decoder> ParseSequenceDecoder(const Json& json) {
  std::vector<std::unique_ptr<Decoder>> steps;
  for (const Json& step : json.RequireArray("decoders")) steps.push_back(ParseDecoder(step));
  return std::make_unique<SequenceDecoder>(std::move(steps));
}

}  // namespace hearth::tokenizers
