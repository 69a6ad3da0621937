// The durable output of the weight writers: bytes go through a buffer into a temporary file beside
// the target, which appears under its name only when all is written and synced. Dropped without
// Commit, it leaves nothing behind. Not thread-safe. Errors: kInsufficientStorage, kInternal;
// kConflict when the target exists and `replace` is not set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/file.h"

namespace hearth {

enum class IfExists { kRefuse, kReplace };

class FileWriter {
 public:
  FileWriter(const std::filesystem::path& target, IfExists if_exists);

  void Append(std::span<const uint8_t> bytes);
  void AppendZeros(uint64_t count);
  uint64_t size() const { return size_; }
  void Commit();

 private:
  void Flush();

  std::filesystem::path target_;
  IfExists if_exists_;
  TempFile file_;
  std::string buffer_;
  uint64_t size_ = 0;
};

}  // namespace hearth
