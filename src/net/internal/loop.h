// One I/O thread: an io_context, the connections that live on it and a coarse timer for their
// deadlines. A connection stays on its loop for life, so session code needs no locks.
//
// Post is for any thread; everything else for the loop's own thread, or before Start and after
// Join.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace hearth::net {

class ChildRun;
class Session;

class Loop {
 public:
  // Large enough for one TLS file write or body read; shared by all connections of the loop, so
  // that an idle or slow one owns no buffer.
  static constexpr size_t kScratchBytes = 256 << 10;

  explicit Loop(std::chrono::milliseconds tick);
  ~Loop();
  void Start();
  void Stop();  // any thread; Join then returns soon
  void Join();
  void Post(std::function<void()> task);

  boost::asio::io_context& io() { return io_; }
  char* scratch() { return scratch_.get(); }
  std::string NextRequestId();

  void Add(std::shared_ptr<Session> session) { sessions_.insert(std::move(session)); }
  void Remove(const std::shared_ptr<Session>& session) { sessions_.erase(session); }
  void Add(std::shared_ptr<ChildRun> child) { children_.insert(std::move(child)); }
  void Remove(const std::shared_ptr<ChildRun>& child) { children_.erase(child); }
  // Copies, because what is called on them removes them.
  std::vector<std::shared_ptr<Session>> Sessions() const {
    return {sessions_.begin(), sessions_.end()};
  }
  std::vector<std::shared_ptr<ChildRun>> Children() const {
    return {children_.begin(), children_.end()};
  }

 private:
  void RunPosted();
  void ArmTick();

  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  const std::chrono::milliseconds tick_;
  std::unique_ptr<char[]> scratch_ = std::make_unique<char[]>(kScratchBytes);
  uint64_t id_seed_[2];
  std::unordered_set<std::shared_ptr<Session>> sessions_;
  std::unordered_set<std::shared_ptr<ChildRun>> children_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::thread thread_;
};

}  // namespace hearth::net
