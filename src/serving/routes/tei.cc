// POST /embed, /predict, /rerank, /similarity, /tokenize and /decode: TEI's words.
#include "base/error.h"
#include "serving/vectors_answer.h"

namespace hearth::serving {
namespace {

const Json& Inputs(const Json& body) {
  const Json* inputs = body.Find("inputs");
  if (inputs == nullptr) throw Error(Code::kUnprocessable, "missing field `inputs`");
  return *inputs;
}

Json RunNamed(ModelServer& server, std::string_view name, const Json& inputs,
              const Json& parameters, const std::stop_token& left) {
  return runtime::RunTask(server.runner(), *runtime::FindTask(name), inputs, parameters, left);
}

}  // namespace

// Normalised unless the request says otherwise; always a list of vectors.
net::Response Embed(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  NeedEmbeddings(server);
  bool is_list = false;
  std::vector<std::string> texts;
  for (auto& text : runtime::ReadTexts(Inputs(body), &is_list)) {
    texts.push_back(std::move(text.text));
  }
  runtime::EmbeddingOptions options = runtime::ReadEmbeddingOptions(server.runner(), body);
  options.normalize = runtime::ReadFlag(body, "normalize").value_or(true);
  options.truncate = runtime::ReadFlag(body, "truncate").value_or(false);
  runtime::EmbeddingRequest request{
      runtime::TokensToEmbed(server.runner(), texts, options), options, {}};
  request.write = [](const runtime::EmbeddedTexts& embedded) {
    std::string text;
    runtime::AppendJsonArrays(&text, embedded.vectors);
    return text;
  };
  return AnswerWithVectors(server, http, FaultShape::kInference, std::move(request));
}

// One text: its labels; a list: a list of these. A pair is a list of two strings in a list.
net::Response Predict(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  Json inputs = Inputs(body);
  bool is_list = inputs.is_array();
  Json parameters = Json::Obj();
  if (runtime::ReadFlag(body, "raw_scores").value_or(false))
    parameters.Set("function_to_apply", "none");
  if (const Json* adapter = body.Find("adapter_id")) parameters.Set("adapter_id", *adapter);
  Json answers = RunNamed(server, "text-classification", inputs, parameters, http.left);
  return JsonAnswer(is_list ? answers : answers.AsArray()->front());
}

net::Response Rerank(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  return JsonAnswer(RunNamed(server, "text-ranking", body, body, http.left));
}

net::Response Similarity(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  return AnswerTask(server, http, runtime::SentenceSimilarityTask(), Inputs(body), body);
}

net::Response TokenizeTexts(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  bool is_list = false;
  bool specials = runtime::ReadFlag(body, "add_special_tokens").value_or(true);
  const tokenizers::Tokenizer& tokenizer = server.runner().model().tokenizer();
  Json answers = Json::Arr();
  for (const auto& text : runtime::ReadTexts(Inputs(body), &is_list)) {
    tokenizers::Encoding encoding = tokenizer.Encode(
        text.text,
        {.add_special_tokens = specials, .offsets = tokenizers::OffsetUnit::kCharacters});
    Json tokens = Json::Arr();
    for (size_t i = 0; i < encoding.size(); ++i) {
      bool special = encoding.special_tokens_mask[i] != 0;
      Json token =
          Json::Obj({{"id", encoding.ids[i]}, {"text", encoding.tokens[i]}, {"special", special}});
      token.Set("start", special ? Json() : Json(encoding.offsets[i].begin));
      token.Set("stop", special ? Json() : Json(encoding.offsets[i].end));
      tokens.Push(std::move(token));
    }
    answers.Push(std::move(tokens));
  }
  // TGI answers a single text with its tokens, TEI with a list of one; lists are what both read.
  return JsonAnswer(answers);
}

net::Response DecodeTokens(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  const Json* ids = body.Find("ids");
  if (ids == nullptr || ids->AsArray() == nullptr)
    throw Error(Code::kUnprocessable, "missing field `ids`");
  bool skip = runtime::ReadFlag(body, "skip_special_tokens").value_or(true);
  auto decode = [&](const Json& list) {
    std::vector<uint32_t> tokens;
    for (const Json& item : *list.AsArray()) {
      auto id = item.AsUint();
      if (!id || *id > UINT32_MAX) throw Error(Code::kUnprocessable, "`ids` must be whole numbers");
      tokens.push_back(static_cast<uint32_t>(*id));
    }
    return server.runner().model().tokenizer().Decode(tokens, skip);
  };
  Json answers = Json::Arr();
  bool nested = ids->size() > 0 && ids->AsArray()->front().is_array();
  if (!nested) return JsonAnswer(Json::Arr({decode(*ids)}));
  for (const Json& list : *ids->AsArray()) {
    if (!list.is_array()) throw Error(Code::kUnprocessable, "`ids` mixes numbers and lists");
    answers.Push(decode(list));
  }
  return JsonAnswer(answers);
}

}  // namespace hearth::serving
