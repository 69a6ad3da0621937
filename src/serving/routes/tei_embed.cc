// POST /embed, /embed_all, /embed_sparse and /similarity: texts as vectors in TEI's words.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "serving/vectors_answer.h"

namespace hearth::serving {
namespace {

std::vector<std::string> Texts(const Json& body) {
  bool is_list = false;
  std::vector<std::string> texts;
  for (auto& text : runtime::ReadTexts(RequireInputs(body), &is_list)) {
    texts.push_back(std::move(text.text));
  }
  return texts;
}

// Longer texts are refused unless the request says otherwise.
runtime::EmbeddingOptions Options(ModelServer& server, const Json& body) {
  runtime::EmbeddingOptions options = runtime::ReadEmbeddingOptions(server.runner(), body);
  options.truncate = runtime::ReadFlag(body, "truncate").value_or(false);
  return options;
}

}  // namespace

// Normalised unless the request says otherwise; always a list of vectors.
net::Response Embed(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  NeedEmbeddings(server);
  runtime::EmbeddingOptions options = Options(server, body);
  options.normalize = runtime::ReadFlag(body, "normalize").value_or(true);
  runtime::EmbeddingRequest request = runtime::RequestFor(server.runner(), Texts(body), options);
  request.write = [](const runtime::EmbeddedTexts& embedded) {
    std::string text;
    runtime::AppendJsonArrays(&text, embedded.vectors);
    return text;
  };
  return AnswerWithVectors(server, http, FaultShape::kInference, std::move(request));
}

// The states of all tokens, nothing pooled.
net::Response EmbedAll(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  NeedEmbeddings(server);
  runtime::EmbeddingRequest request =
      runtime::RequestFor(server.runner(), Texts(body), Options(server, body));
  request.kind = runtime::EmbeddingRequest::Kind::kTokens;
  request.form = {};
  request.write = [](const runtime::EmbeddedTexts& embedded) {
    std::string text = "[";
    for (const std::vector<float>& states : embedded.vectors) {
      if (&states != &embedded.vectors.front()) text += ',';
      runtime::AppendJsonRows(&text, states, embedded.columns);
    }
    return text + ']';
  };
  return AnswerWithVectors(server, http, FaultShape::kInference, std::move(request));
}

// Of a text's logits what runtime::SparsePooling says; the words that are not 0.
Json SparseVector(const tensor::OutputRows& rows, const runtime::SparsePooling& pooling) {
  auto weight = [&](float logit) {
    float once = std::log1p(logit);
    return pooling.twice ? std::log1p(once) : once;
  };
  // The largest weight is that of the largest logit.
  std::vector<float> joined(rows.columns, 0.0f);
  for (uint64_t row = 0; row < rows.rows; ++row) {
    std::span<const float> logits = rows.Row(row);
    for (size_t i = 0; i < logits.size(); ++i) {
      if (!pooling.sums) {
        joined[i] = std::max(joined[i], logits[i]);
      } else if (logits[i] > 0) {
        joined[i] += weight(logits[i]);
      }
    }
  }
  Json vector = Json::Arr();
  for (size_t i = 0; i < joined.size(); ++i) {
    if (joined[i] <= 0) continue;
    float value = pooling.sums ? joined[i] : weight(joined[i]);
    vector.Push(Json::Obj({{"index", i}, {"value", double{value}}}));
  }
  return vector;
}

// What a model of no modules gives is SPLADE's largest logits.
net::Response EmbedSparse(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  runtime::Runner& runner = server.runner();
  constexpr auto kHead = runtime::Head::kMaskedLm;
  if (auto refusal = runtime::NeedsHead(runner.model(), kHead, "sparse embeddings"))
    throw Error(Code::kUnprocessable, *refusal);
  auto inputs = runtime::RequestFor(runner, Texts(body), Options(server, body)).tokens;
  std::vector<Json> vectors(inputs.size());
  for (runtime::EncoderInput& input : inputs) {
    for (uint32_t i = 0; i < input.ids.size(); ++i) input.outputs.push_back(i);
  }
  const runtime::SentenceModules* modules = runner.model().modules();
  const runtime::SparsePooling pooling = modules != nullptr
                                             ? modules->sparse.value_or(runtime::SparsePooling{})
                                             : runtime::SparsePooling{};
  auto keep = [&](size_t text, const tensor::OutputRows& rows) {
    vectors[text] = SparseVector(rows, pooling);
  };
  runner.encoder(kHead).Run(inputs, "logits", keep, http.left);
  return JsonAnswer(Json(std::move(vectors)));
}

net::Response Similarity(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  return AnswerTask(server, http, runtime::SentenceSimilarityTask(), RequireInputs(body), body);
}

}  // namespace hearth::serving
