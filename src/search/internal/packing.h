// Numbers as bytes: variable-length ones (7 bits a byte, low part first) and blocks of a fixed
// width. Readers check every length: whatever the bytes, nothing is read outside of them, and what
// is wrong throws kInternal.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace hearth::search {

// Every part of a segment ends with as many zero bytes, so that eight can be read anywhere.
inline constexpr size_t kPadding = 8;

[[noreturn]] inline void ThrowDamaged(const char* what) {
  throw Error(Code::kInternal, std::string("the search index is damaged: ") + what);
}

inline void PutVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

template <typename T>
void PutRaw(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  size_t left() const { return static_cast<size_t>(end_ - at_); }
  const char* at() const { return at_; }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) ThrowDamaged("a number is cut off");
      auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ThrowDamaged("a number is too long");
  }
  template <typename T>
  T Raw() {
    T value;
    std::memcpy(&value, Bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view Bytes(uint64_t count) {
    if (count > left()) ThrowDamaged("a text is cut off");
    std::string_view bytes(at_, static_cast<size_t>(count));
    at_ += count;
    return bytes;
  }

 private:
  const char* at_;
  const char* end_;
};

// A part's array of fixed-size numbers, which need not be aligned.
template <typename T>
class PackedArray {
 public:
  PackedArray() = default;
  PackedArray(std::string_view bytes, size_t count) : data_(bytes.data()), count_(count) {
    if (count > bytes.size() / sizeof(T)) ThrowDamaged("a table is cut off");
  }
  size_t size() const { return count_; }
  T operator[](size_t i) const {
    T value;
    std::memcpy(&value, data_ + i * sizeof(T), sizeof value);
    return value;
  }

 private:
  const char* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace hearth::search
