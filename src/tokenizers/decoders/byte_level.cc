// ByteLevel: the characters that stand for bytes become the bytes, all tokens together, because a
// character may lie in two of them. A token with any other character is text as it is.
#include "text/utf8.h"
#include "tokenizers/byte_level_alphabet.h"
#include "tokenizers/byte_level_options.h"
#include "tokenizers/decoder.h"
#include "tokenizers/internal/characters.h"

namespace hearth::tokenizers {
namespace {

void AppendToken(std::string_view token, std::string* bytes) {
  size_t before = bytes->size();
  for (size_t at = 0; at < token.size();) {
    internal::Character character = internal::CharacterAt(token, at);
    std::optional<uint8_t> byte = FindByteOfCharacter(character.value);
    if (!byte) {
      bytes->resize(before);
      bytes->append(token);
      return;
    }
    bytes->push_back(static_cast<char>(*byte));
    at += character.length;
  }
}

class ByteLevelDecoder : public Decoder {
 public:
  explicit ByteLevelDecoder(ByteLevelOptions options) : options_(options) {}

  void Decode(std::vector<std::string>* tokens) const override {
    std::string bytes;
    for (const std::string& token : *tokens) AppendToken(token, &bytes);
    if (!IsValidUtf8(bytes)) bytes = Utf8Lossy(bytes);
    tokens->assign(1, std::move(bytes));
  }

  Json ToJson() const override { return options_.ToJson(); }

 private:
  ByteLevelOptions options_;
};

}  // namespace

std::unique_ptr<Decoder> ParseByteLevelDecoder(const Json& json) {
  return std::make_unique<ByteLevelDecoder>(ByteLevelOptions::Parse(json));
}

}  // namespace hearth::tokenizers
