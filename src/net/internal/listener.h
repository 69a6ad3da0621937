// Listening sockets: parsing and binding addresses, and accepting without spinning when descriptors
// run out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "net/internal/loop.h"
#include "net/internal/watch.h"

namespace hearth::net {

// A bound, listening, non-blocking socket.
struct BoundSocket {
  UniqueFd fd;
  int port = 0;           // 0 for unix
  std::string unix_path;  // to unlink at the end
};

// "127.0.0.1:80", "[::1]:80", "localhost:80", ":80" (all addresses), "unix:/path". A stale socket
// file is replaced. Throws Error: kInvalidArgument for a bad address, kUnavailable when it is in
// use.
BoundSocket BindAddress(const std::string& address);

class Listener {
 public:
  // `accepted` gets each connection and its peer's address ("unix" for unix sockets), on the loop's
  // thread.
  using Accepted = std::function<void(UniqueFd fd, std::string peer)>;
  Listener(Loop& loop, BoundSocket socket, Accepted accepted);
  ~Listener();
  // The loop's thread, or before it starts.
  void Start();
  void Close();

 private:
  void AcceptSome(uint32_t events);
  void ShedOne();

  Loop& loop_;
  UniqueFd fd_;
  Watch watch_;
  std::optional<Loop::TimerId> pause_;
  std::string unix_path_;
  Accepted accepted_;
  UniqueFd reserve_;  // given up for a moment to turn a client away when no descriptor is left
};

}  // namespace hearth::net
