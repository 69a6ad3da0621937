#include "net/internal/conditional.h"

#include <time.h>

#include <algorithm>
#include <ctime>

#include "base/bytes.h"

namespace hearth::net {
namespace {

// First position and last position of one range; both absent is an error.
std::optional<ByteRange> ParseOne(std::string_view text, uint64_t size, bool* valid) {
  *valid = false;
  size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view first_text = text.substr(0, dash);
  std::string_view last_text = text.substr(dash + 1);
  std::optional<uint64_t> first = ParseUint(first_text);
  std::optional<uint64_t> last = ParseUint(last_text);
  if ((!first_text.empty() && !first) || (!last_text.empty() && !last)) return std::nullopt;
  if (!first && !last) return std::nullopt;
  if (first && last && *last < *first) return std::nullopt;
  *valid = true;
  if (!first) {  // the last N bytes
    uint64_t count = std::min(*last, size);
    if (count == 0) return std::nullopt;
    return ByteRange{size - count, count};
  }
  if (*first >= size) return std::nullopt;
  uint64_t end = last && *last < size - 1 ? *last + 1 : size;
  return ByteRange{*first, end - *first};
}

// Overlapping ranges are merged and sorted; ranges apart stay in the order asked for.
void MergeOverlaps(std::vector<ByteRange>* ranges) {
  std::vector<ByteRange> sorted = *ranges;
  std::sort(sorted.begin(), sorted.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  std::vector<ByteRange> merged;
  for (const ByteRange& range : sorted) {
    if (!merged.empty() && range.offset < merged.back().offset + merged.back().size_bytes) {
      uint64_t end = std::max(merged.back().offset + merged.back().size_bytes,
                              range.offset + range.size_bytes);
      merged.back().size_bytes = end - merged.back().offset;
    } else {
      merged.push_back(range);
    }
  }
  if (merged.size() != ranges->size()) *ranges = std::move(merged);
}

std::string_view OpaqueTag(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

enum class Comparison { kWeak, kStrong };

// Entity tags may contain commas inside their quotes, so the list is walked, not split.
bool TagListMatches(std::string_view list, std::string_view etag, Comparison comparison) {
  if (TrimAscii(list) == "*") return true;
  if (etag.empty()) return false;
  if (comparison == Comparison::kStrong && etag.starts_with("W/")) return false;
  size_t at = 0;
  while (at < list.size()) {
    if (list[at] == ' ' || list[at] == '\t' || list[at] == ',') {
      ++at;
      continue;
    }
    size_t start = at;
    size_t open = list.compare(at, 2, "W/") == 0 ? at + 2 : at;
    size_t end;
    if (open < list.size() && list[open] == '"') {
      end = list.find('"', open + 1);
      end = end == std::string_view::npos ? list.size() : end + 1;
    } else {
      end = std::min(list.find(',', open), list.size());
    }
    std::string_view tag = TrimAscii(list.substr(start, end - start));
    bool weak = tag.starts_with("W/");
    if (!(weak && comparison == Comparison::kStrong) && OpaqueTag(tag) == OpaqueTag(etag))
      return true;
    at = end;
  }
  return false;
}

std::optional<int64_t> DateOf(const Headers& headers, std::string_view name) {
  const std::string* value = headers.Find(name);
  return value ? ParseHttpDate(*value) : std::nullopt;
}

std::optional<std::string> JoinedField(const Headers& headers, std::string_view name) {
  std::optional<std::string> joined;
  for (const auto& [key, value] : headers.fields()) {
    if (!AsciiEqualsIgnoreCase(key, name)) continue;
    joined = joined ? *joined + "," + value : value;
  }
  return joined;
}

}  // namespace

RangeSet ParseRange(std::string_view header, uint64_t size_bytes) {
  RangeSet set;
  size_t equals = header.find('=');
  if (size_bytes == 0 || equals == std::string_view::npos ||
      !AsciiEqualsIgnoreCase(TrimAscii(header.substr(0, equals)), "bytes")) {
    return set;
  }
  std::vector<ByteRange> ranges;
  size_t count = 0;
  for (std::string_view piece : Split(header.substr(equals + 1), ',')) {
    piece = TrimAscii(piece);
    if (piece.empty()) continue;
    if (++count > kMaxRanges) return set;
    bool valid = false;
    std::optional<ByteRange> range = ParseOne(piece, size_bytes, &valid);
    if (!valid) return set;
    if (range) ranges.push_back(*range);
  }
  if (count == 0) return set;
  MergeOverlaps(&ranges);
  set.kind = ranges.empty() ? RangeSet::Kind::kUnsatisfiable : RangeSet::Kind::kPartial;
  set.ranges = std::move(ranges);
  return set;
}

Condition EvaluateConditions(const Headers& request, const Headers& response) {
  std::string etag = response.Get("ETag");
  std::optional<int64_t> modified = DateOf(response, "Last-Modified");
  if (auto list = JoinedField(request, "If-Match")) {
    if (!TagListMatches(*list, etag, Comparison::kStrong)) return Condition::kPreconditionFailed;
  } else if (auto since = DateOf(request, "If-Unmodified-Since"); since && modified) {
    if (*modified > *since) return Condition::kPreconditionFailed;
  }
  if (auto list = JoinedField(request, "If-None-Match")) {
    if (TagListMatches(*list, etag, Comparison::kWeak)) return Condition::kNotModified;
  } else if (auto since = DateOf(request, "If-Modified-Since"); since && modified) {
    if (*modified <= *since) return Condition::kNotModified;
  }
  return Condition::kProceed;
}

bool IfRangeHolds(const Headers& request, const Headers& response) {
  const std::string* condition = request.Find("If-Range");
  if (!condition) return true;
  if (condition->find('"') != std::string::npos) {
    const std::string* etag = response.Find("ETag");
    return etag && !etag->starts_with("W/") && *etag == *condition;
  }
  const std::string* modified = response.Find("Last-Modified");
  return modified && *modified == *condition;
}

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  std::tm parts{};
  std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end != '\0') return std::nullopt;
  return static_cast<int64_t>(::timegm(&parts));
}

}  // namespace hearth::net
