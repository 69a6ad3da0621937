// How the inspector, its pages and the command line write numbers for people. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::inspector {

std::string SizeText(uint64_t bytes);   // "1.2 MB"
std::string ShortText(double value);    // "1.2M"
std::string CountText(uint64_t count);  // "1,234,567"
// CountText with the noun after it: "1 file", "2 files", "0 files". The plural is `noun` + "s".
std::string CountOf(uint64_t count, std::string_view noun);
std::string ShapeText(const std::vector<uint64_t>& shape);  // "[2, 3]"

}  // namespace hearth::inspector
