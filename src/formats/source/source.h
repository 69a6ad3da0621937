// Where a format reader gets its bytes from: a file, memory, or a ranged reader of a blob store.
// Readers ask for small ranges, so a header is read from a file of any size without loading it.
// Thread rule: one reader at a time per source, unless an implementation says more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size_bytes() = 0;
  // Fills out[0..n) from `offset`. Preconditions of callers: offset + n <= size_bytes(); an
  // implementation throws Error{kInternal} otherwise or when the bytes cannot be read.
  virtual void ReadAt(uint64_t offset, char* out, size_t n) = 0;

  std::string Read(uint64_t offset, size_t n);
};

// Borrows the bytes. Safe for concurrent reads.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  uint64_t size_bytes() override { return bytes_.size(); }
  void ReadAt(uint64_t offset, char* out, size_t n) override;

 private:
  std::string_view bytes_;
};

// Borrows the descriptor of a regular file; reads with pread. Safe for concurrent reads.
class FdSource : public ByteSource {
 public:
  explicit FdSource(int fd);
  uint64_t size_bytes() override { return size_; }
  void ReadAt(uint64_t offset, char* out, size_t n) override;

 private:
  int fd_;
  uint64_t size_;
};

}  // namespace hearth
