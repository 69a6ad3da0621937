// Session, responses that others drive: answers that come later and streams that say when they go
// on. Nobody waits for them but the session itself, which ends when the peer leaves.
#include <memory>
#include <utility>

#include "base/log.h"
#include "net/internal/session.h"

namespace hearth::net {

// False when the peer has left already, and the session with it.
bool Session::FallAsleep() {
  waiting_ = Waiting::kNothing;
  asleep_ = true;
  ++sleep_;
  if (!hung_up_) return true;
  Close();
  return false;
}

void Session::AwaitAnswer() {
  auto self = shared_from_this();
  if (!FallAsleep()) return;
  auto answer = [weak = std::weak_ptr(self), sleep = sleep_](Response response) {
    std::shared_ptr<Session> session = weak.lock();
    if (!session) return;
    // A response cannot be copied, as a task must be.
    auto kept = std::make_shared<Response>(std::move(response));
    session->loop_.Post([session, sleep, kept] { session->OnAnswer(sleep, std::move(*kept)); });
  };
  try {
    exchange_->reply.later->start(answer);
  } catch (const std::exception& error) {
    log::LogError("a later answer could not be started",
                  {{"request_id", exchange_->request.request_id}, {"reason", error.what()}});
    answer(ErrorResponse(500, "Internal server error"));
  }
}

void Session::OnAnswer(uint64_t sleep, Response response) {
  if (!asleep_ || sleep_ != sleep || phase_ == Phase::kClosed) return;
  asleep_ = false;
  Exchange& x = *exchange_;
  for (const auto& [name, value] : x.reply.headers.fields()) {
    if (response.headers.Find(name) == nullptr) response.headers.Add(name, value);
  }
  if (response.route.empty()) response.route = x.reply.route;
  auto old = std::make_shared<Reply>(std::move(x.reply));
  x.reply = BuildReply(std::move(response), ContextFor(x));
  // What the old reply held may take time to go, unless its handler said otherwise.
  if (!x.plan.handle_at_once) context_.pool->Submit([old] {});
  Respond();
}

// The next piece of a stream that says when there is one; false when it has none now, or the
// connection was closed.
bool Session::PullReady() {
  Exchange& x = *exchange_;
  auto self = shared_from_this();
  out_.clear();
  out_at_ = 0;
  PullOnWorker();
  if (!TakeChunk()) return false;
  if (!x.pulled_nothing || x.source_done) return true;
  if (!FallAsleep()) return false;
  x.reply.stream->wait([weak = std::weak_ptr(self), sleep = sleep_] {
    std::shared_ptr<Session> session = weak.lock();
    if (!session) return;
    session->loop_.Post([session, sleep] { session->OnReadyToPull(sleep); });
  });
  return false;
}

void Session::OnReadyToPull(uint64_t sleep) {
  if (!asleep_ || sleep_ != sleep || phase_ == Phase::kClosed) return;
  asleep_ = false;
  Pump();
}

}  // namespace hearth::net
