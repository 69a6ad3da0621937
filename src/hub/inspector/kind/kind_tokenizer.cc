// A tokenizer alone: what cuts text into tokens, and no weights.
#include "base/error.h"
#include "formats/inspect/inspector.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

// Accepted by the reader of its format, without a complaint.
bool Reads(const Survey& survey, const std::string& path, std::string_view format) {
  try {
    std::unique_ptr<ByteSource> source = survey.repo().Open(path);
    Inspection inspection = InspectSource(*source, path);
    return inspection.format == format && inspection.warnings.empty() && !inspection.facts.empty();
  } catch (const Error&) {
    return false;
  }
}

// GGUF files that llama.cpp keeps as vocabularies have no tensors.
const WeightFile* Vocabulary(const Survey& survey) {
  const WeightFile* found = nullptr;
  for (const WeightFile& file : survey.weights()) {
    bool words = file.format == WeightFormat::kGguf && file.verified && file.tensors.empty() &&
                 file.Fact("architecture") != nullptr;
    if (!words) return nullptr;
    found = &file;
  }
  return found;
}

}  // namespace

void FindTokenizer(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset" || result->Is("adapter")) return;
  if (const WeightFile* file = Vocabulary(survey)) {
    result->Add("tokenizer", Level::kProved, At(file->path, "", "a vocabulary, and no tensor"));
    return;
  }
  if (!survey.weights().empty()) return;
  // A file of no known form may be weights.
  bool sure = survey.UnknownFile().empty();
  Evidence none = At("", "", "no weights in any known format");
  if (survey.Has("tokenizer.json")) {
    bool proved = sure && Reads(survey, "tokenizer.json", "tokenizer");
    result
        ->Add("tokenizer", proved ? Level::kProved : Level::kInferred,
              At("tokenizer.json", "",
                 proved ? "a whole tokenizer" : "a tokenizer, as far as is seen"))
        .evidence.push_back(none);
  } else if (survey.Has("tokenizer.model") || survey.Has("spiece.model") ||
             survey.Has("sentencepiece.bpe.model")) {
    std::string path = survey.Has("tokenizer.model") ? "tokenizer.model"
                       : survey.Has("spiece.model")  ? "spiece.model"
                                                     : "sentencepiece.bpe.model";
    bool proved = sure && Reads(survey, path, "sentencepiece");
    result
        ->Add("tokenizer", proved ? Level::kProved : Level::kInferred,
              At(path, "", proved ? "a SentencePiece model" : "a tokenizer, as far as is seen"))
        .evidence.push_back(none);
  } else if (survey.Has("vocab.txt") || (survey.Has("vocab.json") && survey.Has("merges.txt"))) {
    result
        ->Add("tokenizer", Level::kInferred,
              At(survey.Has("vocab.txt") ? "vocab.txt" : "vocab.json", "", "a vocabulary"))
        .evidence.push_back(none);
  }
}

}  // namespace hearth::inspector
