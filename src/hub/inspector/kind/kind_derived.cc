// Fine-tunes and copies, as far as one repository says so itself. That tensors come from a parent
// is proved elsewhere: by their hashes.
#include "base/bytes.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

bool HasWhole(const Classification& result, std::string_view kind) {
  const KindFinding* found = result.Find(kind);
  return found != nullptr && found->level != Level::kInferred;
}

// A sentence of the card that calls it a copy.
bool SaysCopy(const Survey& survey, Evidence* evidence) {
  const std::vector<CardSection>& sections = survey.card().sections;
  for (size_t i = 0; i < sections.size() && i < 3; ++i) {
    std::string lower = AsciiLower(sections[i].text.substr(0, 2000));
    for (std::string_view phrase : {"mirror of", "re-upload of", "reupload of", "exact copy of",
                                    "identical copy of", "duplicate of"}) {
      if (lower.find(phrase) == std::string::npos) continue;
      *evidence = At("README.md", "line " + std::to_string(sections[i].line),
                     "the card calls it a " + std::string(phrase.substr(0, phrase.size() - 3)));
      return true;
    }
  }
  return false;
}

}  // namespace

void FindDerived(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset" || survey.weights().empty()) return;
  Evidence copy;
  if (SaysCopy(survey, &copy)) result->Add("copy", Level::kDeclared, copy);
  bool other = result->Is("adapter") || result->Is("quantized") || HasWhole(*result, "merged") ||
               result->Is("merged") || result->Is("converted") || result->Is("copy") ||
               result->Is("tokenizer");
  std::string relation = survey.Relation();
  if (relation == "finetune") {
    if (!result->Is("adapter"))
      result->Add("finetune", Level::kDeclared,
                  OnCard(survey, "base_model_relation", "the card calls it a fine-tune"));
    return;
  }
  std::vector<std::string> bases = CardList(survey.card().data, "base_model");
  if (other || bases.size() != 1 || !relation.empty()) return;
  // The hub's clients read one base model without a relation in the same way.
  KindFinding& kind =
      result->Add("finetune", Level::kInferred,
                  OnCard(survey, "base_model", "whole weights, and a card that names " + bases[0]));
  if (survey.HasTag("generated_from_trainer"))
    kind.evidence.push_back(OnCard(survey, "tags", "its card was written by a trainer"));
}

}  // namespace hearth::inspector
