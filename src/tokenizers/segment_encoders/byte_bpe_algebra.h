// Where pieces start, for up to 64 bytes of text at once: the rules as arithmetic on bit masks.
//
// A block is a run of whole characters; bit i of a mask speaks of byte i, and every byte of a
// character carries its character's class, so that "the previous character is a letter" is a shift
// by one. Runs are followed by addition: adding the first bit of a run to the run carries through
// to the bit behind it. What comes from the block before is kept as carries; what comes after is
// read from the next block, which is therefore classified one step ahead. Blocks that hold
// something the masks cannot tell (long numbers in other scripts, words that mix case with scripts
// without case) are refused: the caller walks them character by character and begins anew at a
// piece boundary.
#pragma once

#include <bit>
#include <cstdint>

#include "tokenizers/segment_encoders/byte_bpe_rules.h"
#include "tokenizers/segment_encoders/byte_bpe_walk.h"

namespace hearth::tokenizers {

struct ByteBpeBlock {
  uint64_t letter = 0;  // as the rules take it: with marks where they are letters
  uint64_t number = 0;
  uint64_t space = 0;
  uint64_t newline = 0;     // \r or \n; in `space` as well
  uint64_t blank = 0;       // U+0020; in `space` as well
  uint64_t apostrophe = 0;  // U+0027
  uint64_t trail = 0;       // continuation bytes
  // Only with kO200k:
  uint64_t upper = 0;
  uint64_t lower = 0;
  uint64_t mark = 0;
  uint64_t slash = 0;
  int size = 0;  // bytes; 0: the text has ended
};

template <typename Rules>
class ByteBpeAlgebra {
 public:
  // Rules without an algebra are walked character by character.
  static constexpr bool kKnows = Rules::kShape == ByteBpeShape::kGpt2 ||
                                 Rules::kShape == ByteBpeShape::kCl100k ||
                                 Rules::kShape == ByteBpeShape::kO200k;

  // Forgets what came before: the next block begins at a piece boundary.
  void Reset() { *this = ByteBpeAlgebra(); }

  // The bytes of `cur` at which a piece starts. False: refused, and Reset must follow.
  // `p` is where `cur` lies in the text, `end` the end of the text.
  [[gnu::always_inline]] bool Starts(const ByteBpeBlock& cur, const ByteBpeBlock& next,
                                     const uint8_t* p, const uint8_t* end, uint64_t* starts) {
    if constexpr (Rules::kShape == ByteBpeShape::kGpt2) {
      return Gpt2(cur, next, p, end, starts);
    } else {
      return Modern(cur, next, p, end, starts);
    }
  }

 private:
  using Mask = uint64_t;

  static Mask Valid(const ByteBpeBlock& block) { return ~Mask{0} >> (64 - block.size); }
  static Mask Last(Mask mask, int size) { return (mask >> (size - 1)) & 1; }
  // Moves the last bytes of characters to their first ones.
  static Mask FirstByte(Mask last_bytes, Mask trail) {
    Mask first = last_bytes & ~trail;
    for (Mask left = last_bytes & trail; left != 0; left &= trail) {
      left >>= 1;
      first |= left & ~trail;
    }
    return first;
  }
  // Bits that stand in the next block: what a contraction at the end of this one leaves to it.
  Mask Take(Mask* pending) {
    Mask bits = *pending;
    *pending = 0;
    return bits;
  }
  void Put(Mask* now, Mask* later, int bit, int size) {
    if (bit < size) {
      *now |= Mask{1} << bit;
    } else {
      *later |= Mask{1} << (bit - size);
    }
  }

  [[gnu::always_inline]] bool Gpt2(const ByteBpeBlock& cur, const ByteBpeBlock& next,
                                   const uint8_t* p, const uint8_t* end, uint64_t* starts) {
    const int size = cur.size;
    const Mask letter = cur.letter, number = cur.number, space = cur.space;
    const Mask other = Valid(cur) & ~(letter | number | space);
    const Mask letter1 = letter << 1 | letter_, other1 = other << 1 | other_;
    const Mask space1 = space << 1 | space_, blank1 = cur.blank << 1 | blank_;
    const Mask number1 = number << 1 | number_;

    Mask found = ((letter & ~letter1) | (other & ~other1)) & ~blank1;
    Mask goes_on = space >> 1 | (next.space & 1) << (size - 1);
    if constexpr (Rules::kDigitsFirst) {
      found |= number & ~cur.trail;
      goes_on |= number >> 1 | (next.number & 1) << (size - 1);  // the segment ends there
    } else {
      found |= number & ~number1 & ~blank1;
    }
    if (next.size == 0) goes_on |= Mask{1} << (size - 1);
    found |= (space & ~space1) | FirstByte(space & ~goes_on, cur.trail);

    Mask forced = Take(&forced_), barred = Take(&barred_);
    Mask at = other & ~other1 & ~blank1 & cur.apostrophe;
    for (; at != 0; at &= at - 1) {
      int bit = std::countr_zero(at);
      if (int length = ContractionSize<Rules>(p + bit, end)) {
        Put(&barred, &barred_, bit + 1, size);
        Put(&forced, &forced_, bit + length, size);
      }
    }
    letter_ = Last(letter, size);
    other_ = Last(other, size);
    space_ = Last(space, size);
    blank_ = Last(cur.blank, size);
    number_ = Last(number, size);
    *starts = (found & ~barred) | (forced & Valid(cur));
    return true;
  }

  [[gnu::always_inline]] bool Modern(const ByteBpeBlock& cur, const ByteBpeBlock& next,
                                     const uint8_t* p, const uint8_t* end, uint64_t* starts) {
    constexpr bool kSplitWords = Rules::kShape == ByteBpeShape::kO200k;
    const int size = cur.size;
    const Mask letter = cur.letter, space = cur.space, newline = cur.newline, trail = cur.trail;
    const Mask other = Valid(cur) & ~(letter | cur.number | space);
    const Mask blank_space = space & ~newline;
    const Mask letter1 = letter << 1 | letter_, other1 = other << 1 | other_;
    const Mask space1 = space << 1 | space_, newline1 = newline << 1 | newline_;
    const Mask blank1 = cur.blank << 1 | blank_;
    const Mask blank_space1 = space1 & ~newline1;

    // Others, and what follows the first one: a lone other character takes the word behind it.
    const Mask first_other = other & ~other1 & ~blank1;
    Mask behind;
    bool over = __builtin_add_overflow((other & trail) | first_other, first_other, &behind);
    const Mask behind_out = size == 64 ? over : behind >> size & 1;
    behind = (behind & ~trail) | behind_;

    Mask found = first_other | (letter & ~letter1 & ~blank_space1 & ~behind);
    if (!Numbers(cur, &found)) return false;
    if constexpr (kSplitWords) {
      const Mask lower1 = cur.lower << 1 | lower_;
      const Mask both = letter & ~(cur.lower | cur.upper);
      const Mask both1 = both << 1 | both_;
      if ((both1 & cur.upper) | (other1 & cur.mark)) return false;
      found |= cur.upper & lower1;
      lower_ = Last(cur.lower, size);
      both_ = Last(both, size);
    }

    // White space: newlines behind others belong to them; the rest is cut behind its last newline
    // and before its last character.
    const Mask taken_from = newline & (other1 | taken_);
    const Mask taken = newline & ~(newline + taken_from);
    const Mask taken1 = taken << 1 | taken_;
    if constexpr (kSplitWords) {
      if (taken1 & cur.slash) return false;
    }
    found |= space & ~taken & (~space1 | taken1) & ~trail;
    Mask tails = blank_space & newline1 & ~taken1 & ~trail;
    if (tails != 0) tails = KeepTails(tails, blank_space, cur, next, p, end);
    Mask goes_on = space >> 1 | (next.space & 1) << (size - 1);
    if (next.size == 0) goes_on |= Mask{1} << (size - 1);
    found |= tails | FirstByte(blank_space & ~goes_on, trail);

    Mask forced = Take(&forced_), barred = Take(&barred_);
    if constexpr (Rules::kContractions) {
      Mask at = cur.apostrophe & (kSplitWords ? letter1 : first_other);
      for (; at != 0; at &= at - 1) {
        int bit = std::countr_zero(at);
        if (kSplitWords && ((forced >> bit) & 1)) continue;  // behind a contraction: a new piece
        if (int length = ContractionSize<Rules>(p + bit, end)) {
          if (kSplitWords) barred |= Mask{1} << bit;
          for (int i = 1; i < length; ++i) Put(&barred, &barred_, bit + i, size);
          Put(&forced, &forced_, bit + length, size);
        }
      }
    }
    letter_ = Last(letter, size);
    other_ = Last(other, size);
    space_ = Last(space, size);
    newline_ = Last(newline, size);
    blank_ = Last(cur.blank, size);
    taken_ = Last(taken, size);
    behind_ = behind_out;
    *starts = (found & ~barred) | (forced & Valid(cur));
    return true;
  }

  bool Numbers(const ByteBpeBlock& cur, Mask* found) {
    const Mask number = cur.number;
    if (number == 0) {
      number_ = 0;
      return true;
    }
    if constexpr (Rules::kDigits == 1) {
      *found |= number & ~cur.trail;
      return true;
    }
    // Groups of three count characters: only digits of one byte are counted in bits.
    if (number & (cur.trail | cur.trail >> 1)) return false;
    Mask starts = number & ~(number << 1 | (number_ != 0));
    if (number_ != 0 && (number & 1)) {  // goes on from the block before with number_ digits taken
      int first = (3 - number_) % 3;
      int run = std::countr_one(number);
      if (first < run) {
        starts |= Mask{1} << first;
      } else if (run == cur.size) {
        number_ += run;
        return true;
      }
    }
    const Mask third = number & number << 1 & number << 2 & number << 3;
    Mask group = starts;
    while ((group = group << 3 & third) != 0) starts |= group;
    *found |= starts;
    number_ = 0;
    if (Last(number, cur.size)) number_ = (cur.size - 1 - (63 - std::countl_zero(starts))) % 3 + 1;
    return true;
  }

  // Of the runs of blanks behind a newline, those that no further newline follows.
  Mask KeepTails(Mask tails, Mask blank_space, const ByteBpeBlock& cur, const ByteBpeBlock& next,
                 const uint8_t* p, const uint8_t* end) {
    for (Mask cut = (blank_space + tails) & ~blank_space & cur.newline; cut != 0; cut &= cut - 1) {
      Mask below = tails & ((cut & -cut) - 1);
      tails &= ~(Mask{1} << (63 - std::countl_zero(below)));
    }
    if (tails == 0 || !Last(blank_space, cur.size)) return tails;
    int last = 63 - std::countl_zero(tails);
    Mask from = blank_space >> last;
    if (last + std::countr_one(from) < cur.size) return tails;
    // The last run goes on into the next block, or through it.
    Mask next_blank = next.space & ~next.newline;
    int run = std::countr_one(next_blank);
    bool newline_follows;
    if (run < next.size || next.size == 0) {
      newline_follows = next.size != 0 && ((next.newline >> run) & 1);
    } else {
      ByteBpeWalker<Rules> walker(ByteBpeClasses::Get(), p, end);
      newline_follows = walker.NewlineFollowsBlanks(p + cur.size + next.size);
    }
    if (newline_follows) tails &= ~(Mask{1} << last);
    return tails;
  }

  // The last byte of the block before.
  Mask letter_ = 0, other_ = 0, space_ = 0, newline_ = 0, blank_ = 0;
  Mask lower_ = 0, both_ = 0;
  Mask taken_ = 0;                // a newline that belongs to the others before it
  Mask behind_ = 0;               // a first other character, complete
  Mask forced_ = 0, barred_ = 0;  // starts of the next block that a contraction decided
  int number_ = 0;                // kDigits 3: digits since the last group began; else 0 or 1
};

}  // namespace hearth::tokenizers
