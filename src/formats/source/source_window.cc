#include "formats/source/source_window.h"

#include <cstring>

#include "base/error.h"

namespace hearth {
namespace {

// One read of a remote source costs a round trip, one of a file a system call: 64 KiB suits both.
constexpr size_t kBlockBytes = 64 << 10;

}  // namespace

void WindowSource::ReadAt(uint64_t offset, char* out, size_t n) {
  if (offset > size_ || n > size_ - offset) {
    throw Error(Code::kInternal, "read past the end of the window");
  }
  below_.ReadAt(begin_ + offset, out, n);
}

void OwnedSource::ReadAt(uint64_t offset, char* out, size_t n) {
  MemorySource(bytes_).ReadAt(offset, out, n);
}

Cursor::Cursor(ByteSource& source, uint64_t begin, uint64_t end)
    : source_(source), end_(std::min(end, source.size_bytes())) {
  position_ = std::min(begin, end_);
}

bool Cursor::Fill() {
  if (position_ >= block_begin_ && position_ < block_begin_ + block_.size()) return true;
  if (position_ >= end_) return false;
  size_t n = static_cast<size_t>(std::min<uint64_t>(kBlockBytes, end_ - position_));
  block_.resize(n);
  source_.ReadAt(position_, block_.data(), n);
  block_begin_ = position_;
  return true;
}

bool Cursor::ReadByte(uint8_t* byte) {
  if (!Fill()) return false;
  *byte = static_cast<uint8_t>(block_[position_ - block_begin_]);
  ++position_;
  return true;
}

bool Cursor::ReadBytes(uint64_t n, std::string* out) {
  out->clear();
  if (n > left()) return false;
  while (n > 0) {
    Fill();
    size_t from = static_cast<size_t>(position_ - block_begin_);
    size_t piece = static_cast<size_t>(std::min<uint64_t>(n, block_.size() - from));
    out->append(block_, from, piece);
    position_ += piece;
    n -= piece;
  }
  return true;
}

bool Cursor::ReadLine(size_t max, std::string* out, uint64_t* whole) {
  out->clear();
  *whole = 0;
  uint64_t start = position_;
  while (Fill()) {
    size_t from = static_cast<size_t>(position_ - block_begin_);
    size_t newline = block_.find('\n', from);
    size_t end = newline == std::string::npos ? block_.size() : newline;
    if (out->size() < max) out->append(block_, from, std::min(end - from, max - out->size()));
    *whole += end - from;
    position_ += end - from;
    if (newline != std::string::npos) {
      ++position_;
      return true;
    }
  }
  position_ = start;
  return false;
}

uint16_t Little16(const char* at) {
  auto* byte = reinterpret_cast<const unsigned char*>(at);
  return static_cast<uint16_t>(byte[0] | byte[1] << 8);
}

uint32_t Little32(const char* at) {
  return static_cast<uint32_t>(Little16(at)) | static_cast<uint32_t>(Little16(at + 2)) << 16;
}

uint64_t Little64(const char* at) {
  return static_cast<uint64_t>(Little32(at)) | static_cast<uint64_t>(Little32(at + 4)) << 32;
}

}  // namespace hearth
