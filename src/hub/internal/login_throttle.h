// Counts failed logins, so that guessing stays slow: of one account from one address, of one
// address whatever the account (many names, one password), and of one account from all addresses
// together (many addresses, one name). In memory and bounded; a restart forgets. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"

namespace hearth::hub {

class LoginThrottle {
 public:
  static constexpr size_t kMaxFailures = 10;  // of an account from an address
  // Behind one address there may be an office, in which people mistype all day.
  static constexpr size_t kMaxFailuresOfAddress = 60;
  // High enough that locking somebody out takes a crowd; sessions and tokens go on working anyway.
  static constexpr size_t kMaxFailuresOfAccount = 120;
  static constexpr std::chrono::minutes kWindow{15};
  static constexpr size_t kMaxKeys = 60000;

  // `refusal` is the sentence that people read.
  LoginThrottle(const Clock& clock, std::string refusal)
      : clock_(clock), refusal_(std::move(refusal)) {}

  // Books an attempt as failed before the password is looked at, so that a thousand attempts at
  // once do not all pass. Throws kTooManyRequests with Retry-After when too many failed. An IPv6
  // address counts with its /64, which is what one customer is given.
  void Begin(std::string_view account, std::string_view peer);
  // The attempt was right: forgets the failures of this account from this address, and this attempt
  // elsewhere.
  void Succeed(std::string_view account, std::string_view peer);

 private:
  void MakeRoom(TimePoint now);

  const Clock& clock_;
  const std::string refusal_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::deque<TimePoint>> failures_;
};

}  // namespace hearth::hub
