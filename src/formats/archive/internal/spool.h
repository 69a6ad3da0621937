// Unpacked bytes: in memory while they are few, then in a file of the system's folder for temporary
// files that has no name. Not thread-safe. Errors: kInsufficientStorage, kInternal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "formats/source/source.h"

namespace hearth {

class Spool {
 public:
  // Results up to here stay in memory; also from where on the ratio of unpacking counts.
  static constexpr uint64_t kMemoryBytes = 64 << 20;

  void Append(std::string_view bytes);
  uint64_t size() const { return size_; }
  std::unique_ptr<ByteSource> Finish();

 private:
  std::string memory_;
  std::optional<TempFile> file_;
  uint64_t size_ = 0;
};

}  // namespace hearth
