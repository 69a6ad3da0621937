// What BertNormalizer and BertPreTokenizer together make of each code point, computed once per
// combination of the normaliser's switches.
//
// Both work character by character, with one exception (canonical ordering of the few combining
// marks that are not deleted), so a table answers nearly everything. Immutable; shared by all
// encoders with the same switches; safe for concurrent use.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tokenizers/segment_encoders/code_point_table.h"

namespace hearth::tokenizers {

struct BertSwitches {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;
};

class BertCharacters {
 public:
  enum class Kind : uint8_t {
    kWord,     // part of a word, unchanged
    kChanged,  // part of a word; its normalised form, which may be empty, is Changed()
    kOrdered,  // part of a word that must be normalised as a whole
    kSpace,    // parts words and is gone
    kAlone,    // a word of its own: Alone() is its one normalised character
  };

  // nullptr when some code point does not fit these kinds. The first call for a combination takes
  // some milliseconds, later ones none.
  static std::shared_ptr<const BertCharacters> Get(const BertSwitches& switches);

  Kind KindOf(uint32_t code_point) const { return static_cast<Kind>(table_[code_point] & 7); }
  std::string_view Changed(uint32_t code_point) const {
    uint32_t entry = table_[code_point];
    return {forms_.data() + (entry >> 8), entry >> 3 & 31};
  }
  uint32_t Alone(uint32_t code_point) const { return table_[code_point] >> 3; }

  // The normalised form of a word, text whose characters are all of the first three kinds; it lies
  // in `*buffer`. `*characters` becomes the number of its characters.
  std::string_view NormalizeWord(std::string_view word, std::string* buffer,
                                 size_t* characters) const;

 private:
  explicit BertCharacters(const BertSwitches& switches) : switches_(switches), table_(0) {}
  bool Fill();
  bool FillOne(char32_t c);
  bool SetWordForm(char32_t c, std::u32string_view form);
  std::string_view NormalizeWhole(std::string_view word, std::string* buffer,
                                  size_t* characters) const;

  BertSwitches switches_;
  CodePointTable<uint32_t> table_;  // kind: 3 bits; then the character, or 5 bits size and position
  std::string forms_;               // with kMostForm bytes behind the last one
  static constexpr size_t kMostForm = 32;
};

}  // namespace hearth::tokenizers
