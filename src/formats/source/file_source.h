// A file on a disk by ranges, without mapping it. Owns its descriptor. Safe for concurrent reads.
#pragma once

#include <filesystem>

#include "base/file.h"
#include "formats/source/source.h"

namespace hearth {

class FileSource : public ByteSource {
 public:
  // Throws kNotFound, or kInternal when the file cannot be opened.
  explicit FileSource(const std::filesystem::path& path)
      : fd_(OpenForRead(path)), source_(fd_.get()) {}
  uint64_t size_bytes() override { return source_.size_bytes(); }
  void ReadAt(uint64_t offset, char* out, size_t n) override { source_.ReadAt(offset, out, n); }

 private:
  UniqueFd fd_;
  FdSource source_;
};

}  // namespace hearth
