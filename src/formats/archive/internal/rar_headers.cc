#include "formats/archive/internal/rar_headers.h"

#include <algorithm>
#include <optional>
#include <string>

#include "formats/source/source_window.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxHeaderBytes = 64 << 10;  // what is beyond are names and comments

std::string ReadUpTo(ByteSource& source, uint64_t at, uint64_t n) {
  uint64_t size = source.size_bytes();
  if (at >= size) return "";
  return source.Read(at, static_cast<size_t>(std::min(n, size - at)));
}

// Numbers of version 5: seven bits a byte, low ones first.
class Numbers {
 public:
  Numbers(std::string_view bytes, size_t at) : bytes_(bytes), at_(at) {}
  std::optional<uint64_t> Next() {
    uint64_t value = 0;
    for (int shift = 0; shift < 63 && at_ < bytes_.size(); shift += 7) {
      auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }
  size_t at() const { return at_; }
  void MoveTo(size_t at) { at_ = std::min(at, bytes_.size()); }

 private:
  std::string_view bytes_;
  size_t at_;
};

// Is one of the records at the end of a header that of encryption (type 1)?
bool HasEncryption(std::string_view header, size_t begin) {
  Numbers numbers(header, begin);
  while (numbers.at() < header.size()) {
    std::optional<uint64_t> size = numbers.Next();
    size_t start = numbers.at();
    std::optional<uint64_t> type = numbers.Next();
    if (!size || !type || *size == 0) return false;
    if (*type == 1) return true;
    if (*size > header.size() - start) return false;
    numbers.MoveTo(start + static_cast<size_t>(*size));
  }
  return false;
}

RarMarks ReadNew(ByteSource& source, uint64_t max_blocks) {
  RarMarks marks;
  uint64_t at = 8;
  for (uint64_t i = 0; i < max_blocks; ++i) {
    std::string block = ReadUpTo(source, at, kMaxHeaderBytes);
    Numbers numbers(block, 4);
    std::optional<uint64_t> size = numbers.Next();
    size_t start = numbers.at();
    std::optional<uint64_t> type = numbers.Next();
    std::optional<uint64_t> flags = numbers.Next();
    if (!size || !type || !flags || *size > kMaxHeaderBytes) return marks;
    uint64_t extra = (*flags & 1) != 0 ? numbers.Next().value_or(0) : 0;
    uint64_t data = (*flags & 2) != 0 ? numbers.Next().value_or(0) : 0;
    if (*type == 4) marks.encrypted = true;  // of all headers that follow
    if (*type == 1) marks.volume |= (numbers.Next().value_or(0) & 1) != 0;
    if (*type == 2) marks.volume |= (*flags & 0x18) != 0;
    uint64_t end = start + *size;
    if (*type == 2 && extra <= *size && end <= block.size())
      marks.encrypted |= HasEncryption(std::string_view(block).substr(0, static_cast<size_t>(end)),
                                       static_cast<size_t>(end - extra));
    if (*type == 4 || *type == 5 || data > source.size_bytes()) return marks;
    at += end + data;
  }
  return marks;
}

RarMarks ReadOld(ByteSource& source, uint64_t max_blocks) {
  RarMarks marks;
  uint64_t at = 7;
  for (uint64_t i = 0; i < max_blocks; ++i) {
    std::string block = ReadUpTo(source, at, 40);
    if (block.size() < 7) return marks;
    int type = static_cast<uint8_t>(block[2]);
    uint16_t flags = Little16(block.data() + 3);
    uint64_t size = Little16(block.data() + 5);
    if (size < 7) return marks;
    uint64_t data = (flags & 0x8000) != 0 && block.size() >= 11 ? Little32(block.data() + 7) : 0;
    if (type == 0x73) {
      marks.volume |= (flags & 1) != 0;
      marks.encrypted |= (flags & 0x80) != 0;
    }
    if (type == 0x74) {
      marks.volume |= (flags & 3) != 0;
      marks.encrypted |= (flags & 4) != 0;
      if ((flags & 0x100) != 0 && block.size() >= 36)
        data |= uint64_t{Little32(block.data() + 32)} << 32;
    }
    if (type == 0x7B || marks.encrypted || data > source.size_bytes()) return marks;
    at += size + data;
  }
  return marks;
}

}  // namespace

RarMarks ReadRarMarks(ByteSource& source, uint64_t max_blocks) {
  std::string head = ReadUpTo(source, 0, 8);
  bool rar5 = head == std::string_view("Rar!\x1A\x07\x01\0", 8);
  return rar5 ? ReadNew(source, max_blocks) : ReadOld(source, max_blocks);
}

}  // namespace hearth
