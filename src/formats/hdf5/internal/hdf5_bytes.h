// Addresses and fields of an HDF5 file: their widths are the file's own, and every read counts
// against the budget of the whole file. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/hdf5/hdf5_file.h"

namespace hearth {

[[noreturn]] void FailHdf5(const std::string& why);  // kInvalidArgument

// Reads the fields of bytes that lie in memory, one after another; FailHdf5 at their end.
class Hdf5Fields {
 public:
  // Widths in bytes of addresses and of lengths.
  Hdf5Fields(std::string_view bytes, int offset_bytes, int length_bytes)
      : bytes_(bytes), offset_bytes_(offset_bytes), length_bytes_(length_bytes) {}
  size_t left() const { return bytes_.size() - at_; }
  size_t position() const { return at_; }
  uint64_t Uint(int bytes);  // little-endian, 0 to 8 bytes
  uint8_t Byte() { return static_cast<uint8_t>(Uint(1)); }
  uint64_t Offset() { return Uint(offset_bytes_); }
  uint64_t Length() { return Uint(length_bytes_); }
  std::string_view Text(size_t n);
  std::string_view TextToNul();  // without the NUL, which is passed
  void Skip(size_t n) { Text(n); }
  Hdf5Fields Part(size_t n) { return {Text(n), offset_bytes_, length_bytes_}; }

 private:
  std::string_view bytes_;
  int offset_bytes_;
  int length_bytes_;
  size_t at_ = 0;
};

class Hdf5Bytes {
 public:
  Hdf5Bytes(ByteSource& source, const Hdf5Limits& limits) : source_(source), limits_(limits) {}
  const Hdf5Limits& limits() const { return limits_; }
  uint64_t size_bytes() { return source_.size_bytes(); }
  int offset_bytes() const { return offset_bytes_; }
  int length_bytes() const { return length_bytes_; }
  uint64_t base() const { return base_; }
  // Widths of 2, 4 or 8; the base is added to every address.
  void SetShape(int offset_bytes, int length_bytes, uint64_t base);
  // All bits of an address: nothing is there.
  bool IsNowhere(uint64_t address) const;
  // n bytes at an address; kInvalidArgument past the end, kTooLarge beyond the budget.
  std::string Read(uint64_t address, uint64_t n);
  // Up to n bytes: fewer at the end of the file.
  std::string ReadUpTo(uint64_t address, uint64_t n);
  // As Read; the bytes must start with the signature of four letters.
  std::string ReadSigned(uint64_t address, uint64_t n, std::string_view signature);
  Hdf5Fields Fields(std::string_view bytes) const { return {bytes, offset_bytes_, length_bytes_}; }

 private:
  ByteSource& source_;
  const Hdf5Limits& limits_;
  int offset_bytes_ = 8;
  int length_bytes_ = 8;
  uint64_t base_ = 0;
  uint64_t used_ = 0;
};

// The least number of bytes that holds `value`.
int BytesFor(uint64_t value);

}  // namespace hearth
