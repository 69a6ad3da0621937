#include "codec/percent.h"

#include <optional>

#include "base/bytes.h"

namespace hearth {

std::string DecodePercent(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    std::optional<std::string> byte;
    if (text[i] == '%' && i + 2 < text.size()) byte = HexDecode(text.substr(i + 1, 2));
    if (byte) {
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace hearth
