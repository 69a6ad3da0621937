// Whatever a browser or a stranger sends as a form must give parts or an Error, never more, and the
// first part must be the same whether the body is whole or only its head.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string_view type = bytes.substr(0, bytes.find('\n'));
  std::string_view body = bytes.substr(std::min(type.size() + 1, bytes.size()));
  std::string boundary = hearth::net::MultipartBoundary(type).value_or("b");
  try {
    auto parts = hearth::net::ParseMultipart(body, boundary, 50);
    if (parts.empty()) return 0;
    auto first = hearth::net::FirstPart(body, boundary, parts.front().name);
    if (!first || *first != parts.front().content) std::abort();
  } catch (const hearth::Error&) {
  }
  return 0;
}
