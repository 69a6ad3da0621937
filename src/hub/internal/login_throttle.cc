#include "hub/internal/login_throttle.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::hub {
namespace {

std::string Key(std::string_view account, std::string_view peer) {
  std::string key = AsciiLower(account.substr(0, 128));
  key += '\n';
  key += peer.substr(0, 64);
  return key;
}

}  // namespace

void LoginThrottle::Begin(std::string_view account, std::string_view peer) {
  TimePoint now = clock_.Now();
  std::lock_guard lock(mutex_);
  if (failures_.size() >= kMaxKeys) MakeRoom(now);
  std::deque<TimePoint>& times = failures_[Key(account, peer)];
  while (!times.empty() && times.front() + kWindow <= now) times.pop_front();
  if (times.size() >= kMaxFailures) {
    auto wait = std::chrono::ceil<std::chrono::seconds>(times.front() + kWindow - now);
    throw Error(Code::kTooManyRequests, "Too many failed logins. Try again later.")
        .WithHeader("Retry-After", std::to_string(wait.count()));
  }
  times.push_back(now);
}

void LoginThrottle::Succeed(std::string_view account, std::string_view peer) {
  std::lock_guard lock(mutex_);
  failures_.erase(Key(account, peer));
}

void LoginThrottle::MakeRoom(TimePoint now) {
  std::erase_if(failures_, [&](const auto& entry) {
    return entry.second.empty() || entry.second.back() + kWindow <= now;
  });
  if (failures_.size() < kMaxKeys) return;
  // A flood of invented names: keep the keys that are closest to being locked.
  std::erase_if(failures_,
                [](const auto& entry) { return entry.second.size() < kMaxFailures / 2; });
  if (failures_.size() >= kMaxKeys) failures_.clear();
}

}  // namespace hearth::hub
