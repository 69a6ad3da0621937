// What the BPE and WordPiece trainers share: from words to a vocabulary and its merges.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizers/trainers/pair_merger.h"
#include "tokenizers/trainers/trainer.h"

namespace hearth::tokenizers {

struct TrainedBpe {
  std::vector<std::string> tokens;  // by id
  std::vector<SymbolPair> merges;   // by rank, each pair once
};

TrainedBpe TrainBpe(const WordCounts& words, const TrainerOptions& options,
                    const TrainingObserver& observer);

}  // namespace hearth::tokenizers
