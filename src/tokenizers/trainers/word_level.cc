// The most frequent words, special tokens first.
#include <algorithm>

#include "tokenizers/trainers/trainer.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kDefaultVocabSize = 30'000;

class WordLevelTrainer : public Trainer {
 public:
  explicit WordLevelTrainer(TrainerOptions options) : options_(std::move(options)) {}

  Json Train(const TrainingObserver& observer) const override {
    auto words = words_.Sorted();
    ProgressReporter reporter(observer, "Count words", words.size());
    // Already by text, so a stable sort leaves equal counts in that order.
    std::stable_sort(words.begin(), words.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::vector<Vocab::Entry> entries;
    size_t limit = options_.vocab_size.value_or(kDefaultVocabSize);
    auto add = [&](std::string_view token) {
      if (entries.size() < limit)
        entries.emplace_back(token, static_cast<uint32_t>(entries.size()));
    };
    for (const std::string& token : options_.special_tokens) add(token);
    for (const auto& [word, count] : words) {
      reporter.Advance();
      if (count >= options_.min_frequency) add(word);
    }
    reporter.Finish();
    return Json::Obj({{"type", "WordLevel"},
                      {"vocab", VocabToJson(Vocab(entries))},
                      {"unk_token", options_.unk_token.value_or("<unk>")}});
  }

 private:
  TrainerOptions options_;
};

}  // namespace

std::unique_ptr<Trainer> MakeWordLevelTrainer(const TrainerOptions& options) {
  return std::make_unique<WordLevelTrainer>(options);
}

}  // namespace hearth::tokenizers
