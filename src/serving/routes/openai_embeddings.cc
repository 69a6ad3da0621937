// POST /v1/embeddings and /v1/rerank.
#include "base/error.h"
#include "codec/base64.h"
#include "serving/model_choice.h"
#include "serving/vectors_answer.h"

namespace hearth::serving {
namespace {

// A string, a list of strings, a list of tokens, or a list of those.
struct EmbeddingInputs {
  std::vector<std::string> texts;
  std::vector<runtime::EncoderInput> tokens;
};

runtime::EncoderInput Tokens(const Json& list, uint32_t vocabulary) {
  runtime::EncoderInput input;
  for (const Json& item : *list.AsArray()) {
    auto token = item.AsUint();
    if (!token) throw Error(Code::kInvalidArgument, "tokens are whole numbers");
    if (*token >= vocabulary) {
      throw Error(Code::kInvalidArgument,
                  "the token " + std::to_string(*token) + " is outside of the model's vocabulary");
    }
    input.ids.push_back(static_cast<uint32_t>(*token));
  }
  return input;
}

EmbeddingInputs ReadInputs(const Json& body, uint32_t vocabulary) {
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
    inputs.tokens.push_back(Tokens(*input, vocabulary));
    return inputs;
  }
  for (const Json& item : *input->AsArray()) {
    if (item.AsArray() != nullptr) {
      inputs.tokens.push_back(Tokens(item, vocabulary));
    } else {
      inputs.texts.push_back(runtime::ReadText(item, "an item of `input`"));
    }
  }
  if (!inputs.texts.empty() && !inputs.tokens.empty()) {
    throw Error(Code::kInvalidArgument, "`input` mixes texts and tokens");
  }
  return inputs;
}

enum class EncodingFormat : uint8_t { kFloat, kBase64 };

EncodingFormat ReadFormat(const Json& body) {
  auto form = body.StringField("encoding_format").value_or("float");
  if (form == "float") return EncodingFormat::kFloat;
  if (form == "base64") return EncodingFormat::kBase64;
  throw Error(Code::kInvalidArgument, "`encoding_format` must be \"float\" or \"base64\"");
}

struct EmbeddingsAnswer {
  std::string model;
  EncodingFormat format = EncodingFormat::kFloat;

  std::string operator()(const runtime::EmbeddedTexts& embedded) const {
    std::string text = R"({"object":"list","data":[)";
    for (size_t i = 0; i < embedded.vectors.size(); ++i) {
      text += i > 0 ? "," : "";
      text += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)";
      Append(&text, embedded.vectors[i]);
      text += '}';
    }
    std::string tokens = std::to_string(embedded.tokens);
    return text + R"(],"model":)" + Json(model).Dump() + R"(,"usage":{"prompt_tokens":)" + tokens +
           R"(,"total_tokens":)" + tokens + "}}";
  }

 private:
  void Append(std::string* text, std::span<const float> vector) const {
    if (format == EncodingFormat::kFloat) return runtime::AppendJsonArray(text, vector);
    auto* bytes = reinterpret_cast<const char*>(vector.data());
    *text += '"' + Base64Encode({bytes, vector.size_bytes()}) + '"';
  }
};

}  // namespace

net::Response Embeddings(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  NeedEmbeddings(server);
  EmbeddingInputs inputs = ReadInputs(body, server.runner().model().shape().vocabulary);
  EmbeddingsAnswer answer;
  answer.format = ReadFormat(body);
  ModelChoice choice = ChooseModel(server, body);
  answer.model = choice.name;
  runtime::EmbeddingOptions options;
  options.adapter = choice.adapter;
  options.dimensions = runtime::ReadDimensions(body);
  // OpenAI's vectors are of length 1, and so are TEI's and vLLM's under this route.
  options.normalize = runtime::ReadFlag(body, "normalize").value_or(true);
  runtime::EmbeddingRequest request = runtime::RequestFor(server.runner(), inputs.texts, options);
  for (runtime::EncoderInput& tokens : inputs.tokens) {
    tokens.adapter = choice.adapter;
    request.tokens.push_back(std::move(tokens));
  }
  request.write = std::move(answer);
  return AnswerWithVectors(server, http, FaultShape::kOpenAi, std::move(request));
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
