// A reader of protocol buffer messages, enough for files that others wrote: field by field, unknown
// ones included. Borrows the bytes. Format: https://protobuf.dev/programming-guides/encoding/
// Throws Error{kInvalidArgument} with the position when the bytes end early or a wire type is
// unknown.
#pragma once

#include <cstdint>
#include <string_view>

namespace hearth::tokenizers {

struct ProtoField {
  uint32_t number = 0;
  uint64_t varint = 0;     // wire type 0; the raw bits of wire types 1 and 5
  std::string_view bytes;  // wire type 2

  float AsFloat() const;  // of wire type 5
};

class ProtoReader {
 public:
  explicit ProtoReader(std::string_view message) : message_(message) {}
  // False at the end.
  bool Next(ProtoField* field);

 private:
  uint64_t ReadVarint();
  uint64_t ReadFixed(size_t bytes);
  [[noreturn]] void Fail(const char* why) const;

  std::string_view message_;
  size_t position_ = 0;
};

}  // namespace hearth::tokenizers
