#include "tokenizers/trainers/trainer.h"

#include "base/error.h"

namespace hearth::tokenizers {

#define HEARTH_TOKENIZER_TRAINER(Name, kind) \
  std::unique_ptr<Trainer> Make##Name##Trainer(const TrainerOptions& options);
#include "tokenizers/trainers.inc"
#undef HEARTH_TOKENIZER_TRAINER

std::unique_ptr<Trainer> MakeTrainer(std::string_view kind, const TrainerOptions& options) {
#define HEARTH_TOKENIZER_TRAINER(Name, name) \
  if (kind == name) return Make##Name##Trainer(options);
#include "tokenizers/trainers.inc"
#undef HEARTH_TOKENIZER_TRAINER
  throw Error(Code::kInvalidArgument, "there is no trainer \"" + std::string(kind) + "\"");
}

ProgressReporter::ProgressReporter(const TrainingObserver& observer, std::string_view stage,
                                   uint64_t total)
    : observer_(observer), progress_{stage, 0, total} {
  Report();
}

void ProgressReporter::Advance() {
  if (++progress_.done % kStep == 0) Report();
}

void ProgressReporter::Finish() {
  progress_.total = progress_.done;
  Report();
}

void ProgressReporter::Report() const {
  if (observer_.cancelled && observer_.cancelled()) {
    throw Error(Code::kConflict, "the training was cancelled");
  }
  if (observer_.progress) observer_.progress(progress_);
}

}  // namespace hearth::tokenizers
