#include "runtime/grammar/token_vocabulary.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "text/utf8.h"
#include "tokenizers/byte_level_alphabet.h"
#include "tokenizers/decoder.h"

namespace hearth::runtime {
namespace {

constexpr size_t kMaxTokens = 1u << 24;
constexpr size_t kMaxBytes = 1u << 28;
// Longer tokens cannot be told apart in a node; none of a real vocabulary comes near.
constexpr size_t kMaxTokenBytes = std::numeric_limits<uint16_t>::max();

// What a tokenizer's decoder does to a single token inside a text.
struct DecoderTraits {
  bool byte_level = false;
  bool byte_fallback = false;
  bool word_piece = false;
  std::string space;  // stands for one
};

void ReadTraits(const Json& decoder, DecoderTraits* traits) {
  const Json* type = decoder.Find("type");
  if (type == nullptr || type->AsString() == nullptr) return;
  const std::string& name = *type->AsString();
  if (name == "ByteLevel") traits->byte_level = true;
  if (name == "ByteFallback") traits->byte_fallback = true;
  if (name == "WordPiece") traits->word_piece = true;
  if (name == "Metaspace") {
    const Json* mark = decoder.Find("replacement");
    traits->space = mark != nullptr && mark->AsString() != nullptr ? *mark->AsString() : "▁";
  }
  if (name == "Replace") {
    const Json* pattern = decoder.Find("pattern");
    const Json* text = pattern != nullptr ? pattern->Find("String") : nullptr;
    const Json* content = decoder.Find("content");
    if (text != nullptr && text->AsString() != nullptr && content != nullptr &&
        content->AsString() != nullptr && *content->AsString() == " ") {
      traits->space = *text->AsString();
    }
  }
  if (const Json* parts = decoder.Find("decoders"); parts != nullptr && parts->is_array()) {
    for (const Json& part : *parts->AsArray()) ReadTraits(part, traits);
  }
}

std::string ByteLevelBytes(std::string_view token) {
  std::string bytes;
  for (std::string_view rest = token; !rest.empty();) {
    CodePoint c = DecodeUtf8(rest);
    auto byte = tokenizers::FindByteOfCharacter(c.value);
    // A token with a character outside the alphabet stands for its own text.
    if (!byte) return std::string(token);
    bytes.push_back(static_cast<char>(*byte));
    rest.remove_prefix(c.length);
  }
  return bytes;
}

// "<0xE4>" and the like.
bool IsByteToken(std::string_view token, char* byte) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return false;
  unsigned value = 0;
  for (char c : token.substr(3, 2)) {
    unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                     : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                     : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                                            : 16u;
    if (digit == 16) return false;
    value = value * 16 + digit;
  }
  *byte = static_cast<char>(value);
  return true;
}

std::string TokenBytes(std::string_view token, const DecoderTraits& traits) {
  if (traits.byte_level) return ByteLevelBytes(token);
  char byte = 0;
  if (traits.byte_fallback && IsByteToken(token, &byte)) return std::string(1, byte);
  if (traits.word_piece) {
    return token.starts_with("##") ? std::string(token.substr(2)) : " " + std::string(token);
  }
  std::string bytes(token);
  if (traits.space.empty()) return bytes;
  for (size_t at = 0; (at = bytes.find(traits.space, at)) != std::string::npos; ++at) {
    bytes.replace(at, traits.space.size(), " ");
  }
  return bytes;
}

}  // namespace

TokenVocabulary::TokenVocabulary(std::vector<std::string> tokens, std::vector<uint32_t> eos)
    : tokens_(std::move(tokens)), eos_(std::move(eos)) {
  size_t total = 0;
  for (const std::string& token : tokens_) total += token.size();
  if (tokens_.size() > kMaxTokens || total > kMaxBytes) {
    throw Error(Code::kTooLarge, "the vocabulary is too large for constraints");
  }
  std::vector<uint32_t> order;
  for (uint32_t id = 0; id < tokens_.size(); ++id) {
    if (!tokens_[id].empty() && tokens_[id].size() <= kMaxTokenBytes) order.push_back(id);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    int compared = tokens_[a].compare(tokens_[b]);
    return compared != 0 ? compared < 0 : a < b;
  });

  nodes_.push_back({});
  std::vector<uint32_t> path{0};  // nodes from the root to the present one
  for (size_t i = 0; i < order.size(); ++i) {
    const std::string& text = tokens_[order[i]];
    size_t common = 0;
    if (i > 0) {
      const std::string& before = tokens_[order[i - 1]];
      common = std::mismatch(before.begin(), before.end(), text.begin(), text.end()).first -
               before.begin();
      if (common == text.size() && common == before.size()) {
        if (twins_.empty()) twins_.assign(tokens_.size(), kNoToken);
        twins_[order[i - 1]] = order[i];
        continue;
      }
    }
    while (path.size() > common + 1) {
      nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
      path.pop_back();
    }
    for (size_t at = common; at < text.size(); ++at) {
      path.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back(
          {0, kNoToken, static_cast<uint16_t>(at + 1), static_cast<uint8_t>(text[at])});
    }
    nodes_[path.back()].token = order[i];
    max_depth_ = std::max(max_depth_, text.size());
  }
  for (uint32_t node : path) nodes_[node].end = static_cast<uint32_t>(nodes_.size());
}

TokenVocabulary TokenVocabulary::FromTokenizer(const tokenizers::Tokenizer& tokenizer, size_t size,
                                               std::vector<uint32_t> eos,
                                               const std::vector<std::string>& marks) {
  DecoderTraits traits;
  if (tokenizer.decoder() != nullptr) ReadTraits(tokenizer.decoder()->ToJson(), &traits);
  std::vector<std::string> tokens(size);
  tokenizer.ForEachToken([&](std::string_view token, uint32_t id) {
    if (id < size) tokens[id] = TokenBytes(token, traits);
  });
  // Added tokens are literal text; special ones are none.
  for (const auto& [id, added] : tokenizer.added_vocabulary().tokens()) {
    bool is_mark = std::find(marks.begin(), marks.end(), added.content) != marks.end();
    if (id < size) tokens[id] = added.special && !is_mark ? std::string() : added.content;
  }
  for (uint32_t id : eos) {
    if (id < size) tokens[id].clear();
  }
  return TokenVocabulary(std::move(tokens), std::move(eos));
}

}  // namespace hearth::runtime
