// Mistral's tekken.json: byte ranks, the split pattern and the special tokens in one file. Special
// tokens take the first ids, the ranks follow. Vocabularies are padded: only the configured number
// is in use. Format: mistral_common's Tekkenizer.
#include <algorithm>

#include "base/error.h"
#include "codec/base64.h"
#include "tokenizers/loaders/byte_level_bpe.h"
#include "tokenizers/loaders/files.h"
#include "tokenizers/loaders/merge_rules.h"

namespace hearth::tokenizers {
namespace {

// Files from before "special_tokens" was written have these, then fillers.
constexpr std::string_view kOldSpecialTokens[] = {"<unk>",
                                                  "<s>",
                                                  "</s>",
                                                  "[INST]",
                                                  "[/INST]",
                                                  "[AVAILABLE_TOOLS]",
                                                  "[/AVAILABLE_TOOLS]",
                                                  "[TOOL_RESULTS]",
                                                  "[/TOOL_RESULTS]",
                                                  "[TOOL_CALLS]",
                                                  "[IMG]",
                                                  "<pad>",
                                                  "[IMG_BREAK]",
                                                  "[IMG_END]",
                                                  "[PREFIX]",
                                                  "[MIDDLE]",
                                                  "[SUFFIX]",
                                                  "[SYSTEM_PROMPT]",
                                                  "[/SYSTEM_PROMPT]",
                                                  "[TOOL_CONTENT]"};
constexpr uint64_t kMaxSpecialTokens = 1'000'000;

uint64_t Unsigned(const Json& json, std::string_view key, uint64_t fallback) {
  auto value = json.IntField(key);
  if (value && *value < 0) {
    throw Error(Code::kInvalidArgument, "\"" + std::string(key) + "\" must not be negative");
  }
  return value ? static_cast<uint64_t>(*value) : fallback;
}

std::vector<std::string> SpecialTokens(const Json& tekken, const Json& config) {
  std::vector<std::string> tokens;
  const Json* listed = tekken.Find("special_tokens");
  if (listed == nullptr || listed->is_null()) {
    tokens.assign(std::begin(kOldSpecialTokens), std::end(kOldSpecialTokens));
  } else {
    const Json::Array& rows = tekken.RequireArray("special_tokens");
    tokens.resize(rows.size());
    for (const Json& row : rows) {
      uint64_t rank = Unsigned(row, "rank", rows.size());
      if (rank >= rows.size() || !tokens[rank].empty()) {
        throw Error(Code::kInvalidArgument, "the ranks of special_tokens are not 0, 1, 2, ...");
      }
      tokens[rank] = row.RequireString("token_str");
    }
  }
  uint64_t count = Unsigned(config, "default_num_special_tokens", tokens.size());
  if (count > kMaxSpecialTokens) throw Error(Code::kTooLarge, "too many special tokens");
  while (tokens.size() < count) {
    tokens.push_back("<SPECIAL_" + std::to_string(tokens.size()) + ">");
  }
  return tokens;
}

std::vector<std::string> Ranks(const Json& tekken, uint64_t limit) {
  const Json::Array& rows = tekken.RequireArray("vocab");
  std::vector<std::string> tokens;
  for (const Json& row : rows) {
    if (tokens.size() == limit) break;
    auto bytes = Base64Decode(row.RequireString("token_bytes"));
    if (!bytes || bytes->empty()) {
      throw Error(Code::kInvalidArgument,
                  "token_bytes of token " + std::to_string(tokens.size()) + " is not base64");
    }
    tokens.push_back(*std::move(bytes));
  }
  return tokens;
}

Json MakeFromTekken(const Json& tekken) {
  const Json* config = tekken.Find("config");
  if (config == nullptr || !config->is_object()) {
    throw Error(Code::kInvalidArgument, "\"config\" is required in tekken.json");
  }
  ByteLevelOptions options;
  options.patterns = {config->RequireString("pattern")};
  parts::BpeFields fields;
  std::vector<std::string> special = SpecialTokens(tekken, *config);
  for (const std::string& text : special) {
    size_t id = options.added_tokens.size();
    options.added_tokens.push_back({id, text, true});
    fields.vocab.emplace_back(text, id);
  }
  uint64_t size = Unsigned(*config, "default_vocab_size", UINT32_MAX);
  std::vector<std::string> tokens = Ranks(tekken, size - std::min<uint64_t>(size, special.size()));
  for (const std::string& token : tokens) {
    fields.vocab.emplace_back(parts::SpellBytes(token), fields.vocab.size());
  }
  fields.merges = RulesFromRanks(tokens);
  fields.ignore_merges = true;
  return MakeByteLevelTokenizerJson(std::move(fields), options);
}

}  // namespace

std::optional<Json> LoadTekken(const TokenizerFiles& files) {
  for (const std::string& name : files.Names()) {
    if (!name.starts_with("tekken") || !name.ends_with(".json")) continue;
    return MakeFromTekken(Json::Parse(*files.Read(name)));
  }
  return std::nullopt;
}

}  // namespace hearth::tokenizers
