// Methods of lists and dicts; those of strings are in template_string_methods.cc.

#include <algorithm>

#include "text/internal/template_builtins.h"

namespace hearth::tmpl {
namespace {

Value DictItems(Interp& interp, const Value& self, Args&) {
  std::vector<Value> pairs;
  for (const auto& [key, value] : self.dict->items) {
    pairs.push_back(interp.List({key, value}, /*is_tuple=*/true));
  }
  return interp.List(std::move(pairs));
}
Value DictKeys(Interp& interp, const Value& self, Args&) {
  return interp.List(Items(interp, self));
}
Value DictValues(Interp& interp, const Value& self, Args&) {
  std::vector<Value> values;
  for (const auto& entry : self.dict->items) values.push_back(entry.second);
  return interp.List(std::move(values));
}
Value DictGet(Interp& interp, const Value& self, Args& args) {
  if (Value* found = self.dict->Find(RequiredArgument(interp, args, 0, "key"))) return *found;
  return Argument(args, 1, "default", Value::None());
}
Value DictCopy(Interp& interp, const Value& self, Args&) {
  DictObj* copy = interp.NewDict();
  interp.ChargeMemory(self.dict->items.size() * 2 * sizeof(Value));
  copy->items = self.dict->items;
  return Value::Of(copy);
}

Value ListIndex(Interp& interp, const Value& self, Args& args) {
  const Value& wanted = RequiredArgument(interp, args, 0, "value");
  for (size_t i = 0; i < self.list->items.size(); ++i) {
    if (Equal(interp, self.list->items[i], wanted)) return Value::Int(static_cast<int64_t>(i));
  }
  interp.Fail("index: the value is not in the list");
}
Value ListCount(Interp& interp, const Value& self, Args& args) {
  const Value& wanted = RequiredArgument(interp, args, 0, "value");
  int64_t count = 0;
  for (const Value& item : self.list->items) count += Equal(interp, item, wanted) ? 1 : 0;
  return Value::Int(count);
}
Value ListCopy(Interp& interp, const Value& self, Args&) {
  return interp.List(self.list->items, self.list->is_tuple);
}

// The sandbox is immutable, as jinja2's for chat templates is: what a render was given, and what it
// made, never changes under another name. A namespace() is the way to keep state.
Value Immutable(Interp& interp, const Value& self, Args&) {
  interp.Fail("a template may not change a " + std::string(TypeName(self)) +
              " in place: build a new one, or keep it in a namespace");
}

constexpr NamedEntry<Builtin> kDictMethods[] = {
    {"clear", Immutable},   {"copy", DictCopy},        {"get", DictGet},
    {"items", DictItems},   {"keys", DictKeys},        {"pop", Immutable},
    {"popitem", Immutable}, {"setdefault", Immutable}, {"update", Immutable},
    {"values", DictValues},
};

constexpr NamedEntry<Builtin> kTupleMethods[] = {{"count", ListCount}, {"index", ListIndex}};

constexpr NamedEntry<Builtin> kListMethods[] = {
    {"append", Immutable}, {"clear", Immutable},   {"copy", ListCopy},    {"count", ListCount},
    {"extend", Immutable}, {"index", ListIndex},   {"insert", Immutable}, {"pop", Immutable},
    {"remove", Immutable}, {"reverse", Immutable}, {"sort", Immutable},
};

}  // namespace

Builtin FindMethod(const Value& object, std::string_view name) {
  switch (object.kind) {
    case Kind::kString:
      return FindStringMethod(name);
    case Kind::kList:
      return object.list->is_tuple ? FindEntry(kTupleMethods, name) : FindEntry(kListMethods, name);
    case Kind::kDict:
      return FindEntry(kDictMethods, name);
    default:
      return nullptr;
  }
}

}  // namespace hearth::tmpl
