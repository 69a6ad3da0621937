// POST /generate and /generate_stream: TGI's words.
#include "base/error.h"
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
  fields.inputs = RequireInputs(body);
  const Json* parameters = body.Find("parameters");
  if (parameters == nullptr || parameters->is_null()) return fields;
  if (!parameters->is_object()) throw Error(Code::kUnprocessable, "`parameters` must be an object");
  fields.parameters = *parameters;
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
  auto sink = [weak, text, samples = generation.samples,
               &model](const runtime::GenerationEvent& event) {
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
                                           {"seed", samples ? Json(event.seed) : Json()},
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

}  // namespace hearth::serving
