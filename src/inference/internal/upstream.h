// Requests to one worker over its Unix socket: HTTP/1.1, connections kept for the next request.
//
// Belongs to the event loop's thread. A call that its owner drops closes its connection, by which
// the worker learns that nobody waits any more.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "inference/internal/event_loop.h"
#include "net/response_parser.h"

namespace hearth::inference {

// Told about one answer as it comes. Any of these may destroy the call.
class UpstreamSink {
 public:
  virtual ~UpstreamSink() = default;
  virtual void OnHead(const net::ResponseParser& response) = 0;
  virtual void OnData(std::string_view data) = 0;
  virtual void OnDone() = 0;
  // The connection ended before the answer did.
  virtual void OnBroken() = 0;
  // Nobody listens: no byte of the request was sent.
  virtual void OnUnreachable() = 0;
};

class Upstream;

class UpstreamCall {
 public:
  ~UpstreamCall();
  // Nothing more is read until Resume.
  void Pause();
  void Resume();

 private:
  friend class Upstream;
  UpstreamCall(Upstream& upstream, const std::string& request, UpstreamSink& sink);
  void Open(UniqueFd connection);
  bool Connect();
  void OnEvents(uint32_t events);
  void Write();
  void Read();
  // False when the call is over, and this object perhaps gone.
  bool Feed(std::string_view bytes);
  void Broken();
  void Watch();

  Upstream& upstream_;
  UpstreamSink& sink_;
  const std::string& request_;
  size_t written_ = 0;
  bool reused_ = false;  // on a connection that may have gone stale
  bool answered_ = false;
  bool paused_ = false;
  UniqueFd connection_;
  EventLoop::WatchId watch_ = 0;
  net::ResponseParser parser_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class Upstream {
 public:
  // The loop outlives this, and this all calls.
  Upstream(EventLoop& loop, std::string socket_path)
      : loop_(loop), socket_path_(std::move(socket_path)) {}
  // `request`: head and body as they go over the wire; outlives the call, as the sink does. Faults
  // come through the sink, never from within this function.
  std::unique_ptr<UpstreamCall> Send(const std::string& request, UpstreamSink& sink);
  // No connection is kept any more.
  void Close() { idle_.clear(); }

 private:
  friend class UpstreamCall;
  static constexpr size_t kMaxIdle = 32;
  EventLoop& loop_;
  std::string socket_path_;
  std::vector<UniqueFd> idle_;
};

// A connection to a Unix socket, non-blocking; invalid with errno set when nobody listens.
UniqueFd ConnectUnix(const std::string& path);

}  // namespace hearth::inference
