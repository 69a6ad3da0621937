// Learns a model from the words of a corpus.
//
// Words come from a tokenizer's normalizer and pre-tokenizer (Tokenizer::ForEachPiece). One trainer
// per file under trainers/, one line in trainers.inc. Results depend on words and counts alone: the
// same corpus gives the same model, in whatever order it was fed. Where the reference lets the
// order of a hash table decide (the ids of prefixed characters, ties among characters at the
// limit), words are taken by their bytes here. Thread rule: one thread at a time per trainer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/trainers/word_counts.h"

namespace hearth::tokenizers {

struct TrainingProgress {
  std::string_view stage;  // "Tokenize words", "Count pairs", "Compute merges", ...
  uint64_t done = 0;
  uint64_t total = 0;
};

struct TrainingObserver {
  std::function<void(const TrainingProgress&)> progress;  // may be empty
  std::function<bool()> cancelled;                        // may be empty; asked often
};

// Each field is the reference's option of that name; unset means its default.
struct TrainerOptions {
  std::optional<size_t> vocab_size;  // special tokens included; 30,000, Unigram 8,000
  uint64_t min_frequency = 0;        // of a pair, for WordLevel of a word
  std::vector<std::string> special_tokens;
  std::optional<size_t> limit_alphabet;       // characters kept, the most frequent ones
  std::vector<std::string> initial_alphabet;  // characters that the alphabet has in any case
  std::optional<std::string> continuing_subword_prefix;  // WordPiece: "##"
  std::optional<std::string> end_of_word_suffix;
  std::optional<size_t> max_token_length;  // characters; BPE and WordPiece
  std::optional<std::string> unk_token;    // WordPiece "[UNK]", WordLevel "<unk>"
  // Unigram alone.
  double shrinking_factor = 0.75;  // of the pieces that survive a round, in (0, 1)
  size_t max_piece_length = 16;    // characters
  size_t n_sub_iterations = 2;     // EM steps in a round
  size_t seed_size = 1'000'000;    // pieces to begin with
};

class Trainer {
 public:
  virtual ~Trainer() = default;
  void Feed(std::string_view word, uint64_t count = 1) { words_.Add(word, count); }
  size_t distinct_words() const { return words_.size(); }
  // The "model" object of a tokenizer.json. Throws Error{kInvalidArgument} where the reference
  // fails too, Error{kConflict} when cancelled. May be called again after more words.
  virtual Json Train(const TrainingObserver& observer) const = 0;

 protected:
  WordCounts words_;
};

// `kind`: "bpe", "wordpiece", "wordlevel" or "unigram". Throws Error{kInvalidArgument} for another
// and for options out of range.
std::unique_ptr<Trainer> MakeTrainer(std::string_view kind, const TrainerOptions& options);

// Reports and stops for the trainers: the callback at most every `kStep` steps.
class ProgressReporter {
 public:
  ProgressReporter(const TrainingObserver& observer, std::string_view stage, uint64_t total);
  void Advance();
  void Finish();

 private:
  static constexpr uint64_t kStep = 256;
  void Report() const;

  const TrainingObserver& observer_;
  TrainingProgress progress_;
};

}  // namespace hearth::tokenizers
