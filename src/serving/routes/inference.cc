// POST / and /pipeline/{task}: the Inference API's {"inputs", "parameters"}, or the bare bytes of a
// picture or a sound.
#include "base/bytes.h"
#include "base/error.h"
#include "runtime/tasks/media_inputs.h"
#include "runtime/tasks/task.h"
#include "serving/vectors_answer.h"

namespace hearth::serving {
namespace {

net::Response Answer(ModelServer& server, const runtime::Task& task, const Json& body,
                     const net::Request& http) {
  // feature-extraction has its parameters at the root, text-ranking its inputs.
  const Json *own_parameters = body.Find("parameters"), *own_inputs = body.Find("inputs");
  if (own_parameters != nullptr && !own_parameters->is_object() && !own_parameters->is_null())
    throw Error(Code::kUnprocessable, "`parameters` must be an object");
  const Json& parameters = own_parameters != nullptr ? *own_parameters : body;
  const Json& inputs = own_inputs != nullptr ? *own_inputs : body;
  if (own_inputs == nullptr && body.Find("query") == nullptr &&
      body.Find("source_sentence") == nullptr && body.Find("question") == nullptr) {
    throw Error(Code::kUnprocessable, "missing field `inputs`");
  }
  if (runtime::TakesFile(task)) {
    return AnswerTask(server, http, task, runtime::FilesOf(inputs), parameters);
  }
  return AnswerTask(server, http, task, inputs, parameters);
}

// A file without anything around it. Clients may leave its type out; none begins as JSON does.
bool IsBareFile(const net::Request& http, std::string_view body) {
  std::string type = AsciiLower(http.headers.Get("content-type"));
  if (type.starts_with("image/") || type.starts_with("audio/")) return true;
  return !type.starts_with("application/json") && !body.starts_with('{');
}

net::Response AnswerFile(ModelServer& server, const runtime::Task& task, net::Request& http) {
  std::string body = http.body.ReadAll();
  if (IsBareFile(http, body)) {
    return AnswerTask(server, http, task, Json(std::move(body)), Json::Obj());
  }
  Json request = Json::Parse(body);
  if (!request.is_object()) throw Error(Code::kInvalidArgument, "the body must be a JSON object");
  return Answer(server, task, request, http);
}

}  // namespace

net::Response GenerateStream(ModelServer& server, net::Request& http);

net::Response Infer(ModelServer& server, net::Request& http) {
  const runtime::Task* task = runtime::DefaultTask(server.runner().model());
  if (runtime::TakesFile(*task)) return AnswerFile(server, *task, http);
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
  return Answer(server, *task, body, http);
}

bool InferEmbeds(ModelServer& server, const net::Request&) {
  const runtime::Model& model = server.runner().model();
  return runtime::Embeds(*runtime::DefaultTask(model), model);
}

bool TaskEmbeds(ModelServer& server, const net::Request& http) {
  const runtime::Task* task = runtime::FindTask(http.RawCapture("task"));
  return task != nullptr && runtime::Embeds(*task, server.runner().model());
}

net::Response InferTask(ModelServer& server, net::Request& http) {
  const runtime::Task* task = runtime::FindTask(http.Capture("task"));
  if (task == nullptr) {
    throw Error(Code::kNotFound, "no task is called \"" + http.Capture("task") + "\"");
  }
  if (runtime::TakesFile(*task)) return AnswerFile(server, *task, http);
  return Answer(server, *task, ReadBody(http), http);
}

}  // namespace hearth::serving
