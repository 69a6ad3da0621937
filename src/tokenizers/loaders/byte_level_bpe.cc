#include "tokenizers/loaders/byte_level_bpe.h"

#include "tokenizers/loaders/special_tokens.h"

namespace hearth::tokenizers {
namespace {

Json PreTokenizer(const ByteLevelOptions& options) {
  bool gpt2 = options.patterns.size() == 1 && options.patterns[0] == kGpt2Split;
  Json bytes = parts::ByteLevel(options.add_prefix_space, gpt2);
  if (gpt2 && !options.individual_digits) return bytes;
  Json::Array steps;
  if (options.individual_digits) {
    steps.push_back(Json::Obj({{"type", "Digits"}, {"individual_digits", true}}));
  }
  if (!gpt2) {
    for (const std::string& pattern : options.patterns) steps.push_back(parts::SplitRegex(pattern));
  }
  steps.push_back(std::move(bytes));
  return parts::Sequence("pretokenizers", std::move(steps));
}

Json PostProcessor(const ByteLevelOptions& options) {
  Json bytes = parts::ByteLevel(true, true, options.trim_offsets);
  Json around = BosEosTemplate(options.bos, options.eos);
  if (around.is_null()) return bytes;
  return parts::Sequence("processors", {std::move(bytes), std::move(around)});
}

}  // namespace

Json MakeByteLevelTokenizerJson(parts::BpeFields fields, const ByteLevelOptions& options) {
  parts::Document document;
  std::vector<parts::AddedToken> added;
  MergeAddedTokens(options.added_tokens, &added, &fields.vocab);
  document.added_tokens = parts::AddedTokens(added);
  if (options.nfc) document.normalizer = parts::Type("NFC");
  document.pre_tokenizer = PreTokenizer(options);
  document.post_processor = PostProcessor(options);
  document.decoder = parts::ByteLevel(true, true);
  document.model = parts::Bpe(std::move(fields));
  return parts::Assemble(std::move(document));
}

}  // namespace hearth::tokenizers
