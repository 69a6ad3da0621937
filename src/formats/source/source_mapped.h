// A whole file mapped read-only: bytes without copies, loaded by the kernel when they are touched.
//
// The file must not be cut short while it is mapped: touching pages past its new end ends the
// process (SIGBUS). Replacing it by rename is safe. Owns the mapping; move-only. Safe for
// concurrent reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "formats/source/source.h"

namespace hearth {

class MappedSource : public ByteSource {
 public:
  // Throws kNotFound, or kInternal when the file cannot be mapped.
  explicit MappedSource(const std::filesystem::path& path);
  MappedSource(MappedSource&& other) noexcept;
  MappedSource& operator=(MappedSource&& other) noexcept;
  ~MappedSource() override;

  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  // As it was opened.
  const std::filesystem::path& path() const { return path_; }
  // Maps the pages of a part at once: cheaper than one fault after another for what will all be
  // read, and resident from then on. A hint; never fails.
  void Preload(std::span<const uint8_t> part) const;
  uint64_t size_bytes() override { return size_; }
  void ReadAt(uint64_t offset, char* out, size_t n) override;

 private:
  std::filesystem::path path_;
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace hearth
