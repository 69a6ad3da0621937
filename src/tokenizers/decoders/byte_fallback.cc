// ByteFallback: runs of tokens like <0x61> become the text that their bytes are, or one U+FFFD for
// each byte when they are not UTF-8.
#include <optional>

#include "text/utf8.h"
#include "tokenizers/decoder.h"

namespace hearth::tokenizers {
namespace {

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// The reference reads the two places as a number, and a number may have a plus sign.
std::optional<char> ByteOf(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  std::optional<unsigned> high = token[3] == '+' ? 0 : HexDigit(token[3]);
  std::optional<unsigned> low = HexDigit(token[4]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high << 4 | *low);
}

void AppendBytes(std::string* bytes, std::vector<std::string>* tokens) {
  if (bytes->empty()) return;
  if (IsValidUtf8(*bytes)) {
    tokens->push_back(*bytes);
  } else {
    tokens->insert(tokens->end(), bytes->size(), "\xEF\xBF\xBD");
  }
  bytes->clear();
}

class ByteFallbackDecoder : public Decoder {
 public:
  void Decode(std::vector<std::string>* tokens) const override {
    std::vector<std::string> result;
    result.reserve(tokens->size());
    std::string bytes;
    for (std::string& token : *tokens) {
      if (std::optional<char> byte = ByteOf(token)) {
        bytes += *byte;
        continue;
      }
      AppendBytes(&bytes, &result);
      result.push_back(std::move(token));
    }
    AppendBytes(&bytes, &result);
    *tokens = std::move(result);
  }

  Json ToJson() const override { return Json::Obj({{"type", "ByteFallback"}}); }
};

}  // namespace

std::unique_ptr<Decoder> ParseByteFallbackDecoder(const Json&) {
  return std::make_unique<ByteFallbackDecoder>();
}

}  // namespace hearth::tokenizers
