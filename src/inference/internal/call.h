// One request on its way through the hub to a worker and back.
//
// Lives in the event loop. The client's side is a Caller: held by the response that net sends, so
// that its end, however it comes, ends the call.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "inference/internal/event_loop.h"
#include "inference/internal/pipe.h"
#include "inference/internal/upstream.h"
#include "inference/scheduler.h"
#include "inference/snapshot.h"
#include "net/http.h"

namespace hearth::inference {

using PlanPtr = std::shared_ptr<const SnapshotPlan>;

// The client's side; any thread. `gone` runs when nothing of the response is left.
struct Caller {
  explicit Caller(std::function<void()> gone) : on_gone(std::move(gone)) {}
  ~Caller() { on_gone(); }
  Caller(const Caller&) = delete;
  std::function<void()> on_gone;
  Pipe pipe;
};

class Call : public UpstreamSink {
 public:
  using Answer = std::function<void(net::Response)>;

  struct Request {
    uint64_t id = 0;
    PlanPtr plan;
    std::string bytes_before_token;  // the head up to where the worker's token goes
    std::string bytes_after_token;   // the rest of the head, and the body
    ForwardOptions options;
  };
  enum class End {
    kAnswered,
    kUnreachable,  // nothing was sent: the call may be sent to another worker
    // The worker ended before it had answered, and the client has seen nothing: models compute and
    // change nothing, so the call may be sent once more. Once, as it may be what ends workers.
    kBroken,
  };
  // `over` is told when the call needs its worker no more; it may destroy this object.
  using Over = std::function<void(Call& call, End end)>;
  Call(Request request, std::weak_ptr<Caller> caller, Answer answer, Over over);
  ~Call() override;

  const Request& request() const { return request_; }
  void SendTo(Upstream& upstream, const std::string& token);
  // Answers without a worker; the call is over, and `over` is not told.
  void Refuse(net::Response response);
  void Resume();

  std::optional<EventLoop::TimerId> hold_timer;
  uint64_t worker = 0;  // the generation that answers; 0 = it waits

 private:
  void OnHead(const net::ResponseParser& response) override;
  void OnData(std::string_view data) override;
  void OnDone() override;
  void OnBroken() override;
  void OnUnreachable() override;
  void StartStream();
  void Finish(net::Response response);

  Request request_;
  std::weak_ptr<Caller> caller_;
  Answer answer_;
  Over over_;
  std::string wire_;
  std::unique_ptr<UpstreamCall> upstream_;
  net::Response response_;
  std::string body_;
  bool streams_ = false, events_ = false;
  char last_ = '\n';  // of an event stream
  std::optional<uint64_t> length_;
  bool sent_again_ = false;
  std::optional<std::chrono::steady_clock::time_point> sent_at_;
};

}  // namespace hearth::inference
