// What lists filter by of a reading of the inspector. A plain value that owns nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace hearth::hub {

struct ListedReading {
  std::string_view kinds;  // "adapter:proved,remote_code:declared"
  // What a model needs at least (inspector/fit/smallest_need.h); 0 = not known.
  uint64_t gpu_bytes = 0;
  uint64_t cpu_bytes = 0;
};

}  // namespace hearth::hub
