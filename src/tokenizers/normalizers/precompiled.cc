// Precompiled: the character map that a SentencePiece model carries.
//
// The map is a double-array trie (Darts) over UTF-8 whose values are positions in a block of
// replacements, each ended by a zero byte. The text is looked up one grapheme cluster at a time if
// that is shorter than 6 bytes, else (or if that finds nothing) character by character. A look-up
// takes the shortest entry that begins the key, not the key itself: that is what the models were
// made with.
// Format: u32 size of the trie in bytes, the trie's u32 units, the replacements; base64 in the
// file. https://github.com/google/sentencepiece/blob/master/doc/normalization.md
#include <simdjson.h>

#include <cstring>
#include <optional>
#include <vector>

#include "base/error.h"
#include "codec/base64.h"
#include "text/unicode.h"
#include "tokenizers/internal/edits.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

// Longer clusters are never looked up as a whole.
constexpr size_t kMaxClusterBytes = 5;

uint32_t ReadU32(std::string_view bytes, size_t at) {
  auto byte = [&](size_t i) { return uint32_t{static_cast<unsigned char>(bytes[at + i])}; };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

// One unit of a Darts double array.
struct Unit {
  uint32_t bits;
  bool has_leaf() const { return (bits >> 8 & 1) != 0; }
  uint32_t value() const { return bits & 0x7FFFFFFF; }
  uint32_t label() const { return bits & 0x800000FF; }
  uint32_t offset() const { return (bits >> 10) << ((bits & 0x200) >> 6); }
};

class PrecompiledNormalizer : public Normalizer {
 public:
  explicit PrecompiledNormalizer(std::string map) : map_(std::move(map)) {
    if (map_.size() < 4) Refuse("it is shorter than its head");
    size_t units = ReadU32(map_, 0) / 4;
    if (units > (map_.size() - 4) / 4) Refuse("it ends inside of its trie");
    units_.resize(units);
    for (size_t i = 0; i < units; ++i) units_[i] = {ReadU32(map_, 4 + 4 * i)};
    replacements_ = std::string_view(map_).substr(4 + 4 * units);
    if (!simdjson::validate_utf8(replacements_.data(), replacements_.size()))
      Refuse("its replacements are not UTF-8");
    for (size_t i = 0; i < std::size(changes_ascii_); ++i) {
      char c = static_cast<char>(i);
      changes_ascii_[i] = Find(std::string_view(&c, 1)).has_value();
    }
  }

  void Normalize(NormalizedString* target) const override {
    std::string_view text = target->text();
    size_t clean = CleanAscii(text, 0);
    if (clean == text.size()) return;
    std::vector<NormalizedChar> characters;
    bool modified = false;
    for (size_t at = 0; at < text.size();) {
      size_t end = at == 0 ? clean : CleanAscii(text, at);
      for (; at < end; ++at) characters.push_back({static_cast<unsigned char>(text[at]), 0});
      if (at == text.size()) break;
      size_t length = NextGraphemeLength(text.substr(at));
      modified |= AddCluster(text.substr(at, length), &characters);
      at += length;
    }
    if (!modified) return;
    Rewriter rewriter(target);
    for (const NormalizedChar& character : characters) rewriter.Put(character.c, character.change);
    rewriter.Finish();
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "Precompiled"}, {"precompiled_charsmap", Base64Encode(map_)}});
  }

 private:
  [[noreturn]] static void Refuse(std::string_view why) {
    throw Error(Code::kInvalidArgument, "\"precompiled_charsmap\" is wrong: " + std::string(why));
  }

  // Where the run of ASCII that the map leaves alone ends. A last character that something may
  // combine with, and what may be a line break of two characters, are not part of it.
  size_t CleanAscii(std::string_view text, size_t at) const {
    auto clean = [&](size_t i) {
      auto byte = static_cast<unsigned char>(text[i]);
      return byte < 0x80 && byte != '\r' && !changes_ascii_[byte];
    };
    while (at < text.size() && clean(at) &&
           (at + 1 == text.size() || static_cast<unsigned char>(text[at + 1]) < 0x80)) {
      ++at;
    }
    return at;
  }

  bool AddCluster(std::string_view cluster, std::vector<NormalizedChar>* characters) const {
    if (cluster.size() <= kMaxClusterBytes) {
      if (std::optional<std::string_view> replacement = Find(cluster)) {
        Replace(cluster, *replacement, characters);
        return true;
      }
    }
    bool modified = false;
    for (size_t at = 0; at < cluster.size();) {
      internal::Character character = internal::CharacterAt(cluster, at);
      std::string_view part = cluster.substr(at, character.length);
      if (std::optional<std::string_view> replacement = Find(part)) {
        Replace(part, *replacement, characters);
        modified = true;
      } else {
        characters->push_back({character.value, 0});
      }
      at += character.length;
    }
    return modified;
  }

  // Where a replacement is shorter, its last character takes the rest along; an empty one leaves
  // that to the character before it, and to nobody at the start of the text.
  static void Replace(std::string_view part, std::string_view replacement,
                      std::vector<NormalizedChar>* characters) {
    internal::ForEachCharacter(replacement, [&](char32_t c) { characters->push_back({c, 0}); });
    auto difference = static_cast<int32_t>(internal::CountCharacters(replacement)) -
                      static_cast<int32_t>(internal::CountCharacters(part));
    for (int32_t i = 0; i < difference; ++i) (*characters)[characters->size() - 1 - i].change = 1;
    if (difference < 0 && !characters->empty()) characters->back().change += difference;
  }

  std::optional<std::string_view> Find(std::string_view key) const {
    std::optional<uint32_t> value = FindValue(key);
    if (!value || *value > replacements_.size()) return std::nullopt;
    std::string_view rest = replacements_.substr(*value);
    std::string_view replacement = rest.substr(0, rest.find('\0'));
    if (!replacement.empty() && (static_cast<unsigned char>(replacement[0]) & 0xC0) == 0x80) {
      throw Error(Code::kInvalidArgument,
                  "\"precompiled_charsmap\" is wrong: a replacement begins inside of a character");
    }
    return replacement;
  }

  std::optional<uint32_t> FindValue(std::string_view key) const {
    if (units_.empty()) return std::nullopt;
    size_t node = units_[0].offset();
    for (char c : key) {
      auto byte = static_cast<unsigned char>(c);
      if (byte == 0) break;
      node ^= byte;
      if (node >= units_.size() || units_[node].label() != byte) break;
      Unit unit = units_[node];
      node ^= unit.offset();
      if (unit.has_leaf()) {
        if (node >= units_.size()) break;
        return units_[node].value();
      }
    }
    return std::nullopt;
  }

  std::string map_;
  std::vector<Unit> units_;
  std::string_view replacements_;
  bool changes_ascii_[128] = {};
};

}  // namespace

std::unique_ptr<Normalizer> ParsePrecompiledNormalizer(const Json& json) {
  std::optional<std::string> map = Base64Decode(json.RequireString("precompiled_charsmap"));
  if (!map) throw Error(Code::kInvalidArgument, "\"precompiled_charsmap\" must be base64");
  return std::make_unique<PrecompiledNormalizer>(std::move(*map));
}

}  // namespace hearth::tokenizers
