// Fuse: joins all tokens, for decoders that come behind it and must see the whole text.
#include "tokenizers/decoder.h"

namespace hearth::tokenizers {
namespace {

class FuseDecoder : public Decoder {
 public:
  void Decode(std::vector<std::string>* tokens) const override {
    std::string text;
    for (const std::string& token : *tokens) text += token;
    tokens->assign(1, std::move(text));
  }

  Json ToJson() const override { return Json::Obj({{"type", "Fuse"}}); }
};

}  // namespace

std::unique_ptr<Decoder> ParseFuseDecoder(const Json&) { return std::make_unique<FuseDecoder>(); }

}  // namespace hearth::tokenizers
