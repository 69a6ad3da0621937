// Durations on the command line: a number and a unit, "45s", "30m", "12h", "22d", "3w"; "0" needs
// no unit. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace hearth::cli {

// Throws kInvalidArgument naming `option` for anything else, and above ten years.
std::chrono::seconds ParseDuration(std::string_view text, std::string_view option);

// "1.4 GB": decimal units, as disks are sold.
std::string HumanBytes(uint64_t bytes);

}  // namespace hearth::cli
