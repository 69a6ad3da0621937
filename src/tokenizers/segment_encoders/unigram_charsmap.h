// The "Precompiled" normaliser: a map from character sequences to text, written by SentencePiece.
//
// A grapheme cluster of at most five bytes is looked up as a whole, by its shortest prefix that is
// in the map, and then replaced as a whole; longer clusters, and those that are not found, go
// character by character. That is what the reference does, strange as it is.
// Format: base64 of u32 size of the trie in bytes, a Darts-clone double array, then the texts, each
// ended by NUL; all little endian. Immutable; safe for concurrent use.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/segment_encoders/code_point_table.h"

namespace hearth::tokenizers {

class Charsmap {
 public:
  // What a character does at the edge of a stretch of text or to the way it is normalised.
  enum Trait : uint8_t {
    kMapped = 1,       // replaced when it stands alone
    kExtends = 2,      // joins the cluster before it
    kPrepends = 4,     // joins the cluster after it
    kEmpty = 8,        // its replacement is empty
    kSpaceFirst = 16,  // its form begins with white space or U+2581
    kSpaceLast = 32,   // ... ends with it
  };

  // `base64` empty: nothing is mapped. nullptr when the data is not such a map.
  static std::unique_ptr<const Charsmap> Parse(std::string_view base64);

  uint8_t TraitsOf(uint32_t code_point) const { return traits_[code_point]; }
  // Appends the normalised form of a text that begins and ends at cluster boundaries.
  void Normalize(std::string_view text, std::string* out) const;

 private:
  Charsmap() : traits_(0) {}
  void FillTraits();
  static uint8_t ClusterTraits(char32_t c);
  static uint8_t TraitsAlone(char32_t c);
  static uint8_t TraitsMapped(char32_t c, std::string_view form);
  bool HasPrefix(std::string_view bytes) const;
  // False when no prefix of `sequence` is in the map.
  bool Find(std::string_view sequence, std::string_view* form) const;
  void NormalizeByCharacters(std::string_view text, std::string* out) const;

  std::vector<uint32_t> units_;
  std::string forms_;
  CodePointTable<uint8_t> traits_;
};

}  // namespace hearth::tokenizers
