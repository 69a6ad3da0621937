// Time that tests can move. Everything that stores or compares wall time asks a Clock.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hearth {

using TimePoint = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  static Clock& System();
};

// For tests: stands still until moved.
class ManualClock : public Clock {
 public:
  explicit ManualClock(TimePoint start) : now_(start.time_since_epoch().count()) {}
  TimePoint Now() const override { return TimePoint(std::chrono::milliseconds(now_.load())); }
  void Advance(std::chrono::milliseconds step) { now_ += step.count(); }

 private:
  std::atomic<int64_t> now_;
};

// "2025-01-31T09:10:11.000Z", the form of every date on the wire.
std::string FormatIso8601(TimePoint time);
// Accepts the form above, with or without the fraction; nullopt otherwise.
std::optional<TimePoint> ParseIso8601(std::string_view text);
// "Fri, 31 Jan 2025 09:10:11 GMT" (RFC 9110), for Date and Last-Modified.
std::string FormatHttpDate(TimePoint time);

inline int64_t ToUnixMillis(TimePoint time) { return time.time_since_epoch().count(); }
inline TimePoint FromUnixMillis(int64_t millis) {
  return TimePoint(std::chrono::milliseconds(millis));
}

}  // namespace hearth
