// Conditional requests and ranges (RFC 9110, sections 13 and 14): given the request's headers and
// the response's validators and size, which status and which byte ranges go out. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace hearth::net {

struct ByteRange {
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
  bool operator==(const ByteRange&) const = default;
};

struct RangeSet {
  enum class Kind {
    kWhole,          // no Range, or one that is to be ignored: 200
    kPartial,        // `ranges` is not empty: 206
    kUnsatisfiable,  // 416
  };
  Kind kind = Kind::kWhole;
  std::vector<ByteRange> ranges;
};

// More than kMaxRanges ranges, another unit than bytes and bad syntax are ignored; ranges that
// overlap are merged. On an empty representation every range is ignored.
inline constexpr size_t kMaxRanges = 64;
RangeSet ParseRange(std::string_view header, uint64_t size_bytes);

enum class Condition { kProceed, kNotModified, kPreconditionFailed };
// For a GET or HEAD whose answer would be 200 with these headers.
Condition EvaluateConditions(const Headers& request, const Headers& response);
// False when If-Range names another version than the response's, so that Range must be ignored.
bool IfRangeHolds(const Headers& request, const Headers& response);

// IMF-fixdate only, as seconds since the epoch; nullopt for anything else.
std::optional<int64_t> ParseHttpDate(std::string_view text);

}  // namespace hearth::net
