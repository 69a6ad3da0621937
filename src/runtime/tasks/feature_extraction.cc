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

Json States(Runner& runner, const Json& inputs, const Json& parameters,
            const std::stop_token& left) {
  bool is_list = false;
  std::vector<TextPair> pairs;
  for (std::string& text : Strings(inputs, &is_list)) pairs.push_back({std::move(text), {}});
  std::vector<EncoderInput> encoded = EncodeInputs(runner, pairs, parameters);
  std::vector<Json> states(pairs.size());
  auto keep = [&](size_t i, const tensor::OutputRows& rows) {
    Json tokens = Json::Arr();
    for (uint64_t row = 0; row < rows.rows; ++row) tokens.Push(ToJsonArray(rows.Row(row)));
    states[i] = Json::Arr({std::move(tokens)});
  };
  runner.encoder(Head::kNone).Run(encoded, "hidden", keep, left);
  return is_list ? Json(std::move(states)) : std::move(states.front());
}

std::optional<EmbeddingRequest> Embed(Runner& runner, const Json& inputs, const Json& parameters) {
  if (runner.model().sentence_modules() == nullptr) return std::nullopt;
  bool is_list = false;
  std::vector<std::string> texts = Strings(inputs, &is_list);
  EmbeddingOptions options = ReadEmbeddingOptions(runner, parameters);
  EmbeddingRequest request{TokensToEmbed(runner, texts, options), options, {}};
  request.write = [is_list](const EmbeddedTexts& embedded) {
    std::string text;
    is_list ? AppendJsonArrays(&text, embedded.vectors)
            : AppendJsonArray(&text, embedded.vectors.front());
    return text;
  };
  return request;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  if (auto request = Embed(runner, inputs, parameters)) return RunEmbedding(runner, *request, left);
  return States(runner, inputs, parameters, left);
}

}  // namespace

const Task& FeatureExtractionTask() {
  static constexpr Task kTask{"feature-extraction", "texts as vectors of numbers",
                              EmbeddingRefusal,     Run,
                              TaskInput::kText,     Embed};
  return kTask;
}

}  // namespace hearth::runtime
