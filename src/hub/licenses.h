// The licence ids that cards use, in the order in which they are offered. Constant data;
// thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace hearth::hub {

std::span<const std::string_view> KnownLicenses();

}  // namespace hearth::hub
