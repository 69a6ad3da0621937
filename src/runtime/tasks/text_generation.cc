#include "runtime/tasks/text_generation.h"

#include <algorithm>
#include <future>

#include "runtime/engine/grammar_filter.h"

namespace hearth::runtime {
namespace {

constexpr uint32_t kDefaultNewTokens = 100;
constexpr uint32_t kMaxSequences = 64;
constexpr uint32_t kMaxTopTokens = 20;
constexpr uint32_t kMaxBestOf = 16;

std::optional<std::string> Refusal(const Model& model) {
  return NeedsHead(model, Head::kCausalLm, "text-generation");
}

GenerationConfig ReadConfig(const Json& parameters) {
  GenerationConfig config;
  config.max_new_tokens = kDefaultNewTokens;
  if (auto n = ReadCount(parameters, "max_new_tokens", 1u << 24)) {
    if (*n == 0) Refuse("`max_new_tokens` must be strictly positive");
    config.max_new_tokens = static_cast<uint32_t>(*n);
  }
  auto positive = [&](std::string_view key) {
    auto value = ReadReal(parameters, key);
    if (value && !(*value > 0)) Refuse("`" + std::string(key) + "` must be strictly positive");
    return value;
  };
  auto share = [&](std::string_view key) {
    auto value = ReadReal(parameters, key);
    if (value && !(*value > 0 && *value <= 1)) {
      Refuse("`" + std::string(key) + "` must be > 0.0 and <= 1.0");
    }
    return value;
  };
  config.temperature = positive("temperature");
  config.repetition_penalty = positive("repetition_penalty");
  config.top_p = share("top_p");
  config.typical_p = share("typical_p");
  config.min_p = share("min_p");
  config.frequency_penalty = ReadReal(parameters, "frequency_penalty");
  config.presence_penalty = ReadReal(parameters, "presence_penalty");
  if (auto k = ReadCount(parameters, "top_k", 1u << 24)) {
    if (*k == 0) Refuse("`top_k` must be strictly positive");
    config.top_k = static_cast<uint32_t>(*k);
  }
  config.seed = ReadCount(parameters, "seed", UINT64_MAX);
  // TGI: settings of sampling ask for sampling.
  bool samples =
      config.temperature || config.top_p || config.top_k || config.typical_p || config.min_p;
  config.do_sample = ReadFlag(parameters, "do_sample").value_or(samples);
  for (const char* key : {"stop", "stop_sequences"}) {
    const Json* stops = parameters.Find(key);
    if (stops == nullptr || stops->is_null()) continue;
    if (stops->AsArray() == nullptr) Refuse("`" + std::string(key) + "` must be a list of strings");
    config.stop_strings.emplace();
    for (const Json& stop : *stops->AsArray())
      config.stop_strings->push_back(ReadText(stop, "a stop"));
  }
  if (ReadFlag(parameters, "watermark").value_or(false)) Refuse("`watermark` is not supported");
  return config;
}

// Transformers' names; the model's own settings of beams are for its users, not for a server.
void ReadBeams(const Json& parameters, TextGeneration* generation) {
  GenerationConfig& config = generation->request.config;
  auto count = [&](const char* key) {
    auto value = ReadCount(parameters, key, kMaxSequences);
    if (value && *value == 0) Refuse("`" + std::string(key) + "` must be strictly positive");
    return static_cast<uint32_t>(value.value_or(1));
  };
  uint32_t beams = count("num_beams");
  generation->sequences = count("num_return_sequences");
  config.num_beams = beams;
  config.num_return_sequences = generation->sequences;
  generation->request.beams = beams > 1;
  if (beams == 1) {
    if (generation->sequences > 1 && !config.do_sample.value_or(false)) {
      Refuse("several `num_return_sequences` need `do_sample` or `num_beams`");
    }
    return;
  }
  if (generation->sequences > beams) {
    Refuse("`num_return_sequences` must not be above `num_beams`");
  }
  if (auto penalty = ReadReal(parameters, "length_penalty")) config.length_penalty = *penalty;
  const Json* early = parameters.Find("early_stopping");
  if (early == nullptr || early->is_null()) return;
  if (early->AsBool()) {
    config.early_stopping = *early->AsBool() ? EarlyStopping::kTrue : EarlyStopping::kFalse;
  } else if (*early == Json("never")) {
    config.early_stopping = EarlyStopping::kNever;
  } else {
    Refuse("`early_stopping` must be true, false or \"never\"");
  }
}

// TGI's entry of a prompt's token.
Json TgiPrefill(const Model& model, const SampledToken& token, bool is_first) {
  return Json::Obj({{"id", token.id},
                    {"text", model.tokenizer().Decode({&token.id, 1}, false)},
                    {"logprob", is_first ? Json() : Json(double{token.logprob})}});
}

// "best_of", as TGI checks it.
void ReadBestOf(const Json& parameters, TextGeneration* generation) {
  auto best_of = ReadCount(parameters, "best_of", kMaxBestOf);
  if (!best_of || *best_of == 1) return;
  if (*best_of == 0) Refuse("`best_of` must be strictly positive");
  const GenerationConfig& config = generation->request.config;
  if (!config.do_sample.value_or(false)) Refuse("you must use sampling when `best_of` is > 1");
  if (ReadCount(parameters, "seed", UINT64_MAX))
    Refuse("`seed` must not be set when `best_of` > 1");
  if (generation->request.beams || generation->sequences > 1)
    Refuse("`best_of` cannot be combined with beams or several `num_return_sequences`");
  generation->best_of = static_cast<uint32_t>(*best_of);
}

// Events of one request, as the answer of the task.
struct Collected {
  std::string text;
  Json tokens = Json::Arr();
  Json top_tokens = Json::Arr();  // of each token the likeliest in its place
  Json prefill = Json::Arr();
  double logprob_sum = 0;
  GenerationEvent last;
};

Collected Collect(Runner& runner, TextGeneration* generation, const std::stop_token& left) {
  Collected collected;
  bool wants_tokens = generation->details;
  auto sink = [&](const GenerationEvent& event) {
    collected.text += event.text;
    for (const SampledToken& token : event.prompt)
      collected.prefill.Push(TgiPrefill(runner.model(), token, collected.prefill.size() == 0));
    if (event.token) collected.logprob_sum += event.token->logprob;
    if (wants_tokens && event.token) {
      collected.tokens.Push(TgiToken(runner.model(), *event.token, event.is_special));
      collected.top_tokens.Push(TgiTopTokens(runner.model(), *event.token));
    }
    if (event.is_last()) collected.last = event;
    return true;
  };
  runner.engine().Generate(std::move(generation->request), sink, left);
  if (collected.last.error) throw *collected.last.error;
  return collected;
}

Json BeamAnswer(const Model& model, const BeamText& beam, const TextGeneration& generation) {
  std::string before = generation.return_full_text ? generation.prompt : "";
  Json answer = Json::Obj({{"generated_text", before + beam.text}});
  if (!generation.details) return answer;
  Json tokens = Json::Arr();
  for (TokenId id : beam.tokens) {
    tokens.Push(Json::Obj({{"id", id}, {"text", model.tokenizer().Decode({&id, 1}, false)}}));
  }
  answer.Set("details", Json::Obj({{"finish_reason", TgiFinishReason(beam.stop)},
                                   {"generated_tokens", beam.tokens.size()},
                                   {"sequence_score", double{beam.score}},
                                   {"tokens", std::move(tokens)}}));
  return answer;
}

// One of several texts as TGI tells of it.
Json Details(Collected* made, bool top_tokens, bool samples) {
  Json details = Json::Obj({{"finish_reason", TgiFinishReason(made->last.stop)},
                            {"generated_tokens", made->last.generated_tokens},
                            {"seed", samples ? Json(made->last.seed) : Json()},
                            {"prefill", std::move(made->prefill)},
                            {"tokens", std::move(made->tokens)}});
  if (top_tokens) details.Set("top_tokens", std::move(made->top_tokens));
  return details;
}

Json RunSequence(Runner& runner, TextGeneration generation, const std::stop_token& left) {
  std::string before = generation.return_full_text ? generation.prompt : "";
  bool top_tokens = generation.request.top_logprobs > 0, samples = generation.samples;
  Collected made = Collect(runner, &generation, left);
  Json answer = Json::Obj({{"generated_text", before + made.text}});
  if (generation.details) answer.Set("details", Details(&made, top_tokens, samples));
  return answer;
}

// Several texts at the same time, the likeliest given: by the mean of its tokens'
// log-probabilities, as TGI decides.
Json RunBestOf(Runner& runner, const Json& inputs, const Json& parameters,
               const std::stop_token& left) {
  std::vector<std::future<Collected>> running;
  TextGeneration first = ReadTextGeneration(runner, inputs, parameters);
  for (uint32_t i = 0; i < first.best_of; ++i) {
    running.push_back(std::async(std::launch::async, [&, i] {
      TextGeneration generation = ReadTextGeneration(runner, inputs, parameters);
      generation.request.sequence = i;
      return Collect(runner, &generation, left);
    }));
  }
  std::vector<Collected> made;
  for (auto& each : running) made.push_back(each.get());
  auto mean = [](const Collected& each) {
    return each.logprob_sum / std::max(each.last.generated_tokens, 1u);
  };
  auto best =
      std::max_element(made.begin(), made.end(),
                       [&](const Collected& a, const Collected& b) { return mean(a) < mean(b); });
  std::rotate(made.begin(), best, best + 1);
  bool top_tokens = first.request.top_logprobs > 0;
  std::string before = first.return_full_text ? first.prompt : "";
  Json answer = Json::Obj({{"generated_text", before + made.front().text}});
  if (!first.details) return answer;
  Json details = Details(&made.front(), top_tokens, true), others = Json::Arr();
  for (size_t i = 1; i < made.size(); ++i) {
    Json other = Details(&made[i], top_tokens, true);
    other.Set("generated_text", before + made[i].text);
    others.Push(std::move(other));
  }
  details.Set("best_of_sequences", std::move(others));
  answer.Set("details", std::move(details));
  return answer;
}

// The texts of one input: a list.
Json RunOne(Runner& runner, const Json& inputs, const Json& parameters,
            const std::stop_token& left) {
  TextGeneration generation = ReadTextGeneration(runner, inputs, parameters);
  Json answers = Json::Arr();
  if (generation.request.beams) {
    Collected made = Collect(runner, &generation, left);
    for (const BeamText& beam : made.last.beams) {
      answers.Push(BeamAnswer(runner.model(), beam, generation));
    }
    return answers;
  }
  if (generation.best_of > 1) {
    answers.Push(RunBestOf(runner, inputs, parameters, left));
    return answers;
  }
  uint32_t sequences = generation.sequences;
  answers.Push(RunSequence(runner, std::move(generation), left));
  for (uint32_t i = 1; i < sequences; ++i) {
    generation = ReadTextGeneration(runner, inputs, parameters);
    generation.request.sequence = i;
    answers.Push(RunSequence(runner, std::move(generation), left));
  }
  return answers;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  Json answers = Json::Arr();
  if (inputs.is_array()) {
    for (const Json& each : *inputs.AsArray()) {
      answers.Push(RunOne(runner, each, parameters, left));
    }
    return answers;
  }
  return RunOne(runner, inputs, parameters, left);
}

}  // namespace

TextGeneration ReadTextGeneration(Runner& runner, const Json& inputs, const Json& parameters) {
  TextGeneration generation;
  generation.prompt = ReadText(inputs, "inputs");
  if (generation.prompt.empty()) Refuse("`inputs` cannot be empty");
  const Model& model = runner.model();
  std::vector<TokenId>& tokens = generation.request.prompt;
  tokens = model.tokenizer().EncodeIds(generation.prompt);
  if (auto most = ReadCount(parameters, "truncate", UINT32_MAX)) {
    if (*most == 0) Refuse("`truncate` must be strictly positive");
    // The end is what goes on.
    if (tokens.size() > *most)
      tokens.erase(tokens.begin(), tokens.end() - static_cast<ptrdiff_t>(*most));
  }
  generation.request.config = model.generation_config().MergedWith(ReadConfig(parameters));
  generation.samples = generation.request.config.do_sample.value_or(false);
  generation.details = ReadFlag(parameters, "details").value_or(false) ||
                       ReadFlag(parameters, "decoder_input_details").value_or(false);
  generation.return_full_text = ReadFlag(parameters, "return_full_text").value_or(false);
  if (const Json* grammar = parameters.Find("grammar")) {
    if (auto constraint = ReadConstraint(*grammar, runner.vocabulary())) {
      generation.request.filter = std::make_unique<GrammarFilter>(std::move(constraint));
    }
  }
  generation.request.adapter = ReadAdapter(runner, parameters);
  generation.request.logprobs = true;
  generation.request.top_logprobs =
      static_cast<uint32_t>(ReadCount(parameters, "top_n_tokens", kMaxTopTokens).value_or(0));
  generation.request.keep_stop_string = true;
  ReadBeams(parameters, &generation);
  ReadBestOf(parameters, &generation);
  generation.request.prompt_logprobs =
      ReadFlag(parameters, "decoder_input_details").value_or(false);
  if (generation.request.prompt_logprobs && generation.request.beams)
    Refuse("`decoder_input_details` cannot be combined with `num_beams`");
  return generation;
}

std::string_view TgiFinishReason(StopReason reason) {
  switch (reason) {
    case StopReason::kStopString:
      return "stop_sequence";
    case StopReason::kLength:
    case StopReason::kTime:
      return "length";
    default:
      return "eos_token";
  }
}

Json TgiToken(const Model& model, const SampledToken& token, bool is_special) {
  return Json::Obj({{"id", token.id},
                    {"text", model.tokenizer().Decode({&token.id, 1}, false)},
                    {"logprob", double{token.logprob}},
                    {"special", is_special}});
}

Json TgiTopTokens(const Model& model, const SampledToken& token) {
  Json top = Json::Arr();
  for (const TokenLogprob& each : token.top) {
    auto spelled = model.tokenizer().FindToken(each.id);
    bool special = spelled && model.tokenizer().added_vocabulary().IsSpecial(*spelled);
    SampledToken other;
    other.id = each.id;
    other.logprob = each.logprob;
    top.Push(TgiToken(model, other, special));
  }
  return top;
}

const Task& TextGenerationTask() {
  static constexpr Task kTask{"text-generation", "text that goes on where the input ends", Refusal,
                              Run};
  return kTask;
}

}  // namespace hearth::runtime
