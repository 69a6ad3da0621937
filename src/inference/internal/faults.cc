#include "inference/internal/faults.h"

#include <algorithm>
#include <cmath>

#include "codec/json.h"

namespace hearth::inference {
namespace {

std::string_view InferenceType(int status) {
  if (status == 429) return "overloaded";
  if (status == 503) return "unhealthy";
  return status < 500 ? "validation" : "generation";
}

std::string_view OpenAiType(int status) {
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

Json Body(FaultShape shape, int status, const std::string& message) {
  if (shape == FaultShape::kInference) {
    return Json::Obj({{"error", message}, {"error_type", InferenceType(status)}});
  }
  return Json::Obj({{"error", Json::Obj({{"message", message},
                                         {"type", OpenAiType(status)},
                                         {"param", Json()},
                                         {"code", Json()}})}});
}

}  // namespace

net::Response FaultAnswer(FaultShape shape, int status, const std::string& message,
                          int retry_after_seconds) {
  net::Response response =
      net::Response::Bytes(status, "application/json", Body(shape, status, message).Dump());
  if (retry_after_seconds > 0) {
    response.headers.Set("Retry-After", std::to_string(retry_after_seconds));
  }
  return response;
}

net::Response LoadingAnswer(FaultShape shape, const std::string& model, double estimated_seconds) {
  std::string message = "Model " + model + " is currently loading";
  double seconds = std::max(0.1, std::round(estimated_seconds * 10) / 10);
  Json body =
      shape == FaultShape::kInference ? Json::Obj({{"error", message}}) : Body(shape, 503, message);
  body.Set("estimated_time", seconds);
  net::Response response = net::Response::Bytes(503, "application/json", body.Dump());
  response.headers.Set("Retry-After", std::to_string(static_cast<int>(std::ceil(seconds))));
  return response;
}

std::string FaultEvent(FaultShape shape, const std::string& message) {
  return "data: " + Body(shape, 500, message).Dump() + "\n\n";
}

}  // namespace hearth::inference
