// POST / and /pipeline/{task}: the Inference API's {"inputs", "parameters"}.
#include "base/error.h"
#include "runtime/tasks/task.h"
#include "serving/model_server.h"

namespace hearth::serving {
namespace {

net::Response Answer(ModelServer& server, const runtime::Task& task, Json body,
                     const std::stop_token& left) {
  // feature-extraction has its parameters at the root, text-ranking its inputs.
  Json parameters = body.Find("parameters") != nullptr ? *body.Find("parameters") : body;
  Json inputs = body.Find("inputs") != nullptr ? *body.Find("inputs") : body;
  if (body.Find("inputs") == nullptr && body.Find("query") == nullptr &&
      body.Find("source_sentence") == nullptr && body.Find("question") == nullptr) {
    throw Error(Code::kUnprocessable, "missing field `inputs`");
  }
  return JsonAnswer(runtime::RunTask(server.runner(), task, inputs, parameters, left));
}

}  // namespace

net::Response GenerateStream(ModelServer& server, net::Request& http);

net::Response Infer(ModelServer& server, net::Request& http) {
  const runtime::Task* task = runtime::DefaultTask(server.runner().model());
  Json body = ReadBody(http);
  if (task->name == "text-generation") {
    const Json* stream = body.Find("stream");
    if (stream != nullptr && stream->AsBool().value_or(false)) return GenerateStream(server, http);
  }
  // A sentence model asked about sentences compares them.
  if (task->name == "feature-extraction" && body.Find("inputs") != nullptr &&
      body.Find("inputs")->Find("source_sentence") != nullptr) {
    task = runtime::FindTask("sentence-similarity");
  }
  if (const Json* parameters = body.Find("parameters");
      parameters != nullptr && parameters->Find("candidate_labels") != nullptr) {
    task = runtime::FindTask("zero-shot-classification");
  }
  return Answer(server, *task, std::move(body), http.left);
}

net::Response InferTask(ModelServer& server, net::Request& http) {
  const runtime::Task* task = runtime::FindTask(http.Capture("task"));
  if (task == nullptr) {
    throw Error(Code::kNotFound, "no task is called \"" + http.Capture("task") + "\"");
  }
  return Answer(server, *task, ReadBody(http), http.left);
}

}  // namespace hearth::serving
