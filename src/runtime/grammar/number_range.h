// Numbers between bounds as an automaton over decimal digits. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/json.h"
#include "runtime/grammar/byte_grammar.h"

namespace hearth::runtime {

// A bound as exact decimal digits: value = (-1)^negative * whole.fraction.
struct Decimal {
  bool negative = false;
  std::string whole = "0";  // without leading zeros, "0" for none
  std::string fraction;     // without trailing zeros
  bool is_zero() const { return whole == "0" && fraction.empty(); }

  // Errors: kInvalidArgument when it is no number, kTooLarge for more than 60 digits.
  static Decimal FromJson(const Json& number);
  // Below 0, 0, above 0.
  int Compare(const Decimal& other) const;
};

struct NumberBound {
  Decimal value;
  bool exclusive = false;
};

struct NumberRange {
  std::optional<NumberBound> min, max;
  bool integer = false;
};

// Decimals of the range, without exponents, from one state to another. May lay a part that leads
// nowhere; the builder leaves it out.
void AddNumberRange(const NumberRange& range, uint32_t from, uint32_t to, GrammarBuilder* builder);

}  // namespace hearth::runtime
