#include "formats/part_name.h"

#include "base/bytes.h"

namespace hearth {

std::optional<PartName> ParsePartName(std::string_view path) {
  constexpr size_t kTail = sizeof("-00001-of-00003") - 1;
  size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || dot < kTail) return std::nullopt;
  std::string_view tail = path.substr(dot - kTail, kTail);
  if (tail[0] != '-' || tail.substr(6, 4) != "-of-") return std::nullopt;
  std::optional<uint64_t> number = ParseUint(tail.substr(1, 5)), count = ParseUint(tail.substr(10));
  if (!number || !count || *number == 0 || *number > *count) return std::nullopt;
  return PartName{path.substr(0, dot - kTail), *number, *count, path.substr(dot)};
}

}  // namespace hearth
