// What the splitting patterns of byte-level BPE ask about a character, one byte per code point.
//
// The classes are those of the reference's regex engine (Oniguruma, Unicode 16), with one bit
// pattern for the 13 code points that only the reference's Digits stage takes for numbers (its
// character tables are newer). Immutable after the first call; thread-safe.
#pragma once

#include <cstdint>

namespace hearth::tokenizers {

enum ByteBpeClass : uint8_t {
  kLetter = 1,                            // \p{L}
  kNumber = 2,                            // \p{N}
  kSpace = 4,                             // \s
  kMark = 8,                              // \p{M}
  kUpper = 16,                            // \p{Lu} or \p{Lt}; kLetter as well
  kLower = 32,                            // \p{Ll}; kLetter as well
  kPunctuation = 64,                      // \p{P}
  kSymbol = 128,                          // \p{S}
  kNumericOnly = kPunctuation | kSymbol,  // a number to Digits, unassigned to the regex engine
};

class ByteBpeClasses {
 public:
  // The table, made once per process (about 0.1 ms).
  static const ByteBpeClasses& Get();

  uint8_t Of(uint32_t code_point) const {
    if (code_point < 0x10000) return plane0_[code_point];
    if (code_point > 0x10FFFF) return 0;
    return blocks_[block_[(code_point >> 8) - 0x100]][code_point & 0xFF];
  }
  const uint8_t* ascii() const { return plane0_; }

 private:
  ByteBpeClasses();

  static constexpr int kBlocks = 256;  // distinct blocks above plane 0; 100 are used
  alignas(64) uint8_t plane0_[0x10000];
  uint8_t block_[0x1000];
  uint8_t blocks_[kBlocks][256];
};

}  // namespace hearth::tokenizers
