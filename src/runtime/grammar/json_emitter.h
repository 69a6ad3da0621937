// The parts of JSON that schemas are made of, laid into a grammar between two states. Rules that
// every schema shares (white space, strings, numbers, any value) are made at first use.
// One thread; borrows the builder.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "runtime/grammar/byte_grammar.h"
#include "runtime/grammar/json_grammar.h"
#include "runtime/grammar/number_range.h"
#include "runtime/grammar/regex_grammar.h"

namespace hearth::runtime {

class JsonEmitter {
 public:
  // Lays something between two states.
  using Emit = std::function<void(uint32_t from, uint32_t to)>;

  JsonEmitter(GrammarBuilder* builder, uint32_t max_whitespace)
      : builder_(*builder), max_whitespace_(max_whitespace) {}

  void Space(uint32_t from, uint32_t to);
  void AnyString(uint32_t from, uint32_t to);
  void AnyValue(uint32_t from, uint32_t to);
  void AnyObject(uint32_t from, uint32_t to);
  void AnyArray(uint32_t from, uint32_t to);
  void Boolean(uint32_t from, uint32_t to);
  void Null(uint32_t from, uint32_t to) { builder_.AddText(from, to, "null"); }
  void Number(bool integer, uint32_t from, uint32_t to);
  // This value, white space allowed between its parts.
  void Constant(const Json& value, uint32_t from, uint32_t to);
  // Strings with a number of characters inside the bounds.
  void BoundedString(const LengthBounds& bounds, uint32_t from, uint32_t to);
  void PatternString(const CodePointGraph& graph, const LengthBounds& bounds, uint32_t from,
                     uint32_t to);

  // '[' items ']'. The first prefix.size() items by position, the others by `rest`; no rest: no
  // others.
  struct Array {
    std::vector<Emit> prefix;
    std::optional<Emit> rest;
    uint32_t min = 0;
    std::optional<uint32_t> max;
  };
  void AddArray(const Array& array, uint32_t from, uint32_t to);

  // '{' members '}': the properties in order, then others; no `others`: none.
  struct Property {
    std::string name;
    bool required = false;
    Emit value;
  };
  struct Object {
    std::vector<Property> properties;
    std::optional<Emit> others;
  };
  void AddObject(const Object& object, uint32_t from, uint32_t to);

 private:
  uint32_t AddState() { return builder_.AddState(); }
  void Byte(uint32_t from, uint32_t to, char c) {
    builder_.AddBytes(from, to, static_cast<uint8_t>(c), static_cast<uint8_t>(c));
  }
  // A byte with white space behind it.
  void Mark(uint32_t from, uint32_t to, char c);
  void Digits(uint32_t from, uint32_t to);  // one or more
  // A key that is none of the names, quotes included.
  void OtherKey(const std::vector<Property>& names, uint32_t from, uint32_t to);
  // Makes the rule at first use and calls it.
  void CallRule(std::optional<uint32_t>* rule, const Emit& body, uint32_t from, uint32_t to);

  GrammarBuilder& builder_;
  uint32_t max_whitespace_;
  std::optional<uint32_t> space_, string_, number_, integer_, value_, object_, array_;
};

}  // namespace hearth::runtime
