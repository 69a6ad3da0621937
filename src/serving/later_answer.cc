#include "serving/later_answer.h"

#include <fmt/format.h>

#include <exception>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace hearth::serving {
namespace {

using Steady = std::chrono::steady_clock;

// Lives as long as the body of the response, which dies when the client leaves.
struct Presence {
  std::stop_source left;
  ~Presence() { left.request_stop(); }
};

net::Response Made(const std::function<net::Response()>& make, FaultShape shape) {
  try {
    return make();
  } catch (const Error& error) {
    return FaultAnswer(error, shape);
  } catch (const std::exception& error) {
    log::LogError("a computation failed", {{"reason", error.what()}});
    return FaultAnswer(Error(Code::kInternal, "Internal server error"), shape);
  }
}

}  // namespace

net::Response AnswerLater(FaultShape shape,
                          std::function<void(const std::stop_token& left, GiveAnswer give)> begin) {
  net::Response response;
  auto presence = std::make_shared<Presence>();
  response.body = net::LaterBody{[shape, presence, begin = std::move(begin), began = Steady::now()](
                                     std::function<void(net::Response)> answer) {
    begin(presence->left.get_token(),
          [shape, began, answer = std::move(answer)](const std::function<net::Response()>& make) {
            net::Response made = Made(make, shape);
            SetComputeTime(&made, began);
            answer(std::move(made));
          });
  }};
  return response;
}

void SetComputeTime(net::Response* response, Steady::time_point begin) {
  auto spent = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begin);
  constexpr int64_t kSecond = 1'000'000;
  const int64_t micros = spent.count();
  response->headers.Set("x-compute-type", "cpu");
  response->headers.Set("x-compute-time",
                        fmt::format("{}.{:06}", micros / kSecond, micros % kSecond));
}

}  // namespace hearth::serving
