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

// More belong into several requests.
constexpr size_t kMaxPrompts = 64;

struct Prompt {
  std::string text;
  std::vector<runtime::TokenId> tokens;
};

// A text, or the list of its tokens.
Prompt ReadPrompt(const runtime::Model& model, const Json& value) {
  Prompt prompt;
  if (value.AsArray() == nullptr) {
    prompt.text = runtime::ReadText(value, "`prompt`");
    prompt.tokens = model.tokenizer().EncodeIds(prompt.text);
    return prompt;
  }
  for (const Json& item : *value.AsArray()) {
    auto token = item.AsUint();
    if (!token || *token > UINT32_MAX)
      throw Error(Code::kInvalidArgument, "tokens are whole numbers");
    prompt.tokens.push_back(static_cast<runtime::TokenId>(*token));
  }
  prompt.text = model.tokenizer().Decode(prompt.tokens, false);
  return prompt;
}

// One, or a list.
std::vector<Prompt> ReadPrompts(const runtime::Model& model, const Json& body) {
  const Json* prompt = body.Find("prompt");
  if (prompt == nullptr || prompt->is_null()) {
    throw Error(Code::kInvalidArgument, "`prompt` is missing");
  }
  const Json::Array* list = prompt->AsArray();
  if (list == nullptr || list->empty() || list->front().is_number())
    return {ReadPrompt(model, *prompt)};
  if (list->size() > kMaxPrompts) {
    throw Error(Code::kUnprocessable,
                "`prompt` must be a list of at most " + std::to_string(kMaxPrompts));
  }
  std::vector<Prompt> prompts;
  for (const Json& each : *list) prompts.push_back(ReadPrompt(model, each));
  return prompts;
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

// Entries as four lists; `offset` is where they begin in the text, in characters, and moves on.
Json LogprobLists(const Json& entries, uint64_t* offset) {
  Json tokens = Json::Arr(), logprobs = Json::Arr(), top = Json::Arr(), offsets = Json::Arr();
  for (const Json& entry : *entries.AsArray()) {
    tokens.Push(*entry.Find("token"));
    logprobs.Push(*entry.Find("logprob"));
    top.Push(*entry.Find("top"));
    offsets.Push(*offset);
    *offset += runtime::CharacterText(*entry.Find("token")->AsString()).size();
  }
  return Json::Obj({{"tokens", tokens},
                    {"token_logprobs", logprobs},
                    {"top_logprobs", top},
                    {"text_offset", offsets}});
}

// The prompt's entries: the first token has no probability.
Json PromptEntries(const runtime::Model& model, const std::vector<runtime::SampledToken>& prompt) {
  Json entries = Json::Arr();
  for (const runtime::SampledToken& token : prompt) {
    Json entry = Logprob(model, token);
    if (entries.size() == 0) entry.Set("logprob", Json()).Set("top", Json());
    entries.Push(std::move(entry));
  }
  return entries;
}

Json Choice(uint32_t index, std::string text, Json logprobs, Json finish_reason) {
  return Json::Obj({{"index", index},
                    {"text", std::move(text)},
                    {"logprobs", std::move(logprobs)},
                    {"finish_reason", std::move(finish_reason)}});
}

// What is put before the first text of each choice.
struct Echo {
  std::vector<std::string> texts;  // by prompt
  bool is_all = false;             // nothing of what is generated is wanted
};

net::Response Stream(ModelServer& server, const TextRequest& request, const Echo& echo) {
  struct State {
    std::string before;
    uint64_t offset = 0;
  };
  const runtime::Model& model = server.runner().model();
  Json head = Head(request);
  auto states = std::make_shared<std::vector<State>>();
  for (const std::string& before : echo.texts)
    states->insert(states->end(), request.choices, State{before});
  bool logprobs = request.logprobs;
  auto chunk = [head, states, logprobs, &model](uint32_t i, const GenerationEvent& event) {
    State& state = (*states)[i];
    std::string text = std::exchange(state.before, "") + event.text;
    Json entries = logprobs ? PromptEntries(model, event.prompt) : Json::Arr();
    if (logprobs && event.token) entries.Push(Logprob(model, *event.token));
    if (text.empty() && entries.size() == 0 && !event.is_last()) return std::string();
    Json data = head;
    data.Set("choices",
             Json::Arr({Choice(i, text, logprobs ? LogprobLists(entries, &state.offset) : Json(),
                               event.is_last() ? Json(OpenAiFinishReason(event.stop)) : Json())}));
    return data.Dump();
  };
  return StreamChoices(server, request, chunk, [head](const Json& usage) {
    Json data = head;
    data.Set("choices", Json::Arr()).Set("usage", usage);
    return data.Dump();
  });
}

net::Response Whole(ModelServer& server, const TextRequest& request, const Echo& echo) {
  const runtime::Model& model = server.runner().model();
  Json choices = Json::Arr();
  std::vector<ChoiceText> texts = RunChoices(server, request, request.logprobs ? Logprob : nullptr);
  std::vector<runtime::SampledToken> prompt;
  for (uint32_t i = 0; i < texts.size(); ++i) {
    // Choices share their prompt, which the first one judged.
    if (i % request.choices == 0) prompt = std::move(texts[i].prompt);
    if (echo.is_all) {
      texts[i].text.clear();
      texts[i].logprobs = Json::Arr();
      texts[i].last.generated_tokens = 0;
      texts[i].last.stop = runtime::StopReason::kLength;
    }
    Json entries = PromptEntries(model, prompt);
    for (const Json& entry : *texts[i].logprobs.AsArray()) entries.Push(entry);
    uint64_t offset = 0;
    choices.Push(Choice(i, echo.texts[i / request.choices] + texts[i].text,
                        request.logprobs ? LogprobLists(entries, &offset) : Json(),
                        OpenAiFinishReason(texts[i].last.stop)));
  }
  Json answer = Head(request);
  answer.Set("choices", std::move(choices)).Set("usage", UsageOf(request, texts));
  return JsonAnswer(answer);
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
  bool echoes = runtime::ReadFlag(body, "echo").value_or(false);
  request.prompt_logprobs = echoes && request.logprobs;
  Echo echo;
  for (Prompt& prompt : ReadPrompts(model, body)) {
    echo.texts.push_back(echoes ? std::move(prompt.text) : "");
    request.prompts.push_back(std::move(prompt.tokens));
  }
  if (request.config.max_new_tokens == 0u) {
    if (request.stream) throw Error(Code::kUnprocessable, "nothing to stream: `max_tokens` is 0");
    echo.is_all = true;
    request.config.max_new_tokens = 1;
  }
  if (request.prompt_logprobs && (request.candidates > request.choices || request.beams)) {
    throw Error(Code::kUnprocessable,
                "`echo` with `logprobs` cannot be combined with `best_of` and beams");
  }
  return request.stream ? Stream(server, request, echo) : Whole(server, request, echo);
}

}  // namespace hearth::serving
