#include "text/internal/template_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "text/internal/template_characters.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

// Above this many entries a dict builds its index.
constexpr size_t kLinearSearch = 8;
// Strings alive at once may take this many times the limit of one.
constexpr uint64_t kLiveFactor = 4;

void CheckDepth(Heap& heap, size_t depth) {
  heap.Step();
  if (depth > heap.max_recursion()) heap.TooLarge("a value is nested too deeply");
}

void AppendEscape(char32_t c, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  int digits = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
  *out += c <= 0xFF ? "\\x" : c <= 0xFFFF ? "\\u" : "\\U";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) *out += kHex[(c >> shift) & 15];
}

}  // namespace

Value Value::Constant(std::string text) {
  Value result = Of(Kind::kString);
  result.text = std::make_shared<const Text>(std::move(text), nullptr);
  return result;
}

std::string DictObj::HashKey(const Value& key) {
  if (key.is_string()) return "s" + std::string(key.str());
  if (key.is_integral()) return "n" + std::to_string(key.AsInt());
  if (key.kind == Kind::kFloat) {
    double whole = std::trunc(key.number);
    if (whole == key.number && std::fabs(whole) < 9e15) {
      return "n" + std::to_string(static_cast<int64_t>(whole));
    }
    return "f" + FloatRepr(key.number);
  }
  return "o";
}

Value* DictObj::FindHashed(const std::string& hash_key) {
  for (; indexed_ < items.size(); ++indexed_) index_[HashKey(items[indexed_].first)] = indexed_;
  auto found = index_.find(hash_key);
  return found == index_.end() ? nullptr : &items[found->second].second;
}

Value* DictObj::Find(std::string_view key) {
  if (items.size() > kLinearSearch) return FindHashed("s" + std::string(key));
  for (auto& [name, value] : items) {
    if (name.is_string() && name.str() == key) return &value;
  }
  return nullptr;
}

Value* DictObj::Find(const Value& key) {
  if (key.is_string()) return Find(key.str());
  return FindHashed(HashKey(key));
}

void DictObj::Set(Heap& heap, const Value& key, Value value) {
  if (key.kind == Kind::kList || key.kind == Kind::kDict || key.kind == Kind::kObject) {
    heap.Fail(std::string("a ") + TypeName(key) + " cannot be a key");
  }
  if (Value* found = Find(key)) {
    *found = std::move(value);
    return;
  }
  heap.ChargeMemory(2 * sizeof(Value) + 64);
  items.emplace_back(key, std::move(value));
}

void DictObj::Set(Heap& heap, std::string_view key, Value value) {
  if (Value* found = Find(key)) {
    *found = std::move(value);
    return;
  }
  heap.ChargeMemory(2 * sizeof(Value) + 64);
  items.emplace_back(heap.String(std::string(key)), std::move(value));
}

bool DictObj::Erase(const Value& key) {
  Value* found = Find(key);
  if (found == nullptr) return false;
  for (size_t i = 0; i < items.size(); ++i) {
    if (&items[i].second != found) continue;
    items.erase(items.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  index_.clear();
  indexed_ = 0;
  return true;
}

const Value* Args::Get(size_t index, std::string_view name) const {
  if (index < positional.size()) return &positional[index];
  for (const auto& [key, value] : keywords) {
    if (key == name) return &value;
  }
  return nullptr;
}

Value Object::Attribute(Interp&, std::string_view) { return Value(); }
Value Object::Call(Interp&, Args&) { return Value(); }

Heap::Heap(uint64_t max_steps, size_t max_bytes, size_t max_recursion)
    : max_steps_(max_steps), max_bytes_(max_bytes), max_recursion_(max_recursion) {}

std::string Heap::Where() const {
  return "template " + (template_name != nullptr ? *template_name : std::string("?")) + ", line " +
         std::to_string(line) + ": ";
}

void Heap::Fail(const std::string& why) const {
  throw Error(Code::kInvalidArgument, Where() + why);
}
void Heap::TooLarge(const std::string& why) const { throw Error(Code::kTooLarge, Where() + why); }

void Heap::CheckSize(uint64_t bytes) {
  if (bytes > max_bytes_) TooLarge("a value or the output is too large");
}

void Heap::ChargeMemory(uint64_t bytes) {
  held_bytes_ += bytes;
  if (held_bytes_ > kLiveFactor * max_bytes_) TooLarge("too much memory is used");
}

Value Heap::String(std::string text, bool safe) {
  CheckSize(text.size());
  // A long string costs time in proportion: let it count as work.
  Step(1 + text.size() / 1024);
  Value result = Value::None();
  result.kind = Kind::kString;
  result.safe = safe;
  result.text = std::make_shared<const Text>(std::move(text), &live_text_bytes_);
  if (live_text_bytes_ > kLiveFactor * max_bytes_) TooLarge("too much memory is used");
  return result;
}

ListObj* Heap::NewList() {
  ChargeMemory(sizeof(ListObj) + 16);
  lists_.push_back(std::make_unique<ListObj>());
  return lists_.back().get();
}

Value Heap::List(std::vector<Value> items, bool is_tuple) {
  ChargeMemory(items.size() * sizeof(Value));
  Step(items.size() / 64);
  ListObj* list = NewList();
  list->items = std::move(items);
  list->is_tuple = is_tuple;
  return Value::Of(list);
}

Value Heap::LazyList(std::vector<Value> items) {
  Value lazy = List(std::move(items));
  lazy.list->is_lazy = true;
  return lazy;
}

DictObj* Heap::NewDict() {
  ChargeMemory(sizeof(DictObj) + 16);
  dicts_.push_back(std::make_unique<DictObj>());
  return dicts_.back().get();
}

Value Heap::Undefined(std::string_view name) {
  Value result;
  result.text = std::make_shared<const Text>(std::string(name), &live_text_bytes_);
  return result;
}

Value FromJson(Heap& heap, const Json& json) {
  if (json.is_null()) return Value::None();
  if (json.is_bool()) return Value::Bool(*json.AsBool());
  if (json.is_int()) return Value::Int(*json.AsInt());
  if (json.is_number()) return Value::Float(*json.AsDouble());
  if (const std::string* text = json.AsString()) return heap.String(*text);
  if (const Json::Array* items = json.AsArray()) {
    std::vector<Value> values;
    values.reserve(items->size());
    for (const Json& item : *items) values.push_back(FromJson(heap, item));
    return heap.List(std::move(values));
  }
  DictObj* dict = heap.NewDict();
  dict->items.reserve(json.size());
  for (const auto& [key, value] : *json.AsObject()) dict->Set(heap, key, FromJson(heap, value));
  return Value::Of(dict);
}

Json ToJson(Heap& heap, const Value& value, size_t depth) {
  CheckDepth(heap, depth);
  switch (value.kind) {
    case Kind::kNone:
      return Json();
    case Kind::kBool:
      return Json(value.boolean);
    case Kind::kInt:
      return Json(value.integer);
    case Kind::kFloat:
      return Json(value.number);
    case Kind::kString:
      return Json(value.str());
    case Kind::kList: {
      Json::Array items;
      for (const Value& item : value.list->items) items.push_back(ToJson(heap, item, depth + 1));
      return Json(std::move(items));
    }
    case Kind::kDict: {
      Json::Object members;
      for (const auto& [key, item] : value.dict->items) {
        members.emplace_back(ToText(heap, key), ToJson(heap, item, depth + 1));
      }
      return Json(std::move(members));
    }
    default:
      heap.Fail(std::string(TypeName(value)) + " is not JSON serializable");
  }
}

bool Truthy(const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
      return value.boolean;
    case Kind::kInt:
      return value.integer != 0;
    case Kind::kFloat:
      return value.number != 0;
    case Kind::kString:
      return !value.str().empty();
    case Kind::kList:
      return value.list->is_lazy || !value.list->items.empty();
    case Kind::kDict:
      return value.dict->is_namespace || !value.dict->items.empty();
    case Kind::kObject:
      return true;
  }
  return false;
}

std::string FloatRepr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char raw[32];
  auto end = std::to_chars(raw, raw + sizeof raw, value, std::chars_format::scientific).ptr;
  std::string_view text(raw, static_cast<size_t>(end - raw));
  size_t e = text.find('e');
  int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  // Python changes to exponents at the same places.
  if (exponent < -4 || exponent >= 16) return std::string(text);
  char fixed[400];
  end = std::to_chars(fixed, fixed + sizeof fixed, value, std::chars_format::fixed).ptr;
  std::string out(fixed, static_cast<size_t>(end - fixed));
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string ToText(Heap& heap, const Value& value) {
  if (value.is_undefined()) return "";
  if (value.is_string()) return std::string(value.str());
  std::string out;
  AppendRepr(heap, value, &out);
  return out;
}

void AppendStringRepr(std::string_view text, std::string* out) {
  bool has_single = text.find('\'') != std::string_view::npos;
  char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  *out += quote;
  while (!text.empty()) {
    CodePoint point = DecodeUtf8(text);
    char32_t c = point.value;
    if (c == static_cast<char32_t>(quote) || c == U'\\') {
      (*out += '\\') += static_cast<char>(c);
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '\r') {
      *out += "\\r";
    } else if (c == '\t') {
      *out += "\\t";
    } else if (!IsPrintable(c)) {
      AppendEscape(c, out);
    } else {
      out->append(text.substr(0, point.length));
    }
    text.remove_prefix(point.length);
  }
  *out += quote;
}

void AppendRepr(Heap& heap, const Value& value, std::string* out, size_t depth) {
  CheckDepth(heap, depth);
  heap.CheckSize(out->size());
  switch (value.kind) {
    case Kind::kUndefined:
      *out += "Undefined";
      return;
    case Kind::kNone:
      *out += "None";
      return;
    case Kind::kBool:
      *out += value.boolean ? "True" : "False";
      return;
    case Kind::kInt:
      *out += std::to_string(value.integer);
      return;
    case Kind::kFloat:
      *out += FloatRepr(value.number);
      return;
    case Kind::kString:
      if (value.safe) *out += "Markup(";
      AppendStringRepr(value.str(), out);
      if (value.safe) *out += ")";
      return;
    case Kind::kObject:
      *out += value.object->Repr();
      return;
    case Kind::kList:
      break;
    case Kind::kDict: {
      *out += value.dict->is_namespace ? "<Namespace {" : "{";
      const char* separator = "";
      for (const auto& [key, item] : value.dict->items) {
        *out += separator;
        separator = ", ";
        AppendRepr(heap, key, out, depth + 1);
        *out += ": ";
        AppendRepr(heap, item, out, depth + 1);
      }
      *out += value.dict->is_namespace ? "}>" : "}";
      return;
    }
  }
  const ListObj& list = *value.list;
  if (!list.range.empty()) {
    *out += list.range;
    return;
  }
  *out += list.is_tuple ? '(' : '[';
  const char* separator = "";
  for (const Value& item : list.items) {
    *out += separator;
    separator = ", ";
    AppendRepr(heap, item, out, depth + 1);
  }
  if (list.is_tuple && list.items.size() == 1) *out += ',';
  *out += list.is_tuple ? ')' : ']';
}

bool Equal(Heap& heap, const Value& a, const Value& b, size_t depth) {
  CheckDepth(heap, depth);
  if (a.is_number() && b.is_number()) {
    if (a.is_integral() && b.is_integral()) return a.AsInt() == b.AsInt();
    return a.AsDouble() == b.AsDouble();
  }
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kString:
      return a.str() == b.str();
    case Kind::kObject:
      return a.object == b.object;
    case Kind::kList: {
      const auto& x = a.list->items;
      const auto& y = b.list->items;
      if (x.size() != y.size() || a.list->is_tuple != b.list->is_tuple ||
          a.list->range.empty() != b.list->range.empty()) {
        return false;
      }
      for (size_t i = 0; i < x.size(); ++i) {
        if (!Equal(heap, x[i], y[i], depth + 1)) return false;
      }
      return true;
    }
    case Kind::kDict: {
      if (a.dict->items.size() != b.dict->items.size()) return false;
      for (const auto& [key, value] : a.dict->items) {
        Value* other = b.dict->Find(key);
        if (other == nullptr || !Equal(heap, value, *other, depth + 1)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

int Compare(Heap& heap, const Value& a, const Value& b, size_t depth) {
  CheckDepth(heap, depth);
  auto order = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
  if (a.is_number() && b.is_number()) {
    if (a.is_integral() && b.is_integral()) return order(a.AsInt(), b.AsInt());
    return order(a.AsDouble(), b.AsDouble());
  }
  if (a.is_string() && b.is_string()) return order(a.str(), b.str());
  if (a.kind == Kind::kList && b.kind == Kind::kList) {
    const auto& x = a.list->items;
    const auto& y = b.list->items;
    for (size_t i = 0; i < x.size() && i < y.size(); ++i) {
      if (!Equal(heap, x[i], y[i], depth + 1)) return Compare(heap, x[i], y[i], depth + 1);
    }
    return order(x.size(), y.size());
  }
  for (const Value* value : {&a, &b}) {
    if (value->is_undefined()) heap.Fail("'" + std::string(value->str()) + "' is undefined");
  }
  heap.Fail(std::string("no order between ") + TypeName(a) + " and " + TypeName(b));
}

bool Contains(Heap& heap, const Value& container, const Value& item) {
  switch (container.kind) {
    case Kind::kUndefined:
      return false;
    case Kind::kString:
      if (!item.is_string()) {
        heap.Fail(std::string("'in <string>' needs a string, not ") + TypeName(item));
      }
      heap.Step(container.str().size() / 256);
      return container.str().find(item.str()) != std::string_view::npos;
    case Kind::kDict:
      return container.dict->Find(item) != nullptr;
    case Kind::kList:
      for (const Value& candidate : container.list->items) {
        if (Equal(heap, candidate, item)) return true;
      }
      return false;
    default:
      heap.Fail(std::string("a value of type ") + TypeName(container) + " has no items");
  }
}

std::vector<Value> Items(Heap& heap, const Value& value) {
  std::vector<Value> items;
  switch (value.kind) {
    case Kind::kUndefined:
      return items;
    case Kind::kList:
      heap.Step(value.list->items.size() / 16);
      if (value.list->is_lazy) return std::exchange(value.list->items, {});  // as a generator ends
      return value.list->items;
    case Kind::kDict:
      for (const auto& entry : value.dict->items) items.push_back(entry.first);
      heap.Step(items.size() / 16);
      return items;
    case Kind::kString: {
      std::string_view rest = value.str();
      heap.CheckSize(rest.size() * sizeof(Value));
      while (!rest.empty()) {
        size_t length = DecodeUtf8(rest).length;
        items.push_back(heap.String(std::string(rest.substr(0, length))));
        rest.remove_prefix(length);
      }
      return items;
    }
    default:
      heap.Fail(std::string("a value of type ") + TypeName(value) + " is not iterable");
  }
}

size_t Length(Heap& heap, const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
      return 0;
    case Kind::kString:
      return CountCodePoints(value.str());
    case Kind::kList:
      if (!value.list->is_lazy) return value.list->items.size();
      heap.Fail("what a lazy filter gives has no length: use `| list | length`");
    case Kind::kDict:
      return value.dict->items.size();
    default:
      heap.Fail(std::string("a value of type ") + TypeName(value) + " has no length");
  }
}

const char* TypeName(const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return "str";
    case Kind::kList:
      if (value.list->is_lazy) return "generator";
      if (!value.list->range.empty()) return "range";
      return value.list->is_tuple ? "tuple" : "list";
    case Kind::kDict:
      return value.dict->is_namespace ? "Namespace" : "dict";
    case Kind::kObject:
      return "object";
  }
  return "?";
}

}  // namespace hearth::tmpl
