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
Value DictPop(Interp& interp, const Value& self, Args& args) {
  const Value& key = RequiredArgument(interp, args, 0, "key");
  Value* found = self.dict->Find(key);
  if (found == nullptr) {
    if (const Value* fallback = args.Get(1, "default")) return *fallback;
    interp.Fail("pop: no key " + ToText(interp, key));
  }
  Value value = *found;
  interp.Step(self.dict->items.size() / 16);
  self.dict->Erase(key);
  return value;
}
Value DictSetDefault(Interp& interp, const Value& self, Args& args) {
  const Value& key = RequiredArgument(interp, args, 0, "key");
  if (Value* found = self.dict->Find(key)) return *found;
  Value value = Argument(args, 1, "default", Value::None());
  self.dict->Set(interp, key, value);
  return value;
}
Value DictUpdate(Interp& interp, const Value& self, Args& args) {
  if (const Value* other = args.Get(0, "")) {
    if (other->kind != Kind::kDict) interp.Fail("update needs a dict");
    auto entries = other->dict->items;
    for (auto& [key, value] : entries) self.dict->Set(interp, key, std::move(value));
  }
  for (const auto& [key, value] : args.keywords) self.dict->Set(interp, key, value);
  return Value::None();
}
Value DictCopy(Interp& interp, const Value& self, Args&) {
  DictObj* copy = interp.NewDict();
  interp.ChargeMemory(self.dict->items.size() * 2 * sizeof(Value));
  copy->items = self.dict->items;
  return Value::Of(copy);
}

Value ListAppend(Interp& interp, const Value& self, Args& args) {
  interp.ChargeMemory(sizeof(Value));
  self.list->items.push_back(RequiredArgument(interp, args, 0, "object"));
  return Value::None();
}
Value ListExtend(Interp& interp, const Value& self, Args& args) {
  std::vector<Value> items = Items(interp, RequiredArgument(interp, args, 0, "iterable"));
  interp.ChargeMemory(items.size() * sizeof(Value));
  self.list->items.insert(self.list->items.end(), items.begin(), items.end());
  return Value::None();
}
Value ListInsert(Interp& interp, const Value& self, Args& args) {
  auto size = static_cast<int64_t>(self.list->items.size());
  int64_t at = IntArgument(interp, args, 0, "index", 0);
  if (at < 0) at = std::max<int64_t>(at < -size ? 0 : at + size, 0);
  interp.ChargeMemory(sizeof(Value));
  interp.Step(self.list->items.size() / 64);
  self.list->items.insert(self.list->items.begin() + std::min(at, size),
                          RequiredArgument(interp, args, 1, "object"));
  return Value::None();
}
Value ListPop(Interp& interp, const Value& self, Args& args) {
  auto size = static_cast<int64_t>(self.list->items.size());
  int64_t at = IntArgument(interp, args, 0, "index", -1);
  if (at < 0) at += size;
  if (at < 0 || at >= size) interp.Fail("pop: index out of range");
  Value value = self.list->items[static_cast<size_t>(at)];
  interp.Step(self.list->items.size() / 64);
  self.list->items.erase(self.list->items.begin() + at);
  return value;
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
Value ListReverse(Interp& interp, const Value& self, Args&) {
  interp.Step(self.list->items.size() / 64);
  std::reverse(self.list->items.begin(), self.list->items.end());
  return Value::None();
}
Value ListCopy(Interp& interp, const Value& self, Args&) {
  return interp.List(self.list->items, self.list->is_tuple);
}

constexpr NamedEntry<Builtin> kDictMethods[] = {
    {"copy", DictCopy},     {"get", DictGet},       {"items", DictItems},
    {"keys", DictKeys},     {"pop", DictPop},       {"setdefault", DictSetDefault},
    {"update", DictUpdate}, {"values", DictValues},
};

constexpr NamedEntry<Builtin> kTupleMethods[] = {{"count", ListCount}, {"index", ListIndex}};

constexpr NamedEntry<Builtin> kListMethods[] = {
    {"append", ListAppend}, {"copy", ListCopy},     {"count", ListCount}, {"extend", ListExtend},
    {"index", ListIndex},   {"insert", ListInsert}, {"pop", ListPop},     {"reverse", ListReverse},
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
