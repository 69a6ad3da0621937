#include "inference/internal/call.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "inference/internal/faults.h"

namespace hearth::inference {
namespace {

// An answer up to here is sent in one piece.
constexpr uint64_t kWholeBytes = 256 << 10;

// Of the connection, not of the answer (RFC 9110, 7.6.1), or the hub's own to say.
bool Passes(std::string_view name) {
  static constexpr std::array kDropped = {
      std::string_view("connection"),
      std::string_view("keep-alive"),
      std::string_view("proxy-connection"),
      std::string_view("proxy-authenticate"),
      std::string_view("transfer-encoding"),
      std::string_view("te"),
      std::string_view("trailer"),
      std::string_view("upgrade"),
      std::string_view("content-length"),
      std::string_view("date"),
      std::string_view("server"),
      std::string_view("x-request-id"),
      std::string_view("set-cookie"),
      std::string_view("www-authenticate"),
  };
  return std::none_of(kDropped.begin(), kDropped.end(),
                      [&](std::string_view each) { return AsciiEqualsIgnoreCase(each, name); });
}

constexpr char kBroken[] = "The model's worker ended before it had answered; try again";

}  // namespace

Call::Call(Request request, std::weak_ptr<Caller> caller, Answer answer, Over over)
    : request_(std::move(request)),
      caller_(std::move(caller)),
      answer_(std::move(answer)),
      over_(std::move(over)) {}

Call::~Call() {
  if (!sent_at_ || !request_.options.on_computed) return;
  std::chrono::duration<double> spent = std::chrono::steady_clock::now() - *sent_at_;
  request_.options.on_computed(spent.count());
}

void Call::SendTo(Upstream& upstream, const std::string& token) {
  sent_at_ = std::chrono::steady_clock::now();
  wire_ = request_.bytes_before_token + token + request_.bytes_after_token;
  upstream_ = upstream.Send(wire_, *this);
}

void Call::Refuse(net::Response response) { answer_(std::move(response)); }

void Call::Finish(net::Response response) {
  answer_(std::move(response));
  over_(*this, End::kAnswered);
}

void Call::Resume() {
  if (upstream_) upstream_->Resume();
}

void Call::OnHead(const net::ResponseParser& response) {
  response_ = net::Response::Empty(response.status());
  for (const auto& [name, value] : response.headers().fields()) {
    if (Passes(name)) response_.headers.Add(name, value);
  }
  if (response_.headers.Find("x-compute-type") == nullptr) {
    response_.headers.Set("x-compute-type", "cpu");
  }
  if (response_.headers.Find("x-compute-time") == nullptr) {
    std::chrono::duration<double> spent = std::chrono::steady_clock::now() - *sent_at_;
    response_.headers.Set("x-compute-time", std::to_string(spent.count()));
  }
  events_ = response_.headers.Get("content-type").starts_with("text/event-stream");
  length_ = response.length();
  streams_ = !length_ || *length_ > kWholeBytes;
  if (streams_) StartStream();
}

// The client gets the head now and the rest as it comes.
void Call::StartStream() {
  std::shared_ptr<Caller> caller = caller_.lock();
  if (!caller) return;
  net::StreamBody body;
  body.next = [caller](std::string* chunk) { return caller->pipe.Read(chunk); };
  body.wait = [caller](std::function<void()> ready) { caller->pipe.Wait(std::move(ready)); };
  body.length = length_;
  response_.body = std::move(body);
  answer_(std::move(response_));
}

void Call::OnData(std::string_view data) {
  if (!streams_) {
    body_ += data;
    return;
  }
  last_ = data.back();
  std::shared_ptr<Caller> caller = caller_.lock();
  if (caller && caller->pipe.Write(data)) upstream_->Pause();
}

void Call::OnDone() {
  if (!streams_) {
    response_.body = std::move(body_);
    return Finish(std::move(response_));
  }
  if (std::shared_ptr<Caller> caller = caller_.lock()) caller->pipe.End();
  over_(*this, End::kAnswered);
}

void Call::OnBroken() {
  if (!streams_ && !std::exchange(sent_again_, true)) {
    upstream_.reset();
    body_.clear();
    length_.reset();
    return over_(*this, End::kBroken);
  }
  if (!streams_) return Finish(FaultAnswer(request_.options.shape, 503, kBroken, 1));
  if (std::shared_ptr<Caller> caller = caller_.lock()) {
    if (events_) {
      if (last_ != '\n') caller->pipe.Write("\n\n");
      caller->pipe.Write(FaultEvent(request_.options.shape, kBroken));
      caller->pipe.End();
    } else {
      caller->pipe.Break();
    }
  }
  over_(*this, End::kAnswered);
}

void Call::OnUnreachable() {
  upstream_.reset();
  sent_at_.reset();
  over_(*this, End::kUnreachable);
}

}  // namespace hearth::inference
