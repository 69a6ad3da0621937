// Answers HTTP for one loaded model in the words of several APIs: OpenAI, Hugging Face's Inference
// API, TGI and TEI.
//
// One file per family of routes in routes/, one line per route in routes.inc: method, pattern,
// handler and the shape of the family's errors. Runs in a worker process of the hub behind a Unix
// socket, or alone as `hearth worker`. Thread rule: net::Server calls it from many threads. Faults
// become the family's error bodies here and nowhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "codec/json.h"
#include "net/router.h"
#include "net/server.h"
#include "runtime/runner.h"

namespace hearth::serving {

// Of requests: texts, as TEI limits them; a picture or a sound of 10 MB, also as Base64 in JSON.
constexpr uint64_t kMaxBodyBytes = 2'000'000, kMaxFileBodyBytes = 14'000'000;

struct ModelServerOptions {
  std::string model_id;  // as answers name it
  // Requests must carry it as a bearer token; empty: anyone may ask.
  std::string token;
  uint64_t max_body_bytes = kMaxBodyBytes;
  // Requests may load adapters whose folders lie in here; empty: none.
  std::filesystem::path adapters_folder;
};

// How a family spells a fault.
enum class FaultShape : uint8_t {
  kOpenAi,     // {"error": {"message", "type", "param", "code"}}
  kInference,  // {"error", "error_type"}
};

class ModelServer : public net::Dispatcher {
 public:
  ModelServer(runtime::Runner& runner, ModelServerOptions options);
  net::Plan PlanFor(net::Request& request) override;

  runtime::Runner& runner() { return runner_; }
  const std::string& model_id() const { return options_.model_id; }
  const ModelServerOptions& options() const { return options_; }
  int64_t started_unix_seconds() const { return started_; }

 private:
  net::Response Handle(size_t route, net::Request& request);

  runtime::Runner& runner_;
  ModelServerOptions options_;
  int64_t started_;
  net::Router router_;
};

// A vector is written in the time that a fraction of a token takes to compute. So many are no
// burden to the threads that compute; the vectors of more texts are waited for and written by the
// thread that was asked for them.
constexpr size_t kFewTexts = 32;

using RouteHandler = net::Response (*)(ModelServer& server, net::Request& request);
// Whether all that the handler does with kFewTexts is to cut them into tokens and to leave these to
// the embedder. Never blocks.
using RouteEmbeds = bool (*)(ModelServer& server, const net::Request& request);

struct ServingRoute {
  const char* method;
  const char* pattern;
  RouteHandler handler;
  FaultShape shape;
  RouteEmbeds embeds;  // null: it does not
};
std::span<const ServingRoute> ServingRoutes();

#define HEARTH_ROUTE(method, pattern, handler, shape) \
  net::Response handler(ModelServer& server, net::Request& request);
#define HEARTH_EMBED_ROUTE(method, pattern, handler, shape, embeds) \
  HEARTH_ROUTE(method, pattern, handler, shape)                     \
  bool embeds(ModelServer& server, const net::Request& request);
#include "serving/routes.inc"
#undef HEARTH_ROUTE
#undef HEARTH_EMBED_ROUTE

// The status and body of a fault.
net::Response FaultAnswer(const Error& error, FaultShape shape);
net::Response JsonAnswer(const Json& body);
net::Response JsonTextAnswer(std::string text);
// The request's body as a JSON object; throws kInvalidArgument.
Json ReadBody(const net::Request& request);
// The body's "inputs", as TGI and TEI name them; throws kUnprocessable when there are none.
const Json& RequireInputs(const Json& body);

}  // namespace hearth::serving
