// A repository's own .gitattributes and .gitignore: any bytes, no crash, bounded time.
#include <cstdint>

#include "hub/commits.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // The first line is the path, the rest the file.
  size_t end = text.find('\n');
  std::string_view path = text.substr(0, end);
  std::string_view rules =
      end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  hearth::hub::GitAttributes::Parse(rules).LfsFor(path);
  hearth::hub::GitIgnore::Parse(rules).Ignores(path);
  hearth::hub::LooksBinary(text);
  return 0;
}
