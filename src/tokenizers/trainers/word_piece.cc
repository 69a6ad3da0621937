// WordPiece is trained as BPE with a prefix on what continues a word; the merges are not kept.
#include "tokenizers/trainers/bpe_training.h"

namespace hearth::tokenizers {
namespace {

constexpr int kMaxCharsPerWord = 100;

class WordPieceTrainer : public Trainer {
 public:
  explicit WordPieceTrainer(TrainerOptions options) : options_(std::move(options)) {
    if (!options_.continuing_subword_prefix) options_.continuing_subword_prefix = "##";
  }

  Json Train(const TrainingObserver& observer) const override {
    TrainedBpe trained = TrainBpe(words_, options_, observer);
    Json::Object vocab;
    for (std::string& token : trained.tokens) vocab.emplace_back(std::move(token), vocab.size());
    return Json::Obj({{"type", "WordPiece"},
                      {"unk_token", options_.unk_token.value_or("[UNK]")},
                      {"continuing_subword_prefix", options_.continuing_subword_prefix},
                      {"max_input_chars_per_word", kMaxCharsPerWord},
                      {"vocab", Json(std::move(vocab))}});
  }

 private:
  TrainerOptions options_;
};

}  // namespace

std::unique_ptr<Trainer> MakeWordPieceTrainer(const TrainerOptions& options) {
  return std::make_unique<WordPieceTrainer>(options);
}

}  // namespace hearth::tokenizers
