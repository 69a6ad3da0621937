#include <hearth/pipeline.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "client/hub_download.h"
#include "runtime/pipeline/text_collector.h"
#include "runtime/runner.h"
#include "runtime/tasks/embeddings.h"
#include "runtime/tasks/task.h"
#include "runtime/tasks/text_generation.h"

namespace hearth {
namespace {

// Prompts of a batch that wait in the engine at the same time; it takes 512 of all callers.
constexpr size_t kBatch = 128;

Json ToJson(const GenerationOptions& options) {
  Json parameters = Json::Obj({{"max_new_tokens", options.max_new_tokens}});
  auto set = [&](const char* key, const auto& value) {
    if (value) parameters.Set(key, Json(*value));
  };
  set("do_sample", options.sample);
  set("temperature", options.temperature);
  set("top_p", options.top_p);
  set("top_k", options.top_k);
  set("repetition_penalty", options.repetition_penalty);
  set("seed", options.seed);
  if (!options.stop.empty()) parameters.Set("stop", Json(options.stop));
  if (!options.json_schema.empty()) {
    parameters.Set("grammar",
                   Json::Obj({{"type", "json"}, {"value", Json::Parse(options.json_schema)}}));
  }
  return parameters;
}

std::string Text(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value != nullptr && value->AsString() != nullptr ? *value->AsString() : "";
}

double Number(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value != nullptr ? value->AsDouble().value_or(0) : 0;
}

std::vector<LabelScore> ReadLabels(const Json& answer) {
  std::vector<LabelScore> labels;
  for (const Json& each : *answer.AsArray()) {
    labels.push_back({Text(each, "label"), Number(each, "score")});
  }
  return labels;
}

FoundText ReadSpan(const Json& answer, std::string_view text_key) {
  FoundText span;
  span.label = Text(answer, "entity_group");
  span.text = Text(answer, text_key);
  span.score = Number(answer, "score");
  span.begin = static_cast<size_t>(Number(answer, "start"));
  span.end = static_cast<size_t>(Number(answer, "end"));
  return span;
}

template <typename T>
const T& Get(const Answer::Value& value, const char* what) {
  const T* held = std::get_if<T>(&value);
  if (held == nullptr) {
    throw Error(Code::kUnprocessable, std::string("this task answers no ") + what);
  }
  return *held;
}

const runtime::Task& TaskOf(const runtime::Model& model, const std::string& name) {
  const runtime::Task* task = name.empty() ? runtime::DefaultTask(model) : runtime::FindTask(name);
  if (task == nullptr) throw Error(Code::kInvalidArgument, "unknown task \"" + name + "\"");
  if (auto refusal = task->refusal(model)) throw Error(Code::kUnprocessable, *refusal);
  return *task;
}

}  // namespace

double Embeddings::Cosine(size_t a, size_t b) const {
  double product = 0, squares_a = 0, squares_b = 0;
  for (size_t i = 0; i < columns_; ++i) {
    double x = Row(a)[i], y = Row(b)[i];
    product += x * y, squares_a += x * x, squares_b += y * y;
  }
  double length = std::sqrt(squares_a * squares_b);
  return length > 0 ? product / length : 0;
}

const GeneratedText& Answer::generated() const {
  return Get<GeneratedText>(value_, "generated text");
}
const std::vector<LabelScore>& Answer::labels() const {
  return Get<std::vector<LabelScore>>(value_, "labels");
}
const std::vector<FoundText>& Answer::spans() const {
  return Get<std::vector<FoundText>>(value_, "parts of the text");
}
const std::vector<FilledMask>& Answer::masks() const {
  return Get<std::vector<FilledMask>>(value_, "filled gaps");
}
const Embeddings& Answer::embeddings() const { return Get<Embeddings>(value_, "embeddings"); }

struct Pipeline::State {
  std::unique_ptr<runtime::Runner> runner;
  std::string task;

  // Runs a task by name; throws kUnprocessable where the model cannot do it.
  Json Run(std::string_view name, const Json& inputs, const Json& parameters = Json::Obj()) const {
    return runtime::RunTask(*runner, *runtime::FindTask(name), inputs, parameters);
  }
  runtime::GenerationRequest Request(const std::string& prompt, const Json& parameters) const {
    TaskOf(runner->model(), "text-generation");
    runtime::GenerationRequest request =
        runtime::ReadTextGeneration(*runner, Json(prompt), parameters).request;
    request.logprobs = false;
    request.keep_stop_string = false;
    return request;
  }
};

Pipeline::Pipeline(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;
Pipeline::~Pipeline() = default;

Pipeline Pipeline::Load(const std::string& model, const std::string& task,
                        const PipelineOptions& options) {
  client::DownloadEvents events;
  events.note = options.on_note;
  if (options.on_download) {
    events.progress = [&](const client::DownloadState& state) {
      options.on_download(state.file, state.done_bytes, state.total_bytes);
    };
  }
  runtime::LoadOptions load;
  load.executor = options.executor;
  load.precision = runtime::ParsePrecision(options.precision);
  std::filesystem::path path = client::LocateModel(model, client::ModelParts::kAll,
                                                   client::HubSettings::FromEnvironment(), events);
  runtime::EngineOptions engine;
  engine.threads = options.threads;
  engine.kv_bytes = options.cache_bytes;
  auto state = std::make_unique<State>();
  state->runner = std::make_unique<runtime::Runner>(runtime::Model::Load(path, load), engine);
  state->task = TaskOf(state->runner->model(), task).name;
  return Pipeline(std::move(state));
}

const std::string& Pipeline::task() const { return state_->task; }

Answer Pipeline::operator()(const std::string& text) const {
  return std::move((*this)(std::span(&text, 1)).front());
}

std::vector<Answer> Pipeline::operator()(std::span<const std::string> texts) const {
  std::vector<Answer> answers;
  auto take = [&](auto values) {
    for (auto& value : values) answers.emplace_back(Answer::Value(std::move(value)));
  };
  const std::string& task = state_->task;
  if (task == "text-generation") {
    take(Generate(texts));
  } else if (task == "text-classification") {
    take(Classify(texts));
  } else if (task == "feature-extraction" || task == "sentence-similarity") {
    Embeddings all = Embed(texts);
    for (size_t i = 0; i < all.rows(); ++i) {
      std::span<const float> row = all.Row(i);
      answers.emplace_back(Embeddings({row.begin(), row.end()}, all.columns()));
    }
  } else if (task == "token-classification" || task == "fill-mask") {
    for (const std::string& text : texts) {
      answers.emplace_back(task == "fill-mask" ? Answer::Value(FillMask(text))
                                               : Answer::Value(FindEntities(text)));
    }
  } else {
    throw Error(Code::kUnprocessable, task + " takes more than a text: use its own call");
  }
  return answers;
}

GeneratedText Pipeline::Generate(const std::string& prompt,
                                 const GenerationOptions& options) const {
  runtime::TextCollector collector(state_->runner->engine());
  collector.Submit(state_->Request(prompt, ToJson(options)));
  return collector.Wait(options.on_text);
}

std::vector<GeneratedText> Pipeline::Generate(std::span<const std::string> prompts,
                                              const GenerationOptions& options) const {
  if (options.on_text) {
    throw Error(Code::kUnprocessable, "texts of a batch come whole, without a callback");
  }
  Json parameters = ToJson(options);
  std::vector<GeneratedText> made;
  while (made.size() < prompts.size()) {
    std::vector<std::unique_ptr<runtime::TextCollector>> running;
    for (const std::string& prompt :
         prompts.subspan(made.size(), std::min(kBatch, prompts.size() - made.size()))) {
      runtime::GenerationRequest request = state_->Request(prompt, parameters);
      running.push_back(std::make_unique<runtime::TextCollector>(state_->runner->engine()));
      running.back()->Submit(std::move(request));
    }
    for (auto& each : running) made.push_back(each->Wait({}));
  }
  return made;
}

GeneratedText Pipeline::Chat(std::span<const Message> messages,
                             const GenerationOptions& options) const {
  ChatInput input;
  input.messages = Json::Arr();
  for (const Message& message : messages) {
    input.messages.Push(Json::Obj({{"role", message.role}, {"content", message.content}}));
  }
  input.add_generation_prompt = true;
  const runtime::Model& model = state_->runner->model();
  std::string prompt = model.RenderChat(std::move(input));
  runtime::GenerationRequest request = state_->Request(prompt, ToJson(options));
  // The template writes the special tokens itself.
  request.prompt = model.tokenizer().EncodeIds(prompt, false);
  runtime::TextCollector collector(state_->runner->engine());
  collector.Submit(std::move(request));
  return collector.Wait(options.on_text);
}

Embeddings Pipeline::Embed(std::span<const std::string> texts,
                           const std::string& prompt_name) const {
  if (auto refusal = runtime::EmbeddingRefusal(state_->runner->model())) {
    throw Error(Code::kUnprocessable, *refusal);
  }
  runtime::EmbeddingOptions options;
  options.prompt_name = prompt_name;
  runtime::EmbeddedTexts embedded = runtime::EmbedTexts(*state_->runner, texts, options);
  std::vector<float> values;
  for (const auto& vector : embedded.vectors) {
    values.insert(values.end(), vector.begin(), vector.end());
  }
  size_t columns = embedded.vectors.empty() ? 0 : embedded.vectors.front().size();
  return Embeddings(std::move(values), columns);
}

std::vector<std::vector<LabelScore>> Pipeline::Classify(std::span<const std::string> texts) const {
  std::vector<std::vector<LabelScore>> labels;
  if (texts.empty()) return labels;
  Json inputs = Json::Arr();
  for (const std::string& text : texts) inputs.Push(text);
  Json answers = state_->Run("text-classification", inputs);
  for (const Json& each : *answers.AsArray()) {
    labels.push_back(ReadLabels(each));
  }
  return labels;
}

std::vector<LabelScore> Pipeline::Classify(const std::string& text,
                                           std::span<const std::string> labels) const {
  Json candidates = Json(std::vector<std::string>(labels.begin(), labels.end()));
  return ReadLabels(state_->Run("zero-shot-classification", Json(text),
                                Json::Obj({{"candidate_labels", std::move(candidates)}})));
}

std::vector<FoundText> Pipeline::FindEntities(const std::string& text) const {
  Json answer = state_->Run("token-classification", Json(text),
                            Json::Obj({{"aggregation_strategy", "simple"}}));
  std::vector<FoundText> spans;
  for (const Json& each : *answer.AsArray()) spans.push_back(ReadSpan(each, "word"));
  return spans;
}

std::vector<FilledMask> Pipeline::FillMask(const std::string& text) const {
  std::vector<FilledMask> filled;
  Json answer = state_->Run("fill-mask", Json(text));
  for (const Json& each : *answer.AsArray()) {
    if (each.is_array()) throw Error(Code::kUnprocessable, "the text has more than one gap");
    filled.push_back({Text(each, "token_str"), Text(each, "sequence"), Number(each, "score")});
  }
  return filled;
}

FoundText Pipeline::FindAnswer(const std::string& question, const std::string& context) const {
  return ReadSpan(
      state_->Run("question-answering", Json::Obj({{"question", question}, {"context", context}})),
      "answer");
}

std::vector<uint32_t> Pipeline::Tokens(const std::string& text) const {
  return state_->runner->model().tokenizer().EncodeIds(text);
}

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  struct Printer {
    std::ostream& out;
    void operator()(const GeneratedText& made) const { out << made.text; }
    void operator()(const std::vector<LabelScore>& labels) const {
      for (const LabelScore& each : labels) out << each.label << " " << each.score << "\n";
    }
    void operator()(const std::vector<FoundText>& spans) const {
      for (const FoundText& each : spans) {
        out << each.label << " " << each.text << " " << each.score << "\n";
      }
    }
    void operator()(const std::vector<FilledMask>& masks) const {
      for (const FilledMask& each : masks) out << each.sequence << " " << each.score << "\n";
    }
    void operator()(const Embeddings& vectors) const {
      out << vectors.rows() << " x " << vectors.columns();
    }
  };
  std::visit(Printer{out}, answer.value());
  return out;
}

}  // namespace hearth
