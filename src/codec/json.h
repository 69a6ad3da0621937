// JSON values. Parsing is simdjson's (strict RFC 8259, UTF-8 checked, depth limited); the value
// type and the writer are ours, because objects must keep their order (clients and humans compare
// answers) and a header that a hundred files include must compile in milliseconds.
//
// A Json is a plain value: copy and move freely; const access is thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hearth {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;  // in insertion order; keys are unique when built by Set

  Json() : value_(nullptr) {}
  Json(std::nullptr_t) : value_(nullptr) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(static_cast<int64_t>(value)) {}
  Json(long value) : value_(static_cast<int64_t>(value)) {}
  Json(long long value) : value_(static_cast<int64_t>(value)) {}
  Json(unsigned value) : value_(static_cast<int64_t>(value)) {}
  Json(unsigned long value) : value_(FromUnsigned(value)) {}
  Json(unsigned long long value) : value_(FromUnsigned(value)) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  template <typename T>
  Json(const std::optional<T>& value) : Json(value ? Json(*value) : Json()) {}
  Json(const std::vector<std::string>& values);

  // Json::Obj({{"a", 1}, {"b", Json::Arr({1, 2})}})
  static Json Obj(std::initializer_list<Member> members = {});
  static Json Arr(std::initializer_list<Json> items = {});

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  // An integer above INT64_MAX; smaller ones are is_int().
  bool is_unsigned() const { return std::holds_alternative<uint64_t>(value_); }
  bool is_number() const {
    return is_int() || std::holds_alternative<uint64_t>(value_) ||
           std::holds_alternative<double>(value_);
  }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Typed views; nullopt/nullptr when the value has another type (numbers convert when exact).
  std::optional<bool> AsBool() const;
  std::optional<int64_t> AsInt() const;
  std::optional<uint64_t> AsUint() const;
  std::optional<double> AsDouble() const;
  const std::string* AsString() const { return std::get_if<std::string>(&value_); }
  const Array* AsArray() const { return std::get_if<Array>(&value_); }
  const Object* AsObject() const { return std::get_if<Object>(&value_); }
  Array* AsArray() { return std::get_if<Array>(&value_); }
  Object* AsObject() { return std::get_if<Object>(&value_); }

  // Object access. Find: nullptr when absent or not an object. Set replaces or appends (a null
  // value becomes an object first). Returns *this for chaining.
  const Json* Find(std::string_view key) const;
  Json* Find(std::string_view key);
  Json& Set(std::string key, Json value);
  bool Erase(std::string_view key);
  // Array access: appends (a null value becomes an array first).
  Json& Push(Json value);
  size_t size() const;  // members or items; 0 for scalars

  // Field readers for request bodies. The optional forms give nullopt for absent or null and throw
  // Error{kInvalidArgument} naming the key when the type is wrong; Require* also throw when absent.
  std::optional<std::string> StringField(std::string_view key) const;
  std::optional<bool> BoolField(std::string_view key) const;
  std::optional<int64_t> IntField(std::string_view key) const;
  std::string RequireString(std::string_view key) const;
  const Array& RequireArray(std::string_view key) const;

  // Compact text. Strings that are not valid UTF-8 get U+FFFD in place of the bad bytes; NaN and
  // infinities become null. `indent` > 0 pretty-prints.
  std::string Dump(int indent = 0) const;

  // Throws Error{kInvalidArgument} with the reason and, where known, the position.
  static Json Parse(std::string_view text);

  bool operator==(const Json& other) const;

 private:
  using Value =
      std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, Array, Object>;
  static Value FromUnsigned(uint64_t value);
  Value value_;
};

}  // namespace hearth
