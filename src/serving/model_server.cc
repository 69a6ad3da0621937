#include "serving/model_server.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "base/error.h"
#include "serving/later_answer.h"

namespace hearth::serving {
namespace {

// What TGI and TEI call the kinds of faults.
std::string_view ErrorType(Code code) {
  switch (code) {
    case Code::kTooManyRequests:
      return "overloaded";
    case Code::kInternal:
      return "generation";
    case Code::kUnavailable:
      return "unhealthy";
    default:
      return "validation";
  }
}

std::string_view OpenAiType(int status) {
  if (status == 401) return "authentication_error";
  if (status == 404) return "not_found_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

bool Allowed(const net::Request& request, const std::string& token) {
  if (token.empty()) return true;
  std::string given = request.headers.Get("authorization");
  std::string wanted = "Bearer " + token;
  // In constant time, so that no prefix can be guessed.
  unsigned char difference = given.size() == wanted.size() ? 0 : 1;
  for (size_t i = 0; i < std::min(given.size(), wanted.size()); ++i) {
    difference |= static_cast<unsigned char>(given[i] ^ wanted[i]);
  }
  return difference == 0;
}

// Of texts to embed: a sentence or a few are parsed and cut into tokens sooner than a thread of the
// pool would wake. More texts are waited for, and an adapter may have to be loaded.
bool IsQuick(const net::Request& request) {
  constexpr size_t kShortBytes = 4096;
  std::string_view body = request.body.memory();
  if (body.size() > kShortBytes || body.size() != request.body.size_bytes()) return false;
  // A text has two quotes, a list of tokens that stands for one a bracket.
  bool few = std::count(body.begin(), body.end(), '"') <= ptrdiff_t{2 * kFewTexts} &&
             std::count(body.begin(), body.end(), '[') <= ptrdiff_t{kFewTexts};
  // Also where its name is written in escapes.
  bool plain = body.find("adapter_id") == std::string_view::npos &&
               body.find("\\u00") == std::string_view::npos;
  return few && plain;
}

}  // namespace

std::span<const ServingRoute> ServingRoutes() {
  static constexpr ServingRoute kRoutes[] = {
#define HEARTH_ROUTE(method, pattern, handler, shape) {method, pattern, handler, shape, nullptr},
#define HEARTH_EMBED_ROUTE(method, pattern, handler, shape, embeds) \
  {method, pattern, handler, shape, embeds},
#include "serving/routes.inc"
#undef HEARTH_ROUTE
#undef HEARTH_EMBED_ROUTE
  };
  return kRoutes;
}

net::Response FaultAnswer(const Error& error, FaultShape shape) {
  int status = HttpStatus(error.code());
  Json body;
  if (shape == FaultShape::kOpenAi) {
    body = Json::Obj({{"error", Json::Obj({{"message", std::string(error.what())},
                                           {"type", OpenAiType(status)},
                                           {"param", Json()},
                                           {"code", Json()}})}});
  } else {
    body =
        Json::Obj({{"error", std::string(error.what())}, {"error_type", ErrorType(error.code())}});
  }
  net::Response response = net::Response::Bytes(status, "application/json", body.Dump());
  if (status == 429 || status == 503) response.headers.Set("Retry-After", "1");
  return response;
}

net::Response JsonAnswer(const Json& body) { return JsonTextAnswer(body.Dump()); }

net::Response JsonTextAnswer(std::string text) {
  return net::Response::Bytes(200, "application/json", std::move(text));
}

Json ReadBody(const net::Request& request) {
  Json body = Json::Parse(request.body.ReadAll());
  if (!body.is_object()) throw Error(Code::kInvalidArgument, "the body must be a JSON object");
  return body;
}

const Json& RequireInputs(const Json& body) {
  const Json* inputs = body.Find("inputs");
  if (inputs == nullptr) throw Error(Code::kUnprocessable, "missing field `inputs`");
  return *inputs;
}

ModelServer::ModelServer(runtime::Runner& runner, ModelServerOptions options)
    : runner_(runner),
      options_(std::move(options)),
      started_(std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count()) {
  std::span<const ServingRoute> routes = ServingRoutes();
  for (size_t i = 0; i < routes.size(); ++i) router_.Add(routes[i].method, routes[i].pattern, i);
}

net::Plan ModelServer::PlanFor(net::Request& request) {
  net::Plan plan;
  plan.body.max_bytes = plan.body.memory_bytes = options_.max_body_bytes;
  auto match = router_.Match(request.method == "HEAD" ? "GET" : request.method, request.raw_path);
  if (!match) {
    bool known = !router_.AllowedMethods(request.raw_path).empty();
    Error error(known ? Code::kMethodNotAllowed : Code::kNotFound,
                known ? "this path takes another method" : "no such path here");
    plan.answer = FaultAnswer(error, FaultShape::kInference);
    return plan;
  }
  request.captures = match->captures;
  ServingRoute route = ServingRoutes()[match->route];
  // Only a refusal is worth a thread of the pool before the body is read.
  if (std::string_view(route.pattern) != "/health" && !Allowed(request, options_.token)) {
    plan.admit = [route](net::Request&) -> std::optional<net::Response> {
      return FaultAnswer(Error(Code::kUnauthenticated, "a valid bearer token is needed"),
                         route.shape);
    };
  }
  size_t index = match->route;
  plan.handle = [this, index](net::Request& asked) { return Handle(index, asked); };
  if (route.embeds != nullptr && route.embeds(*this, request)) {
    plan.handle_at_once = [this, index](net::Request& asked) -> std::optional<net::Response> {
      if (runner_.FindEmbedder() == nullptr || !IsQuick(asked)) return std::nullopt;
      return Handle(index, asked);
    };
  }
  return plan;
}

net::Response ModelServer::Handle(size_t index, net::Request& request) {
  ServingRoute route = ServingRoutes()[index];
  auto start = std::chrono::steady_clock::now();
  net::Response response;
  try {
    response = route.handler(*this, request);
  } catch (const Error& error) {
    response = FaultAnswer(error, route.shape);
  }
  // A later answer tells its own.
  if (!std::holds_alternative<net::LaterBody>(response.body)) SetComputeTime(&response, start);
  response.route = route.pattern;
  return response;
}

}  // namespace hearth::serving
