// Thrift's compact protocol as a tree of values, as far as Parquet uses it. Format:
// github.com/apache/thrift, doc/specs/thrift-compact-protocol.md. Errors: kInvalidArgument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::parquet {

// One field or element. Strings are views into the bytes that were parsed.
class ThriftValue {
 public:
  bool is_set() const { return kind_ != Kind::kNone; }
  // The field of a struct; an unset value when it is not there or this is no struct.
  const ThriftValue& operator[](int field) const;
  // The elements of a list; empty for anything else.
  const std::vector<ThriftValue>& list() const { return items_; }
  int64_t Int(int64_t otherwise = 0) const { return kind_ == Kind::kInt ? int_ : otherwise; }
  bool Bool(bool otherwise = false) const { return kind_ == Kind::kInt ? int_ != 0 : otherwise; }
  std::string_view Text() const { return text_; }

 private:
  friend class ThriftParser;
  enum class Kind : uint8_t { kNone, kInt, kText, kList, kStruct };
  Kind kind_ = Kind::kNone;
  int64_t int_ = 0;
  std::string_view text_;
  std::vector<int16_t> fields_;  // of a struct, beside items_
  std::vector<ThriftValue> items_;
};

// Parses one struct at the front of `bytes`; `used` gets its length.
ThriftValue ParseThrift(std::string_view bytes, size_t* used);

}  // namespace hearth::parquet
