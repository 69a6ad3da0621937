// The HTTP/1.1 server: sockets, TLS, parsing, body intake, ranges, sendfile, limits. Knows no routes.
//
// Lifecycle: construct, Listen (several), Run from any number of threads or Start/Stop. Dispatcher methods
// are called concurrently.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http.h"

namespace hearth::net {

// What the layer above decides about one request when its head is there.
struct Plan {
  BodyPolicy body;
  // Runs on the worker pool before any body byte is read and before "100 Continue" is sent; a Response refuses
  // the request (the connection closes if the body is not small). Empty = no check.
  std::function<std::optional<Response>(Request&)> admit;
  // Runs on the worker pool once the body is there. Must not throw Error for ordinary faults: the layer above maps
  // them. Anything that escapes is logged and becomes a 500.
  std::function<Response(Request&)> handle;
  // admit and handle are known never to block (memory only, microseconds): run them on the I/O thread and save the
  // two thread switches.
  bool inline_handler = false;
  // Of a request with a body, tried before handle on the I/O thread: must not block, answers with bytes or LaterBody;
  // nothing: handle is to run on the pool. Whoever sets it promises that what a LaterBody of either holds goes in no time.
  std::function<std::optional<Response>(Request&)> handle_at_once;
  // The dispatcher knew the answer: neither admit nor handle is asked.
  std::optional<Response> answer;
};

class Dispatcher {
 public:
  virtual ~Dispatcher() = default;
  // Called on an I/O thread: must not block. `request` has everything but the body.
  virtual Plan PlanFor(Request& request) = 0;
};

struct ServerOptions {
  int io_threads = 0;        // 0 = number of cores
  int worker_threads = 0;    // 0 = max(8, 4 * cores); handlers block on disk and git
  size_t max_queued_requests = 1024;  // waiting for a worker; beyond it requests get 503 + Retry-After
  std::filesystem::path spool_dir;   // empty = the system's temporary folder
  uint64_t max_header_bytes = 64 << 10;
  int max_headers = 200;
  int max_target_bytes = 16 << 10;
  size_t max_connections = 20000;
  std::chrono::milliseconds header_timeout{15000};   // first byte to end of head
  std::chrono::milliseconds idle_timeout{75000};     // keep-alive between requests
  // A body or a response that moves fewer than min_rate bytes a second, averaged over this window, is cut.
  std::chrono::milliseconds progress_timeout{60000};
  uint64_t min_rate_bytes = 512;
  std::vector<std::string> trusted_proxies;          // addresses or CIDR blocks; Forwarded / X-Forwarded-* honoured only from these
  std::string server_name = "hearth";
  bool access_log = true;
};

struct ListenOptions {
  std::string address;       // "127.0.0.1:8080", "[::1]:8080" or "unix:/path/to.sock"
  std::string tls_certificate_file;  // both set = TLS
  std::string tls_key_file;
};

// Numbers for /metrics; monotonic unless said.
struct ServerStats {
  uint64_t connections_total = 0, connections_open = 0;  // open: gauge
  uint64_t requests_total = 0, bytes_in = 0, bytes_out = 0;
  uint64_t requests_active = 0;  // gauge
};

class Server {
 public:
  Server(ServerOptions options, Dispatcher& dispatcher);
  ~Server();
  // Throws Error{kInvalidArgument} for a bad address, kUnavailable when it is in use. Returns the bound port (0 for unix).
  int Listen(const ListenOptions& options);
  // Starts the threads and returns.
  void Start();
  // Stops accepting, lets running requests finish for up to `drain`, then closes everything. Idempotent.
  void Stop(std::chrono::milliseconds drain);
  ServerStats stats() const;
  // Called once per finished request on some thread (for metrics).
  std::function<void(const std::string& method, const std::string& route, int status, std::chrono::microseconds)> on_request_done;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::net
