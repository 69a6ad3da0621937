#include "hub/inspector/inspect_repo.h"

#include "base/error.h"

namespace hearth::inspector {

std::optional<std::string> ReadCardFile(const RepoView& repo) {
  try {
    std::optional<std::string> text = repo.ReadText("README.md", kMaxCardBytes);
    // There is one, and it says nothing that would be read.
    return text || repo.Find("README.md") == nullptr ? text : std::string();
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    return std::string();
  }
}

bool IsDerivative(const Classification& kinds) {
  for (const char* kind : {"adapter", "quantized", "merged", "finetune", "converted", "copy"}) {
    if (kinds.Is(kind)) return true;
  }
  return false;
}

RepoReading ReadRepo(const RepoView& repo, const Vocabulary& words, const KnownRelations& known) {
  CardDocument card = ParseCard(ReadCardFile(repo));
  RepoReading reading;
  reading.kinds = Classify(repo, card, known);
  CardContext context;
  context.type = reading.kinds.type.empty() ? "model" : reading.kinds.type;
  context.id = repo.id();
  context.repo = &repo;
  context.derivative = IsDerivative(reading.kinds);
  context.words = words;
  reading.order = OrderReading(repo, card, context, reading.kinds);
  reading.score = ScoreCard(card, context);
  return reading;
}

}  // namespace hearth::inspector
