#include "cli/token_pieces.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "text/utf8.h"
#include "tokenizers/byte_level_alphabet.h"

namespace hearth::cli {
namespace {

// "<0xE6>", as vocabularies with byte fallback spell a byte.
bool IsByteToken(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
}

// The bytes that a token of a byte-level vocabulary spells.
std::optional<std::string> SpelledBytes(std::string_view token) {
  std::string bytes;
  while (!token.empty()) {
    CodePoint character = DecodeUtf8(token);
    auto byte = tokenizers::FindByteOfCharacter(character.value);
    if (!byte) return std::nullopt;
    bytes += static_cast<char>(*byte);
    token.remove_prefix(character.length);
  }
  return bytes;
}

// The most bytes that `shown` ends with and `bytes` begins with.
size_t Overlap(std::string_view shown, std::string_view bytes) {
  size_t most = std::min(shown.size(), bytes.size());
  while (!shown.ends_with(bytes.substr(0, most))) --most;
  return most;
}

// Which bytes of `shown`, which is on the screen already, the token begins with.
std::string Marker(std::string_view token, std::string_view shown, bool covers_more) {
  if (IsByteToken(token)) return std::string(token);
  std::string bytes = SpelledBytes(token).value_or("");
  if (covers_more) {
    bytes.resize(Overlap(shown, bytes));
  } else if (bytes.empty() || shown.find(bytes) == std::string_view::npos) {
    return std::string(token);
  }
  std::string marker;
  for (char byte : bytes) marker += fmt::format("<0x{:02X}>", static_cast<unsigned char>(byte));
  return marker;
}

}  // namespace

TokenPieces::Piece TokenPieces::Next(std::string_view token, tokenizers::Offsets offsets) {
  auto [begin, end] = offsets;
  if (begin > end || end > text_.size()) return {{}, std::string(token), {}};
  Piece piece;
  if (begin > shown_to_) {
    piece.before = text_.substr(shown_to_, begin - shown_to_);
  } else if (begin == end) {
    piece.marker = token;
  } else if (begin < shown_to_) {
    size_t overlap = std::min(shown_to_, end) - begin;
    piece.marker = Marker(token, text_.substr(begin, overlap), end > shown_to_);
  }
  size_t from = std::max(begin, shown_to_);
  if (end > from) piece.text = text_.substr(from, end - from);
  shown_to_ = std::max(shown_to_, end);
  return piece;
}

}  // namespace hearth::cli
