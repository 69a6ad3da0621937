// POST /v1/chat/completions: conversations in OpenAI's words.
#include "base/error.h"
#include "runtime/tasks/inputs.h"
#include "serving/routes/generation_answer.h"

namespace hearth::serving {
namespace {

using runtime::GenerationEvent;
using runtime::Model;
using runtime::SampledToken;

constexpr uint32_t kMaxTopLogprobs = 20;

// Parts of a message of type "text" become one text, as templates of text models expect it.
Json FlatMessage(const Json& message) {
  if (!message.is_object() || message.Find("role") == nullptr) {
    throw Error(Code::kInvalidArgument, "every message needs a \"role\"");
  }
  const Json* content = message.Find("content");
  if (content == nullptr || content->AsArray() == nullptr) return message;
  std::string text;
  for (const Json& part : *content->AsArray()) {
    const Json *type = part.Find("type"), *value = part.Find("text");
    if (type == nullptr || type->AsString() == nullptr || *type->AsString() != "text" ||
        value == nullptr) {
      throw Error(Code::kInvalidArgument, "this model reads text only");
    }
    text += runtime::ReadText(*value, "the text of a message");
  }
  Json flat = message;
  flat.Set("content", text);
  return flat;
}

std::vector<runtime::TokenId> Prompt(const Model& model, const Json& body) {
  ChatInput input;
  input.messages = Json::Arr();
  for (const Json& message : body.RequireArray("messages"))
    input.messages.Push(FlatMessage(message));
  if (input.messages.size() == 0) throw Error(Code::kInvalidArgument, "`messages` is empty");
  const Json* choice = body.Find("tool_choice");
  bool no_tools =
      choice != nullptr && choice->AsString() != nullptr && *choice->AsString() == "none";
  if (const Json* tools = body.Find("tools"); tools != nullptr && tools->is_array() && !no_tools) {
    input.tools = *tools;
  }
  input.add_generation_prompt = true;
  if (const Json* more = body.Find("chat_template_kwargs"); more && more->AsObject()) {
    input.variables = *more->AsObject();
  }
  // The template has written the special tokens already.
  return model.tokenizer().EncodeIds(model.RenderChat(std::move(input)), false);
}

Json Logprob(const Model& model, const SampledToken& token) {
  auto one = [&](runtime::TokenId id, float logprob) {
    std::string text = model.tokenizer().Decode({&id, 1}, false);
    Json bytes = Json::Arr();
    for (unsigned char byte : text) bytes.Push(static_cast<int>(byte));
    return Json::Obj({{"token", text}, {"logprob", double{logprob}}, {"bytes", bytes}});
  };
  Json item = one(token.id, token.logprob);
  Json top = Json::Arr();
  for (const auto& other : token.top) top.Push(one(other.id, other.logprob));
  item.Set("top_logprobs", std::move(top));
  return item;
}

Json Head(const TextRequest& request, const ModelServer& server, const char* object) {
  return Json::Obj({{"id", "chatcmpl-" + request.id},
                    {"object", object},
                    {"created", request.created},
                    {"model", server.model_id()},
                    {"system_fingerprint", "hearth"}});
}

net::Response Stream(ModelServer& server, const TextRequest& request) {
  const Model& model = server.runner().model();
  Json head = Head(request, server, "chat.completion.chunk");
  auto started = std::make_shared<std::vector<bool>>(request.choices);
  bool logprobs = request.logprobs, usage = request.include_usage;
  ChunkMaker chunk = [=, &model](uint32_t i, const GenerationEvent& event) -> std::string {
    bool is_first = !(*started)[i];
    (*started)[i] = true;
    Json delta = Json::Obj();
    if (is_first) delta.Set("role", "assistant");
    if (is_first || !event.text.empty()) delta.Set("content", event.text);
    if (event.text.empty() && !is_first && !event.is_last() && !logprobs) return "";
    Json choice = Json::Obj({{"index", i}, {"delta", std::move(delta)}});
    choice.Set("logprobs", logprobs && event.token
                               ? Json::Obj({{"content", Json::Arr({Logprob(model, *event.token)})}})
                               : Json());
    choice.Set("finish_reason", event.is_last() ? Json(OpenAiFinishReason(event.stop)) : Json());
    Json body = head;
    body.Set("choices", Json::Arr({std::move(choice)}));
    if (usage) body.Set("usage", Json());
    return body.Dump();
  };
  return StreamChoices(server, request, std::move(chunk), [head](const Json& counts) {
    Json body = head;
    body.Set("choices", Json::Arr()).Set("usage", counts);
    return body.Dump();
  });
}

}  // namespace

net::Response ChatCompletions(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  const Model& model = server.runner().model();
  if (auto refusal = runtime::NeedsHead(model, runtime::Head::kCausalLm, "chat")) {
    throw Error(Code::kUnprocessable, *refusal);
  }
  if (const Json* format = body.Find("response_format"); format && format->is_object()) {
    auto type = format->StringField("type");
    if (type && *type != "text") {
      throw Error(Code::kUnprocessable, "response_format \"" + *type + "\" is not supported yet");
    }
  }
  TextRequest request = ReadTextRequest(server, body);
  request.logprobs = runtime::ReadFlag(body, "logprobs").value_or(false);
  request.top_logprobs =
      static_cast<uint32_t>(runtime::ReadCount(body, "top_logprobs", kMaxTopLogprobs).value_or(0));
  request.prompt = Prompt(model, body);
  if (!request.config.max_new_tokens) {
    request.config.max_length.reset();
    uint32_t most = server.runner().engine().max_tokens();
    auto used = static_cast<uint32_t>(request.prompt.size());
    request.config.max_new_tokens = most > used ? most - used : 1;
  }
  if (request.stream) return Stream(server, request);
  Json answer = Head(request, server, "chat.completion");
  Json choices = Json::Arr();
  uint64_t generated = 0, prompt = 0, cached = 0;
  std::vector<ChoiceText> texts = RunChoices(server, request, request.logprobs ? Logprob : nullptr);
  for (uint32_t i = 0; i < texts.size(); ++i) {
    generated += texts[i].last.generated_tokens;
    prompt = texts[i].last.prompt_tokens, cached = texts[i].last.cached_tokens;
    Json message = Json::Obj({{"role", "assistant"}, {"content", texts[i].text}});
    choices.Push(Json::Obj(
        {{"index", i},
         {"message", std::move(message)},
         {"logprobs",
          request.logprobs ? Json::Obj({{"content", std::move(texts[i].logprobs)}}) : Json()},
         {"finish_reason", OpenAiFinishReason(texts[i].last.stop)}}));
  }
  answer.Set("choices", std::move(choices)).Set("usage", Usage(prompt, cached, generated));
  return JsonAnswer(answer);
}

}  // namespace hearth::serving
