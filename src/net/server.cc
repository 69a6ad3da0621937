#include "net/server.h"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "base/error.h"
#include "net/internal/listener.h"
#include "net/internal/loop.h"
#include "net/internal/session.h"
#include "net/internal/stream.h"
#include "net/internal/worker_pool.h"

namespace hearth::net {
namespace {

// Deadlines are checked this often: fine enough for the shortest timeout, coarse enough to cost
// nothing.
std::chrono::milliseconds TickOf(const ServerOptions& options) {
  auto shortest =
      std::min({options.header_timeout, options.idle_timeout, options.progress_timeout});
  return std::clamp(shortest / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(250));
}

int Cores() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

int Or(int value, int fallback) { return value > 0 ? value : fallback; }

ServerOptions Complete(ServerOptions options) {
  options.io_threads = Or(options.io_threads, Cores());
  options.worker_threads = Or(options.worker_threads, std::max(8, 4 * Cores()));
  if (options.spool_dir.empty()) options.spool_dir = std::filesystem::temp_directory_path();
  return options;
}

// Runs `task` on the loop's thread and waits for it.
void RunOn(Loop& loop, std::function<void()> task) {
  std::promise<void> done;
  loop.Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void TurnAway(int fd) {
  static constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n"
      "X-Error-Message: too many connections\r\nConnection: close\r\nContent-Length: 32\r\n\r\n"
      "{\"error\":\"too many connections\"}";
  ::send(fd, kBusy.data(), kBusy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Dispatcher& dispatcher) {
    context_.options = Complete(std::move(options));
    context_.limits = {context_.options.max_header_bytes, context_.options.max_headers,
                       context_.options.max_target_bytes};
    context_.dispatcher = &dispatcher;
    context_.trusted = TrustedProxies(context_.options.trusted_proxies);
    for (int i = 0; i < context_.options.io_threads; ++i) {
      loops_.push_back(std::make_unique<Loop>(TickOf(context_.options)));
    }
    // sendfile and TLS raise it on a closed connection; the process must outlive that.
    struct sigaction current {};
    if (::sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) {
      ::signal(SIGPIPE, SIG_IGN);
    }
  }

  int Listen(const ListenOptions& options) {
    std::shared_ptr<TlsContext> tls;
    if (!options.tls_certificate_file.empty() || !options.tls_key_file.empty()) {
      tls = std::make_shared<TlsContext>(options.tls_certificate_file, options.tls_key_file);
      tls_contexts_.push_back(tls);
    }
    BoundSocket socket = BindAddress(options.address);
    int port = socket.port;
    const TlsContext* tls_context = tls.get();
    auto listener = std::make_shared<Listener>(
        *loops_[0], std::move(socket), [this, tls_context](UniqueFd fd, std::string peer) {
          Accept(std::move(fd), tls_context, std::move(peer));
        });
    listeners_.push_back(listener);
    if (started_) {
      loops_[0]->Post([listener] { listener->Start(); });
    }
    return port;
  }

  void Start(decltype(Server::on_request_done) on_done) {
    if (started_) return;
    started_ = true;
    context_.on_done = std::move(on_done);
    pool_ = std::make_unique<WorkerPool>(context_.options.worker_threads,
                                         context_.options.max_queued_requests);
    context_.pool = pool_.get();
    for (auto& listener : listeners_) listener->Start();
    for (auto& loop : loops_) loop->Start();
  }

  void Stop(std::chrono::milliseconds drain) {
    if (!started_ || std::exchange(stopped_, true)) return;
    context_.draining = true;
    RunOn(*loops_[0], [this] {
      for (auto& listener : listeners_) listener->Close();
    });
    for (auto& loop : loops_) {
      RunOn(*loop, [&loop] {
        for (const auto& session : loop->Sessions()) session->Drain();
      });
    }
    context_.WaitUntilEmpty(drain);
    for (auto& loop : loops_) {
      RunOn(*loop, [&loop] {
        for (const auto& session : loop->Sessions()) session->Close();
      });
    }
    pool_->Stop();
    // Behind the completions that the last jobs posted.
    for (auto& loop : loops_) {
      RunOn(*loop, [&loop] {
        for (const auto& child : loop->Children()) child->Finish();
      });
    }
    for (auto& loop : loops_) loop->Stop();
    for (auto& loop : loops_) loop->Join();
  }

  ServerStats stats() const {
    ServerStats stats;
    stats.connections_total = context_.connections_total;
    stats.connections_open = context_.connections_open;
    stats.requests_total = context_.requests_total;
    stats.requests_active = context_.requests_active;
    stats.bytes_in = context_.bytes_in;
    stats.bytes_out = context_.bytes_out;
    return stats;
  }

 private:
  void Accept(UniqueFd fd, const TlsContext* tls, std::string peer) {
    if (context_.draining) return;
    if (context_.connections_open >= context_.options.max_connections) {
      if (!tls) TurnAway(fd.get());
      return;
    }
    Loop& loop = *loops_[next_loop_++ % loops_.size()];
    auto session = std::make_shared<Session>(context_, loop, std::move(fd), tls, std::move(peer));
    loop.Post([session] { session->Start(); });
  }

  // Destroyed last to first: loops before what their connections use.
  ServerContext context_;
  std::vector<std::shared_ptr<TlsContext>> tls_contexts_;
  std::unique_ptr<WorkerPool> pool_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  size_t next_loop_ = 0;
  bool started_ = false, stopped_ = false;
};

Server::Server(ServerOptions options, Dispatcher& dispatcher)
    : impl_(std::make_unique<Impl>(std::move(options), dispatcher)) {}

Server::~Server() { Stop(std::chrono::milliseconds(0)); }

int Server::Listen(const ListenOptions& options) { return impl_->Listen(options); }

void Server::Start() { impl_->Start(on_request_done); }

void Server::Stop(std::chrono::milliseconds drain) { impl_->Stop(drain); }

ServerStats Server::stats() const { return impl_->stats(); }

}  // namespace hearth::net
