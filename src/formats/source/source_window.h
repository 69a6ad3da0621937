// Sources that a reader of archives makes of other sources: a window into one, and bytes of its
// own. Thread rule: as the source below; one reader at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "formats/source/source.h"

namespace hearth {

// Bytes [begin, begin + size) of another source, which it borrows. The range is cut to what is
// there.
class WindowSource : public ByteSource {
 public:
  WindowSource(ByteSource& below, uint64_t begin, uint64_t size)
      : below_(below),
        begin_(std::min(begin, below.size_bytes())),
        size_(std::min(size, below.size_bytes() - begin_)) {}
  uint64_t size_bytes() override { return size_; }
  void ReadAt(uint64_t offset, char* out, size_t n) override;

 private:
  ByteSource& below_;
  uint64_t begin_;
  uint64_t size_;
};

// Owns its bytes.
class OwnedSource : public ByteSource {
 public:
  explicit OwnedSource(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size_bytes() override { return bytes_.size(); }
  void ReadAt(uint64_t offset, char* out, size_t n) override;

 private:
  std::string bytes_;
};

// Reads forward through a source by blocks, so that byte-wise parsers cost few reads.
class Cursor {
 public:
  // Reads [begin, end); `end` is cut to the source's size.
  Cursor(ByteSource& source, uint64_t begin, uint64_t end);
  uint64_t position() const { return position_; }
  uint64_t left() const { return end_ - position_; }
  void MoveTo(uint64_t position) { position_ = std::min(position, end_); }
  // False at the end.
  bool ReadByte(uint8_t* byte);
  // Up to n bytes (fewer at the end), appended to nothing: the result replaces *out.
  bool ReadBytes(uint64_t n, std::string* out);
  // Up to and including '\n'; *out gets at most `max` bytes of it, without the newline, and *whole
  // its length. False when there is no newline: the position is then unchanged.
  bool ReadLine(size_t max, std::string* out, uint64_t* whole);

 private:
  bool Fill();

  ByteSource& source_;
  uint64_t position_;
  uint64_t end_;
  std::string block_;
  uint64_t block_begin_ = 0;
};

// Little-endian fields of a header that lies in memory; the caller checks the length.
uint16_t Little16(const char* at);
uint32_t Little32(const char* at);
uint64_t Little64(const char* at);

}  // namespace hearth
