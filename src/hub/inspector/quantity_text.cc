#include "hub/inspector/quantity_text.h"

#include <cmath>
#include <cstdio>
#include <span>

namespace hearth::inspector {
namespace {

// Divided by 1,000 until it is below, with the ending of that step: one digit behind the point
// below 100.
std::string Scaled(double value, std::span<const char* const> endings) {
  size_t step = 0;
  while (std::fabs(value) >= 1000 && step + 1 < endings.size()) {
    value /= 1000;
    ++step;
  }
  char text[32];
  std::snprintf(text, sizeof text, step == 0 || value >= 100 ? "%.0f%s" : "%.1f%s", value,
                endings[step]);
  return text;
}

}  // namespace

std::string SizeText(uint64_t bytes) {
  if (bytes == 1) return "1 byte";
  static constexpr const char* kUnits[] = {" bytes", " kB", " MB", " GB", " TB", " PB"};
  return Scaled(static_cast<double>(bytes), kUnits);
}

std::string ShortText(double value) {
  static constexpr const char* kSuffixes[] = {"", "k", "M", "B", "T"};
  return Scaled(value, kSuffixes);
}

std::string CountText(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string CountOf(uint64_t count, std::string_view noun) {
  std::string text = CountText(count) + " " + std::string(noun);
  return count == 1 ? text : text + "s";
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace hearth::inspector
