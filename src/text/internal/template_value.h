// Values of the template language at run time, and the heap that owns and limits them for one
// render.
//
// Lists, dicts and objects live until the render ends (templates can build cycles, so counting
// references would leak them); strings are counted, since loops build and drop many. Not
// thread-safe: one heap per render.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace hearth::tmpl {

class Heap;
struct ListObj;
struct DictObj;
class Object;

// A string that returns its bytes to the heap's budget when the last value drops it.
struct Text {
  Text(std::string text, uint64_t* budget) : data(std::move(text)), live_bytes(budget) {
    if (live_bytes != nullptr) *live_bytes += data.size();
  }
  ~Text() {
    if (live_bytes != nullptr) *live_bytes -= data.size();
  }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  const std::string data;
  uint64_t* live_bytes;
};

enum class Kind : uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kDict,
  kObject
};

struct Value {
  Kind kind = Kind::kUndefined;
  bool safe = false;  // strings: already HTML
  union {
    bool boolean;
    int64_t integer = 0;
    double number;
    ListObj* list;
    DictObj* dict;
    Object* object;
  };
  std::shared_ptr<const Text> text;  // strings; of an undefined value its name

  static Value None() { return Of(Kind::kNone); }
  static Value Bool(bool value) {
    Value result = Of(Kind::kBool);
    result.boolean = value;
    return result;
  }
  static Value Int(int64_t value) {
    Value result = Of(Kind::kInt);
    result.integer = value;
    return result;
  }
  static Value Float(double value) {
    Value result = Of(Kind::kFloat);
    result.number = value;
    return result;
  }
  static Value Of(ListObj* value) {
    Value result = Of(Kind::kList);
    result.list = value;
    return result;
  }
  static Value Of(DictObj* value) {
    Value result = Of(Kind::kDict);
    result.dict = value;
    return result;
  }
  static Value Of(Object* value) {
    Value result = Of(Kind::kObject);
    result.object = value;
    return result;
  }
  // Not charged to any heap: for constants of the syntax tree.
  static Value Constant(std::string text);

  bool is_undefined() const { return kind == Kind::kUndefined; }
  bool is_none() const { return kind == Kind::kNone; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_integral() const { return kind == Kind::kInt || kind == Kind::kBool; }
  bool is_number() const { return is_integral() || kind == Kind::kFloat; }
  std::string_view str() const { return text ? std::string_view(text->data) : std::string_view(); }
  int64_t AsInt() const { return kind == Kind::kBool ? boolean : integer; }
  double AsDouble() const { return kind == Kind::kFloat ? number : static_cast<double>(AsInt()); }

 private:
  static Value Of(Kind kind) {
    Value result;
    result.kind = kind;
    return result;
  }
};

struct ListObj {
  std::vector<Value> items;
  bool is_tuple = false;
  bool is_group = false;  // of groupby: its two items are also .grouper and .list
  // What a lazy filter (map, select, items, ...) gives. In jinja2 this is a generator: true even
  // when empty, without a length, and not JSON; `| list` makes a list of it.
  bool is_lazy = false;
  // Of range(): how Python shows it. A range is no JSON and no operand of + and *.
  std::string range;
};

// Ordered, with hashed lookup. Keys are strings, numbers, booleans or None.
struct DictObj {
  std::vector<std::pair<Value, Value>> items;
  bool is_namespace = false;

  Value* Find(std::string_view key);
  Value* Find(const Value& key);
  void Set(Heap& heap, const Value& key, Value value);
  void Set(Heap& heap, std::string_view key, Value value);
  bool Erase(const Value& key);

 private:
  static std::string HashKey(const Value& key);
  Value* FindHashed(const std::string& hash_key);
  // Built lazily, once a lookup meets more entries than a linear search should compare.
  std::unordered_map<std::string, size_t> index_;
  size_t indexed_ = 0;
};

struct Args {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> keywords;

  // The argument at `index` or by `name`; nullptr when not given.
  const Value* Get(size_t index, std::string_view name) const;
};

class Interp;

// Things that are called or have attributes: functions, macros, bound methods, loop variables.
class Object {
 public:
  virtual ~Object() = default;
  virtual Value Attribute(Interp& interp, std::string_view name);
  virtual Value Call(Interp& interp, Args& args);
  virtual bool callable() const { return true; }
  virtual std::string Repr() const { return "<function>"; }
};

// Allocation and limits of one render, and the place that errors name.
class Heap {
 public:
  Heap(uint64_t max_steps, size_t max_bytes, size_t max_recursion);
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  Value String(std::string text, bool safe = false);
  ListObj* NewList();
  Value List(std::vector<Value> items, bool is_tuple = false);
  Value LazyList(std::vector<Value> items);
  DictObj* NewDict();
  template <typename T, typename... A>
  T* New(A&&... args) {
    auto object = std::make_unique<T>(std::forward<A>(args)...);
    T* raw = object.get();
    ChargeMemory(sizeof(T));
    objects_.push_back(std::move(object));
    return raw;
  }
  Value Undefined(std::string_view name);

  void Step(uint64_t steps = 1) {
    steps_ += steps;
    if (steps_ > max_steps_) TooLarge("too many steps");
  }
  // For lists and dicts, which are freed at the end only.
  void ChargeMemory(uint64_t bytes);
  // Throws when a string or list of this many bytes must not be built.
  void CheckSize(uint64_t bytes);
  size_t max_recursion() const { return max_recursion_; }
  size_t max_bytes() const { return max_bytes_; }

  [[noreturn]] void Fail(const std::string& why) const;
  [[noreturn]] void TooLarge(const std::string& why) const;
  std::string Where() const;

  // What is being executed.
  const std::string* template_name = nullptr;
  int line = 0;

 private:
  uint64_t max_steps_;
  uint64_t steps_ = 0;
  size_t max_bytes_;
  size_t max_recursion_;
  uint64_t live_text_bytes_ =
      0;  // before everything that holds strings: they write to it when they die
  uint64_t held_bytes_ = 0;
  std::vector<std::unique_ptr<ListObj>> lists_;
  std::vector<std::unique_ptr<DictObj>> dicts_;
  std::vector<std::unique_ptr<Object>> objects_;
};

// --- Operations (template_value.cc). `depth` guards values that contain themselves. ---
Value FromJson(Heap& heap, const Json& json);
Json ToJson(Heap& heap, const Value& value, size_t depth = 0);
bool Truthy(const Value& value);
// Python's str() and repr().
std::string ToText(Heap& heap, const Value& value);
void AppendRepr(Heap& heap, const Value& value, std::string* out, size_t depth = 0);
void AppendStringRepr(std::string_view text, std::string* out);
std::string FloatRepr(double value);
bool Equal(Heap& heap, const Value& a, const Value& b, size_t depth = 0);
// <0, 0, >0; fails for values without an order.
int Compare(Heap& heap, const Value& a, const Value& b, size_t depth = 0);
bool Contains(Heap& heap, const Value& container, const Value& item);
// The items that iteration gives: of lists, of a string's characters, of a dict's keys; none of
// undefined.
std::vector<Value> Items(Heap& heap, const Value& value);
size_t Length(Heap& heap, const Value& value);
const char* TypeName(const Value& value);

}  // namespace hearth::tmpl
