#include "inference/internal/upstream.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace hearth::inference {
namespace {

constexpr size_t kReadBytes = 64 << 10;

}  // namespace

UniqueFd ConnectUnix(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) {
    errno = ENAMETOOLONG;
    return {};
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return {};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return {};
  return fd;
}

std::unique_ptr<UpstreamCall> Upstream::Send(const std::string& request, UpstreamSink& sink) {
  std::unique_ptr<UpstreamCall> call(new UpstreamCall(*this, request, sink));
  UniqueFd connection;
  if (!idle_.empty()) {
    connection = std::move(idle_.back());
    idle_.pop_back();
  }
  call->Open(std::move(connection));
  return call;
}

UpstreamCall::UpstreamCall(Upstream& upstream, const std::string& request, UpstreamSink& sink)
    : upstream_(upstream), sink_(sink), request_(request) {}

UpstreamCall::~UpstreamCall() {
  *alive_ = false;
  upstream_.loop_.Unwatch(watch_);
}

void UpstreamCall::Open(UniqueFd connection) {
  reused_ = connection.valid();
  connection_ = std::move(connection);
  if (!reused_ && !Connect()) {
    // Not from within Send: the owner does not hold this call yet.
    upstream_.loop_.Post([this, alive = alive_] {
      if (*alive) sink_.OnUnreachable();
    });
    return;
  }
  // Nearly every request fits the socket's buffer; what does not goes on when there is room.
  ssize_t done = ::send(connection_.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  if (done > 0) written_ = static_cast<size_t>(done);
  Watch();
}

bool UpstreamCall::Connect() {
  connection_ = ConnectUnix(upstream_.socket_path_);
  written_ = 0;
  return connection_.valid();
}

void UpstreamCall::Watch() {
  uint32_t events = (paused_ ? 0u : EPOLLIN) | (written_ < request_.size() ? EPOLLOUT : 0u);
  if (watch_ != 0) return upstream_.loop_.Change(watch_, events);
  watch_ =
      upstream_.loop_.Watch(connection_.get(), events, [this](uint32_t seen) { OnEvents(seen); });
}

void UpstreamCall::OnEvents(uint32_t events) {
  if ((events & EPOLLOUT) && written_ < request_.size()) Write();
  // A paused reader is told of a hang-up all the same; what came before it is read first.
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) Read();
}

void UpstreamCall::Write() {
  ssize_t done = ::send(connection_.get(), request_.data() + written_, request_.size() - written_,
                        MSG_NOSIGNAL);
  // A failure shows when reading: the worker may have answered before it closed.
  if (done > 0) written_ += static_cast<size_t>(done);
  if (done > 0 || (errno != EAGAIN && errno != EINTR)) {
    if (done < 0) written_ = request_.size();
    Watch();
  }
}

void UpstreamCall::Read() {
  char buffer[kReadBytes];
  ssize_t got = ::recv(connection_.get(), buffer, sizeof buffer, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0) {
    Feed({buffer, static_cast<size_t>(got)});
    return;
  }
  if (got == 0 && parser_.EndsHere()) return sink_.OnDone();
  Broken();
}

bool UpstreamCall::Feed(std::string_view bytes) {
  answered_ = true;
  std::shared_ptr<bool> alive = alive_;
  while (true) {
    net::ResponseParser::Step step = parser_.Next(bytes);
    bytes.remove_prefix(step.consumed);
    switch (step.status) {
      case net::ResponseParser::Status::kNeedMore:
        return true;
      case net::ResponseParser::Status::kHead:
        sink_.OnHead(parser_);
        break;
      case net::ResponseParser::Status::kData:
        sink_.OnData(step.data);
        break;
      case net::ResponseParser::Status::kDone: {
        upstream_.loop_.Unwatch(std::exchange(watch_, 0));
        bool keep = parser_.keep_alive() && bytes.empty() && written_ == request_.size() &&
                    upstream_.idle_.size() < Upstream::kMaxIdle;
        if (keep) upstream_.idle_.push_back(std::move(connection_));
        sink_.OnDone();
        return false;
      }
      case net::ResponseParser::Status::kBad:
        sink_.OnBroken();
        return false;
    }
    if (!*alive) return false;
  }
}

void UpstreamCall::Broken() {
  upstream_.loop_.Unwatch(std::exchange(watch_, 0));
  connection_.Reset();
  // A kept connection may have been closed just before the request came.
  if (reused_ && !answered_) {
    upstream_.idle_.clear();
    return Open({});
  }
  sink_.OnBroken();
}

void UpstreamCall::Pause() {
  if (std::exchange(paused_, true) || watch_ == 0) return;
  Watch();
}

void UpstreamCall::Resume() {
  if (!std::exchange(paused_, false) || watch_ == 0) return;
  Watch();
}

}  // namespace hearth::inference
