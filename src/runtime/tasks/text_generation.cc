#include "runtime/tasks/text_generation.h"

#include "runtime/engine/grammar_filter.h"

namespace hearth::runtime {
namespace {

constexpr uint32_t kDefaultNewTokens = 100;

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
    if (stops == nullptr || stops->AsArray() == nullptr) continue;
    config.stop_strings.emplace();
    for (const Json& stop : *stops->AsArray())
      config.stop_strings->push_back(ReadText(stop, "a stop"));
  }
  return config;
}

// Events of one request, as the answer of the task.
struct Collected {
  std::string text;
  Json tokens = Json::Arr();
  GenerationEvent last;
};

Collected Collect(Runner& runner, TextGeneration* generation) {
  Collected collected;
  bool wants_tokens = generation->details;
  runner.engine().Generate(std::move(generation->request), [&](const GenerationEvent& event) {
    collected.text += event.text;
    if (wants_tokens && event.token) {
      collected.tokens.Push(TgiToken(runner.model(), *event.token, event.is_special));
    }
    if (event.is_last()) collected.last = event;
    return true;
  });
  if (collected.last.error) throw *collected.last.error;
  return collected;
}

Json RunOne(Runner& runner, const Json& inputs, const Json& parameters) {
  TextGeneration generation = ReadTextGeneration(runner, inputs, parameters);
  Collected made = Collect(runner, &generation);
  std::string before = generation.return_full_text ? generation.prompt : "";
  Json answer = Json::Obj({{"generated_text", before + made.text}});
  if (generation.details) {
    answer.Set("details", Json::Obj({{"finish_reason", TgiFinishReason(made.last.stop)},
                                     {"generated_tokens", made.last.generated_tokens},
                                     {"seed", made.last.seed},
                                     {"prefill", Json::Arr()},
                                     {"tokens", std::move(made.tokens)}}));
  }
  return answer;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters) {
  Json answers = Json::Arr();
  if (inputs.is_array()) {
    for (const Json& each : *inputs.AsArray()) {
      answers.Push(Json::Arr({RunOne(runner, each, parameters)}));
    }
    return answers;
  }
  answers.Push(RunOne(runner, inputs, parameters));
  return answers;
}

}  // namespace

TextGeneration ReadTextGeneration(Runner& runner, const Json& inputs, const Json& parameters) {
  TextGeneration generation;
  generation.prompt = ReadText(inputs, "inputs");
  if (generation.prompt.empty()) Refuse("`inputs` cannot be empty");
  const Model& model = runner.model();
  generation.request.prompt = model.tokenizer().EncodeIds(generation.prompt);
  generation.request.config = model.generation_config().MergedWith(ReadConfig(parameters));
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
  generation.request.keep_stop_string = true;
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

const Task& TextGenerationTask() {
  static constexpr Task kTask{"text-generation", "text that goes on where the input ends", Refusal,
                              Run};
  return kTask;
}

}  // namespace hearth::runtime
