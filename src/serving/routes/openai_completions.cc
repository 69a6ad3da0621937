// POST /v1/completions: text that goes on where the prompt ends.
#include <utility>

#include "base/error.h"
#include "runtime/tasks/inputs.h"
#include "serving/routes/generation_answer.h"

namespace hearth::serving {
namespace {

using runtime::GenerationEvent;

// The API's own default.
constexpr uint32_t kDefaultTokens = 16;

std::vector<runtime::TokenId> Prompt(const runtime::Model& model, const Json& body,
                                     std::string* text) {
  const Json* prompt = body.Find("prompt");
  if (prompt == nullptr || prompt->is_null()) {
    throw Error(Code::kInvalidArgument, "`prompt` is missing");
  }
  const Json* one = prompt;
  if (prompt->AsArray() != nullptr && !prompt->AsArray()->empty() &&
      !prompt->AsArray()->front().is_number()) {
    if (prompt->size() > 1) throw Error(Code::kUnprocessable, "one prompt a request, please");
    one = &prompt->AsArray()->front();
  }
  if (one->AsArray() != nullptr) {
    std::vector<runtime::TokenId> tokens;
    for (const Json& item : *one->AsArray()) {
      auto token = item.AsUint();
      if (!token || *token > UINT32_MAX)
        throw Error(Code::kInvalidArgument, "tokens are whole numbers");
      tokens.push_back(static_cast<runtime::TokenId>(*token));
    }
    *text = model.tokenizer().Decode(tokens, false);
    return tokens;
  }
  *text = runtime::ReadText(*one, "`prompt`");
  return model.tokenizer().EncodeIds(*text);
}

Json Head(const TextRequest& request) {
  return Json::Obj({{"id", "cmpl-" + request.id},
                    {"object", "text_completion"},
                    {"created", request.created},
                    {"model", request.model.name}});
}

// One entry of what becomes OpenAI's old form of log-probabilities.
Json Logprob(const runtime::Model& model, const runtime::SampledToken& token) {
  Json top = Json::Obj();
  for (const auto& other : token.top) {
    top.Set(model.tokenizer().Decode({&other.id, 1}, false), double{other.logprob});
  }
  return Json::Obj({{"token", model.tokenizer().Decode({&token.id, 1}, false)},
                    {"logprob", double{token.logprob}},
                    {"top", std::move(top)}});
}

Json LogprobLists(const Json& entries) {
  Json tokens = Json::Arr(), logprobs = Json::Arr(), top = Json::Arr(), offsets = Json::Arr();
  uint64_t offset = 0;
  for (const Json& entry : *entries.AsArray()) {
    tokens.Push(*entry.Find("token"));
    logprobs.Push(*entry.Find("logprob"));
    top.Push(*entry.Find("top"));
    offsets.Push(offset);
    offset += entry.Find("token")->AsString()->size();
  }
  return Json::Obj({{"tokens", tokens},
                    {"token_logprobs", logprobs},
                    {"top_logprobs", top},
                    {"text_offset", offsets}});
}

}  // namespace

net::Response Completions(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  const runtime::Model& model = server.runner().model();
  if (auto refusal = runtime::NeedsHead(model, runtime::Head::kCausalLm, "completions")) {
    throw Error(Code::kUnprocessable, *refusal);
  }
  TextRequest request = ReadTextRequest(server, http, body);
  if (auto best = runtime::ReadCount(body, "logprobs", 20)) {
    request.logprobs = true;
    request.top_logprobs = static_cast<uint32_t>(*best);
  }
  const Json* suffix = body.Find("suffix");
  if (suffix != nullptr && !suffix->is_null() && *suffix != Json("")) {
    throw Error(Code::kUnprocessable, "`suffix` is not supported: this model only goes on");
  }
  if (!request.config.max_new_tokens) request.config.max_new_tokens = kDefaultTokens;
  std::string prompt;
  request.prompt = Prompt(model, body, &prompt);
  std::string before = runtime::ReadFlag(body, "echo").value_or(false) ? prompt : "";
  Json head = Head(request);
  if (request.stream) {
    auto echo = std::make_shared<std::vector<std::string>>(request.choices, before);
    auto chunk = [head, echo](uint32_t i, const GenerationEvent& event) {
      std::string text = std::exchange((*echo)[i], "") + event.text;
      if (text.empty() && !event.is_last()) return std::string();
      Json data = head;
      data.Set("choices",
               Json::Arr({Json::Obj(
                   {{"index", i},
                    {"text", text},
                    {"logprobs", Json()},
                    {"finish_reason",
                     event.is_last() ? Json(OpenAiFinishReason(event.stop)) : Json()}})}));
      return data.Dump();
    };
    return StreamChoices(server, request, chunk, [head](const Json& usage) {
      Json data = head;
      data.Set("choices", Json::Arr()).Set("usage", usage);
      return data.Dump();
    });
  }
  Json choices = Json::Arr();
  std::vector<ChoiceText> texts = RunChoices(server, request, request.logprobs ? Logprob : nullptr);
  for (uint32_t i = 0; i < texts.size(); ++i) {
    choices.Push(
        Json::Obj({{"index", i},
                   {"text", before + texts[i].text},
                   {"logprobs", request.logprobs ? LogprobLists(texts[i].logprobs) : Json()},
                   {"finish_reason", OpenAiFinishReason(texts[i].last.stop)}}));
  }
  head.Set("choices", std::move(choices)).Set("usage", UsageOf(texts));
  return JsonAnswer(head);
}

}  // namespace hearth::serving
