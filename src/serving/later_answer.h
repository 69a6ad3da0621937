// Answers of handlers that begin a computation and end: no thread of the pool waits for it.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "serving/model_server.h"

namespace hearth::serving {

// To be called once, from any thread, by whoever computed: `make` gives the response, or throws
// what becomes the family's error body.
using GiveAnswer = std::function<void(const std::function<net::Response()>& make)>;

// `begin` is called once, on an I/O thread, and must not block; `left` is asked to stop when the
// client leaves.
net::Response AnswerLater(FaultShape shape,
                          std::function<void(const std::stop_token& left, GiveAnswer give)> begin);

// The fields that tell what an answer has cost.
void SetComputeTime(net::Response* response, std::chrono::steady_clock::time_point begin);

}  // namespace hearth::serving
