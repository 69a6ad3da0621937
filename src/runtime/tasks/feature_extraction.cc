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

// Of every text [1, tokens, hidden].
std::string WriteStates(const EmbeddedTexts& embedded, bool is_list) {
  std::string text;
  if (is_list) text += '[';
  for (const std::vector<float>& states : embedded.vectors) {
    if (&states != &embedded.vectors.front()) text += ',';
    text += '[';
    AppendJsonRows(&text, states, embedded.columns);
    text += ']';
  }
  if (is_list) text += ']';
  return text;
}

EmbeddingRequest States(Runner& runner, std::span<const std::string> texts,
                        const Json& parameters) {
  std::vector<TextPair> whole;
  for (const std::string& text : texts) whole.push_back({text, {}});
  EmbeddingRequest request;
  request.kind = EmbeddingRequest::Kind::kTokens;
  request.tokens = EncodeInputs(runner, whole, parameters);
  return request;
}

EmbeddingRequest Embed(Runner& runner, const Json& inputs, const Json& parameters) {
  bool is_list = false;
  std::vector<std::string> texts = Strings(inputs, &is_list);
  if (runner.model().sentence_modules() == nullptr) {
    EmbeddingRequest request = States(runner, texts, parameters);
    request.write = [is_list](const EmbeddedTexts& embedded) {
      return WriteStates(embedded, is_list);
    };
    return request;
  }
  EmbeddingRequest request = RequestFor(runner, texts, ReadEmbeddingOptions(runner, parameters));
  request.write = [is_list](const EmbeddedTexts& embedded) {
    std::string text;
    is_list ? AppendJsonArrays(&text, embedded.vectors)
            : AppendJsonArray(&text, embedded.vectors.front());
    return text;
  };
  return request;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  return RunEmbedding(runner, Embed(runner, inputs, parameters), left);
}

}  // namespace

const Task& FeatureExtractionTask() {
  static constexpr Task kTask{"feature-extraction", "texts as vectors of numbers",
                              EmbeddingRefusal,     Run,
                              TaskInput::kText,     Embed};
  return kTask;
}

}  // namespace hearth::runtime
