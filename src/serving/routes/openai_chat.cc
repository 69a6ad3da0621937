// POST /v1/chat/completions: conversations in OpenAI's words.
#include "base/error.h"
#include "runtime/tasks/inputs.h"
#include "serving/routes/chat_answer.h"
#include "serving/routes/generation_answer.h"

namespace hearth::serving {
namespace {

using runtime::GenerationEvent;
using runtime::Model;

std::string_view FinishReason(const AnswerReader& reader, runtime::StopReason reason) {
  std::string_view word = OpenAiFinishReason(reason);
  return word == "stop" && reader.has_calls() ? "tool_calls" : word;
}

Json Head(const TextRequest& request, const char* object) {
  return Json::Obj({{"id", "chatcmpl-" + request.id},
                    {"object", object},
                    {"created", request.created},
                    {"model", request.model.name},
                    {"system_fingerprint", "hearth"}});
}

net::Response Stream(ModelServer& server, const TextRequest& request, const std::string& family,
                     const Json& body) {
  const Model& model = server.runner().model();
  Json head = Head(request, "chat.completion.chunk");
  auto readers = std::make_shared<std::vector<std::unique_ptr<AnswerReader>>>();
  for (uint32_t i = 0; i < request.choices; ++i) readers->push_back(MakeReader(family, body));
  auto started = std::make_shared<std::vector<bool>>(request.choices);
  bool logprobs = request.logprobs, usage = request.include_usage;
  ChunkMaker chunk = [=, &model](uint32_t i, const GenerationEvent& event) -> std::string {
    AnswerReader& reader = *(*readers)[i];
    Json delta = Json::Obj();
    if (!(*started)[i]) delta.Set("role", "assistant").Set("content", "");
    (*started)[i] = true;
    Json news = reader.Delta(event.text, event.is_last());
    for (const auto& [name, value] : *news.AsObject()) delta.Set(name, value);
    if (delta.size() == 0 && !event.is_last() && !logprobs) return "";
    Json choice = Json::Obj({{"index", i}, {"delta", std::move(delta)}});
    choice.Set("logprobs", Json());
    if (logprobs && event.token) {
      choice.Set("logprobs",
                 Json::Obj({{"content", Json::Arr({ChatLogprob(model, *event.token)})}}));
    }
    choice.Set("finish_reason", event.is_last() ? Json(FinishReason(reader, event.stop)) : Json());
    Json data = head;
    data.Set("choices", Json::Arr({std::move(choice)}));
    if (usage) data.Set("usage", Json());
    return data.Dump();
  };
  return StreamChoices(server, request, std::move(chunk), [head](const Json& counts) {
    Json data = head;
    data.Set("choices", Json::Arr()).Set("usage", counts);
    return data.Dump();
  });
}

}  // namespace

net::Response ChatCompletions(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  const Model& model = server.runner().model();
  if (auto refusal = runtime::NeedsHead(model, runtime::Head::kCausalLm, "chat")) {
    throw Error(Code::kUnprocessable, *refusal);
  }
  TextRequest request = ReadTextRequest(server, http, body);
  ReadChatLogprobs(body, &request);
  std::string family = ReadTools(server, body, &request);
  request.prompts = {ChatPrompt(model, body)};
  if (!request.config.max_new_tokens) {
    request.config.max_length.reset();
    uint32_t most = server.runner().engine().max_tokens();
    auto used = static_cast<uint32_t>(request.prompts.front().size());
    request.config.max_new_tokens = most > used ? most - used : 1;
  }
  if (request.stream) return Stream(server, request, family, body);
  Json answer = Head(request, "chat.completion");
  Json choices = Json::Arr();
  std::vector<ChoiceText> texts =
      RunChoices(server, request, request.logprobs ? ChatLogprob : nullptr);
  for (uint32_t i = 0; i < texts.size(); ++i) {
    std::unique_ptr<AnswerReader> reader = MakeReader(family, body);
    reader->Delta(texts[i].text, true);
    Json logprobs;
    if (request.logprobs) logprobs = Json::Obj({{"content", std::move(texts[i].logprobs)}});
    choices.Push(Json::Obj({{"index", i},
                            {"message", reader->Message()},
                            {"logprobs", std::move(logprobs)},
                            {"finish_reason", FinishReason(*reader, texts[i].last.stop)}}));
  }
  answer.Set("choices", std::move(choices)).Set("usage", UsageOf(request, texts));
  return JsonAnswer(answer);
}

}  // namespace hearth::serving
