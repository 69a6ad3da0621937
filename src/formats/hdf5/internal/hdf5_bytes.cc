#include "formats/hdf5/internal/hdf5_bytes.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {

void FailHdf5(const std::string& why) {
  throw Error(Code::kInvalidArgument, "the HDF5 file is damaged: " + why);
}

uint64_t Hdf5Fields::Uint(int bytes) {
  std::string_view text = Text(static_cast<size_t>(bytes));
  uint64_t value = 0;
  for (size_t i = text.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(text[i]);
  return value;
}

std::string_view Hdf5Fields::Text(size_t n) {
  if (n > left()) FailHdf5("a field goes past the end of its block");
  std::string_view text = bytes_.substr(at_, n);
  at_ += n;
  return text;
}

std::string_view Hdf5Fields::TextToNul() {
  size_t end = bytes_.find('\0', at_);
  if (end == std::string_view::npos) FailHdf5("a name has no end");
  std::string_view text = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  return text;
}

void Hdf5Bytes::SetShape(int offset_bytes, int length_bytes, uint64_t base) {
  auto fits = [](int n) { return n == 2 || n == 4 || n == 8; };
  if (!fits(offset_bytes) || !fits(length_bytes)) FailHdf5("odd widths of addresses");
  offset_bytes_ = offset_bytes;
  length_bytes_ = length_bytes;
  base_ = base;
}

bool Hdf5Bytes::IsNowhere(uint64_t address) const {
  return address == ~uint64_t{0} >> (64 - 8 * offset_bytes_);
}

std::string Hdf5Bytes::ReadUpTo(uint64_t address, uint64_t n) {
  uint64_t size = source_.size_bytes();
  if (base_ > size || address > size - base_)
    FailHdf5("an address lies behind the end of the file");
  n = std::min(n, size - base_ - address);
  if (n > limits_.max_read_bytes - used_)
    throw Error(Code::kTooLarge, "the HDF5 file has more headers than can be read");
  used_ += n;
  return source_.Read(base_ + address, static_cast<size_t>(n));
}

std::string Hdf5Bytes::Read(uint64_t address, uint64_t n) {
  std::string bytes = ReadUpTo(address, n);
  if (bytes.size() < n) FailHdf5("a block goes past the end of the file");
  return bytes;
}

std::string Hdf5Bytes::ReadSigned(uint64_t address, uint64_t n, std::string_view signature) {
  std::string bytes = Read(address, n);
  if (std::string_view(bytes).substr(0, 4) != signature)
    FailHdf5("no " + std::string(signature) + " where one should be");
  return bytes;
}

int BytesFor(uint64_t value) {
  int bytes = 1;
  while (bytes < 8 && value >> (8 * bytes) != 0) ++bytes;
  return bytes;
}

}  // namespace hearth
