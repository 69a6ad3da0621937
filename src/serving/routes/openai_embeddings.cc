// POST /v1/embeddings and /v1/rerank.
#include "base/error.h"
#include "codec/base64.h"
#include "runtime/tasks/embeddings.h"
#include "serving/model_choice.h"

namespace hearth::serving {
namespace {

// A string, a list of strings, a list of tokens, or a list of those.
struct EmbeddingInputs {
  std::vector<std::string> texts;
  std::vector<runtime::EncoderInput> tokens;
};

runtime::EncoderInput Tokens(const Json& list) {
  runtime::EncoderInput input;
  for (const Json& item : *list.AsArray()) {
    auto token = item.AsUint();
    if (!token || *token > UINT32_MAX)
      throw Error(Code::kInvalidArgument, "tokens are whole numbers");
    input.ids.push_back(static_cast<uint32_t>(*token));
  }
  return input;
}

EmbeddingInputs ReadInputs(const Json& body) {
  const Json* input = body.Find("input");
  if (input == nullptr || input->is_null())
    throw Error(Code::kInvalidArgument, "`input` is missing");
  EmbeddingInputs inputs;
  if (input->AsArray() == nullptr) {
    inputs.texts.push_back(runtime::ReadText(*input, "`input`"));
    return inputs;
  }
  if (input->AsArray()->empty()) throw Error(Code::kInvalidArgument, "`input` is empty");
  if (input->AsArray()->front().is_number()) {
    inputs.tokens.push_back(Tokens(*input));
    return inputs;
  }
  for (const Json& item : *input->AsArray()) {
    if (item.AsArray() != nullptr) {
      inputs.tokens.push_back(Tokens(item));
    } else {
      inputs.texts.push_back(runtime::ReadText(item, "an item of `input`"));
    }
  }
  if (!inputs.texts.empty() && !inputs.tokens.empty()) {
    throw Error(Code::kInvalidArgument, "`input` mixes texts and tokens");
  }
  return inputs;
}

}  // namespace

net::Response Embeddings(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  if (auto refusal = runtime::EmbeddingRefusal(server.runner().model())) {
    throw Error(Code::kUnprocessable, *refusal);
  }
  EmbeddingInputs inputs = ReadInputs(body);
  auto format = body.StringField("encoding_format").value_or("float");
  if (format != "float" && format != "base64") {
    throw Error(Code::kInvalidArgument, "`encoding_format` must be \"float\" or \"base64\"");
  }
  ModelChoice choice = ChooseModel(server, body);
  runtime::EmbeddingOptions options;
  options.adapter = choice.adapter;
  options.left = http.left;
  for (runtime::EncoderInput& tokens : inputs.tokens) tokens.adapter = choice.adapter;
  runtime::EmbeddedTexts embedded =
      inputs.tokens.empty()
          ? runtime::EmbedTexts(server.runner(), inputs.texts, options)
          : runtime::EmbedTokens(server.runner(), inputs.tokens, false, http.left);
  auto dimensions = runtime::ReadCount(body, "dimensions", 1u << 20);
  Json data = Json::Arr();
  for (size_t i = 0; i < embedded.vectors.size(); ++i) {
    std::span<const float> vector = embedded.vectors[i];
    if (dimensions && *dimensions > 0) {
      if (*dimensions > vector.size()) {
        throw Error(Code::kInvalidArgument, "`dimensions` is more than the model has");
      }
      vector = vector.first(*dimensions);
    }
    Json value = format == "float"
                     ? runtime::ToJsonArray(vector)
                     : Json(Base64Encode(
                           {reinterpret_cast<const char*>(vector.data()), vector.size_bytes()}));
    data.Push(Json::Obj({{"object", "embedding"}, {"index", i}, {"embedding", std::move(value)}}));
  }
  Json usage = Json::Obj({{"prompt_tokens", embedded.tokens}, {"total_tokens", embedded.tokens}});
  return JsonAnswer(Json::Obj({{"object", "list"},
                               {"data", std::move(data)},
                               {"model", choice.name},
                               {"usage", std::move(usage)}}));
}

net::Response OpenRerank(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  const Json *query = body.Find("query"), *documents = body.Find("documents");
  if (query == nullptr || documents == nullptr) {
    throw Error(Code::kInvalidArgument, "`query` and `documents` are needed");
  }
  Json inputs = Json::Obj({{"query", *query}, {"texts", *documents}});
  bool with_text = runtime::ReadFlag(body, "return_documents").value_or(false);
  Json parameters = Json::Obj({{"return_text", with_text}});
  ModelChoice choice = ChooseModel(server, body);
  if (choice.adapter != nullptr) parameters.Set("adapter_id", choice.name);
  Json ranked = runtime::RunTask(server.runner(), *runtime::FindTask("text-ranking"), inputs,
                                 parameters, http.left);
  size_t top = runtime::ReadCount(body, "top_n", 1u << 20).value_or(ranked.size());
  Json results = Json::Arr();
  for (const Json& item : *ranked.AsArray()) {
    if (results.size() == top) break;
    Json result =
        Json::Obj({{"index", *item.Find("index")}, {"relevance_score", *item.Find("score")}});
    if (with_text) result.Set("document", Json::Obj({{"text", *item.Find("text")}}));
    results.Push(std::move(result));
  }
  return JsonAnswer(Json::Obj({{"model", choice.name}, {"results", std::move(results)}}));
}

}  // namespace hearth::serving
