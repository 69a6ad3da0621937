// Filters over lists and dicts, and those that choose a value.

#include <algorithm>
#include <unordered_set>

#include "base/bytes.h"
#include "text/html.h"
#include "text/internal/template_builtins.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

// "a.b.0" of an item; `path` may be an integer index too.
Value ByPath(Interp& interp, Value item, const Value& path) {
  if (path.is_integral()) return interp.Subscript(item, path);
  std::string text = ToText(interp, path);
  for (std::string_view part : Split(text, '.')) {
    std::optional<int64_t> index = ParseInt(part);
    item = interp.Subscript(item, index ? Value::Int(*index) : interp.String(std::string(part)));
  }
  return item;
}

// What sorting, grouping and comparing look at: the item or an attribute, lower-cased unless asked
// not to.
class KeyOf {
 public:
  KeyOf(Interp& interp, const Value* attribute, bool case_sensitive)
      : interp_(interp), case_sensitive_(case_sensitive) {
    if (attribute == nullptr || attribute->is_none() || attribute->is_undefined()) return;
    if (attribute->is_string()) {
      std::string text(attribute->str());
      for (std::string_view path : Split(text, ',')) {
        paths_.push_back(interp.String(std::string(TrimAscii(path))));
      }
    } else {
      paths_.push_back(*attribute);
    }
  }

  Value operator()(const Value& item) const {
    if (paths_.empty()) return Fold(item);
    if (paths_.size() == 1) return Fold(ByPath(interp_, item, paths_[0]));
    std::vector<Value> keys;
    for (const Value& path : paths_) keys.push_back(Fold(ByPath(interp_, item, path)));
    return interp_.List(std::move(keys), /*is_tuple=*/true);
  }

 private:
  Value Fold(Value value) const {
    if (case_sensitive_ || !value.is_string()) return value;
    return interp_.String(LowerText(value.str()));
  }
  Interp& interp_;
  bool case_sensitive_;
  std::vector<Value> paths_;
};

// A merge sort that survives a comparison that throws or contradicts itself.
void SortByKeys(Interp& interp, std::vector<Value>* items, const KeyOf& key, bool reverse) {
  std::vector<std::pair<Value, Value>> keyed;
  keyed.reserve(items->size());
  for (Value& item : *items) keyed.emplace_back(key(item), std::move(item));
  auto less = [&](const auto& a, const auto& b) {
    return reverse ? Compare(interp, b.first, a.first) < 0 : Compare(interp, a.first, b.first) < 0;
  };
  std::stable_sort(keyed.begin(), keyed.end(), less);
  for (size_t i = 0; i < keyed.size(); ++i) (*items)[i] = std::move(keyed[i].second);
}

Value Default(Interp& interp, const Value& self, Args& args) {
  bool falsy_too = FlagArgument(args, 1, "boolean", false);
  if (!self.is_undefined() && !(falsy_too && !Truthy(self))) return self;
  const Value* fallback = args.Get(0, "default_value");
  return fallback != nullptr ? *fallback : interp.String("");
}

Value LengthFilter(Interp& interp, const Value& self, Args&) {
  return Value::Int(static_cast<int64_t>(Length(interp, self)));
}

Value First(Interp& interp, const Value& self, Args&) {
  std::vector<Value> items = Items(interp, self);
  return items.empty() ? interp.Undefined("first item") : items.front();
}
Value Last(Interp& interp, const Value& self, Args&) {
  std::vector<Value> items = Items(interp, self);
  return items.empty() ? interp.Undefined("last item") : items.back();
}

Value Join(Interp& interp, const Value& self, Args& args) {
  std::vector<Value> items = Items(interp, self);
  if (const Value* attribute = args.Get(1, "attribute"); attribute && !attribute->is_none()) {
    for (Value& item : items) item = ByPath(interp, item, *attribute);
  }
  const Value* given = args.Get(0, "d");
  Value separator = given != nullptr ? *given : interp.String("");
  auto is_safe = [](const Value& value) { return value.is_string() && value.safe; };
  bool safe = interp.autoescape() &&
              (is_safe(separator) || std::any_of(items.begin(), items.end(), is_safe));
  auto text = [&](const Value& value) {
    return safe ? interp.EscapedText(value) : ToText(interp, value);
  };
  std::string between = text(separator), out;
  bool first = true;
  for (const Value& item : items) {
    if (!std::exchange(first, false)) out += between;
    out += text(item);
    interp.CheckSize(out.size());
  }
  return interp.String(std::move(out), safe);
}

Value ListFilter(Interp& interp, const Value& self, Args&) {
  return interp.List(Items(interp, self));
}

Value Reverse(Interp& interp, const Value& self, Args&) {
  std::vector<Value> items = Items(interp, self);
  std::reverse(items.begin(), items.end());
  if (!self.is_string()) return interp.LazyList(std::move(items));
  std::string out;
  for (const Value& item : items) out += item.str();
  return interp.String(std::move(out), self.safe);
}

Value Sort(Interp& interp, const Value& self, Args& args) {
  bool reverse = FlagArgument(args, 0, "reverse", false);
  KeyOf key(interp, args.Get(2, "attribute"), FlagArgument(args, 1, "case_sensitive", false));
  std::vector<Value> items = Items(interp, self);
  SortByKeys(interp, &items, key, reverse);
  return interp.List(std::move(items));
}

Value Unique(Interp& interp, const Value& self, Args& args) {
  KeyOf key(interp, args.Get(1, "attribute"), FlagArgument(args, 0, "case_sensitive", false));
  std::vector<Value> kept;
  std::unordered_set<std::string> seen;
  for (Value& item : Items(interp, self)) {
    std::string text;
    Value by = key(item);
    // 1, 1.0 and true are one value in Python.
    if (by.is_number() &&
        by.AsDouble() == static_cast<double>(static_cast<int64_t>(by.AsDouble()))) {
      by = Value::Int(static_cast<int64_t>(by.AsDouble()));
    }
    AppendRepr(interp, by, &text);
    if (seen.insert(std::move(text)).second) kept.push_back(std::move(item));
  }
  return interp.LazyList(std::move(kept));
}

Value Extreme(Interp& interp, const Value& self, Args& args, bool want_max) {
  KeyOf key(interp, args.Get(1, "attribute"), FlagArgument(args, 0, "case_sensitive", false));
  std::vector<Value> items = Items(interp, self);
  if (items.empty()) return interp.Undefined("item of an empty sequence");
  size_t best = 0;
  Value best_key = key(items[0]);
  for (size_t i = 1; i < items.size(); ++i) {
    Value candidate = key(items[i]);
    int order = Compare(interp, candidate, best_key);
    if (want_max ? order <= 0 : order >= 0) continue;
    best = i;
    best_key = std::move(candidate);
  }
  return items[best];
}
Value Max(Interp& interp, const Value& self, Args& args) {
  return Extreme(interp, self, args, true);
}
Value Min(Interp& interp, const Value& self, Args& args) {
  return Extreme(interp, self, args, false);
}

Value Sum(Interp& interp, const Value& self, Args& args) {
  const Value* attribute = args.Get(0, "attribute");
  const Value* start = args.Get(1, "start");
  Value total = start != nullptr ? *start : Value::Int(0);
  for (const Value& item : Items(interp, self)) {
    bool by_path = attribute != nullptr && !attribute->is_none();
    total = interp.Binary("+", total, by_path ? ByPath(interp, item, *attribute) : item);
  }
  return total;
}

Value Batch(Interp& interp, const Value& self, Args& args) {
  int64_t size = IntArgument(interp, args, 0, "linecount", 0);
  if (size < 1) interp.Fail("batch needs a positive size");
  const Value* fill = args.Get(1, "fill_with");
  std::vector<Value> rows, row;
  for (Value& item : Items(interp, self)) {
    row.push_back(std::move(item));
    if (static_cast<int64_t>(row.size()) < size) continue;
    rows.push_back(interp.List(std::move(row)));
    row.clear();
  }
  if (!row.empty()) {
    if (fill != nullptr && !fill->is_none()) {
      interp.CheckSize(static_cast<uint64_t>(size) * sizeof(Value));
      row.resize(static_cast<size_t>(size), *fill);
    }
    rows.push_back(interp.List(std::move(row)));
  }
  return interp.LazyList(std::move(rows));
}

Value Slice(Interp& interp, const Value& self, Args& args) {
  int64_t slices = IntArgument(interp, args, 0, "slices", 0);
  if (slices < 1 || slices > 100'000) interp.Fail("slice needs a positive number");
  const Value* fill = args.Get(1, "fill_with");
  std::vector<Value> items = Items(interp, self), out;
  auto count = static_cast<size_t>(slices);
  size_t each = items.size() / count, extra = items.size() % count, at = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t size = each + (i < extra ? 1 : 0);
    std::vector<Value> part(items.begin() + static_cast<ptrdiff_t>(at),
                            items.begin() + static_cast<ptrdiff_t>(at + size));
    at += size;
    if (fill != nullptr && !fill->is_none() && i >= extra) part.push_back(*fill);
    out.push_back(interp.List(std::move(part)));
  }
  return interp.LazyList(std::move(out));
}

Value ItemsFilter(Interp& interp, const Value& self, Args&) {
  std::vector<Value> pairs;
  if (self.is_undefined()) return interp.LazyList({});
  if (self.kind != Kind::kDict) interp.Fail("items needs a mapping");
  for (const auto& [key, value] : self.dict->items) {
    pairs.push_back(interp.List({key, value}, /*is_tuple=*/true));
  }
  return interp.LazyList(std::move(pairs));
}

Value DictSort(Interp& interp, const Value& self, Args& args) {
  if (self.kind != Kind::kDict) interp.Fail("dictsort needs a mapping");
  bool case_sensitive = FlagArgument(args, 0, "case_sensitive", false);
  std::string by = TextArgument(interp, args, 1, "by", "key");
  if (by != "key" && by != "value") interp.Fail("dictsort: 'by' is \"key\" or \"value\"");
  Value position = Value::Int(by == "value" ? 1 : 0);
  std::vector<Value> pairs = Items(interp, ItemsFilter(interp, self, args));
  SortByKeys(interp, &pairs, KeyOf(interp, &position, case_sensitive),
             FlagArgument(args, 2, "reverse", false));
  return interp.List(std::move(pairs));
}

Value GroupBy(Interp& interp, const Value& self, Args& args) {
  const Value& attribute = RequiredArgument(interp, args, 0, "attribute");
  const Value* fallback = args.Get(1, "default");
  bool case_sensitive = FlagArgument(args, 2, "case_sensitive", false);
  std::vector<Value> items = Items(interp, self);
  KeyOf key(interp, &attribute, case_sensitive);
  auto key_of = [&](const Value& item) {
    Value value = key(item);
    return value.is_undefined() && fallback != nullptr ? *fallback : value;
  };
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : items) keyed.emplace_back(key_of(item), std::move(item));
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    return Compare(interp, a.first, b.first) < 0;
  });
  std::vector<Value> groups;
  for (size_t i = 0; i < keyed.size();) {
    std::vector<Value> members;
    size_t start = i;
    for (; i < keyed.size() && Equal(interp, keyed[i].first, keyed[start].first); ++i) {
      members.push_back(keyed[i].second);
    }
    // The shown key keeps its case.
    Value shown = ByPath(interp, members[0], attribute);
    if (shown.is_undefined()) shown = keyed[start].first;
    Value group = interp.List({shown, interp.List(std::move(members))}, /*is_tuple=*/true);
    group.list->is_group = true;
    groups.push_back(group);
  }
  return interp.List(std::move(groups));
}

Args Rest(const Args& args, size_t from) {
  Args rest;
  for (size_t i = from; i < args.positional.size(); ++i)
    rest.positional.push_back(args.positional[i]);
  rest.keywords = args.keywords;
  return rest;
}

// jinja2's map and select are lazy: over None they fail only when somebody looks.
std::vector<Value> LazyItems(Interp& interp, const Value& self) {
  return self.is_none() ? std::vector<Value>() : Items(interp, self);
}

Value Map(Interp& interp, const Value& self, Args& args) {
  std::vector<Value> items = LazyItems(interp, self);
  if (args.positional.empty()) {
    const Value& attribute = RequiredArgument(interp, args, 0, "attribute");
    const Value* fallback = args.Get(99, "default");
    for (Value& item : items) {
      item = ByPath(interp, item, attribute);
      if (item.is_undefined() && fallback != nullptr) item = *fallback;
    }
    return interp.LazyList(std::move(items));
  }
  std::string filter = ToText(interp, args.positional[0]);
  for (Value& item : items) {
    Args rest = Rest(args, 1);
    item = interp.ApplyFilter(filter, item, rest);
  }
  return interp.LazyList(std::move(items));
}

// select, reject, selectattr and rejectattr are one thing.
Value Choose(Interp& interp, const Value& self, Args& args, bool keep_when, bool by_attribute) {
  std::vector<Value> kept;
  size_t test_at = by_attribute ? 1 : 0;
  if (by_attribute) RequiredArgument(interp, args, 0, "attribute");
  for (Value& item : LazyItems(interp, self)) {
    interp.Step();
    Value tested = by_attribute ? ByPath(interp, item, args.positional.at(0)) : item;
    bool passed;
    if (args.positional.size() > test_at) {
      Args rest = Rest(args, test_at + 1);
      passed = interp.ApplyTest(ToText(interp, args.positional[test_at]), tested, rest);
    } else {
      passed = Truthy(tested);
    }
    if (passed == keep_when) kept.push_back(std::move(item));
  }
  return interp.LazyList(std::move(kept));
}
Value Select(Interp& interp, const Value& self, Args& args) {
  return Choose(interp, self, args, true, false);
}
Value Reject(Interp& interp, const Value& self, Args& args) {
  return Choose(interp, self, args, false, false);
}
Value SelectAttr(Interp& interp, const Value& self, Args& args) {
  return Choose(interp, self, args, true, true);
}
Value RejectAttr(Interp& interp, const Value& self, Args& args) {
  return Choose(interp, self, args, false, true);
}

// Unlike "value.name" this never gives an item of a dict.
Value Attr(Interp& interp, const Value& self, Args& args) {
  std::string name = ToText(interp, RequiredArgument(interp, args, 0, "name"));
  bool is_dict = self.kind == Kind::kDict && !self.dict->is_namespace;
  if (is_dict && FindMethod(self, name) == nullptr) return interp.Undefined(name);
  return interp.Attribute(self, name);
}

constexpr NamedEntry<Builtin> kFilters[] = {
    {"attr", Attr},       {"batch", Batch},     {"count", LengthFilter},
    {"d", Default},       {"default", Default}, {"dictsort", DictSort},
    {"first", First},     {"groupby", GroupBy}, {"items", ItemsFilter},
    {"join", Join},       {"last", Last},       {"length", LengthFilter},
    {"list", ListFilter}, {"map", Map},         {"max", Max},
    {"min", Min},         {"reject", Reject},   {"rejectattr", RejectAttr},
    {"reverse", Reverse}, {"select", Select},   {"selectattr", SelectAttr},
    {"slice", Slice},     {"sort", Sort},       {"sum", Sum},
    {"unique", Unique},
};

}  // namespace

Builtin FindSequenceFilter(std::string_view name) { return FindEntry(kFilters, name); }

}  // namespace hearth::tmpl
