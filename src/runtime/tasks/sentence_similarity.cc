// sentence-similarity: how near sentences are to one sentence.
#include "runtime/tasks/embeddings.h"

namespace hearth::runtime {
namespace {

// inputs: {"source_sentence", "sentences"}; one number a sentence, in their order.
EmbeddingRequest Embed(Runner& runner, const Json& inputs, const Json& parameters) {
  const Json *source = inputs.Find("source_sentence"), *list = inputs.Find("sentences");
  if (source == nullptr || list == nullptr || list->AsArray() == nullptr) {
    Refuse("inputs must hold \"source_sentence\" and a list \"sentences\"");
  }
  std::vector<std::string> texts = {ReadText(*source, "source_sentence")};
  for (const Json& sentence : *list->AsArray()) texts.push_back(ReadText(sentence, "a sentence"));
  if (texts.size() == 1) Refuse("\"sentences\" is empty");
  EmbeddingRequest request = RequestFor(runner, texts, ReadEmbeddingOptions(runner, parameters));
  request.write = [&model = runner.model()](const EmbeddedTexts& embedded) {
    Json answer = Json::Arr();
    for (size_t i = 1; i < embedded.vectors.size(); ++i) {
      answer.Push(Similarity(model, embedded.vectors[0], embedded.vectors[i]));
    }
    return answer.Dump();
  };
  return request;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  return RunEmbedding(runner, Embed(runner, inputs, parameters), left);
}

}  // namespace

const Task& SentenceSimilarityTask() {
  static constexpr Task kTask{"sentence-similarity", "how near sentences are to one sentence",
                              EmbeddingRefusal,      Run,
                              TaskInput::kObject,    Embed};
  return kTask;
}

}  // namespace hearth::runtime
