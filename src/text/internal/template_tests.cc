// Tests: "value is name(arguments)".

#include "text/internal/template_builtins.h"
#include "text/internal/template_characters.h"

namespace hearth::tmpl {
namespace {

bool Defined(Interp&, const Value& v, Args&) { return !v.is_undefined(); }
bool Undefined(Interp&, const Value& v, Args&) { return v.is_undefined(); }
bool None(Interp&, const Value& v, Args&) { return v.is_none(); }
bool String(Interp&, const Value& v, Args&) { return v.is_string(); }
bool Number(Interp&, const Value& v, Args&) { return v.is_number(); }
bool Integer(Interp&, const Value& v, Args&) { return v.kind == Kind::kInt; }
bool Float(Interp&, const Value& v, Args&) { return v.kind == Kind::kFloat; }
bool Boolean(Interp&, const Value& v, Args&) { return v.kind == Kind::kBool; }
bool True(Interp&, const Value& v, Args&) { return v.kind == Kind::kBool && v.boolean; }
bool False(Interp&, const Value& v, Args&) { return v.kind == Kind::kBool && !v.boolean; }
bool Mapping(Interp&, const Value& v, Args&) {
  return v.kind == Kind::kDict && !v.dict->is_namespace;
}
bool Iterable(Interp&, const Value& v, Args&) {
  return v.is_undefined() || v.is_string() || v.kind == Kind::kList ||
         (v.kind == Kind::kDict && !v.dict->is_namespace);
}
bool Callable(Interp&, const Value& v, Args&) {
  return v.kind == Kind::kObject && v.object->callable();
}
bool Escaped(Interp&, const Value& v, Args&) { return v.is_string() && v.safe; }
bool Lower(Interp& interp, const Value& v, Args&) { return IsLowerText(ToText(interp, v)); }
bool Upper(Interp& interp, const Value& v, Args&) { return IsUpperText(ToText(interp, v)); }

int64_t Modulo(Interp& interp, const Value& v, int64_t divisor) {
  if (!v.is_number()) interp.Fail("a number is needed for this test");
  Value rest = interp.Binary("%", v, Value::Int(divisor));
  return rest.kind == Kind::kFloat ? (rest.number == 0   ? 0
                                      : rest.number == 1 ? 1
                                                         : 2)
                                   : rest.AsInt();
}
bool Even(Interp& interp, const Value& v, Args&) { return Modulo(interp, v, 2) == 0; }
bool Odd(Interp& interp, const Value& v, Args&) { return Modulo(interp, v, 2) == 1; }
bool DivisibleBy(Interp& interp, const Value& v, Args& args) {
  RequiredArgument(interp, args, 0, "num");
  return Modulo(interp, v, IntArgument(interp, args, 0, "num", 1)) == 0;
}

const Value& Other(Interp& interp, const Args& args) {
  return RequiredArgument(interp, args, 0, "other");
}
bool Eq(Interp& interp, const Value& v, Args& args) {
  return Equal(interp, v, Other(interp, args));
}
bool Ne(Interp& interp, const Value& v, Args& args) {
  return !Equal(interp, v, Other(interp, args));
}
bool Lt(Interp& interp, const Value& v, Args& args) {
  return Compare(interp, v, Other(interp, args)) < 0;
}
bool Le(Interp& interp, const Value& v, Args& args) {
  return Compare(interp, v, Other(interp, args)) <= 0;
}
bool Gt(Interp& interp, const Value& v, Args& args) {
  return Compare(interp, v, Other(interp, args)) > 0;
}
bool Ge(Interp& interp, const Value& v, Args& args) {
  return Compare(interp, v, Other(interp, args)) >= 0;
}
bool In(Interp& interp, const Value& v, Args& args) {
  return Contains(interp, Other(interp, args), v);
}
bool SameAs(Interp& interp, const Value& v, Args& args) {
  const Value& other = Other(interp, args);
  if (v.kind != other.kind) return false;
  if (v.kind == Kind::kList) return v.list == other.list;
  if (v.kind == Kind::kDict) return v.dict == other.dict;
  return Equal(interp, v, other);
}
bool TestExists(Interp& interp, const Value& v, Args&) {
  return FindTest(ToText(interp, v)) != nullptr;
}

constexpr NamedEntry<TestFunction> kTests[] = {
    {"!=", Ne},
    {"<", Lt},
    {"<=", Le},
    {"==", Eq},
    {">", Gt},
    {">=", Ge},
    {"boolean", Boolean},
    {"callable", Callable},
    {"defined", Defined},
    {"divisibleby", DivisibleBy},
    {"eq", Eq},
    {"equalto", Eq},
    {"escaped", Escaped},
    {"even", Even},
    {"false", False},
    {"float", Float},
    {"ge", Ge},
    {"greaterthan", Gt},
    {"gt", Gt},
    {"in", In},
    {"integer", Integer},
    {"iterable", Iterable},
    {"le", Le},
    {"lessthan", Lt},
    {"lower", Lower},
    {"lt", Lt},
    {"mapping", Mapping},
    {"ne", Ne},
    {"none", None},
    {"number", Number},
    {"odd", Odd},
    {"sameas", SameAs},
    {"sequence", Iterable},
    {"string", String},
    {"test", TestExists},
    {"true", True},
    {"undefined", Undefined},
    {"upper", Upper},
};

}  // namespace

TestFunction FindTest(std::string_view name) { return FindEntry(kTests, name); }

}  // namespace hearth::tmpl
