#include "hub/inspector/quantity_text.h"

#include <cstdio>

namespace hearth::inspector {

std::string SizeText(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  size_t step = 0;
  while (value >= 1000 && step + 1 < std::size(kUnits)) {
    value /= 1000;
    ++step;
  }
  char text[32];
  std::snprintf(text, sizeof text, step == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value,
                kUnits[step]);
  return text;
}

std::string CountText(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace hearth::inspector
