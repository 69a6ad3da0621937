// Metaspace: marks become spaces. Those of the first token go, unless the pre-tokenizer never puts
// one in front.
#include "tokenizers/decoder.h"
#include "tokenizers/internal/replace_text.h"
#include "tokenizers/metaspace_options.h"

namespace hearth::tokenizers {
namespace {

class MetaspaceDecoder : public Decoder {
 public:
  explicit MetaspaceDecoder(MetaspaceOptions options) : options_(std::move(options)) {}

  void Decode(std::vector<std::string>* tokens) const override {
    for (size_t i = 0; i < tokens->size(); ++i) {
      bool drop = i == 0 && options_.prepend_scheme != PrependScheme::kNever;
      internal::ReplaceAll(options_.mark_text, drop ? "" : " ", &(*tokens)[i]);
    }
  }

  Json ToJson() const override { return options_.ToJson(); }

 private:
  MetaspaceOptions options_;
};

}  // namespace

std::unique_ptr<Decoder> ParseMetaspaceDecoder(const Json& json) {
  return std::make_unique<MetaspaceDecoder>(MetaspaceOptions::Parse(json));
}

}  // namespace hearth::tokenizers
