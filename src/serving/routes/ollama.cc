// POST /api/chat, /api/generate, /api/embed, /api/embeddings, /api/show, GET /api/tags and
// /api/version: Ollama's words, for local applications. Requests are read by the pieces that read
// OpenAI's; answers are JSON lines unless "stream" is false. Durations are in nanoseconds.
// https://docs.ollama.com/api
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "serving/routes/chat_answer.h"
#include "serving/routes/generation_answer.h"
#include "serving/vectors_answer.h"

namespace hearth::serving {
namespace {

using runtime::GenerationEvent;
using Steady = std::chrono::steady_clock;

uint64_t Nanoseconds(Steady::time_point from, Steady::time_point to) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
}

std::string Now() {
  return FormatIso8601(
      std::chrono::time_point_cast<TimePoint::duration>(std::chrono::system_clock::now()));
}

Json Head(const ModelServer& server) {
  return Json::Obj({{"model", server.model_id()}, {"created_at", Now()}});
}

// --- reading

constexpr std::pair<std::string_view, std::string_view> kOptions[] = {
    {"temperature", "temperature"},
    {"top_k", "top_k"},
    {"top_p", "top_p"},
    {"min_p", "min_p"},
    {"seed", "seed"},
    {"stop", "stop"},
    {"repeat_penalty", "repetition_penalty"},
    {"presence_penalty", "presence_penalty"},
    {"frequency_penalty", "frequency_penalty"},
};

// Whether to think, or how much, as the variables that templates read: Qwen's and GPT-OSS's.
Json Thinking(const Json& think) {
  if (think.is_null()) return Json::Obj();
  if (auto flag = think.AsBool()) return Json::Obj({{"enable_thinking", *flag}});
  const std::string* level = think.AsString();
  if (level == nullptr || (*level != "low" && *level != "medium" && *level != "high")) {
    throw Error(Code::kInvalidArgument,
                "`think` must be true, false, \"low\", \"medium\" or \"high\"");
  }
  return Json::Obj({{"enable_thinking", true}, {"reasoning_effort", *level}});
}

// The request in OpenAI's words; options of other engines (num_ctx, mirostat) are let pass.
Json OpenAiBody(const Json& body) {
  Json made = Json::Obj();
  if (const Json* options = body.Find("options"); options != nullptr && options->is_object()) {
    for (auto [from, to] : kOptions) {
      const Json* value = options->Find(from);
      if (value != nullptr && !value->is_null()) made.Set(std::string(to), *value);
    }
    // Below zero: as long as the model goes on.
    auto most = options->IntField("num_predict");
    if (most && *most > 0) made.Set("max_tokens", *most);
  }
  for (const char* key : {"messages", "tools"}) {
    if (const Json* value = body.Find(key)) made.Set(key, *value);
  }
  for (const char* key : {"logprobs", "top_logprobs"}) {
    if (const Json* value = body.Find(key)) made.Set(key, *value);
  }
  if (const Json* think = body.Find("think")) made.Set("chat_template_kwargs", Thinking(*think));
  const Json* format = body.Find("format");
  if (format != nullptr && format->is_object()) {
    made.Set("response_format",
             Json::Obj({{"type", "json_schema"},
                        {"json_schema", Json::Obj({{"name", "answer"}, {"schema", *format}})}}));
  } else if (format != nullptr && format->AsString() != nullptr && *format->AsString() == "json") {
    made.Set("response_format", Json::Obj({{"type", "json_object"}}));
  }
  return made;
}

void RefusePictures(const Json& object) {
  const Json* images = object.Find("images");
  if (images != nullptr && images->is_array() && images->size() > 0) {
    throw Error(Code::kUnprocessable, "this model reads text only");
  }
}

void NeedGenerator(ModelServer& server) {
  const runtime::Model& model = server.runner().model();
  if (auto refusal = runtime::NeedsHead(model, runtime::Head::kCausalLm, "chat")) {
    throw Error(Code::kUnprocessable, *refusal);
  }
}

// --- answering

// How the text of an event is put into a line: as "response", or as a "message".
using Shape = Json (*)(const Json& delta);

Json AsResponse(const Json& delta) {
  Json line = Json::Obj({{"response", delta.StringField("content").value_or("")}});
  if (auto thought = delta.StringField("reasoning_content")) line.Set("thinking", *thought);
  return line;
}

// Calls come whole, with their arguments as objects.
Json Calls(const Json& calls) {
  Json list = Json::Arr();
  for (const Json& call : *calls.AsArray()) {
    const Json* function = call.Find("function");
    Json arguments = Json::Obj();
    try {
      arguments = Json::Parse(function->StringField("arguments").value_or("{}"));
    } catch (const Error&) {
      // What the model wrote is no JSON: the call has no arguments that a program could use.
    }
    list.Push(Json::Obj({{"function", Json::Obj({{"name", *function->Find("name")},
                                                 {"arguments", std::move(arguments)}})}}));
  }
  return list;
}

Json AsMessage(const Json& delta) {
  Json message =
      Json::Obj({{"role", "assistant"}, {"content", delta.StringField("content").value_or("")}});
  if (auto thought = delta.StringField("reasoning_content")) message.Set("thinking", *thought);
  if (const Json* calls = delta.Find("tool_calls")) message.Set("tool_calls", *calls);
  return Json::Obj({{"message", std::move(message)}});
}

struct Exchange {
  TextRequest request;
  std::string family;  // of tool calls
  Json body;           // in OpenAI's words
  Shape shape = AsMessage;
  Steady::time_point began = Steady::now();
};

void AddEnd(const Exchange& exchange, const GenerationEvent& last, Steady::time_point first,
            Json* line) {
  Steady::time_point now = Steady::now();
  line->Set("done", true);
  line->Set("done_reason", OpenAiFinishReason(last.stop));
  line->Set("total_duration", Nanoseconds(exchange.began, now));
  line->Set("load_duration", 0);
  line->Set("prompt_eval_count", last.prompt_tokens);
  line->Set("prompt_eval_duration", Nanoseconds(exchange.began, first));
  line->Set("eval_count", last.generated_tokens);
  line->Set("eval_duration", Nanoseconds(first, now));
}

Json Line(const ModelServer& server, const Exchange& exchange, const Json& delta) {
  Json line = Head(server);
  Json shaped = exchange.shape(delta);
  for (const auto& [name, value] : *shaped.AsObject()) line.Set(name, value);
  line.Set("done", false);
  return line;
}

net::Response Stream(ModelServer& server, Exchange exchange) {
  struct State {
    Exchange exchange;
    std::unique_ptr<AnswerReader> reader;
    std::optional<Steady::time_point> first;
  };
  auto state = std::make_shared<State>();
  state->reader = MakeReader(exchange.family, exchange.body);
  state->exchange = std::move(exchange);
  runtime::Engine& engine = server.runner().engine();
  auto stream = std::make_shared<EventStream>(engine);
  // The sink must not keep the stream alive: its end cancels the request.
  std::weak_ptr<EventStream> weak = stream;
  auto sink = [weak, state, &server](const GenerationEvent& event) {
    auto out = weak.lock();
    if (out == nullptr) return false;
    if (!state->first) state->first = Steady::now();
    if (event.error) {
      out->PushLine(Json::Obj({{"error", event.error->message()}}).Dump());
    } else {
      Json delta = state->reader->Delta(event.text, event.is_last());
      delta.Erase("tool_calls");
      if (event.is_last() && state->reader->has_calls()) {
        delta.Set("tool_calls", Calls(*state->reader->Message().Find("tool_calls")));
      }
      const bool judged = state->exchange.request.logprobs && event.token;
      if (delta.size() == 0 && !event.is_last() && !judged) return true;
      Json line = Line(server, state->exchange, delta);
      if (judged) {
        const runtime::Model& model = server.runner().model();
        line.Set("logprobs", Json::Arr({ChatLogprob(model, *event.token)}));
      }
      if (event.is_last()) AddEnd(state->exchange, event, *state->first, &line);
      out->PushLine(line.Dump());
    }
    if (event.is_last()) out->Close();
    return true;
  };
  stream->Owns(engine.Submit(ForCandidate(state->exchange.request, 0), sink));
  net::Response response = EventAnswer(std::move(stream));
  response.headers.Set("Content-Type", "application/x-ndjson");
  return response;
}

net::Response Whole(ModelServer& server, const Exchange& exchange) {
  const bool judged = exchange.request.logprobs;
  std::vector<ChoiceText> texts =
      RunChoices(server, exchange.request, judged ? ChatLogprob : nullptr);
  auto reader = MakeReader(exchange.family, exchange.body);
  reader->Delta(texts.front().text, true);
  Json message = reader->Message();
  if (const Json* calls = message.Find("tool_calls")) message.Set("tool_calls", Calls(*calls));
  Json answer = Line(server, exchange, message);
  if (judged) answer.Set("logprobs", std::move(texts.front().logprobs));
  // One moment for all: the first token's is not known here.
  AddEnd(exchange, texts.front().last, exchange.began, &answer);
  return JsonAnswer(answer);
}

net::Response Answer(ModelServer& server, const Json& asked, Exchange exchange) {
  if (!exchange.request.config.max_new_tokens) {
    exchange.request.config.max_length.reset();
    uint32_t most = server.runner().engine().max_tokens();
    auto used = static_cast<uint32_t>(exchange.request.prompts.front().size());
    exchange.request.config.max_new_tokens = most > used ? most - used : 1;
  }
  // Streaming is what happens when nobody says otherwise.
  if (runtime::ReadFlag(asked, "stream").value_or(true)) return Stream(server, std::move(exchange));
  return Whole(server, exchange);
}

// The answer to a request that only wants the model loaded: it is.
net::Response Loaded(const ModelServer& server, Shape shape) {
  Json line = Head(server);
  Json shaped = shape(Json::Obj());
  for (const auto& [name, value] : *shaped.AsObject()) line.Set(name, value);
  line.Set("done", true).Set("done_reason", "load");
  return JsonAnswer(line);
}

// A prompt and perhaps a system text as the conversation that the template expects.
std::vector<runtime::TokenId> GeneratePrompt(const runtime::Model& model, const Json& body,
                                             const std::string& prompt) {
  bool raw = runtime::ReadFlag(body, "raw").value_or(false) || !model.has_chat_template();
  if (raw) return model.tokenizer().EncodeIds(prompt);
  Json messages = Json::Arr();
  if (auto system = body.StringField("system"); system && !system->empty()) {
    messages.Push(Json::Obj({{"role", "system"}, {"content", *system}}));
  }
  messages.Push(Json::Obj({{"role", "user"}, {"content", prompt}}));
  Json conversation = Json::Obj({{"messages", std::move(messages)}});
  if (const Json* think = body.Find("think"))
    conversation.Set("chat_template_kwargs", Thinking(*think));
  return ChatPrompt(model, conversation);
}

std::vector<std::string> Texts(const Json& body) {
  const Json* input = body.Find("input");
  if (input == nullptr) throw Error(Code::kInvalidArgument, "`input` is missing");
  if (input->AsArray() == nullptr) return {runtime::ReadText(*input, "`input`")};
  std::vector<std::string> texts;
  for (const Json& item : *input->AsArray()) {
    texts.push_back(runtime::ReadText(item, "an item of `input`"));
  }
  return texts;
}

Json Details(const runtime::Model& model) {
  std::string family = model.config().model_type();
  return Json::Obj({{"format", "safetensors"},
                    {"family", family},
                    {"families", Json::Arr({family})},
                    {"parameter_size", ""},
                    {"quantization_level", runtime::PrecisionName(model.options().precision)}});
}

}  // namespace

net::Response OllamaChat(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  NeedGenerator(server);
  const runtime::Model& model = server.runner().model();
  const Json* messages = body.Find("messages");
  if (messages == nullptr || messages->size() == 0) return Loaded(server, AsMessage);
  if (messages->is_array()) {
    for (const Json& message : *messages->AsArray()) RefusePictures(message);
  }
  Exchange exchange;
  exchange.body = OpenAiBody(body);
  exchange.request = ReadTextRequest(server, http, exchange.body);
  ReadChatLogprobs(exchange.body, &exchange.request);
  exchange.family = ReadTools(server, exchange.body, &exchange.request);
  exchange.request.prompts = {ChatPrompt(model, exchange.body)};
  return Answer(server, body, std::move(exchange));
}

net::Response OllamaGenerate(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  NeedGenerator(server);
  RefusePictures(body);
  std::string prompt = body.StringField("prompt").value_or("");
  if (prompt.empty()) return Loaded(server, AsResponse);
  Exchange exchange;
  exchange.shape = AsResponse;
  exchange.body = OpenAiBody(body);
  exchange.request = ReadTextRequest(server, http, exchange.body);
  ReadChatLogprobs(exchange.body, &exchange.request);
  exchange.request.prompts = {GeneratePrompt(server.runner().model(), body, prompt)};
  return Answer(server, body, std::move(exchange));
}

net::Response OllamaEmbed(ModelServer& server, net::Request& http) {
  Steady::time_point began = Steady::now();
  Json body = ReadBody(http);
  NeedEmbeddings(server);
  runtime::EmbeddingOptions options;
  options.normalize = true;
  options.dimensions = runtime::ReadDimensions(body);
  options.truncate = runtime::ReadFlag(body, "truncate").value_or(true);
  runtime::EmbeddingRequest request = runtime::RequestFor(server.runner(), Texts(body), options);
  request.write = [began, &server](const runtime::EmbeddedTexts& embedded) {
    std::string text = R"({"model":)" + Json(server.model_id()).Dump() + R"(,"embeddings":)";
    runtime::AppendJsonArrays(&text, embedded.vectors);
    text += R"(,"total_duration":)" + std::to_string(Nanoseconds(began, Steady::now()));
    return text + R"(,"load_duration":0,"prompt_eval_count":)" + std::to_string(embedded.tokens) +
           '}';
  };
  return AnswerWithVectors(server, http, FaultShape::kInference, std::move(request));
}

net::Response OllamaEmbedding(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  NeedEmbeddings(server);
  std::vector<std::string> texts = {body.RequireString("prompt")};
  runtime::EmbeddingRequest request = runtime::RequestFor(server.runner(), texts, {});
  request.write = [](const runtime::EmbeddedTexts& embedded) {
    std::string text = R"({"embedding":)";
    runtime::AppendJsonArray(&text, embedded.vectors.front());
    return text + '}';
  };
  return AnswerWithVectors(server, http, FaultShape::kInference, std::move(request));
}

net::Response OllamaShow(ModelServer& server, net::Request&) {
  const runtime::Model& model = server.runner().model();
  Json capabilities = Json::Arr();
  if (model.head() == runtime::Head::kCausalLm) capabilities.Push("completion");
  if (!runtime::EmbeddingRefusal(model)) capabilities.Push("embedding");
  std::string family = model.config().model_type();
  Json info = Json::Obj({{"general.architecture", family}});
  info.Set(family + ".context_length", model.shape().max_tokens);
  info.Set(family + ".embedding_length", model.shape().hidden);
  return JsonAnswer(Json::Obj({{"modelfile", ""},
                               {"parameters", ""},
                               {"template", ""},
                               {"details", Details(model)},
                               {"model_info", std::move(info)},
                               {"capabilities", std::move(capabilities)}}));
}

net::Response OllamaTags(ModelServer& server, net::Request&) {
  const runtime::Model& model = server.runner().model();
  Json entry = Json::Obj({{"name", server.model_id()},
                          {"model", server.model_id()},
                          {"modified_at", Now()},
                          {"size", model.weight_bytes()},
                          {"digest", ""},
                          {"details", Details(model)}});
  return JsonAnswer(Json::Obj({{"models", Json::Arr({std::move(entry)})}}));
}

net::Response OllamaVersion(ModelServer&, net::Request&) {
  return JsonAnswer(Json::Obj({{"version", HEARTH_VERSION}}));
}

}  // namespace hearth::serving
