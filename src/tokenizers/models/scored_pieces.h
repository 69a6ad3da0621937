// The pieces of a Unigram model with their scores, flat, by id.
//
// A text may stand there twice; the look-up by text then gives the last id. Immutable, safe for
// concurrent use; copies share the arrays.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

class ScoredPieces {
 public:
  ScoredPieces(TokenTexts texts, std::vector<double> scores, Vocab vocab);
  // `owner` keeps the memory of the scores.
  ScoredPieces(TokenTexts texts, std::span<const double> scores, Vocab vocab,
               std::shared_ptr<const void> owner);

  size_t size() const { return scores_.size(); }
  std::string_view text(uint32_t id) const { return texts_[id]; }
  double score(uint32_t id) const { return scores_[id]; }
  std::span<const double> scores() const { return scores_; }
  const TokenTexts& texts() const { return texts_; }
  const Vocab& vocab() const { return vocab_; }

 private:
  TokenTexts texts_;
  std::span<const double> scores_;
  Vocab vocab_;
  std::shared_ptr<const void> owner_;
};

// Pieces that come one by one, with scores as numbers of a JSON text. Not thread-safe.
class ScoredPiecesBuilder {
 public:
  void Reserve(size_t pieces, size_t text_bytes);
  void Add(std::string_view piece, double score);
  // Throws Error{kTooLarge} above 4 GiB of text.
  ScoredPieces Build();

 private:
  VocabBuilder vocab_;
  std::vector<double> scores_;
};

// The reference reads decimal text as an integer divided by (or times) a power of ten, rounding
// twice: one score in eight is off by the last bit, which decides ties and is written out again.
// `digits` times ten to the `exponent`, as it does that; infinite where the reference would refuse.
double ScoreFromDecimal(uint64_t digits, int64_t exponent);
// The same for a correctly rounded number, by way of its shortest decimal text, which is what files
// hold.
double ScoreFromExact(double exact);

// The [["piece", score], ...] list of a tokenizer.json. Throws Error{kInvalidArgument}.
enum class ScoreOrigin { kText, kBinary };
// Scores that were never decimal text (kBinary) are taken as they are.
ScoredPieces ParseScoredPieces(const Json& list, ScoreOrigin origin);

}  // namespace hearth::tokenizers
