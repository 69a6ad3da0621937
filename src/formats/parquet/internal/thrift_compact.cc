#include "formats/parquet/internal/thrift_compact.h"

#include "base/error.h"

namespace hearth::parquet {
namespace {

constexpr int kMaxDepth = 24;
constexpr size_t kMaxValues = 2'000'000;

enum Type {
  kTrue = 1,
  kFalse,
  kByte,
  kI16,
  kI32,
  kI64,
  kDouble,
  kBinary,
  kList,
  kSet,
  kMap,
  kStruct
};

}  // namespace

class ThriftParser {
 public:
  explicit ThriftParser(std::string_view bytes) : bytes_(bytes) {}

  ThriftValue Struct(int depth) {
    if (depth > kMaxDepth) Fail("nested too deeply");
    ThriftValue value;
    value.kind_ = ThriftValue::Kind::kStruct;
    int16_t field = 0;
    for (;;) {
      uint8_t head = Byte();
      if (head == 0) return value;
      int delta = head >> 4;
      field = static_cast<int16_t>(delta != 0 ? field + delta : Zigzag(Varint()));
      value.fields_.push_back(field);
      value.items_.push_back(Value(head & 15, depth, true));
    }
  }
  size_t used() const { return at_; }

 private:
  ThriftValue Value(int type, int depth, bool in_field) {
    if (++values_ > kMaxValues)
      throw Error(Code::kTooLarge, "The footer of this Parquet file has too many parts.");
    ThriftValue value;
    switch (type) {
      case kTrue:
      case kFalse:
        // In a list a boolean is a byte of its own.
        value.kind_ = ThriftValue::Kind::kInt;
        value.int_ = in_field ? type == kTrue : Byte() == 1;
        return value;
      case kByte:
        value.kind_ = ThriftValue::Kind::kInt;
        value.int_ = static_cast<int8_t>(Byte());
        return value;
      case kI16:
      case kI32:
      case kI64:
        value.kind_ = ThriftValue::Kind::kInt;
        value.int_ = Zigzag(Varint());
        return value;
      case kDouble:
        Take(8);
        return value;
      case kBinary:
        value.kind_ = ThriftValue::Kind::kText;
        value.text_ = Take(Varint());
        return value;
      case kList:
      case kSet:
        return List(depth);
      case kMap:
        return Map(depth);
      case kStruct:
        return Struct(depth + 1);
      default:
        Fail("a field of an unknown type");
    }
  }

  ThriftValue List(int depth) {
    if (depth > kMaxDepth) Fail("nested too deeply");
    ThriftValue value;
    value.kind_ = ThriftValue::Kind::kList;
    uint8_t head = Byte();
    uint64_t count = head >> 4;
    if (count == 15) count = Varint();
    if (count > bytes_.size() - at_)
      Fail("a list longer than the file");  // an element takes a byte
    for (uint64_t i = 0; i < count; ++i) value.items_.push_back(Value(head & 15, depth + 1, false));
    return value;
  }

  // Keys and values one after the other: Parquet has none, but they must be passed over.
  ThriftValue Map(int depth) {
    if (depth > kMaxDepth) Fail("nested too deeply");
    ThriftValue value;
    value.kind_ = ThriftValue::Kind::kList;
    uint64_t count = Varint();
    if (count == 0) return value;
    uint8_t types = Byte();
    if (count > bytes_.size() - at_) Fail("a map longer than the file");
    for (uint64_t i = 0; i < count; ++i) {
      value.items_.push_back(Value(types >> 4, depth + 1, false));
      value.items_.push_back(Value(types & 15, depth + 1, false));
    }
    return value;
  }

  uint8_t Byte() { return static_cast<uint8_t>(Take(1)[0]); }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte = Byte();
      value |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
    Fail("a number that does not end");
  }
  static int64_t Zigzag(uint64_t value) {
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  std::string_view Take(uint64_t count) {
    if (count > bytes_.size() - at_) Fail("cut off");
    std::string_view taken = bytes_.substr(at_, static_cast<size_t>(count));
    at_ += static_cast<size_t>(count);
    return taken;
  }
  [[noreturn]] void Fail(const char* why) const {
    throw Error(Code::kInvalidArgument, "This Parquet file is damaged: " + std::string(why) +
                                            " at byte " + std::to_string(at_) +
                                            " of its metadata.");
  }

  std::string_view bytes_;
  size_t at_ = 0;
  size_t values_ = 0;
};

const ThriftValue& ThriftValue::operator[](int field) const {
  static const ThriftValue none;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i] == field) return items_[i];
  }
  return none;
}

ThriftValue ParseThrift(std::string_view bytes, size_t* used) {
  ThriftParser parser(bytes);
  ThriftValue value = parser.Struct(0);
  *used = parser.used();
  return value;
}

}  // namespace hearth::parquet
