// The protobuf wire format, field by field, over ranges of a source. Not thread-safe; borrows the
// source. Format: protobuf.dev/programming-guides/encoding. Errors: kInvalidArgument with the
// position.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/source/source_window.h"

namespace hearth {

struct ProtobufField {
  uint32_t number = 0;
  int wire = 0;        // 0 varint, 1 eight bytes, 2 bytes, 5 four bytes
  uint64_t value = 0;  // varint and fixed
  uint64_t begin = 0;  // of the bytes
  uint64_t bytes = 0;
};

class ProtobufReader {
 public:
  ProtobufReader(ByteSource& source, uint64_t begin, uint64_t end)
      : source_(source), cursor_(source, begin, end) {}
  bool Next(ProtobufField* field);  // false at the end
  // The bytes of a field of wire type 2; kTooLarge beyond `limit`.
  std::string Text(const ProtobufField& field, uint64_t limit);
  // Repeated integers: one of wire type 0, or a packed run. kTooLarge beyond `limit` items.
  void Integers(const ProtobufField& field, size_t limit, std::vector<int64_t>* out);

 private:
  uint64_t Varint(Cursor* cursor);
  [[noreturn]] void Fail(const Cursor& cursor, const char* why);

  ByteSource& source_;
  Cursor cursor_;
};

}  // namespace hearth
