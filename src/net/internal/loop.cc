#include "net/internal/loop.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "net/internal/session.h"

namespace hearth::net {

Loop::Loop(std::chrono::milliseconds tick) : tick_(tick) {
  std::string seed = RandomBytes(sizeof id_seed_);
  std::memcpy(id_seed_, seed.data(), sizeof id_seed_);
}

Loop::~Loop() {
  Stop();
  Join();
}

void Loop::Start() {
  ArmTick();
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "net-io");
    auto guard = boost::asio::make_work_guard(io_);
    while (!io_.stopped()) {
      try {
        io_.run();
      } catch (const std::exception& error) {
        // A fault of one connection must not end the others.
        log::LogError("exception on an I/O thread", {{"reason", error.what()}});
      }
    }
  });
}

void Loop::Stop() { io_.stop(); }

void Loop::Join() {
  if (thread_.joinable()) thread_.join();
}

void Loop::Post(std::function<void()> task) {
  bool wake;
  {
    std::lock_guard lock(mutex_);
    // One wake-up serves everything that is posted until the loop gets to it.
    wake = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (wake) boost::asio::post(io_, [this] { RunPosted(); });
}

void Loop::RunPosted() {
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) {
    try {
      task();
    } catch (const std::exception& error) {
      log::LogError("exception on an I/O thread", {{"reason", error.what()}});
    }
    task = nullptr;
  }
}

void Loop::ArmTick() {
  timer_.expires_after(tick_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    auto now = std::chrono::steady_clock::now();
    for (const auto& session : Sessions()) session->Tick(now);
    ArmTick();
  });
}

// Unique, not secret: a random prefix per loop and a counter.
std::string Loop::NextRequestId() {
  uint64_t count = id_seed_[1]++;
  char raw[12];
  std::memcpy(raw, &id_seed_[0], 4);
  std::memcpy(raw + 4, &count, 8);
  return HexEncode({raw, sizeof raw});
}

}  // namespace hearth::net
