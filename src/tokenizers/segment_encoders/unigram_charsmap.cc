#include "tokenizers/segment_encoders/unigram_charsmap.h"

#include <simdjson.h>

#include "codec/base64.h"
#include "text/unicode.h"
#include "text/unicode_blocks.h"
#include "text/utf8.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kMaxWholeCluster = 5;  // bytes
constexpr char32_t kMark = 0x2581;

// The bit fields of a Darts-clone unit.
bool HasLeaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t ValueOf(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t LabelOf(uint32_t unit) { return unit & 0x800000FF; }
uint32_t OffsetOf(uint32_t unit) { return unit >> 10 << ((unit & 1 << 9) >> 6); }

uint32_t ReadU32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

bool IsSpaceOrMark(char32_t c) { return IsWhitespace(c) || c == kMark; }

char32_t LastCodePoint(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (text[at] & 0xC0) == 0x80) --at;
  return hearth::DecodeUtf8(text.substr(at)).value;
}

}  // namespace

std::unique_ptr<const Charsmap> Charsmap::Parse(std::string_view base64) {
  std::unique_ptr<Charsmap> map(new Charsmap);
  if (!base64.empty()) {
    auto bytes = Base64Decode(base64);
    if (!bytes || bytes->size() < 4) return nullptr;
    std::string_view rest(*bytes);
    size_t trie_bytes = ReadU32(rest, 0);
    rest.remove_prefix(4);
    if (trie_bytes % 4 != 0 || trie_bytes == 0 || trie_bytes > rest.size()) return nullptr;
    map->units_.resize(trie_bytes / 4);
    for (size_t i = 0; i < map->units_.size(); ++i) map->units_[i] = ReadU32(rest, 4 * i);
    map->forms_ = rest.substr(trie_bytes);
    if (!simdjson::validate_utf8(map->forms_.data(), map->forms_.size())) return nullptr;
  }
  map->FillTraits();
  return map;
}

void Charsmap::FillTraits() {
  // Characters of a block differ in their last byte only, so the map has all of them or none where
  // it does not have what they begin with.
  constexpr char32_t kBlock = 64;
  std::string character;
  for (char32_t first = 0; first < CodePointTable<uint8_t>::kCodePoints; first += kBlock) {
    if (first == 0xD800) first = 0xE000;
    character.clear();
    AppendUtf8(first, &character);
    // Two bytes before the last: all of 4096 characters.
    if (first > 0xFFFF && first % kUnicodeBlock == 0 && IsUnassignedBlock(first) &&
        !HasPrefix(std::string_view(character).substr(0, character.size() - 2))) {
      first += kUnicodeBlock - kBlock;
      continue;
    }
    bool in_map = HasPrefix(std::string_view(character).substr(0, character.size() - 1));
    for (char32_t c = first; c < first + kBlock; ++c) {
      uint8_t traits = TraitsAlone(c);
      if (in_map) {
        character.clear();
        AppendUtf8(c, &character);
        std::string_view form;
        if (Find(character, &form)) traits = TraitsMapped(c, form);
      }
      if (traits != 0) traits_.Set(c, traits);
    }
  }
}

uint8_t Charsmap::ClusterTraits(char32_t c) {
  uint8_t traits = JoinsClusterBefore(c) ? kExtends : 0;
  if (JoinsClusterAfter(c)) traits |= kPrepends;
  return traits;
}

uint8_t Charsmap::TraitsAlone(char32_t c) {
  uint8_t traits = ClusterTraits(c);
  if (IsSpaceOrMark(c)) traits |= kSpaceFirst | kSpaceLast;
  return traits;
}

uint8_t Charsmap::TraitsMapped(char32_t c, std::string_view form) {
  uint8_t traits = ClusterTraits(c) | kMapped;
  if (form.empty()) return traits | kEmpty;
  if (IsSpaceOrMark(hearth::DecodeUtf8(form).value)) traits |= kSpaceFirst;
  if (IsSpaceOrMark(LastCodePoint(form))) traits |= kSpaceLast;
  return traits;
}

// Whether Find could find what begins with these bytes.
bool Charsmap::HasPrefix(std::string_view bytes) const {
  if (units_.empty()) return false;
  size_t at = OffsetOf(units_[0]);
  for (char c : bytes) {
    uint8_t byte = static_cast<uint8_t>(c);
    at ^= byte;
    if (at >= units_.size() || LabelOf(units_[at]) != byte) return false;
    uint32_t unit = units_[at];
    if (HasLeaf(unit)) return true;
    at ^= OffsetOf(unit);
  }
  return true;
}

// Positions outside the arrays, on which the reference would fail, count as "not in the map".
bool Charsmap::Find(std::string_view sequence, std::string_view* form) const {
  if (units_.empty()) return false;
  size_t at = OffsetOf(units_[0]);
  for (char c : sequence) {
    uint8_t byte = static_cast<uint8_t>(c);
    if (byte == 0) return false;
    at ^= byte;
    if (at >= units_.size() || LabelOf(units_[at]) != byte) return false;
    uint32_t unit = units_[at];
    at ^= OffsetOf(unit);
    if (!HasLeaf(unit)) continue;
    if (at >= units_.size()) return false;
    size_t start = ValueOf(units_[at]);
    if (start >= forms_.size() || (forms_[start] & 0xC0) == 0x80) return false;
    size_t end = forms_.find('\0', start);
    *form = std::string_view(forms_).substr(start, end == std::string::npos ? end : end - start);
    return true;
  }
  return false;
}

void Charsmap::Normalize(std::string_view text, std::string* out) const {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(text.data());
  uint8_t traits = 0;
  for (size_t at = 0, size = 0; at < text.size(); at += size) {
    traits |= traits_[DecodeUtf8(bytes + at, &size)];
    if (bytes[at] == '\r') traits |= kExtends;  // "\r\n" is a cluster too
  }
  if ((traits & (kMapped | kExtends | kPrepends)) == 0) {
    out->append(text);
    return;
  }
  // Without these no cluster of two characters has less than six bytes.
  if ((traits & (kExtends | kPrepends)) == 0) return NormalizeByCharacters(text, out);
  while (!text.empty()) {
    size_t size = NextGraphemeLength(text);
    std::string_view cluster = text.substr(0, size), form;
    if (size <= kMaxWholeCluster && Find(cluster, &form)) {
      out->append(form);
    } else {
      NormalizeByCharacters(cluster, out);
    }
    text.remove_prefix(size);
  }
}

void Charsmap::NormalizeByCharacters(std::string_view text, std::string* out) const {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(text.data());
  for (size_t at = 0, size = 0; at < text.size(); at += size) {
    uint32_t c = DecodeUtf8(bytes + at, &size);
    std::string_view character = text.substr(at, size), form;
    bool mapped = (traits_[c] & kMapped) != 0 && Find(character, &form);
    out->append(mapped ? form : character);
  }
}

}  // namespace hearth::tokenizers
