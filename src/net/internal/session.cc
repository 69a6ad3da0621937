#include "net/internal/session.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"

namespace hearth::net {
namespace {

constexpr size_t kHeadReadBytes = 16 << 10;
// After a final reply the peer may still be sending: closing at once would reset the connection and
// could destroy the reply on its way (RFC 9112, 9.6). Long enough for a client to notice, short
// enough not to collect dead connections.
constexpr auto kLingerTime = std::chrono::seconds(10);

}  // namespace

void ServerContext::NoteClosed() {
  --connections_open;
  if (!draining) return;
  std::lock_guard lock(mutex_);
  closed_.notify_all();
}

bool ServerContext::WaitUntilEmpty(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return closed_.wait_for(lock, limit, [this] { return connections_open == 0; });
}

Session::Session(ServerContext& context, Loop& loop, UniqueFd fd, const TlsContext* tls,
                 std::string peer)
    : context_(context),
      loop_(loop),
      fd_(std::move(fd)),
      stream_(tls ? tls->MakeStream(fd_.get()) : MakePlainStream(fd_.get())),
      peer_(std::move(peer)) {
  ++context_.connections_total;
  ++context_.connections_open;
}

Session::~Session() {
  if (phase_ != Phase::kClosed) context_.NoteClosed();
}

void Session::Start() {
  watch_.Start<&Session::OnEvents>(loop_, fd_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                   this);
  loop_.Add(shared_from_this());
  deadline_ = loop_.now() + context_.options.header_timeout;
  Handshake();
}

void Session::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  auto self = shared_from_this();
  context_.NoteClosed();
  watch_.Stop();
  fd_.Reset();
  loop_.Remove(self);
  if (pause_) {
    loop_.Cancel(*pause_);
    pause_.reset();
    busy_ = false;
  }
  // A worker still uses the exchange: its completion disposes of it.
  if (!busy_) return DisposeExchange();
  TellOfLeaving();
}

// Nobody waits for what a worker does.
void Session::TellOfLeaving() {
  if (exchange_) exchange_->left.request_stop();
}

void Session::OnEvents(uint32_t events) {
  constexpr uint32_t kBroken = EPOLLERR | EPOLLHUP;
  if (events & (EPOLLRDHUP | kBroken)) hung_up_ = true;
  if (events & (EPOLLIN | EPOLLRDHUP | kBroken)) unread_ = true;
  if (asleep_ && hung_up_) {
    auto self = shared_from_this();
    return Close();
  }
  if (hung_up_ && phase_ == Phase::kWork) TellOfLeaving();
  uint32_t awaited = waiting_ == Waiting::kInput    ? EPOLLIN | EPOLLRDHUP | kBroken
                     : waiting_ == Waiting::kOutput ? EPOLLOUT | kBroken
                                                    : 0u;
  if (!(events & awaited)) return;
  waiting_ = Waiting::kNothing;
  auto self = shared_from_this();  // Close takes it from the loop
  OnReady();
}

void Session::Wait(IoStatus want) {
  waiting_ = want == IoStatus::kWantWrite ? Waiting::kOutput : Waiting::kInput;
}

void Session::Yield() {
  waiting_ = Waiting::kTurn;
  auto self = shared_from_this();
  loop_.Post([self, turn = ++turn_] {
    if (turn != self->turn_ || self->phase_ == Phase::kClosed) return;
    self->waiting_ = Waiting::kNothing;
    self->OnReady();
  });
}

// A timer decides something else while the peer was waited for.
void Session::AbandonWait() {
  waiting_ = Waiting::kNothing;
  ++turn_;
}

// A read shorter than asked for has emptied the socket, and what comes later makes an edge; only
// the end of input may have been reported together with the bytes before it.
IoResult Session::Read(char* out, size_t size) {
  IoResult result = stream_->Read(out, size);
  unread_ = result.status == IoStatus::kOk && (result.bytes == size || hung_up_);
  received_ += result.bytes;
  context_.bytes_in += result.bytes;
  return result;
}

void Session::OnReady() {
  switch (phase_) {
    case Phase::kHandshake:
      return Handshake();
    case Phase::kHead:
      return ReadHead();
    case Phase::kBody:
      return ReadBody();
    case Phase::kRespond:
      return Pump();
    case Phase::kLinger:
      return Linger();
    case Phase::kWork:
    case Phase::kClosed:
      return;
  }
}

void Session::Handshake() {
  IoResult result = stream_->Handshake();
  switch (result.status) {
    case IoStatus::kOk:
      return AwaitRequest();
    case IoStatus::kWantRead:
    case IoStatus::kWantWrite:
      return Wait(result.status);
    case IoStatus::kEnd:
    case IoStatus::kFailed:
      return Close();
  }
}

void Session::AwaitRequest() {
  phase_ = Phase::kHead;
  head_started_ = false;
  scanned_ = 0;
  deadline_ = loop_.now() + context_.options.idle_timeout;
  if (!in_.empty()) {
    // Through the queue, so that a burst of pipelined requests neither nests calls nor starves
    // others.
    auto self = shared_from_this();
    loop_.Post([self] {
      if (self->phase_ != Phase::kHead) return;
      std::string bytes = std::exchange(self->in_, {});
      self->ProcessInput(bytes);
    });
    return;
  }
  if (context_.draining) return Close();
  AwaitInput();
}

// For more of a head, or the next one.
void Session::AwaitInput() {
  // A TLS record may already be decrypted, so the stream is asked before the socket.
  if (unread_ || stream_->secure()) return Yield();
  Wait(IoStatus::kWantRead);
}

void Session::ReadHead() {
  IoResult result = Read(loop_.scratch(), kHeadReadBytes);
  if (result.status == IoStatus::kWantRead || result.status == IoStatus::kWantWrite) {
    return Wait(result.status);
  }
  if (result.status != IoStatus::kOk) return Close();
  std::string_view fresh(loop_.scratch(), result.bytes);
  if (in_.empty()) return ProcessInput(fresh);
  in_.append(fresh);
  std::string bytes = std::exchange(in_, {});
  ProcessInput(bytes);
}

// `bytes` is not a view into in_.
void Session::ProcessInput(std::string_view bytes) {
  // Empty lines before a request are ignored (RFC 9112, 2.2).
  while (!head_started_ && bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  if (bytes.empty() || (!head_started_ && bytes == "\r")) {
    in_ = bytes;
    return AwaitInput();
  }
  if (!head_started_) {
    head_started_ = true;
    deadline_ = loop_.now() + context_.options.header_timeout;
  }
  size_t head_bytes = 0;
  auto fault = FindHeadEnd(bytes, context_.limits, &scanned_, &head_bytes);
  if (fault) return RespondFault(fault->status, fault->message);
  if (head_bytes == 0) {
    in_ = bytes;
    return AwaitInput();
  }
  auto head = ParseHead(bytes.substr(0, head_bytes), context_.limits);
  in_ = bytes.substr(head_bytes);
  if (auto* bad = std::get_if<HeadFault>(&head)) return RespondFault(bad->status, bad->message);
  BeginRequest(std::get<RequestHead>(std::move(head)));
}

void Session::StartLinger() {
  phase_ = Phase::kLinger;
  std::string().swap(in_);
  stream_->SetLowWater(1);
  stream_->SayGoodbye();
  ::shutdown(fd_.get(), SHUT_WR);
  deadline_ = loop_.now() + kLingerTime;
  Linger();
}

void Session::Linger() {
  // Straight from the socket: what a TLS peer still says does not matter.
  for (int i = 0; i < 16; ++i) {
    ssize_t got = ::recv(fd_.get(), loop_.scratch(), Loop::kScratchBytes, 0);
    if (got > 0) continue;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Wait(IoStatus::kWantRead);
    return Close();
  }
  Yield();
}

void Session::Drain() {
  if (phase_ == Phase::kHandshake || phase_ == Phase::kLinger ||
      (phase_ == Phase::kHead && !head_started_ && in_.empty()))
    Close();
}

bool Session::TooSlow(SteadyTime now, uint64_t moved) {
  auto window = context_.options.progress_timeout;
  if (now - window_start_ < window) return false;
  uint64_t needed = context_.options.min_rate_bytes * static_cast<uint64_t>(window.count()) / 1000;
  uint64_t progress = moved - std::min(moved, window_moved_);
  window_start_ = now;
  window_moved_ = moved;
  return progress < std::max<uint64_t>(needed, 1);
}

bool Session::PeerHasLeft() const {
  pollfd poll{fd_.get(), POLLRDHUP, 0};
  return ::poll(&poll, 1, 0) > 0 && (poll.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void Session::Tick(SteadyTime now) {
  switch (phase_) {
    case Phase::kHandshake:
    case Phase::kLinger:
      if (now >= deadline_) Close();
      return;
    case Phase::kHead:
      if (now < deadline_) return;
      if (head_started_) return RespondFault(408, "the request head took too long");
      return Close();
    case Phase::kBody:
      if (waiting_ == Waiting::kInput) {
        // Less than the low-water mark may lie in the socket.
        waiting_ = Waiting::kNothing;
        ReadBody();
        if (phase_ != Phase::kBody) return;
      }
      if (waiting_ != Waiting::kNothing) {
        FlushBlock();
        if (TooSlow(now, received_)) RespondFault(408, "the request body came too slowly");
        return;
      }
      break;
    case Phase::kRespond:
      if (waiting_ != Waiting::kNothing) {
        // What the kernel still holds has not reached the peer. Without this, a full send buffer
        // would look like no progress at all for as long as a slow reader needs to empty it.
        int queued = 0;
        ::ioctl(fd_.get(), SIOCOUTQ, &queued);
        if (TooSlow(now, sent_ - std::min<uint64_t>(sent_, static_cast<uint64_t>(queued)))) Close();
        return;
      }
      if (PeerHasLeft()) return Close();
      break;
    case Phase::kWork:
    case Phase::kClosed:
      break;
  }
  window_start_ = now;
  window_moved_ = phase_ == Phase::kRespond ? sent_ : received_;
}

}  // namespace hearth::net
