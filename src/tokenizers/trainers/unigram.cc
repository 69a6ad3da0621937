// Unigram training (Kudo 2018, as SentencePiece does it): from a large set of pieces, rounds of
// expectation-maximisation give each a probability, and those that the text misses least are
// dropped until the vocabulary has its size.
//
// The arithmetic is the reference's, in doubles. It adds over the words in the order of a hash
// table and over as many chunks as it has threads; here it is the order of the words' bytes. So
// results agree but for the last bits, and where two pieces differ by less than that, in which of
// them is kept.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizers/trainers/trainer.h"
#include "tokenizers/trainers/unigram_lattice.h"
#include "tokenizers/trainers/unigram_seeds.h"

namespace hearth::tokenizers {
namespace {

using Pieces = std::vector<std::pair<std::string, double>>;

constexpr size_t kDefaultVocabSize = 8'000;
constexpr double kLeastExpected = 0.5;       // expected occurrences below which a piece is dropped
constexpr double kRequiredPenalty = 0.0001;  // between characters that training had dropped
constexpr char kUnknownPiece[] = "<UNK>";

// The derivative of log gamma: recurrence to 7 and above, then its asymptotic series.
double Digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 1.0 / 2.0;
  double xx = 1.0 / x, xx2 = xx * xx, xx4 = xx2 * xx2;
  result += std::log(x) + (1.0 / 24.0) * xx2 - 7.0 / 960.0 * xx4 + (31.0 / 8064.0) * xx4 * xx2 -
            (127.0 / 30720.0) * xx4 * xx4;
  return result;
}

void ToLogProbabilities(Pieces* pieces) {
  double sum = 0;
  for (const auto& [text, count] : *pieces) sum += count;
  double log_sum = std::log(sum);
  for (auto& [text, count] : *pieces) count = std::log(count) - log_sum;
}

class Training {
 public:
  Training(const TrainerOptions& options, const TrainingObserver& observer,
           std::vector<CountedWord> words)
      : options_(options),
        observer_(observer),
        words_(std::move(words)),
        size_(options.vocab_size.value_or(kDefaultVocabSize)) {}

  Json Run() {
    std::vector<std::string> required = RequiredCharacters();
    if (required.size() > size_) {
      throw Error(Code::kInvalidArgument,
                  "The vocabulary is not large enough to contain all chars");
    }
    UnigramPieces pieces(FirstPieces());
    ProgressReporter reporter(observer_, "EM training", ExpectedUpdates(pieces.size()));
    while (true) {
      for (size_t i = 0; i < options_.n_sub_iterations; ++i) {
        pieces = UnigramPieces(Maximise(pieces, Expect(pieces)));
        reporter.Advance();
      }
      if (pieces.size() <= DesiredSize()) break;
      pieces = UnigramPieces(Prune(pieces));
    }
    reporter.Finish();
    return Finish(pieces, required);
  }

 private:
  size_t DesiredSize() const { return size_ * 11 / 10; }

  uint64_t ExpectedUpdates(size_t pieces) const {
    double rounds =
        (std::log(static_cast<double>(DesiredSize())) - std::log(static_cast<double>(pieces))) /
        std::log(options_.shrinking_factor);
    return (rounds > 0 ? static_cast<uint64_t>(rounds) + 1 : 1) * options_.n_sub_iterations;
  }

  Pieces FirstPieces() {
    ProgressReporter reporter(observer_, "Suffix array seeds", words_.size());
    Pieces seeds = FindSeeds(words_, {options_.max_piece_length, options_.seed_size});
    ToLogProbabilities(&seeds);
    Pieces pieces = {{kUnknownPiece, std::numeric_limits<double>::quiet_NaN()}};
    pieces.insert(pieces.end(), seeds.begin(), seeds.end());
    reporter.Finish();
    return pieces;
  }

  std::vector<std::string> RequiredCharacters() const {
    std::unordered_set<std::string> seen(options_.initial_alphabet.begin(),
                                         options_.initial_alphabet.end());
    for (const auto& [word, count] : words_) {
      for (size_t at = 0; at < word.size();) {
        size_t length = std::max<size_t>(Utf8Length(word.substr(at)), 1);
        seen.emplace(word.substr(at, length));
        at += length;
      }
    }
    std::vector<std::string> characters(seen.begin(), seen.end());
    std::sort(characters.begin(), characters.end());
    return characters;
  }

  // How often each piece is used, by the probabilities of all segmentations.
  std::vector<double> Expect(const UnigramPieces& pieces) const {
    ProgressReporter reporter(observer_, "Expectation", words_.size());
    std::vector<double> expected(pieces.size());
    UnigramLattice lattice(pieces);
    for (const auto& [word, count] : words_) {
      lattice.Build(word);
      if (std::isnan(lattice.AddExpected(count, &expected))) {
        throw Error(Code::kInvalidArgument, "likelihood is NAN. Input sentence may be too long.");
      }
      reporter.Advance();
    }
    return expected;
  }

  // The digamma makes it a sparse prior: rare pieces lose more than their share.
  Pieces Maximise(const UnigramPieces& pieces, const std::vector<double>& expected) const {
    Pieces kept = {{pieces.pieces()[0].first, std::numeric_limits<double>::quiet_NaN()}};
    double sum = 0;
    for (uint32_t id = 1; id < pieces.size(); ++id) {
      if (expected[id] < kLeastExpected) continue;
      kept.emplace_back(pieces.pieces()[id].first, expected[id]);
      sum += expected[id];
    }
    double log_sum = Digamma(sum);
    for (auto& [text, count] : kept) count = Digamma(count) - log_sum;
    return kept;
  }

  struct Usage {
    double words = 0;            // occurrences of all words
    std::vector<double> pieces;  // of each piece, on the words' best paths
  };

  Usage CountUsage(const UnigramPieces& pieces) const {
    Usage usage;
    usage.pieces.resize(pieces.size());
    UnigramLattice lattice(pieces);
    for (const auto& [word, count] : words_) {
      lattice.Build(word);
      usage.words += count;
      for (uint32_t id : lattice.BestPath()) usage.pieces[id] += count;
    }
    return usage;
  }

  // Drops the pieces whose loss costs the likelihood least: each is thought replaced by the second
  // best segmentation of its text.
  Pieces Prune(const UnigramPieces& pieces) const {
    Usage usage = CountUsage(pieces);
    double sum = 0;
    for (double count : usage.pieces) sum += count;
    Pieces kept = {pieces.pieces()[0]};
    std::vector<std::pair<double, uint32_t>> candidates;
    UnigramLattice lattice(pieces);
    for (uint32_t id = 1; id < pieces.size(); ++id) {
      lattice.Build(pieces.pieces()[id].first);
      auto paths = lattice.TwoBestPaths();
      bool whole = paths[0].size() == 1;
      bool always = paths.size() == 1 || whole;
      double count = usage.pieces[id];
      if (count == 0 && !always) continue;
      if (paths.size() == 1 || !whole) {
        kept.push_back(pieces.pieces()[id]);
      } else if (count != 0) {
        candidates.emplace_back(Loss(usage, sum, id, paths[1]), id);
      }
    }
    size_t limit = std::max(DesiredSize(), static_cast<size_t>(static_cast<double>(pieces.size()) *
                                                               options_.shrinking_factor));
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [loss, id] : candidates) {
      if (kept.size() == limit) break;
      kept.push_back(pieces.pieces()[id]);
    }
    return kept;
  }

  static double Loss(const Usage& usage, double sum, uint32_t id,
                     const std::vector<uint32_t>& alternatives) {
    double count = usage.pieces[id];
    double share = count / usage.words;
    double log_now = std::log(count) - std::log(sum);
    // The reference takes the number of all pieces here, where that of the alternatives is meant;
    // its choice of pieces depends on it.
    double more = static_cast<double>(usage.pieces.size() - 1);
    double log_sum_then = std::log(sum + count * more);
    double log_then = 0;
    for (uint32_t other : alternatives) {
      log_then += std::log(usage.pieces[other] + count) - log_sum_then;
    }
    return share * (log_now - log_then);
  }

  Json Finish(const UnigramPieces& trained, const std::vector<std::string>& required) const {
    Pieces chosen;
    std::unordered_set<std::string> inserted = {kUnknownPiece};
    std::unordered_map<std::string, double> scores(trained.pieces().begin(),
                                                   trained.pieces().end());
    double penalty = 0;
    for (const std::string& character : required) {
      auto found = scores.find(character);
      inserted.insert(character);
      if (found != scores.end()) {
        chosen.emplace_back(character, found->second);
      } else {
        chosen.emplace_back(character, trained.min_score() + penalty);
        penalty += kRequiredPenalty;
      }
    }
    Pieces special;
    std::optional<uint64_t> unk_id = AddSpecialTokens(&special);
    if (special.size() > size_) {
      throw Error(Code::kInvalidArgument, "there are more special tokens than vocabulary");
    }
    for (const auto& [text, score] : trained.pieces()) {
      if (!inserted.insert(text).second) continue;
      chosen.emplace_back(text, std::isnan(score) ? 0.0 : score);
      if (chosen.size() == size_ - special.size()) break;
    }
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    special.insert(special.end(), chosen.begin(), chosen.end());
    Json::Array vocab;
    for (const auto& [text, score] : special) vocab.push_back(Json::Arr({text, score}));
    return Json::Obj({{"type", "Unigram"},
                      {"unk_id", unk_id},
                      {"vocab", Json(std::move(vocab))},
                      {"byte_fallback", false}});
  }

  std::optional<uint64_t> AddSpecialTokens(Pieces* pieces) const {
    std::optional<uint64_t> unk_id;
    for (const std::string& token : options_.special_tokens) {
      if (!unk_id && options_.unk_token == token) unk_id = pieces->size();
      pieces->emplace_back(token, 0.0);
    }
    if (options_.unk_token && !unk_id) {
      pieces->insert(pieces->begin(), {*options_.unk_token, 0.0});
      unk_id = 0;
    }
    return unk_id;
  }

  const TrainerOptions& options_;
  const TrainingObserver& observer_;
  std::vector<CountedWord> words_;
  size_t size_;
};

class UnigramTrainer : public Trainer {
 public:
  explicit UnigramTrainer(TrainerOptions options) : options_(std::move(options)) {
    if (!(options_.shrinking_factor > 0 && options_.shrinking_factor < 1) ||
        options_.max_piece_length == 0 || options_.n_sub_iterations == 0) {
      throw Error(Code::kInvalidArgument,
                  "the shrinking factor must lie between 0 and 1, piece length and "
                  "iterations above 0");
    }
  }

  Json Train(const TrainingObserver& observer) const override {
    std::vector<CountedWord> words;
    for (const auto& [word, count] : words_.Sorted()) {
      words.emplace_back(word, static_cast<uint32_t>(count));
    }
    return Training(options_, observer, std::move(words)).Run();
  }

 private:
  TrainerOptions options_;
};

}  // namespace

std::unique_ptr<Trainer> MakeUnigramTrainer(const TrainerOptions& options) {
  return std::make_unique<UnigramTrainer>(options);
}

}  // namespace hearth::tokenizers
