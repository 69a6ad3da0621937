#include "tokenizers/loaders/protobuf.h"

#include <cstring>
#include <string>

#include "base/error.h"

namespace hearth::tokenizers {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

}  // namespace

float ProtoField::AsFloat() const {
  auto bits = static_cast<uint32_t>(varint);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void ProtoReader::Fail(const char* why) const {
  throw Error(Code::kInvalidArgument,
              "invalid protocol buffer at byte " + std::to_string(position_) + ": " + why);
}

uint64_t ProtoReader::ReadVarint() {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 64; shift += 7) {
    if (position_ >= message_.size()) Fail("it ends too early");
    auto byte = static_cast<unsigned char>(message_[position_++]);
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  Fail("a number has more than ten bytes");
}

uint64_t ProtoReader::ReadFixed(size_t bytes) {
  if (message_.size() - position_ < bytes) Fail("it ends too early");
  uint64_t value = 0;
  std::memcpy(&value, message_.data() + position_, bytes);  // little-endian, as the machines are
  position_ += bytes;
  return value;
}

bool ProtoReader::Next(ProtoField* field) {
  if (position_ == message_.size()) return false;
  uint64_t key = ReadVarint();
  *field = {};
  field->number = static_cast<uint32_t>(key >> 3);
  if (field->number == 0 || key >> 32 != 0) Fail("a field number is out of range");
  switch (key & 7) {
    case kVarint:
      field->varint = ReadVarint();
      return true;
    case kFixed64:
      field->varint = ReadFixed(8);
      return true;
    case kFixed32:
      field->varint = ReadFixed(4);
      return true;
    case kBytes: {
      uint64_t size = ReadVarint();
      if (size > message_.size() - position_) Fail("a field is longer than the message");
      field->bytes = message_.substr(position_, size);
      position_ += size;
      return true;
    }
    default:
      Fail("unknown wire type");
  }
}

}  // namespace hearth::tokenizers
