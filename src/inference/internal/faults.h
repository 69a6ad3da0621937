// What the hub itself says to a client about a model that does not answer, in the words of either
// family of routes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "inference/scheduler.h"
#include "net/http.h"

namespace hearth::inference {

// {"error", "error_type"} or {"error": {"message", "type", "param", "code"}}.
net::Response FaultAnswer(FaultShape shape, int status, const std::string& message,
                          int retry_after_seconds = 0);
// 503 {"error": "Model X is currently loading", "estimated_time": N}.
net::Response LoadingAnswer(FaultShape shape, const std::string& model, double estimated_seconds);
// An event of a stream, said in place of what would have followed.
std::string FaultEvent(FaultShape shape, const std::string& message);

}  // namespace hearth::inference
