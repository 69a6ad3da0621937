// BPEDecoder: the suffix that marks the end of a word becomes a space, and nothing at the very end.
#include "tokenizers/decoder.h"
#include "tokenizers/internal/replace_text.h"

namespace hearth::tokenizers {
namespace {

class BpeDecoder : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

  void Decode(std::vector<std::string>* tokens) const override {
    for (std::string& token : *tokens) {
      internal::ReplaceAll(suffix_, &token == &tokens->back() ? "" : " ", &token);
    }
  }

  Json ToJson() const override { return Json::Obj({{"type", "BPEDecoder"}, {"suffix", suffix_}}); }

 private:
  std::string suffix_;
};

}  // namespace

std::unique_ptr<Decoder> ParseBpeDecoder(const Json& json) {
  return std::make_unique<BpeDecoder>(json.RequireString("suffix"));
}

}  // namespace hearth::tokenizers
