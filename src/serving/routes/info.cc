// GET /info, /health and /metrics: what is served and how it does, in the words of TGI and TEI.
#include <fmt/format.h>

#include "base/error.h"
#include "runtime/tasks/inputs.h"
#include "serving/model_server.h"

namespace hearth::serving {
namespace {

// Of one round of the encoder (kRoundRows); more are computed in several.
constexpr uint32_t kMaxBatchTokens = 16384;

std::string_view PoolingName(tensor::Pooling pooling) {
  switch (pooling) {
    case tensor::Pooling::kFirst:
      return "cls";
    case tensor::Pooling::kLast:
      return "lasttoken";
    case tensor::Pooling::kMax:
      return "max";
    case tensor::Pooling::kMeanSqrtLength:
      return "mean_sqrt_len_tokens";
    case tensor::Pooling::kWeightedMean:
      return "weightedmean";
    case tensor::Pooling::kMean:
      break;
  }
  return "mean";
}

std::string_view PoolingOf(const runtime::Model& model) {
  const runtime::SentenceModules* modules = model.sentence_modules();
  if (modules == nullptr) return PoolingName(tensor::Pooling::kMean);
  for (const runtime::SentenceModule& module : modules->modules) {
    if (module.kind == runtime::SentenceModule::Kind::kPooling && !module.poolings.empty())
      return PoolingName(module.poolings.front());
  }
  return PoolingName(tensor::Pooling::kMean);
}

// {"embedding": {"pooling"}}, {"classifier": labels} or {"reranker": labels}.
Json TeiModelType(const runtime::Model& model) {
  if (model.head() != runtime::Head::kSequenceClassification || model.sentence_modules())
    return Json::Obj({{"embedding", Json::Obj({{"pooling", PoolingOf(model)}})}});
  Json names = Json::Obj(), numbers = Json::Obj();
  const Json* known = model.config().Find({"id2label"});
  auto count = known != nullptr ? static_cast<uint32_t>(known->size())
                                : model.config().Count({"num_labels"}, 2u);
  for (uint32_t i = 0; i < count; ++i) {
    names.Set(std::to_string(i), model.Label(i));
    numbers.Set(model.Label(i), i);
  }
  Json labels = Json::Obj({{"id2label", std::move(names)}, {"label2id", std::move(numbers)}});
  return Json::Obj({{count == 1 ? "reranker" : "classifier", std::move(labels)}});
}

}  // namespace

net::Response Info(ModelServer& server, net::Request&) {
  const runtime::Model& model = server.runner().model();
  const runtime::Task* task = runtime::DefaultTask(model);
  bool generates = model.head() == runtime::Head::kCausalLm;
  Json info = Json::Obj({{"model_id", server.model_id()},
                         {"model_sha", Json()},
                         {"model_pipeline_tag", task != nullptr ? Json(task->name) : Json()},
                         {"model_dtype", runtime::PrecisionName(model.options().precision)},
                         {"model_device_type", "cpu"},
                         {"version", HEARTH_VERSION}});
  uint32_t most = generates ? server.runner().engine().max_tokens() : model.max_text_tokens();
  info.Set("max_input_length", most).Set("max_total_tokens", most);
  info.Set("max_client_batch_size", 32).Set("max_concurrent_requests", 512);
  info.Set("sha", Json()).Set("docker_label", Json());
  if (generates) {
    info.Set("router", "text-generation-router");
  } else if (!runtime::NeedsTexts(model)) {
    info.Set("model_type", TeiModelType(model)).Set("auto_truncate", false);
    info.Set("max_batch_tokens", kMaxBatchTokens).Set("max_batch_requests", Json());
    info.Set("tokenization_workers", 1);
  }
  return JsonAnswer(info);
}

net::Response Health(ModelServer&, net::Request&) { return net::Response::Text(200, ""); }

// Prometheus' text form, under the names that TGI's and TEI's dashboards know.
net::Response Metrics(ModelServer& server, net::Request&) {
  std::string text;
  auto add = [&](std::string_view name, std::string_view kind, uint64_t value) {
    text += fmt::format("# TYPE {} {}\n{} {}\n", name, kind, name, value);
  };
  if (runtime::Engine* engine = server.runner().FindEngine()) {
    runtime::EngineState state = engine->state();
    add("tgi_batch_current_size", "gauge", state.running);
    add("tgi_queue_size", "gauge", state.waiting);
    add("tgi_request_generated_tokens_total", "counter", state.generated_tokens);
    add("hearth_computed_tokens_total", "counter", state.computed_tokens);
    add("hearth_steps_total", "counter", state.steps);
    add("hearth_preempted_total", "counter", state.preempted);
    add("hearth_kv_pages", "gauge", state.pages);
    add("hearth_kv_pages_available", "gauge", state.pages_available);
  }
  if (runtime::Encoder* embedder = server.runner().FindEmbedder()) {
    runtime::EncoderState state = embedder->state();
    add("te_queue_size", "gauge", state.waiting);
    add("hearth_embedded_texts_total", "counter", state.texts);
    add("hearth_embedded_tokens_total", "counter", state.tokens);
    add("hearth_left_texts_total", "counter", state.left_texts);
  }
  return net::Response::Bytes(200, "text/plain; version=0.0.4", text);
}

}  // namespace hearth::serving
