// Global functions.

#include <time.h>

#include <ctime>

#include "text/internal/template_builtins.h"

namespace hearth::tmpl {
namespace {

// jinja2's sandbox stops at the same length.
constexpr int64_t kMaxRange = 100'000;

Value Range(Interp& interp, const Value&, Args& args) {
  size_t count = args.positional.size();
  if (count < 1 || count > 3) interp.Fail("range needs one to three numbers");
  int64_t start = count > 1 ? IntArgument(interp, args, 0, "start", 0) : 0;
  int64_t stop = IntArgument(interp, args, count > 1 ? 1 : 0, "stop", 0);
  int64_t step = IntArgument(interp, args, 2, "step", 1);
  if (step == 0) interp.Fail("range: the step cannot be zero");
  std::vector<Value> items;
  for (int64_t at = start; step > 0 ? at < stop : at > stop;) {
    if (static_cast<int64_t>(items.size()) >= kMaxRange) interp.TooLarge("range is too long");
    items.push_back(Value::Int(at));
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  interp.Step(items.size() / 16);
  Value result = interp.List(std::move(items));
  std::string& shown = result.list->range;
  shown = "range(" + std::to_string(start) + ", " + std::to_string(stop);
  shown += step == 1 ? ")" : ", " + std::to_string(step) + ")";
  return result;
}

void CopyInto(Interp& interp, DictObj* dict, const Args& args) {
  for (const Value& value : args.positional) {
    if (value.kind == Kind::kDict) {
      auto entries = value.dict->items;
      for (const auto& [key, item] : entries) dict->Set(interp, key, item);
      continue;
    }
    for (const Value& entry : Items(interp, value)) {
      std::vector<Value> pair = Items(interp, entry);
      if (pair.size() != 2) interp.Fail("a dict is made of pairs");
      dict->Set(interp, pair[0], pair[1]);
    }
  }
  for (const auto& [key, value] : args.keywords) dict->Set(interp, key, value);
}

Value Dict(Interp& interp, const Value&, Args& args) {
  DictObj* dict = interp.NewDict();
  CopyInto(interp, dict, args);
  return Value::Of(dict);
}

Value Namespace(Interp& interp, const Value&, Args& args) {
  DictObj* dict = interp.NewDict();
  dict->is_namespace = true;
  CopyInto(interp, dict, args);
  for (const auto& entry : dict->items) CheckNamespaceName(interp, ToText(interp, entry.first));
  return Value::Of(dict);
}

}  // namespace

void CheckNamespaceName(Interp& interp, std::string_view name) {
  if (name.empty() || name[0] != '_') return;
  interp.Fail("a namespace may not hold names that begin with an underscore: " + std::string(name));
}

namespace {

Value RaiseException(Interp& interp, const Value&, Args& args) {
  interp.Fail(TextArgument(interp, args, 0, "message", "raise_exception"));
}

Value StrftimeNow(Interp& interp, const Value&, Args& args) {
  std::string format = TextArgument(interp, args, 0, "format", "%Y-%m-%d");
  if (format.size() > 200) interp.Fail("strftime_now: the format is too long");
  auto now = static_cast<time_t>(
      interp.options().now_unix_seconds.value_or(static_cast<int64_t>(std::time(nullptr))));
  struct tm utc = {};
  gmtime_r(&now, &utc);
  char text[4096];
  return interp.String(std::string(text, strftime(text, sizeof text, format.c_str(), &utc)));
}

class Cycler : public Object {
 public:
  explicit Cycler(std::vector<Value> items) : items_(std::move(items)) {}
  Value Attribute(Interp& interp, std::string_view name) override;
  bool callable() const override { return false; }
  Value Next() {
    Value value = items_[at_];
    at_ = (at_ + 1) % items_.size();
    return value;
  }
  void Reset() { at_ = 0; }

 private:
  std::vector<Value> items_;
  size_t at_ = 0;
};

class CyclerMethod : public Object {
 public:
  CyclerMethod(Cycler* cycler, bool is_next) : cycler_(cycler), is_next_(is_next) {}
  Value Call(Interp&, Args&) override {
    if (is_next_) return cycler_->Next();
    cycler_->Reset();
    return Value::None();
  }

 private:
  Cycler* cycler_;
  bool is_next_;
};

Value Cycler::Attribute(Interp& interp, std::string_view name) {
  if (name == "current") return items_[at_];
  if (name == "next" || name == "reset") {
    return Value::Of(interp.New<CyclerMethod>(this, name == "next"));
  }
  return interp.Undefined(name);
}

Value MakeCycler(Interp& interp, const Value&, Args& args) {
  if (args.positional.empty()) interp.Fail("cycler needs values");
  return Value::Of(interp.New<Cycler>(args.positional));
}

class Joiner : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  Value Call(Interp& interp, Args&) override {
    return std::exchange(used_, true) ? separator_ : interp.String("");
  }

 private:
  Value separator_;
  bool used_ = false;
};

Value MakeJoiner(Interp& interp, const Value&, Args& args) {
  return Value::Of(interp.New<Joiner>(Argument(args, 0, "sep", interp.String(", "))));
}

constexpr NamedEntry<Builtin> kFunctions[] = {
    {"cycler", MakeCycler},
    {"dict", Dict},
    {"joiner", MakeJoiner},
    {"namespace", Namespace},
    {"raise_exception", RaiseException},
    {"range", Range},
    {"strftime_now", StrftimeNow},
};

}  // namespace

Builtin FindFunction(std::string_view name) { return FindEntry(kFunctions, name); }

}  // namespace hearth::tmpl
