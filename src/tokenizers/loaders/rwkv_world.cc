#include "tokenizers/loaders/rwkv_world.h"

#include <bitset>

#include "base/error.h"
#include "tokenizers/loaders/parts.h"

namespace hearth::tokenizers {
namespace {

// Above the length of any text, in characters of the byte-level alphabet.
constexpr uint64_t kNoLimit = UINT32_MAX;

[[noreturn]] void FailEscape(std::string_view text) {
  throw Error(Code::kInvalidArgument,
              "\"" + std::string(text) + "\" is not a token of a World vocabulary");
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that the escape behind text[at - 1], a backslash, stands for; moves `at` behind it.
char ReadEscape(std::string_view text, size_t* at) {
  if (*at == text.size()) FailEscape(text);
  switch (char c = text[(*at)++]) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case '\\':
    case '\'':
    case '"':
      return c;
    case 'x': {
      if (text.size() - *at < 2) FailEscape(text);
      int high = HexDigit(text[*at]), low = HexDigit(text[*at + 1]);
      if (high < 0 || low < 0) FailEscape(text);
      *at += 2;
      return static_cast<char>(high << 4 | low);
    }
    default:
      FailEscape(text);
  }
}

}  // namespace

std::string UnescapeRwkvToken(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    char c = text[at++];
    bytes += c == '\\' ? ReadEscape(text, &at) : c;
  }
  return bytes;
}

Json MakeRwkvTokenizerJson(const std::vector<SentencePiece>& pieces) {
  Json::Object vocab;
  std::vector<parts::AddedToken> added;
  std::bitset<256> bytes_seen;
  for (size_t id = 0; id < pieces.size(); ++id) {
    const SentencePiece& piece = pieces[id];
    if (piece.type == PieceType::kNormal) {
      std::string bytes = UnescapeRwkvToken(piece.text);
      if (bytes.empty()) continue;  // stands for no text
      if (bytes.size() == 1) bytes_seen.set(static_cast<unsigned char>(bytes[0]));
      vocab.emplace_back(parts::SpellBytes(bytes), id);
    } else if (piece.type != PieceType::kUnused) {
      added.push_back({id, piece.text, piece.type != PieceType::kUserDefined});
      vocab.emplace_back(piece.text, id);
    }
  }
  if (!bytes_seen.all()) {
    throw Error(Code::kInvalidArgument, "a World vocabulary must have a token for every byte");
  }
  parts::Document document;
  document.added_tokens = parts::AddedTokens(added);
  document.pre_tokenizer = parts::ByteLevel(false, false);
  document.decoder = parts::ByteLevel(false, false);
  document.model = Json::Obj({{"type", "WordPiece"},
                              {"unk_token", "<unk>"},  // never needed
                              {"continuing_subword_prefix", ""},
                              {"max_input_chars_per_word", kNoLimit},
                              {"vocab", Json(std::move(vocab))}});
  return parts::Assemble(std::move(document));
}

}  // namespace hearth::tokenizers
