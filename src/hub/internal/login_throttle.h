// Counts failed logins per account and address, so that guessing stays slow. In memory and bounded;
// a restart forgets. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace hearth::hub {

class LoginThrottle {
 public:
  static constexpr size_t kMaxFailures = 10;
  static constexpr std::chrono::minutes kWindow{15};
  static constexpr size_t kMaxKeys = 20000;

  explicit LoginThrottle(const Clock& clock) : clock_(clock) {}

  // Books an attempt as failed before the password is looked at, so that a thousand attempts at
  // once do not all pass. Throws kTooManyRequests with Retry-After when too many failed.
  void Begin(std::string_view account, std::string_view peer);
  // The attempt was right: forgets the failures of this account and address.
  void Succeed(std::string_view account, std::string_view peer);

 private:
  void MakeRoom(TimePoint now);

  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::deque<TimePoint>> failures_;
};

}  // namespace hearth::hub
