// Percent-encoding as lenient readers take it. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace hearth {

// %6F is 'o'; a percent sign without two hex digits behind it stays. Requests are read by net's,
// which refuse that.
std::string DecodePercent(std::string_view text);

}  // namespace hearth
