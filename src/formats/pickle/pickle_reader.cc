#include "formats/pickle/pickle_reader.h"

#include <array>
#include <bit>

namespace hearth {
namespace {

constexpr std::array<PickleArgument, 256> MakeTable() {
  using A = PickleArgument;
  std::array<A, 256> table{};
  for (char op : {'(', '.', '0', '1', '2', 'N', 'Q', 'R', 'a', 'b',
                  'd', '}', 'e', 'l', ']', 'o', 's', 't', ')', 'u'}) {
    table[static_cast<unsigned char>(op)] = A::kNone;
  }
  for (int op :
       {0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8F, 0x90, 0x91, 0x92, 0x93, 0x94, 0x97, 0x98}) {
    table[static_cast<size_t>(op)] = A::kNone;
  }
  for (char op : {'F', 'I', 'L', 'P', 'S', 'V', 'g', 'p'}) {
    table[static_cast<unsigned char>(op)] = A::kLine;
  }
  table['c'] = table['i'] = A::kTwoLines;
  table['K'] = table['h'] = table['q'] = table[0x80] = table[0x82] = A::kInt1;
  table['M'] = table[0x83] = A::kInt2;
  table['J'] = table[0x84] = A::kInt4;
  table['j'] = table['r'] = A::kUint4;
  table[0x95] = A::kUint8;
  table['G'] = A::kFloat8;
  table['U'] = table['C'] = table[0x8C] = A::kCounted1;
  table['X'] = table['B'] = A::kCounted4;
  table['T'] = A::kSigned4;
  table[0x8D] = table[0x8E] = table[0x96] = A::kCounted8;
  table[0x8A] = A::kLong1;
  table[0x8B] = A::kLong4;
  return table;
}

constexpr std::array<PickleArgument, 256> kArguments = MakeTable();

}  // namespace

PickleArgument PickleArgumentOf(uint8_t opcode) { return kArguments[opcode]; }

bool PickleReader::Fail(const PickleOp& op, const char* why) {
  problem_ = why;
  cursor_.MoveTo(op.offset);
  return false;
}

bool PickleReader::ReadNumber(int bytes, uint64_t* value) {
  *value = 0;
  for (int i = 0; i < bytes; ++i) {
    uint8_t byte;
    if (!cursor_.ReadByte(&byte)) return false;
    *value |= static_cast<uint64_t>(byte) << (8 * i);
  }
  return true;
}

bool PickleReader::ReadCounted(int length_bytes, bool is_signed, PickleOp* op) {
  uint64_t length;
  if (!ReadNumber(length_bytes, &length)) return Fail(*op, "ends inside of a length");
  if (is_signed && length > 0x7FFFFFFF) return Fail(*op, "has a negative length");
  if (length > cursor_.left()) return Fail(*op, "promises more bytes than there are");
  op->data_offset = cursor_.position();
  op->data_bytes = length;
  cursor_.ReadBytes(std::min<uint64_t>(length, limits_.max_kept_bytes), &op->text);
  cursor_.MoveTo(op->data_offset + length);
  return true;
}

bool PickleReader::ReadArgument(PickleOp* op) {
  using A = PickleArgument;
  bool ok = true;
  switch (kArguments[op->code]) {
    case A::kInvalid:
      return Fail(*op, "is not an opcode");
    case A::kNone:
      return true;
    case A::kInt1:
      ok = ReadNumber(1, &op->number);
      break;
    case A::kInt2:
      ok = ReadNumber(2, &op->number);
      break;
    case A::kUint4:
      ok = ReadNumber(4, &op->number);
      break;
    case A::kInt4:
      ok = ReadNumber(4, &op->number);
      op->number = static_cast<uint64_t>(
          static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(op->number))));
      break;
    case A::kUint8:
      ok = ReadNumber(8, &op->number);
      break;
    case A::kFloat8:
      ok = ReadNumber(8, &op->number);
      op->real = std::bit_cast<double>(__builtin_bswap64(op->number));
      break;
    case A::kLine:
    case A::kTwoLines:
      op->data_offset = cursor_.position();
      ok = cursor_.ReadLine(limits_.max_line_bytes, &op->text, &op->data_bytes);
      if (ok && kArguments[op->code] == A::kTwoLines) {
        uint64_t whole;
        ok = cursor_.ReadLine(limits_.max_line_bytes, &op->second, &whole);
      }
      break;
    case A::kCounted1:
    case A::kLong1:
      return ReadCounted(1, false, op);
    case A::kCounted4:
      return ReadCounted(4, false, op);
    case A::kSigned4:
    case A::kLong4:
      return ReadCounted(4, true, op);
    case A::kCounted8:
      return ReadCounted(8, false, op);
  }
  return ok ? true : Fail(*op, "ends inside of an argument");
}

bool PickleReader::Next(PickleOp* op) {
  op->offset = cursor_.position();
  op->number = op->data_offset = op->data_bytes = 0;
  op->text.clear();
  op->second.clear();
  if (!cursor_.ReadByte(&op->code)) return Fail(*op, "ends without STOP");
  return ReadArgument(op);
}

bool PickleLong(std::string_view bytes, int64_t* value) {
  bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
  char fill = negative ? '\xFF' : '\0';
  while (bytes.size() > 8) {
    if (bytes.back() != fill) return false;
    bytes.remove_suffix(1);
    if (((static_cast<unsigned char>(bytes.back()) & 0x80) != 0) != negative) return false;
  }
  uint64_t bits = negative ? ~0ull : 0;
  for (size_t i = bytes.size(); i-- > 0;) {
    bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
  }
  *value = static_cast<int64_t>(bits);
  return true;
}

}  // namespace hearth
