// Files of ranks ("base64 rank" a line, as tiktoken reads them). The split and the special tokens
// are not inside: the split is Llama 3's and cl100k's, which the reference takes too; special
// tokens come from tokenizer_config.json.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"
#include "tokenizers/loaders/byte_level_bpe.h"
#include "tokenizers/loaders/file_kind.h"
#include "tokenizers/loaders/files.h"
#include "tokenizers/loaders/merge_rules.h"
#include "tokenizers/loaders/special_tokens.h"

namespace hearth::tokenizers {
namespace {

using Ranked = std::pair<uint32_t, std::string>;

[[noreturn]] void BadLine(size_t number) {
  throw Error(Code::kInvalidArgument,
              "line " + std::to_string(number) + " is not a token in base64 and its rank");
}

std::vector<Ranked> ReadRanks(std::string_view text) {
  std::vector<Ranked> ranks;
  size_t number = 0;
  for (std::string_view line : Split(text, '\n')) {
    ++number;
    line = TrimAscii(line);
    if (line.empty()) continue;
    size_t space = line.find(' ');
    if (space == std::string_view::npos) BadLine(number);
    auto token = Base64Decode(line.substr(0, space));
    auto rank = ParseUint(line.substr(space + 1));
    if (!token || token->empty() || !rank || *rank > UINT32_MAX) BadLine(number);
    ranks.emplace_back(static_cast<uint32_t>(*rank), *std::move(token));
  }
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

Json MakeFromRanks(std::vector<Ranked> ranks, const Json& config) {
  parts::BpeFields fields;
  std::vector<std::string> tokens;
  for (auto& [rank, token] : ranks) {
    fields.vocab.emplace_back(parts::SpellBytes(token), rank);
    tokens.push_back(std::move(token));
  }
  fields.merges = RulesFromRanks(tokens);
  fields.ignore_merges = true;
  ByteLevelOptions options;
  options.patterns = {std::string(kLlama3Split)};
  options.added_tokens = ConfiguredAddedTokens(config);
  return MakeByteLevelTokenizerJson(std::move(fields), options);
}

}  // namespace

std::optional<Json> LoadTiktoken(const TokenizerFiles& files) {
  for (std::string_view suffix : {".tiktoken", "tokenizer.model"}) {
    auto name = files.FindBySuffix(suffix);
    auto bytes = name ? files.Read(*name) : std::nullopt;
    if (bytes && LooksLikeRanks(*bytes)) return MakeFromRanks(ReadRanks(*bytes), files.Config());
  }
  return std::nullopt;
}

}  // namespace hearth::tokenizers
