// POST /predict and /rerank: TEI's words.
#include "base/error.h"
#include "runtime/tasks/inputs.h"
#include "serving/model_server.h"

namespace hearth::serving {
namespace {

Json RunNamed(ModelServer& server, std::string_view name, const Json& inputs,
              const Json& parameters, const std::stop_token& left) {
  return runtime::RunTask(server.runner(), *runtime::FindTask(name), inputs, parameters, left);
}

[[noreturn]] void RefuseInputs() {
  throw Error(Code::kUnprocessable,
              "`inputs` must be a string, a pair of strings [string, string] or a batch of mixed "
              "strings and pairs [[string], [string, string], ...]");
}

// Longer texts are refused unless the request says otherwise.
void SetTextLimit(const Json& body, Json* parameters) {
  parameters->Set("truncate", runtime::ReadFlag(body, "truncate").value_or(false));
  if (const Json* side = body.Find("truncation_direction"))
    parameters->Set("truncation_direction", *side);
}

// A list of one string or two.
Json Sequence(const Json& list) {
  const Json::Array& parts = *list.AsArray();
  if (parts.empty() || parts.size() > 2) RefuseInputs();
  if (parts.size() == 1) return parts[0];
  return Json::Obj({{"text", parts[0]}, {"text_pair", parts[1]}});
}

// As text-classification reads them.
Json Sequences(const Json& inputs) {
  const Json::Array* list = inputs.AsArray();
  if (list == nullptr) return inputs;
  if (list->empty()) RefuseInputs();
  if (list->front().AsString() != nullptr) return Sequence(inputs);
  Json sequences = Json::Arr();
  for (const Json& each : *list) sequences.Push(each.AsArray() != nullptr ? Sequence(each) : each);
  return sequences;
}

}  // namespace

// One sequence: its labels; a batch: a list of these.
net::Response Predict(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  Json inputs = Sequences(RequireInputs(body));
  Json parameters = Json::Obj();
  if (runtime::ReadFlag(body, "raw_scores").value_or(false))
    parameters.Set("function_to_apply", "none");
  if (const Json* adapter = body.Find("adapter_id")) parameters.Set("adapter_id", *adapter);
  SetTextLimit(body, &parameters);
  Json answers = RunNamed(server, "text-classification", inputs, parameters, http.left);
  return JsonAnswer(inputs.is_array() ? answers : answers.AsArray()->front());
}

net::Response Rerank(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  Json parameters = body;
  SetTextLimit(body, &parameters);
  return JsonAnswer(RunNamed(server, "text-ranking", body, parameters, http.left));
}

}  // namespace hearth::serving
