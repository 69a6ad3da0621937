#include "tokenizers/trainers/bpe_training.h"

namespace hearth::tokenizers {
namespace {

class BpeTrainer : public Trainer {
 public:
  explicit BpeTrainer(TrainerOptions options) : options_(std::move(options)) {}

  Json Train(const TrainingObserver& observer) const override {
    TrainedBpe trained = TrainBpe(words_, options_, observer);
    Json::Array merges;
    for (const SymbolPair& pair : trained.merges) {
      merges.push_back(Json::Arr({trained.tokens[pair.left], trained.tokens[pair.right]}));
    }
    Json::Object vocab;
    for (std::string& token : trained.tokens) vocab.emplace_back(std::move(token), vocab.size());
    return Json::Obj({{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", options_.unk_token},
                      {"continuing_subword_prefix", options_.continuing_subword_prefix},
                      {"end_of_word_suffix", options_.end_of_word_suffix},
                      {"fuse_unk", false},
                      {"byte_fallback", false},
                      {"ignore_merges", false},
                      {"vocab", Json(std::move(vocab))},
                      {"merges", Json(std::move(merges))}});
  }

 private:
  TrainerOptions options_;
};

}  // namespace

std::unique_ptr<Trainer> MakeBpeTrainer(const TrainerOptions& options) {
  return std::make_unique<BpeTrainer>(options);
}

}  // namespace hearth::tokenizers
