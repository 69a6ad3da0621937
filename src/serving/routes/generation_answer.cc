#include "serving/routes/generation_answer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>

#include "base/error.h"
#include "base/random.h"
#include "runtime/tasks/inputs.h"

namespace hearth::serving {
namespace {

using runtime::GenerationConfig;
using runtime::GenerationEvent;
using runtime::ReadCount;
using runtime::ReadFlag;
using runtime::ReadReal;

constexpr uint32_t kMaxChoices = 16;
// Completions of nobody's wish are not endless; chat goes on to the end of the context.
constexpr uint64_t kMaxTokens = 1u << 24;

[[noreturn]] void Refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

double InRange(double value, double least, double most, std::string_view key) {
  if (!(value >= least && value <= most)) {
    Refuse("`" + std::string(key) + "` is outside of its range");
  }
  return value;
}

void ReadStops(const Json& body, GenerationConfig* config) {
  const Json* stop = body.Find("stop");
  if (stop == nullptr || stop->is_null()) return;
  config->stop_strings.emplace();
  if (stop->AsString() != nullptr) {
    config->stop_strings->push_back(*stop->AsString());
    return;
  }
  if (stop->AsArray() == nullptr) Refuse("`stop` must be a string or a list of strings");
  for (const Json& item : *stop->AsArray()) {
    config->stop_strings->push_back(runtime::ReadText(item, "an item of `stop`"));
  }
}

void ReadLogitBias(const Json& body, GenerationConfig* config) {
  const Json* biases = body.Find("logit_bias");
  if (biases == nullptr || biases->is_null()) return;
  if (biases->AsObject() == nullptr) Refuse("`logit_bias` must map tokens to numbers");
  config->sequence_bias.emplace();
  for (const auto& [token, bias] : *biases->AsObject()) {
    char* end = nullptr;
    unsigned long id = std::strtoul(token.c_str(), &end, 10);
    auto value = bias.AsDouble();
    if (token.empty() || *end != 0 || id > UINT32_MAX || !value) {
      Refuse("`logit_bias` must map token numbers to numbers");
    }
    config->sequence_bias->push_back(
        {{static_cast<runtime::TokenId>(id)}, static_cast<float>(*value)});
  }
}

void ReadSampling(const Json& body, GenerationConfig* config) {
  config->do_sample = true;
  config->num_beams = 1;
  if (auto temperature = ReadReal(body, "temperature")) {
    InRange(*temperature, 0, 100, "temperature");
    // 0 is the wire's word for the best token.
    if (*temperature == 0) {
      config->do_sample = false;
    } else {
      config->temperature = *temperature;
    }
  }
  if (auto p = ReadReal(body, "top_p")) config->top_p = InRange(*p, 0, 1, "top_p");
  if (auto p = ReadReal(body, "min_p")) config->min_p = InRange(*p, 0, 1, "min_p");
  const Json* top_k = body.Find("top_k");
  if (top_k != nullptr && top_k->AsInt() == -1) {
    config->top_k = 0;  // vLLM's word for all
  } else if (auto k = ReadCount(body, "top_k", 1u << 24)) {
    config->top_k = static_cast<uint32_t>(*k);
  }
  if (auto f = ReadReal(body, "frequency_penalty")) {
    config->frequency_penalty = InRange(*f, -2, 2, "frequency_penalty");
  }
  if (auto f = ReadReal(body, "presence_penalty")) {
    config->presence_penalty = InRange(*f, -2, 2, "presence_penalty");
  }
  if (auto f = ReadReal(body, "repetition_penalty")) {
    config->repetition_penalty = InRange(*f, 0.01, 100, "repetition_penalty");
  }
  const Json* seed = body.Find("seed");
  if (seed != nullptr && !seed->is_null()) {
    auto number = seed->AsInt();
    if (!number) Refuse("`seed` must be a whole number");
    config->seed = static_cast<uint64_t>(*number);
  }
}

// "best_of", and vLLM's "use_beam_search" with so many beams.
void ReadCandidates(const Json& body, TextRequest* request) {
  auto best_of =
      static_cast<uint32_t>(ReadCount(body, "best_of", kMaxChoices).value_or(request->choices));
  if (best_of < request->choices) Refuse("`best_of` must not be less than `n`");
  request->candidates = best_of;
  request->beams = ReadFlag(body, "use_beam_search").value_or(false);
  if (request->stream && (request->beams || best_of > request->choices)) {
    Refuse("`best_of` and `use_beam_search` cannot be streamed");
  }
  if (!request->beams) return;
  if (request->constraint != nullptr) Refuse("a format cannot be combined with `use_beam_search`");
  request->config.num_beams = best_of;
  request->config.num_return_sequences = request->choices;
  request->config.do_sample = false;
  if (auto penalty = ReadReal(body, "length_penalty")) request->config.length_penalty = *penalty;
  bool early = ReadFlag(body, "early_stopping").value_or(false);
  request->config.early_stopping =
      early ? runtime::EarlyStopping::kTrue : runtime::EarlyStopping::kFalse;
}

}  // namespace

TextRequest ReadTextRequest(ModelServer& server, const net::Request& http, const Json& body) {
  TextRequest request;
  request.left = http.left;
  request.model = ChooseModel(server, body);
  GenerationConfig config;
  ReadSampling(body, &config);
  ReadStops(body, &config);
  ReadLogitBias(body, &config);
  for (const char* key : {"max_tokens", "max_completion_tokens"}) {
    auto most = ReadCount(body, key, kMaxTokens);
    // None at all: only the prompt's probabilities are wanted.
    bool may_be_none = runtime::ReadFlag(body, "echo").value_or(false);
    if (most && *most == 0 && !may_be_none) Refuse("`" + std::string(key) + "` must be 1 or more");
    if (most) config.max_new_tokens = static_cast<uint32_t>(*most);
  }
  request.config = server.runner().model().generation_config().MergedWith(config);
  if (const Json* format = body.Find("response_format")) {
    request.constraint = runtime::ReadConstraint(*format, server.runner().vocabulary());
  }
  request.choices = static_cast<uint32_t>(ReadCount(body, "n", kMaxChoices).value_or(1));
  if (request.choices == 0) Refuse("`n` must be 1 or more");
  request.stream = ReadFlag(body, "stream").value_or(false);
  ReadCandidates(body, &request);
  if (const Json* options = body.Find("stream_options"); options && options->is_object()) {
    request.include_usage = ReadFlag(*options, "include_usage").value_or(false);
  }
  request.id = RandomAlphanumeric(24);
  request.created = std::chrono::duration_cast<std::chrono::seconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
  return request;
}

std::string_view OpenAiFinishReason(runtime::StopReason reason) {
  bool cut = reason == runtime::StopReason::kLength || reason == runtime::StopReason::kTime;
  return cut ? "length" : "stop";
}

Json Usage(uint64_t prompt_tokens, uint64_t cached_tokens, uint64_t completion_tokens) {
  return Json::Obj({{"prompt_tokens", prompt_tokens},
                    {"completion_tokens", completion_tokens},
                    {"total_tokens", prompt_tokens + completion_tokens},
                    {"prompt_tokens_details", Json::Obj({{"cached_tokens", cached_tokens}})}});
}

Json UsageOf(const TextRequest& request, const std::vector<ChoiceText>& choices) {
  uint64_t prompt = 0, cached = 0, generated = 0;
  for (size_t i = 0; i < choices.size(); ++i) {
    const GenerationEvent& last = choices[i].last;
    generated += last.generated_tokens;
    if ((i + 1) % request.choices != 0) continue;
    prompt += last.prompt_tokens, cached += last.cached_tokens;
  }
  return Usage(prompt, cached, generated);
}

runtime::GenerationRequest ForCandidate(const TextRequest& request, uint32_t number) {
  runtime::GenerationRequest made;
  made.prompt = request.prompts[number / request.candidates];
  made.config = request.config;
  made.sequence = number % request.candidates;
  made.adapter = request.model.adapter;
  made.logprobs = request.logprobs || request.candidates > request.choices;
  made.top_logprobs = request.top_logprobs;
  made.prompt_logprobs = request.prompt_logprobs && (made.sequence == 0 || request.stream);
  made.skip_special_tokens = !request.keep_special_tokens;
  if (request.constraint != nullptr) {
    made.filter = std::make_unique<runtime::GrammarFilter>(request.constraint);
  }
  return made;
}

namespace {

uint32_t CandidatesOfAll(const TextRequest& request) {
  return request.candidates * static_cast<uint32_t>(request.prompts.size());
}

void RunBeams(ModelServer& server, const TextRequest& request, uint32_t number,
              std::vector<ChoiceText>* choices) {
  runtime::GenerationRequest search = ForCandidate(request, number);
  search.beams = true;
  search.logprobs = false;
  GenerationEvent last;
  auto sink = [&](const GenerationEvent& event) {
    if (event.is_last()) last = event;
    return true;
  };
  server.runner().engine().Generate(std::move(search), sink, request.left);
  if (last.error) throw *last.error;
  for (runtime::BeamText& beam : last.beams) {
    ChoiceText& choice = choices->emplace_back();
    choice.text = std::move(beam.text);
    choice.last.stop = beam.stop;
    choice.last.prompt_tokens = last.prompt_tokens;
    choice.last.cached_tokens = last.cached_tokens;
    choice.last.generated_tokens = static_cast<uint32_t>(beam.tokens.size());
  }
}

// Of each prompt the best by mean log-probability, in falling order.
std::vector<ChoiceText> Best(const TextRequest& request, std::vector<ChoiceText> candidates) {
  auto mean = [](const ChoiceText& choice) {
    return choice.logprob_sum / std::max<uint32_t>(1, choice.last.generated_tokens);
  };
  std::vector<ChoiceText> best;
  for (auto at = candidates.begin(); at != candidates.end(); at += request.candidates) {
    std::stable_sort(at, at + request.candidates,
                     [&](const ChoiceText& a, const ChoiceText& b) { return mean(a) > mean(b); });
    std::move(at, at + request.choices, std::back_inserter(best));
  }
  return best;
}

}  // namespace

std::vector<ChoiceText> RunChoices(ModelServer& server, const TextRequest& request,
                                   Json (*logprob)(const runtime::Model&,
                                                   const runtime::SampledToken&)) {
  if (request.beams) {
    if (request.logprobs) Refuse("`logprobs` cannot be combined with `use_beam_search`");
    std::vector<ChoiceText> choices;
    for (uint32_t at = 0; at < CandidatesOfAll(request); at += request.candidates)
      RunBeams(server, request, at, &choices);
    return choices;
  }
  struct Shared {
    std::mutex mutex;
    std::condition_variable done;
    std::vector<ChoiceText> choices;
    uint32_t open;
    bool has_left = false;
  };
  auto shared = std::make_shared<Shared>();
  const uint32_t count = CandidatesOfAll(request);
  shared->choices.resize(count);
  shared->open = count;
  const runtime::Model& model = server.runner().model();
  runtime::Engine& engine = server.runner().engine();
  std::vector<uint64_t> numbers;
  try {
    for (uint32_t i = 0; i < count; ++i) {
      numbers.push_back(
          engine.Submit(ForCandidate(request, i), [=, &model](const GenerationEvent& event) {
            ChoiceText& choice = shared->choices[i];
            choice.text += event.text;
            if (!event.prompt.empty()) choice.prompt = event.prompt;
            if (event.token) choice.logprob_sum += event.token->logprob;
            if (event.token && logprob != nullptr)
              choice.logprobs.Push(logprob(model, *event.token));
            if (!event.is_last()) return true;
            choice.last = event;
            std::lock_guard lock(shared->mutex);
            --shared->open;
            shared->done.notify_one();
            return true;
          }));
    }
  } catch (...) {
    for (uint64_t number : numbers) engine.Cancel(number);
    throw;
  }
  std::stop_callback leaving(request.left, [&] {
    std::lock_guard lock(shared->mutex);
    shared->has_left = true;
    shared->done.notify_one();
  });
  std::unique_lock lock(shared->mutex);
  shared->done.wait(lock, [&] { return shared->open == 0 || shared->has_left; });
  if (shared->open > 0) {
    lock.unlock();
    for (uint64_t number : numbers) engine.Cancel(number);
    throw Error(Code::kUnavailable, "the client has left");
  }
  for (const ChoiceText& choice : shared->choices) {
    if (choice.last.error) throw *choice.last.error;
  }
  if (request.candidates == request.choices) return std::move(shared->choices);
  return Best(request, std::move(shared->choices));
}

net::Response StreamChoices(ModelServer& server, const TextRequest& request, ChunkMaker chunk,
                            std::function<std::string(const Json& usage)> usage_chunk) {
  struct Totals {
    uint32_t open;
    uint64_t prompt = 0, cached = 0, generated = 0;
  };
  auto totals = std::make_shared<Totals>(Totals{CandidatesOfAll(request)});
  runtime::Engine& engine = server.runner().engine();
  auto stream = std::make_shared<EventStream>(engine);
  bool usage = request.include_usage;
  const uint32_t choices = request.choices, count = totals->open;
  for (uint32_t i = 0; i < count; ++i) {
    // The sink must not keep the stream alive: its end cancels the request.
    std::weak_ptr<EventStream> weak = stream;
    stream->Owns(engine.Submit(ForCandidate(request, i), [=](const GenerationEvent& event) {
      auto out = weak.lock();
      if (out == nullptr) return false;
      if (event.error) {
        out->Push(std::get<std::string>(FaultAnswer(*event.error, FaultShape::kOpenAi).body));
      } else if (std::string data = chunk(i, event); !data.empty()) {
        out->Push(data);
      }
      if (!event.is_last()) return true;
      if (i % choices == 0)
        totals->prompt += event.prompt_tokens, totals->cached += event.cached_tokens;
      totals->generated += event.generated_tokens;
      if (--totals->open == 0) {
        if (usage) out->Push(usage_chunk(Usage(totals->prompt, totals->cached, totals->generated)));
        out->Push("[DONE]");
        out->Close();
      }
      return true;
    }));
  }
  return EventAnswer(std::move(stream));
}

}  // namespace hearth::serving
