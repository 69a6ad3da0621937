#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace hearth {
namespace {

class SystemClock : public Clock {
 public:
  TimePoint Now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
};

std::tm UtcParts(TimePoint time, int* millis) {
  int64_t total = ToUnixMillis(time);
  int64_t seconds = total / 1000;
  int64_t rest = total % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  *millis = static_cast<int>(rest);
  std::time_t raw = seconds;
  std::tm parts{};
  gmtime_r(&raw, &parts);
  return parts;
}

}  // namespace

Clock& Clock::System() {
  static SystemClock clock;
  return clock;
}

std::string FormatIso8601(TimePoint time) {
  int millis = 0;
  std::tm parts = UtcParts(time, &millis);
  char text[40];
  int length = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                             parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                             parts.tm_min, parts.tm_sec, millis);
  return std::string(text, static_cast<size_t>(length));
}

std::optional<TimePoint> ParseIso8601(std::string_view text) {
  int year, month, day, hour, minute, second, millis = 0, used = 0;
  std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                  &second, &used) != 6) {
    return std::nullopt;
  }
  std::string_view rest = std::string_view(copy).substr(static_cast<size_t>(used));
  if (rest.size() > 1 && rest[0] == '.') {
    rest.remove_prefix(1);
    int scale = 100;
    while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
      millis += (rest[0] - '0') * scale;
      scale /= 10;
      rest.remove_prefix(1);
    }
  }
  if (rest != "Z") return std::nullopt;
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  return FromUnixMillis(static_cast<int64_t>(timegm(&parts)) * 1000 + millis);
}

std::string FormatHttpDate(TimePoint time) {
  int millis = 0;
  std::tm parts = UtcParts(time, &millis);
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[40];
  int length = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                             kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon],
                             parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return std::string(text, static_cast<size_t>(length));
}

}  // namespace hearth
