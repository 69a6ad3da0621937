#include "base/clock.h"

#include <fmt/format.h>

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

struct UtcParts {
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
};

// Without gmtime_r: every request writes dates, and the arithmetic is a fraction of its price.
UtcParts PartsOf(TimePoint time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  return {std::chrono::year_month_day(day), std::chrono::weekday(day),
          std::chrono::hh_mm_ss(time - day)};
}

int YearOf(const UtcParts& parts) { return static_cast<int>(parts.date.year()); }
unsigned MonthOf(const UtcParts& parts) { return static_cast<unsigned>(parts.date.month()); }
unsigned DayOf(const UtcParts& parts) { return static_cast<unsigned>(parts.date.day()); }

}  // namespace

Clock& Clock::System() {
  static SystemClock clock;
  return clock;
}

std::string FormatIso8601(TimePoint time) {
  UtcParts parts = PartsOf(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", YearOf(parts), MonthOf(parts),
                     DayOf(parts), parts.time.hours().count(), parts.time.minutes().count(),
                     parts.time.seconds().count(), parts.time.subseconds().count());
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
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  UtcParts parts = PartsOf(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[parts.weekday.c_encoding()],
                     DayOf(parts), kMonths[MonthOf(parts) - 1], YearOf(parts),
                     parts.time.hours().count(), parts.time.minutes().count(),
                     parts.time.seconds().count());
}

}  // namespace hearth
