#include "formats/source/source.h"

#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace hearth {

std::string ByteSource::Read(uint64_t offset, size_t n) {
  std::string bytes(n, '\0');
  if (n > 0) ReadAt(offset, bytes.data(), n);
  return bytes;
}

void MemorySource::ReadAt(uint64_t offset, char* out, size_t n) {
  if (offset > bytes_.size() || n > bytes_.size() - offset) {
    throw Error(Code::kInternal, "read past the end of the source");
  }
  if (n > 0) std::memcpy(out, bytes_.data() + offset, n);
}

FdSource::FdSource(int fd) : fd_(fd), size_(FileSize(fd)) {}

void FdSource::ReadAt(uint64_t offset, char* out, size_t n) { ReadExactAt(fd_, offset, out, n); }

}  // namespace hearth
