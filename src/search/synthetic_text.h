// For tests and benches: made-up texts whose words are as unevenly frequent as those of real ones
// (the word of rank r occurs about once for every r occurrences of the first). Deterministic.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>

namespace hearth::search {

class SyntheticText {
 public:
  explicit SyntheticText(size_t vocabulary = 400'000)
      : log_vocabulary_(std::log(static_cast<double>(vocabulary))) {}

  // The word of a rank: the first are those that cards are full of, the others made of syllables.
  static std::string Word(size_t rank) {
    static const char* kCommon[] = {
        "the",        "model",       "of",        "and",        "to",           "a",
        "in",         "for",         "is",        "on",         "with",         "this",
        "training",   "data",        "from",      "language",   "text",         "was",
        "trained",    "use",         "by",        "as",         "it",           "that",
        "be",         "results",     "dataset",   "fine",       "tuned",        "base",
        "evaluation", "input",       "tokens",    "learning",   "rate",         "batch",
        "size",       "transformer", "license",   "generation", "accuracy",     "loss",
        "sentence",   "embedding",   "image",     "speech",     "audio",        "vision",
        "english",    "french",      "german",    "chinese",    "medical",      "legal",
        "finance",    "code",        "python",    "pipeline",   "tokenizer",    "weights",
        "quantized",  "adapter",     "diffusion", "detection",  "segmentation", "question",
        "answer",     "translation", "summary",   "chat",       "instruct",     "reward",
        "preference", "safety",      "toxicity",  "bias",       "limits"};
    constexpr size_t kCount = sizeof kCommon / sizeof *kCommon;
    if (rank < kCount) return kCommon[rank];
    static const char* kStart[] = {"b", "br", "ch", "d", "f", "g",  "gr", "h",  "k", "l", "m",
                                   "n", "p",  "pl", "r", "s", "st", "t",  "tr", "v", "w", "z"};
    static const char* kMiddle[] = {"a", "e", "i", "o", "u", "ai", "ea", "or", "an", "el", "in"};
    std::string word;
    for (size_t left = rank - kCount + 22 * 11; left > 0; left /= 11) {
      word += kStart[left % 22];
      left /= 22;
      word += kMiddle[left % 11];
    }
    return word;
  }

  size_t Rank(std::mt19937& random) const {
    double unit = static_cast<double>(random()) / 4294967296.0;
    return static_cast<size_t>(std::exp(unit * log_vocabulary_)) - 1;
  }

  std::string Words(size_t count, std::mt19937& random) const {
    std::string text;
    for (size_t i = 0; i < count; ++i) {
      text += Word(Rank(random));
      text += i % 13 == 12 ? ".\n" : " ";
    }
    return text;
  }

  // Most cards are short and a few very long: 20 to 1500 words, 150 in the middle.
  static size_t CardLength(std::mt19937& random) {
    double unit = static_cast<double>(random() % 100'000 + 1) / 100'000.0;
    return std::min<size_t>(1500, 20 + static_cast<size_t>(130 / std::sqrt(unit)) - 80);
  }

 private:
  double log_vocabulary_;
};

}  // namespace hearth::search
