#include "tokenizers/trainers/bpe_training.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/utf8.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kDefaultVocabSize = 30'000;

// The characters of a word one by one.
template <typename Visit>
void ForEachCharacter(std::string_view word, Visit&& visit) {
  for (size_t at = 0; at < word.size();) {
    size_t length = std::max<size_t>(Utf8Length(word.substr(at)), 1);
    visit(word.substr(at, length), at == 0, at + length == word.size());
    at += length;
  }
}

class Training {
 public:
  Training(const TrainerOptions& options, const TrainingObserver& observer)
      : options_(options),
        observer_(observer),
        merger_(options.max_token_length.value_or(SIZE_MAX)) {}

  TrainedBpe Run(const WordCounts& counts) {
    auto words = counts.Sorted();
    for (const std::string& token : options_.special_tokens) IdOf(token);
    AddAlphabet(words);
    SplitWords(words);
    ProgressReporter counting(observer_, "Count pairs", merger_.words());
    merger_.CountPairs();
    counting.Finish();
    MergePairs();
    return std::move(result_);
  }

 private:
  using Words = std::vector<std::pair<std::string_view, uint64_t>>;

  uint32_t IdOf(const std::string& token) {
    auto [entry, added] = ids_.try_emplace(token, static_cast<uint32_t>(ids_.size()));
    if (added) result_.tokens.push_back(token);
    return entry->second;
  }

  void AddAlphabet(const Words& words) {
    // UTF-8 sorts as code points do, so the map's order is that of the characters.
    std::map<std::string, uint64_t, std::less<>> counts;
    for (const auto& [word, count] : words) {
      ForEachCharacter(word, [&](std::string_view character, bool, bool) {
        auto found = counts.find(character);
        if (found == counts.end()) found = counts.emplace(character, 0).first;
        found->second += count;
      });
    }
    for (const std::string& character : options_.initial_alphabet) counts[character] = UINT64_MAX;
    std::vector<std::pair<uint64_t, std::string>> kept;
    for (auto& [character, count] : counts) kept.emplace_back(count, character);
    size_t limit = options_.limit_alphabet.value_or(kept.size());
    if (kept.size() > limit) {
      std::sort(kept.begin(), kept.end());
      kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(limit));
      std::sort(kept.begin(), kept.end(),
                [](const auto& a, const auto& b) { return a.second < b.second; });
    }
    for (const auto& [count, character] : kept) IdOf(character);
  }

  // Characters outside the alphabet are left out; the others get prefix and suffix where they
  // stand.
  void SplitWords(const Words& words) {
    ProgressReporter reporter(observer_, "Tokenize words", words.size());
    std::vector<uint32_t> symbols;
    std::string token;
    for (const auto& [word, count] : words) {
      symbols.clear();
      ForEachCharacter(word, [&](std::string_view character, bool first, bool last) {
        token = character;
        if (!ids_.contains(token)) return;
        if (!first) token.insert(0, options_.continuing_subword_prefix.value_or(""));
        if (last) token += options_.end_of_word_suffix.value_or("");
        symbols.push_back(IdOf(token));
      });
      merger_.AddWord(symbols, count);
      reporter.Advance();
    }
    reporter.Finish();
  }

  void MergePairs() {
    size_t size = options_.vocab_size.value_or(kDefaultVocabSize);
    ProgressReporter reporter(observer_, "Compute merges",
                              size - std::min(size, result_.tokens.size()));
    std::vector<SymbolPair> merges;
    SymbolPair pair;
    uint64_t count = 0;
    while (result_.tokens.size() < size && merger_.PopBest(&pair, &count)) {
      if (count < 1 || options_.min_frequency > count) break;
      std::string_view right = result_.tokens[pair.right];
      const std::string& prefix = options_.continuing_subword_prefix.value_or("");
      if (right.starts_with(prefix)) right.remove_prefix(prefix.size());
      merges.push_back(pair);
      merger_.Merge(IdOf(result_.tokens[pair.left] + std::string(right)));
      reporter.Advance();
    }
    KeepLastOfEach(merges);
    reporter.Finish();
  }

  void KeepLastOfEach(const std::vector<SymbolPair>& merges) {
    std::unordered_map<uint64_t, size_t> last;
    auto key = [](const SymbolPair& pair) { return (uint64_t{pair.left} << 32) | pair.right; };
    for (size_t rank = 0; rank < merges.size(); ++rank) last[key(merges[rank])] = rank;
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      if (last[key(merges[rank])] == rank) result_.merges.push_back(merges[rank]);
    }
  }

  const TrainerOptions& options_;
  const TrainingObserver& observer_;
  PairMerger merger_;
  std::unordered_map<std::string, uint32_t> ids_;
  TrainedBpe result_;
};

}  // namespace

TrainedBpe TrainBpe(const WordCounts& words, const TrainerOptions& options,
                    const TrainingObserver& observer) {
  return Training(options, observer).Run(words);
}

}  // namespace hearth::tokenizers
