// The splitting patterns of byte-level BPE that have a fast walker, as compile-time rules.
//
// Four shapes cover nearly every published vocabulary; the rest are parameters of them:
//
//   kGpt2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//   kCl100k  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
//             ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//   kO200k
//   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|...)?|
//            [^\r\n\p{L}\p{N}]?[\p{Lu}...]+[\p{Ll}...]*(?i:'s|...)?|\p{N}{1,3}|
//             ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
//   kDeepSeek
//   numbers of up to three characters apart, then runs of kana and common ideographs apart, and in
//   what lies between: [ASCII punctuation][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
//             ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
//   kFalcon
//   signs and punctuation apart, then the GPT-2 pattern in what lies between (of contractions
//   nothing is left), then three digits [0-9] apart at a time. The published file also puts digits
//   apart before that (kFalconDigits), among the letters that stand for bytes, six of which count
//   as digits: pieces begin and end inside characters.
//
// None looks behind, so a piece depends only on the text from its start (from its first
// character's start): a walker may begin anew at any boundary.
#pragma once

#include <cstdint>

namespace hearth::tokenizers {

enum class ByteBpeSplit : uint32_t {
  kGpt2,          // GPT-2, GPT-NeoX, MPT, RoBERTa
  kStarCoder,     // every digit alone first, then GPT-2: StarCoder, Refact, Command R, SmolLM
  kCl100k,        // numbers of up to three digits: Llama 3, GPT-4
  kQwen2,         // cl100k with single digits
  kQwen35,        // the same with marks as letters
  kO200k,         // words split by case, contractions kept: GPT-4o
  kTekken,        // the same without contractions and with single digits
  kDeepSeek,      // DeepSeek V3 and R1
  kFalcon,        // Falcon as its GGUF files say it
  kFalconDigits,  // Falcon as it was published
};

constexpr ByteBpeSplit kLastByteBpeSplit = ByteBpeSplit::kFalconDigits;

enum class ByteBpeShape { kGpt2, kCl100k, kO200k, kDeepSeek, kFalcon, kFalconDigits };

// digits: the longest number, in characters; 0: unlimited.
template <ByteBpeShape kShapeValue, int kDigitsValue, bool kDigitsFirstValue,
          bool kMarksAreLettersValue, bool kContractionsValue>
struct ByteBpeRules {
  static constexpr ByteBpeShape kShape = kShapeValue;
  static constexpr int kDigits = kDigitsValue;
  static constexpr bool kDigitsFirst = kDigitsFirstValue;
  static constexpr bool kMarksAreLetters = kMarksAreLettersValue;
  static constexpr bool kContractions = kContractionsValue;
};

using Gpt2Rules = ByteBpeRules<ByteBpeShape::kGpt2, 0, false, false, true>;
using StarCoderRules = ByteBpeRules<ByteBpeShape::kGpt2, 1, true, false, true>;
using Cl100kRules = ByteBpeRules<ByteBpeShape::kCl100k, 3, false, false, true>;
using Qwen2Rules = ByteBpeRules<ByteBpeShape::kCl100k, 1, false, false, true>;
using Qwen35Rules = ByteBpeRules<ByteBpeShape::kCl100k, 1, false, true, true>;
using O200kRules = ByteBpeRules<ByteBpeShape::kO200k, 3, false, true, true>;
using TekkenRules = ByteBpeRules<ByteBpeShape::kO200k, 1, false, true, false>;
using DeepSeekRules = ByteBpeRules<ByteBpeShape::kDeepSeek, 3, false, true, false>;
using FalconRules = ByteBpeRules<ByteBpeShape::kFalcon, 0, false, false, false>;
using FalconDigitsRules = ByteBpeRules<ByteBpeShape::kFalconDigits, 0, false, false, false>;

// Calls visit.template operator()<Rules>() for the rules that `split` names.
template <typename Visitor>
auto VisitByteBpeRules(ByteBpeSplit split, Visitor&& visit) {
  switch (split) {
    case ByteBpeSplit::kStarCoder:
      return visit.template operator()<StarCoderRules>();
    case ByteBpeSplit::kCl100k:
      return visit.template operator()<Cl100kRules>();
    case ByteBpeSplit::kQwen2:
      return visit.template operator()<Qwen2Rules>();
    case ByteBpeSplit::kQwen35:
      return visit.template operator()<Qwen35Rules>();
    case ByteBpeSplit::kO200k:
      return visit.template operator()<O200kRules>();
    case ByteBpeSplit::kTekken:
      return visit.template operator()<TekkenRules>();
    case ByteBpeSplit::kDeepSeek:
      return visit.template operator()<DeepSeekRules>();
    case ByteBpeSplit::kFalcon:
      return visit.template operator()<FalconRules>();
    case ByteBpeSplit::kFalconDigits:
      return visit.template operator()<FalconDigitsRules>();
    case ByteBpeSplit::kGpt2:
      break;
  }
  return visit.template operator()<Gpt2Rules>();
}

}  // namespace hearth::tokenizers
