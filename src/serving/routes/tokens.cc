// POST /tokenize, /chat_tokenize and /decode: tokens in the words of TGI and TEI.
#include "base/error.h"
#include "runtime/tasks/inputs.h"
#include "serving/routes/chat_answer.h"

namespace hearth::serving {
namespace {

// TEI's: of special tokens no place.
Json TeiTokens(const tokenizers::Tokenizer& tokenizer, const std::string& text, bool specials) {
  tokenizers::Encoding encoding = tokenizer.Encode(
      text, {.add_special_tokens = specials, .offsets = tokenizers::OffsetUnit::kCharacters});
  Json tokens = Json::Arr();
  for (size_t i = 0; i < encoding.size(); ++i) {
    bool special = encoding.special_tokens_mask[i] != 0;
    Json token =
        Json::Obj({{"id", encoding.ids[i]}, {"text", encoding.tokens[i]}, {"special", special}});
    token.Set("start", special ? Json() : Json(encoding.offsets[i].begin));
    token.Set("stop", special ? Json() : Json(encoding.offsets[i].end));
    tokens.Push(std::move(token));
  }
  return tokens;
}

// TGI's: each with its part of the text.
Json TgiTokens(const tokenizers::Tokenizer& tokenizer, const std::string& text, bool specials) {
  tokenizers::Encoding encoding = tokenizer.Encode(
      text, {.add_special_tokens = specials, .offsets = tokenizers::OffsetUnit::kCharacters});
  runtime::CharacterText characters(text);
  Json tokens = Json::Arr();
  for (size_t i = 0; i < encoding.size(); ++i) {
    auto [begin, end] = encoding.offsets[i];
    tokens.Push(Json::Obj({{"id", encoding.ids[i]},
                           {"text", characters.Part(begin, end)},
                           {"start", begin},
                           {"stop", end}}));
  }
  return tokens;
}

}  // namespace

// A text generator's single text is answered as TGI does, all else as TEI does.
net::Response TokenizeTexts(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  const Json& inputs = RequireInputs(body);
  const runtime::Model& model = server.runner().model();
  bool specials = runtime::ReadFlag(body, "add_special_tokens").value_or(true);
  if (model.head() == runtime::Head::kCausalLm && inputs.AsString() != nullptr)
    return JsonAnswer(TgiTokens(model.tokenizer(), *inputs.AsString(), specials));
  bool is_list = false;
  Json answers = Json::Arr();
  for (const auto& text : runtime::ReadTexts(inputs, &is_list))
    answers.Push(TeiTokens(model.tokenizer(), text.text, specials));
  return JsonAnswer(answers);
}

// What a conversation becomes, as text and as tokens.
net::Response TokenizeChat(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  const runtime::Model& model = server.runner().model();
  std::string text = ChatText(model, body);
  Json tokens = TgiTokens(model.tokenizer(), text, false);
  return JsonAnswer(
      Json::Obj({{"tokenize_response", std::move(tokens)}, {"templated_text", std::move(text)}}));
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
