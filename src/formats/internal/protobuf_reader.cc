#include "formats/internal/protobuf_reader.h"

#include "base/error.h"

namespace hearth {

void ProtobufReader::Fail(const Cursor& cursor, const char* why) {
  throw Error(Code::kInvalidArgument, std::string("invalid protobuf: ") + why + " at byte " +
                                          std::to_string(cursor.position()));
}

uint64_t ProtobufReader::Varint(Cursor* cursor) {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    uint8_t byte;
    if (!cursor->ReadByte(&byte)) Fail(*cursor, "a number is cut off");
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  Fail(*cursor, "a number is too long");
}

bool ProtobufReader::Next(ProtobufField* field) {
  if (cursor_.left() == 0) return false;
  uint64_t tag = Varint(&cursor_);
  field->number = static_cast<uint32_t>(tag >> 3);
  field->wire = static_cast<int>(tag & 7);
  field->value = field->begin = field->bytes = 0;
  if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) Fail(cursor_, "a field has no number");
  switch (field->wire) {
    case 0:
      field->value = Varint(&cursor_);
      return true;
    case 1:
      field->bytes = 8;
      break;
    case 2:
      field->bytes = Varint(&cursor_);
      break;
    case 5:
      field->bytes = 4;
      break;
    default:
      Fail(cursor_, "a field has an unknown kind");
  }
  field->begin = cursor_.position();
  if (field->bytes > cursor_.left()) Fail(cursor_, "a field is cut off");
  if (field->wire != 2) {
    std::string fixed = source_.Read(field->begin, static_cast<size_t>(field->bytes));
    fixed.resize(8);
    field->value = Little64(fixed.data());
  }
  cursor_.MoveTo(field->begin + field->bytes);
  return true;
}

std::string ProtobufReader::Text(const ProtobufField& field, uint64_t limit) {
  if (field.wire != 2) Fail(cursor_, "a text is not one");
  if (field.bytes > limit) throw Error(Code::kTooLarge, "a text of the model is too long");
  return source_.Read(field.begin, static_cast<size_t>(field.bytes));
}

void ProtobufReader::Integers(const ProtobufField& field, size_t limit, std::vector<int64_t>* out) {
  auto add = [&](uint64_t value) {
    if (out->size() >= limit) throw Error(Code::kTooLarge, "the model has a list that is too long");
    out->push_back(static_cast<int64_t>(value));
  };
  if (field.wire == 0) return add(field.value);
  if (field.wire != 2) Fail(cursor_, "a list of numbers is not one");
  Cursor packed(source_, field.begin, field.begin + field.bytes);
  while (packed.left() > 0) add(Varint(&packed));
}

}  // namespace hearth
