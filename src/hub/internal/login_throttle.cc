#include "hub/internal/login_throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::hub {
namespace {

constexpr size_t kMaxAccountBytes = 128;
constexpr size_t kMaxPeerBytes = 64;

struct Count {
  std::string key;
  size_t limit;
};

std::string Network(std::string_view peer) {
  std::string text(peer.substr(0, kMaxPeerBytes));
  in6_addr address{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return text;
  return HexEncode({reinterpret_cast<const char*>(&address), 8});
}

std::array<Count, 3> CountsOf(std::string_view account, std::string_view peer) {
  std::string name = AsciiLower(account.substr(0, kMaxAccountBytes));
  std::string network = Network(peer);
  return {Count{"both\n" + name + "\n" + network, LoginThrottle::kMaxFailures},
          Count{"address\n" + network, LoginThrottle::kMaxFailuresOfAddress},
          Count{"account\n" + name, LoginThrottle::kMaxFailuresOfAccount}};
}

}  // namespace

void LoginThrottle::Begin(std::string_view account, std::string_view peer) {
  TimePoint now = clock_.Now();
  std::array<Count, 3> counts = CountsOf(account, peer);
  std::lock_guard lock(mutex_);
  if (failures_.size() + counts.size() > kMaxKeys) MakeRoom(now);
  for (const Count& count : counts) {
    std::deque<TimePoint>& times = failures_[count.key];
    while (!times.empty() && times.front() + kWindow <= now) times.pop_front();
    if (times.size() < count.limit) continue;
    auto wait = std::chrono::ceil<std::chrono::seconds>(times.front() + kWindow - now);
    throw Error(Code::kTooManyRequests, refusal_)
        .WithHeader("Retry-After", std::to_string(wait.count()));
  }
  for (const Count& count : counts) failures_[count.key].push_back(now);
}

void LoginThrottle::Succeed(std::string_view account, std::string_view peer) {
  std::array<Count, 3> counts = CountsOf(account, peer);
  std::lock_guard lock(mutex_);
  failures_.erase(counts[0].key);
  for (const Count& count : {counts[1], counts[2]}) {
    auto found = failures_.find(count.key);
    if (found != failures_.end() && !found->second.empty()) found->second.pop_back();
  }
}

void LoginThrottle::MakeRoom(TimePoint now) {
  std::erase_if(failures_, [&](const auto& entry) {
    return entry.second.empty() || entry.second.back() + kWindow <= now;
  });
  if (failures_.size() + 3 <= kMaxKeys) return;
  // A flood of invented names: keep the keys that are closest to being locked.
  std::erase_if(failures_,
                [](const auto& entry) { return entry.second.size() < kMaxFailures / 2; });
  if (failures_.size() + 3 > kMaxKeys) failures_.clear();
}

}  // namespace hearth::hub
