#include "cli/duration.h"

#include <cstdio>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::cli {
namespace {

int64_t SecondsOf(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 24 * 3600;
    case 'w':
      return 7 * 24 * 3600;
    default:
      return 0;
  }
}

}  // namespace

std::chrono::seconds ParseDuration(std::string_view text, std::string_view option) {
  constexpr int64_t kMost = 10LL * 366 * 24 * 3600;
  if (text == "0") return std::chrono::seconds(0);
  int64_t unit = text.empty() ? 0 : SecondsOf(text.back());
  auto number = ParseUint(text.substr(0, text.empty() ? 0 : text.size() - 1));
  if (unit == 0 || !number || *number > static_cast<uint64_t>(kMost / unit)) {
    throw Error(Code::kInvalidArgument, std::string(option) + ": '" + std::string(text) +
                                            "' is no duration; write 45s, 30m, 12h, 22d or 3w");
  }
  return std::chrono::seconds(static_cast<int64_t>(*number) * unit);
}

std::string HumanBytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace hearth::cli
