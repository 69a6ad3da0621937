// feature-extraction: texts as vectors. A sentence-transformers model gives one vector a text; any
// other the states of all tokens, as transformers' pipeline does.
#include "runtime/tasks/embeddings.h"

namespace hearth::runtime {
namespace {

std::vector<std::string> Strings(const Json& inputs, bool* is_list) {
  std::vector<std::string> texts;
  for (TextPair& text : ReadTexts(inputs, is_list)) texts.push_back(std::move(text.text));
  return texts;
}

Json States(Runner& runner, const std::vector<std::string>& texts, const Json& parameters,
            const std::stop_token& left) {
  std::vector<TextPair> pairs;
  for (const std::string& text : texts) pairs.push_back({text, std::nullopt});
  std::vector<EncoderInput> encoded = EncodeInputs(runner, pairs, parameters);
  std::vector<Json> states(texts.size());
  auto keep = [&](size_t i, const tensor::OutputRows& rows) {
    Json tokens = Json::Arr();
    for (uint64_t row = 0; row < rows.rows; ++row) tokens.Push(ToJsonArray(rows.Row(row)));
    states[i] = Json::Arr({std::move(tokens)});
  };
  runner.encoder(Head::kNone).Run(encoded, "hidden", keep, left);
  return Json(std::move(states));
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  bool is_list = false;
  std::vector<std::string> texts = Strings(inputs, &is_list);
  Json answers = Json::Arr();
  if (runner.model().sentence_modules() == nullptr) {
    answers = States(runner, texts, parameters, left);
  } else {
    EmbeddingOptions options = ReadEmbeddingOptions(runner, parameters);
    options.left = left;
    EmbeddedTexts embedded = EmbedTexts(runner, texts, options);
    for (const auto& vector : embedded.vectors) answers.Push(ToJsonArray(vector));
  }
  return is_list ? answers : answers.AsArray()->front();
}

}  // namespace

const Task& FeatureExtractionTask() {
  static constexpr Task kTask{"feature-extraction", "texts as vectors of numbers", EmbeddingRefusal,
                              Run};
  return kTask;
}

}  // namespace hearth::runtime
