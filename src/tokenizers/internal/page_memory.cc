#include "tokenizers/internal/page_memory.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"

namespace hearth::tokenizers::internal {

PageVector<char> ReadPages(const std::filesystem::path& path) {
  constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
  UniqueFd fd = OpenForRead(path);
  uint64_t size = FileSize(fd.get());
  if (size > kMaxBytes) {
    throw Error(Code::kTooLarge, path.string() + " is larger than 1 GiB");
  }
  PageVector<char> bytes(size);
  ReadExactAt(fd.get(), 0, bytes.data(), size);
  return bytes;
}

}  // namespace hearth::tokenizers::internal
