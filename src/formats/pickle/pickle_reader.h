// The opcodes of a pickle, one at a time, of all protocols (0 to 5). Nothing is executed and
// nothing is built here: the restricted machine (torch_pickle.h) and the scanner (pickle_walk.h)
// give the opcodes their meaning. Format: Python's pickletools module documents every opcode. Not
// thread-safe; borrows the source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/source/source_window.h"

namespace hearth {

// How an opcode's argument is written.
enum class PickleArgument : uint8_t {
  kInvalid,  // not an opcode
  kNone,
  kInt1,      // unsigned
  kInt2,      // unsigned, little-endian as all others
  kInt4,      // signed
  kUint4,     // unsigned
  kUint8,     // unsigned
  kFloat8,    // big-endian double
  kLine,      // text up to a newline
  kTwoLines,  // module and name
  kCounted1,  // one byte of length, then bytes
  kCounted4,  // four bytes, unsigned
  kCounted8,  // eight bytes
  kSigned4,   // four bytes, signed: negative is malformed
  kLong1,     // kCounted1 that is an integer
  kLong4,     // kSigned4 that is an integer
};

// Opcodes by their names in the pickle module.
namespace pickle {
enum Op : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kFloat = 'F',
  kInt = 'I',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kLong = 'L',
  kBinInt2 = 'M',
  kNone = 'N',
  kPersId = 'P',
  kBinPersId = 'Q',
  kReduce = 'R',
  kString = 'S',
  kBinString = 'T',
  kShortBinString = 'U',
  kUnicode = 'V',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kGet = 'g',
  kBinGet = 'h',
  kInst = 'i',
  kLongBinGet = 'j',
  kList = 'l',
  kEmptyList = ']',
  kObj = 'o',
  kPut = 'p',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kBinFloat = 'G',
  kProto = 0x80,
  kNewObj = 0x81,
  kExt1 = 0x82,
  kExt2 = 0x83,
  kExt4 = 0x84,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8A,
  kLong4 = 0x8B,
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kShortBinUnicode = 0x8C,
  kBinUnicode8 = 0x8D,
  kBinBytes8 = 0x8E,
  kEmptySet = 0x8F,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
  kNextBuffer = 0x97,
  kReadonlyBuffer = 0x98,
};
}  // namespace pickle

PickleArgument PickleArgumentOf(uint8_t opcode);

struct PickleOp {
  uint8_t code = 0;
  uint64_t offset = 0;       // of the opcode
  uint64_t number = 0;       // kInt*, kUint*; kInt4 as two's complement
  double real = 0;           // kFloat8
  uint64_t data_offset = 0;  // of counted bytes or the line
  uint64_t data_bytes = 0;
  // The line, or the counted bytes up to the limit: then data_bytes says how many there are.
  std::string text;
  std::string second;  // the second line of kTwoLines
  bool text_is_whole() const { return text.size() == data_bytes; }
};

struct PickleReadLimits {
  size_t max_line_bytes = 64 << 10;  // of a line that are kept
  size_t max_kept_bytes = 4096;      // of counted bytes; the rest is passed over
};

class PickleReader {
 public:
  PickleReader(ByteSource& source, uint64_t begin, uint64_t end,
               const PickleReadLimits& limits = {})
      : cursor_(source, begin, end), limits_(limits) {}
  // False when the bytes end inside of an opcode or are no opcode: problem() says which, and
  // position() is where the bad opcode starts.
  bool Next(PickleOp* op);
  uint64_t position() const { return cursor_.position(); }
  uint64_t left() const { return cursor_.left(); }
  void MoveTo(uint64_t position) { cursor_.MoveTo(position); }
  const std::string& problem() const { return problem_; }

 private:
  bool ReadArgument(PickleOp* op);
  bool ReadNumber(int bytes, uint64_t* value);
  bool ReadCounted(int length_bytes, bool is_signed, PickleOp* op);
  bool Fail(const PickleOp& op, const char* why);

  Cursor cursor_;
  PickleReadLimits limits_;
  std::string problem_;
};

// The integer of LONG1 and LONG4: two's complement of any length; false when it does not fit into
// 64 bits.
bool PickleLong(std::string_view bytes, int64_t* value);

}  // namespace hearth
