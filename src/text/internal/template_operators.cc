// Arithmetic with Python's meaning: true and floor division, modulo with the divisor's sign,
// repetition.

#include <cmath>

#include "text/html.h"
#include "text/internal/template_builtins.h"
#include "text/internal/template_interp.h"

namespace hearth::tmpl {
namespace {

Value FloatPower(Heap& heap, double base, double exponent) {
  if (base == 0 && exponent < 0) heap.Fail("0.0 cannot be raised to a negative power");
  double result = std::pow(base, exponent);
  if (std::isnan(result) && base < 0) heap.Fail("a root of a negative number is no real number");
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent)) {
    heap.Fail("the result of ** is too large");
  }
  return Value::Float(result);
}

// Python's integers have no end; here they have 64 bits, and what does not fit is an error.
Value IntegerPower(Heap& heap, int64_t base, int64_t exponent) {
  if (exponent < 0) {
    return FloatPower(heap, static_cast<double>(base), static_cast<double>(exponent));
  }
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) {
      heap.Fail("integer overflow");
    }
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) heap.Fail("integer overflow");
  }
  return Value::Int(result);
}

Value IntegerBinary(Heap& heap, std::string_view op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  if (op == "+") {
    overflow = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflow = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflow = __builtin_mul_overflow(a, b, &result);
  } else if (op == "**") {
    return IntegerPower(heap, a, b);
  } else {
    if (b == 0) heap.Fail("division by zero");
    if (op == "/") return Value::Float(static_cast<double>(a) / static_cast<double>(b));
    if (b == -1) {  // the one quotient that does not fit
      if (op == "%") return Value::Int(0);
      overflow = __builtin_sub_overflow(int64_t{0}, a, &result);
    } else if (op == "//") {
      result = a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0);
    } else {
      result = a % b;
      if (result != 0 && (result < 0) != (b < 0)) result += b;
    }
  }
  if (overflow) heap.Fail("integer overflow");
  return Value::Int(result);
}

Value FloatBinary(Heap& heap, std::string_view op, double a, double b) {
  if (op == "+") return Value::Float(a + b);
  if (op == "-") return Value::Float(a - b);
  if (op == "*") return Value::Float(a * b);
  if (op == "**") return FloatPower(heap, a, b);
  if (b == 0) heap.Fail("division by zero");
  if (op == "/") return Value::Float(a / b);
  if (op == "//") return Value::Float(std::floor(a / b));
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  return Value::Float(rest);
}

Value Repeat(Heap& heap, const Value& value, int64_t times) {
  auto count = static_cast<uint64_t>(times < 0 ? 0 : times);
  uint64_t unit = value.is_string() ? value.str().size() : value.list->items.size() * sizeof(Value);
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(unit, count, &bytes)) heap.TooLarge("a value is too large");
  heap.CheckSize(bytes);
  if (unit == 0) count = 0;
  if (value.is_string()) {
    std::string text;
    text.reserve(bytes);
    for (uint64_t i = 0; i < count; ++i) text += value.str();
    return heap.String(std::move(text), value.safe);
  }
  std::vector<Value> items;
  items.reserve(value.list->items.size() * count);
  for (uint64_t i = 0; i < count; ++i) {
    items.insert(items.end(), value.list->items.begin(), value.list->items.end());
  }
  return heap.List(std::move(items), value.list->is_tuple);
}

}  // namespace

Value Interp::Negate(const Value& value) {
  if (value.kind == Kind::kFloat) return Value::Float(-value.number);
  if (value.is_integral()) return IntegerBinary(*this, "-", 0, value.AsInt());
  if (value.is_undefined()) Fail("'" + std::string(value.str()) + "' is undefined");
  Fail(std::string("bad operand for -: ") + TypeName(value));
}

Value Interp::Binary(std::string_view op, const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) return IntegerBinary(*this, op, a.AsInt(), b.AsInt());
  if (a.is_number() && b.is_number()) return FloatBinary(*this, op, a.AsDouble(), b.AsDouble());
  if (op == "+" && a.is_string() && b.is_string()) {
    if (!a.safe && !b.safe) return String(std::string(a.str()) + std::string(b.str()));
    return String(EscapedText(a) + EscapedText(b), /*safe=*/true);
  }
  if (op == "+" && a.kind == Kind::kList && b.kind == Kind::kList &&
      a.list->is_tuple == b.list->is_tuple && !a.list->is_lazy && !b.list->is_lazy &&
      a.list->range.empty() && b.list->range.empty()) {
    CheckSize((a.list->items.size() + b.list->items.size()) * sizeof(Value));
    std::vector<Value> items = a.list->items;
    items.insert(items.end(), b.list->items.begin(), b.list->items.end());
    return List(std::move(items), a.list->is_tuple);
  }
  auto repeatable = [](const Value& value) {
    return value.is_string() || (value.kind == Kind::kList && value.list->range.empty());
  };
  if (op == "*" && repeatable(a) && b.is_integral()) return Repeat(*this, a, b.AsInt());
  if (op == "*" && a.is_integral() && repeatable(b)) return Repeat(*this, b, a.AsInt());
  if (op == "%" && a.is_string()) return String(PercentFormat(*this, a.str(), b), a.safe);
  for (const Value* value : {&a, &b}) {
    if (value->is_undefined()) Fail("'" + std::string(value->str()) + "' is undefined");
  }
  Fail("unsupported operands for " + std::string(op) + ": " + TypeName(a) + " and " + TypeName(b));
}

}  // namespace hearth::tmpl
