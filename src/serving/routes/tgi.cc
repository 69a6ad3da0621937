// POST /generate and /generate_stream, GET /info, /health and /metrics: TGI's words.
#include <fmt/format.h>

#include "base/error.h"
#include "runtime/tasks/embeddings.h"
#include "runtime/tasks/text_generation.h"
#include "serving/event_stream.h"
#include "serving/model_server.h"

namespace hearth::serving {
namespace {

struct Fields {
  Json inputs, parameters = Json::Obj();
};

Fields ReadFields(const net::Request& http) {
  Json body = ReadBody(http);
  Fields fields;
  const Json* inputs = body.Find("inputs");
  if (inputs == nullptr) throw Error(Code::kUnprocessable, "missing field `inputs`");
  fields.inputs = *inputs;
  if (const Json* parameters = body.Find("parameters"); parameters && parameters->is_object()) {
    fields.parameters = *parameters;
  }
  return fields;
}

void NeedGenerator(ModelServer& server) {
  const runtime::Task* task = runtime::FindTask("text-generation");
  if (auto refusal = task->refusal(server.runner().model())) {
    throw Error(Code::kUnprocessable, *refusal);
  }
}

}  // namespace

net::Response Generate(ModelServer& server, net::Request& http) {
  NeedGenerator(server);
  Fields fields = ReadFields(http);
  Json answers = runtime::RunTask(server.runner(), *runtime::FindTask("text-generation"),
                                  fields.inputs, fields.parameters, http.left);
  return JsonAnswer(answers.AsArray()->front());
}

net::Response GenerateStream(ModelServer& server, net::Request& http) {
  NeedGenerator(server);
  Fields fields = ReadFields(http);
  runtime::TextGeneration generation =
      runtime::ReadTextGeneration(server.runner(), fields.inputs, fields.parameters);
  if (generation.request.beams || generation.sequences > 1) {
    throw Error(Code::kUnprocessable, "several texts and beams cannot be streamed");
  }
  if (generation.best_of > 1)
    throw Error(Code::kUnprocessable, "`best_of` != 1 is not supported when streaming tokens");
  if (generation.request.prompt_logprobs)
    throw Error(Code::kUnprocessable,
                "`decoder_input_details` == true is not supported when streaming tokens");
  const runtime::Model& model = server.runner().model();
  runtime::Engine& engine = server.runner().engine();
  auto stream = std::make_shared<EventStream>(engine);
  std::weak_ptr<EventStream> weak = stream;
  auto text = std::make_shared<std::string>();
  if (generation.return_full_text) *text = generation.prompt;
  auto sink = [weak, text, &model](const runtime::GenerationEvent& event) {
    auto out = weak.lock();
    if (out == nullptr) return false;
    *text += event.text;
    if (event.error) {
      out->Push(std::get<std::string>(FaultAnswer(*event.error, FaultShape::kInference).body));
    } else if (event.token) {
      Json token = runtime::TgiToken(model, *event.token, event.is_special);
      // What became final, rather than the token alone, so that characters stay whole.
      if (!event.is_special) token.Set("text", event.text);
      Json data = Json::Obj({{"index", event.generated_tokens}, {"token", std::move(token)}});
      if (!event.token->top.empty()) {
        data.Set("top_tokens", runtime::TgiTopTokens(model, *event.token));
      }
      data.Set("generated_text", event.is_last() ? Json(*text) : Json());
      data.Set("details", event.is_last()
                              ? Json::Obj({{"finish_reason", runtime::TgiFinishReason(event.stop)},
                                           {"generated_tokens", event.generated_tokens},
                                           {"seed", event.seed},
                                           {"input_length", event.prompt_tokens}})
                              : Json());
      out->Push(data.Dump());
    }
    if (event.is_last()) out->Close();
    return true;
  };
  stream->Owns(engine.Submit(std::move(generation.request), sink));
  return EventAnswer(std::move(stream));
}

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
