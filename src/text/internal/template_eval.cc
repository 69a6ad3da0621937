// Expressions: names, access, calls, filters, tests, comparisons.

#include <algorithm>

#include "text/html.h"
#include "text/internal/template_builtins.h"
#include "text/internal/template_interp.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

class FunctionObject : public Object {
 public:
  explicit FunctionObject(Builtin function) : function_(function) {}
  Value Call(Interp& interp, Args& args) override { return function_(interp, Value(), args); }

 private:
  Builtin function_;
};

class ExtensionObject : public Object {
 public:
  explicit ExtensionObject(const TemplateFunction& function) : function_(function) {}
  Value Call(Interp& interp, Args& args) override;

 private:
  const TemplateFunction& function_;
};

class BoundMethod : public Object {
 public:
  BoundMethod(Value self, Builtin method) : self_(std::move(self)), method_(method) {}
  Value Call(Interp& interp, Args& args) override { return method_(interp, self_, args); }

 private:
  Value self_;
  Builtin method_;
};

Value CallWithJson(Interp& interp, const TemplateFunction& function, const Args& args) {
  std::vector<Json> positional;
  Json::Object keywords;
  auto convert = [&](const Value& value) {
    return value.is_undefined() ? Json() : ToJson(interp, value);
  };
  for (const Value& value : args.positional) positional.push_back(convert(value));
  for (const auto& [key, value] : args.keywords) keywords.emplace_back(key, convert(value));
  Value result = FromJson(interp, function.call(positional, keywords));
  if (function.returns_html && result.is_string()) result.safe = true;
  return result;
}

Value ExtensionObject::Call(Interp& interp, Args& args) {
  return CallWithJson(interp, function_, args);
}

const TemplateFunction* FindExtension(
    const std::map<std::string, TemplateFunction, std::less<>>& functions, std::string_view name) {
  auto found = functions.find(name);
  return found == functions.end() ? nullptr : &found->second;
}

// Python's slice arithmetic over a sequence of `length`.
struct SliceRange {
  int64_t start, stop, step;
};

SliceRange ResolveSlice(Heap& heap, int64_t length, const Value parts[3]) {
  auto number = [&](const Value& value, int64_t fallback) {
    if (value.is_none() || value.is_undefined()) return fallback;
    if (!value.is_integral()) heap.Fail("slice indices must be integers");
    return value.AsInt();
  };
  SliceRange range{};
  range.step = number(parts[2], 1);
  if (range.step == 0) heap.Fail("slice step cannot be zero");
  bool back = range.step < 0;
  // A bound counts from the end when negative, and is clamped to what can be indexed.
  auto clamp = [&](int64_t at) {
    if (at < 0) at = at < -length ? -1 : at + length;
    return std::clamp<int64_t>(at, back ? -1 : 0, back ? length - 1 : length);
  };
  auto bound = [&](const Value& value, int64_t fallback) {
    if (value.is_none() || value.is_undefined()) return fallback;
    int64_t at = number(value, 0);
    if (at < -length) return back ? int64_t{-1} : int64_t{0};
    return clamp(at);
  };
  range.start = bound(parts[0], back ? length - 1 : 0);
  range.stop = bound(parts[1], back ? -1 : length);
  return range;
}

std::vector<size_t> SliceIndices(const SliceRange& range) {
  std::vector<size_t> indices;
  // Steps beyond the length end at once: the sum cannot overflow.
  int64_t at = range.start;
  while (range.step > 0 ? at < range.stop : at > range.stop) {
    indices.push_back(static_cast<size_t>(at));
    if (__builtin_add_overflow(at, range.step, &at)) break;
  }
  return indices;
}

}  // namespace

Value Interp::FunctionValue(std::string_view name) {
  if (options_.extensions != nullptr) {
    if (const auto* function = FindExtension(options_.extensions->functions, name)) {
      return Value::Of(New<ExtensionObject>(*function));
    }
  }
  if (Builtin function = FindFunction(name)) return Value::Of(New<FunctionObject>(function));
  return Undefined(name);
}

Value Interp::Eval(const Expr& expr) {
  DepthGuard depth(*this);
  Step();
  line = expr.line;
  switch (expr.kind) {
    case Expr::Kind::kConstant:
      return expr.constant;
    case Expr::Kind::kName:
      return Lookup(expr.name);
    case Expr::Kind::kList:
      return List(EvalKids(expr));
    case Expr::Kind::kTuple:
      return List(EvalKids(expr), /*is_tuple=*/true);
    case Expr::Kind::kDict:
      return EvalDict(expr);
    case Expr::Kind::kAttribute:
      return Attribute(Eval(*expr.kids[0]), expr.name);
    case Expr::Kind::kSubscript: {
      Value object = Eval(*expr.kids[0]);
      return Subscript(object, Eval(*expr.kids[1]));
    }
    case Expr::Kind::kSlice:
      return EvalSlice(expr);
    case Expr::Kind::kCall:
      return EvalCall(expr);
    case Expr::Kind::kFilter:
      return EvalFilter(expr, Value());
    case Expr::Kind::kTest:
      return EvalTest(expr);
    case Expr::Kind::kNot:
      return Value::Bool(!Truthy(Eval(*expr.kids[0])));
    case Expr::Kind::kNegate:
      return Negate(Eval(*expr.kids[0]));
    case Expr::Kind::kPlus: {
      Value value = Eval(*expr.kids[0]);
      if (!value.is_number()) Fail(std::string("bad operand for +: ") + TypeName(value));
      return value;
    }
    case Expr::Kind::kAnd:
    case Expr::Kind::kOr: {
      bool stop_at = expr.kind == Expr::Kind::kOr;
      Value value;
      for (const ExprPtr& kid : expr.kids) {
        value = Eval(*kid);
        if (Truthy(value) == stop_at) break;
      }
      return value;
    }
    case Expr::Kind::kConcat:
      return EvalConcat(expr);
    case Expr::Kind::kBinary: {
      Value left = Eval(*expr.kids[0]);
      Value right = Eval(*expr.kids[1]);
      line = expr.line;
      return Binary(expr.name, left, right);
    }
    case Expr::Kind::kCompare:
      return EvalCompare(expr);
    case Expr::Kind::kConditional:
      if (Truthy(Eval(*expr.kids[0]))) return Eval(*expr.kids[1]);
      return expr.kids[2] ? Eval(*expr.kids[2]) : Value();
    case Expr::Kind::kUnpackArgs:
    case Expr::Kind::kUnpackKeywords:
      break;
  }
  Fail("an expression in a place where it has no meaning");
}

std::vector<Value> Interp::EvalKids(const Expr& expr) {
  std::vector<Value> values;
  values.reserve(expr.kids.size());
  for (const ExprPtr& kid : expr.kids) values.push_back(Eval(*kid));
  return values;
}

Value Interp::EvalDict(const Expr& expr) {
  DictObj* dict = NewDict();
  for (size_t i = 0; i + 1 < expr.kids.size(); i += 2) {
    Value key = Eval(*expr.kids[i]);
    dict->Set(*this, key, Eval(*expr.kids[i + 1]));
  }
  return Value::Of(dict);
}

Value Interp::EvalConcat(const Expr& expr) {
  std::vector<Value> parts = EvalKids(expr);
  bool safe = autoescape_ && std::any_of(parts.begin(), parts.end(), [](const Value& value) {
                return value.is_string() && value.safe;
              });
  std::string text;
  for (const Value& part : parts) {
    if (safe) {
      text += EscapedText(part);
    } else if (part.is_string()) {
      text += part.str();
    } else {
      text += ToText(*this, part);
    }
    CheckSize(text.size());
  }
  return String(std::move(text), safe);
}

bool Interp::CompareOne(std::string_view op, const Value& a, const Value& b) {
  if (op == "==") return Equal(*this, a, b);
  if (op == "!=") return !Equal(*this, a, b);
  if (op == "in") return Contains(*this, b, a);
  if (op == "not in") return !Contains(*this, b, a);
  // NaN has no order: every comparison is false.
  if (a.is_number() && b.is_number()) {
    double x = a.AsDouble(), y = b.AsDouble();
    if (x != x || y != y) return false;
  }
  int order = Compare(*this, a, b);
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == ">") return order > 0;
  return order >= 0;
}

Value Interp::EvalCompare(const Expr& expr) {
  Value left = Eval(*expr.kids[0]);
  for (size_t i = 0; i < expr.operators.size(); ++i) {
    Value right = Eval(*expr.kids[i + 1]);
    if (!CompareOne(expr.operators[i], left, right)) return Value::Bool(false);
    left = std::move(right);
  }
  return Value::Bool(true);
}

Value Interp::EvalSlice(const Expr& expr) {
  Value object = Eval(*expr.kids[0]);
  Value parts[3];
  for (int i = 0; i < 3; ++i) {
    if (expr.kids[static_cast<size_t>(i) + 1]) {
      parts[i] = Eval(*expr.kids[static_cast<size_t>(i) + 1]);
    }
  }
  if (object.is_undefined()) Fail("'" + std::string(object.str()) + "' is undefined");
  if (object.kind != Kind::kList && !object.is_string()) {
    Fail(std::string("a value of type ") + TypeName(object) + " cannot be sliced");
  }
  std::vector<Value> items;
  if (object.is_string()) {
    std::string_view text = object.str();
    auto length = static_cast<int64_t>(CountCodePoints(text));
    SliceRange range = ResolveSlice(*this, length, parts);
    if (range.step == 1) {
      // The usual case needs no character list.
      if (range.start >= range.stop) return String("", object.safe);
      size_t from = Utf8Offset(text, static_cast<size_t>(range.start));
      size_t size = Utf8Offset(text.substr(from), static_cast<size_t>(range.stop - range.start));
      return String(std::string(text.substr(from, size)), object.safe);
    }
    items = Items(*this, object);
    std::string out;
    for (size_t i : SliceIndices(range)) out += items[i].str();
    return String(std::move(out), object.safe);
  }
  const std::vector<Value>& all = object.list->items;
  SliceRange range = ResolveSlice(*this, static_cast<int64_t>(all.size()), parts);
  for (size_t i : SliceIndices(range)) items.push_back(all[i]);
  return List(std::move(items), object.list->is_tuple);
}

Value Interp::Attribute(const Value& object, std::string_view name) {
  if (object.is_undefined()) Fail("'" + std::string(object.str()) + "' is undefined");
  if (object.kind == Kind::kObject) return object.object->Attribute(*this, name);
  bool is_namespace = object.kind == Kind::kDict && object.dict->is_namespace;
  if (!is_namespace) {
    if (Builtin method = FindMethod(object, name)) {
      return Value::Of(New<BoundMethod>(object, method));
    }
  }
  if (object.kind == Kind::kDict) {
    if (Value* found = object.dict->Find(name)) return *found;
  }
  if (object.kind == Kind::kList && object.list->is_group) {
    if (name == "grouper") return object.list->items[0];
    if (name == "list") return object.list->items[1];
  }
  return Undefined(name);
}

Value Interp::Subscript(const Value& object, const Value& key) {
  if (object.is_undefined()) Fail("'" + std::string(object.str()) + "' is undefined");
  if (object.kind == Kind::kDict) {
    if (Value* found = object.dict->Find(key)) return *found;
  } else if (key.is_integral() && (object.kind == Kind::kList || object.is_string())) {
    int64_t at = key.AsInt();
    auto length = static_cast<int64_t>(Length(*this, object));
    if (at < 0) at += length;
    if (at < 0 || at >= length) return Undefined("item " + std::to_string(key.AsInt()));
    if (object.kind == Kind::kList) return object.list->items[static_cast<size_t>(at)];
    std::string_view rest = object.str();
    Step(rest.size() / 256);
    rest.remove_prefix(Utf8Offset(rest, static_cast<size_t>(at)));
    return String(std::string(rest.substr(0, DecodeUtf8(rest).length)), object.safe);
  }
  if (key.is_string()) return Attribute(object, key.str());
  return Undefined(ToText(*this, key));
}

Args Interp::EvalArgs(const Expr& expr) {
  Args args;
  for (size_t i = 1; i < expr.kids.size(); ++i) {
    const Expr& kid = *expr.kids[i];
    if (kid.kind == Expr::Kind::kUnpackArgs) {
      std::vector<Value> items = Items(*this, Eval(*kid.kids[0]));
      args.positional.insert(args.positional.end(), items.begin(), items.end());
    } else if (kid.kind == Expr::Kind::kUnpackKeywords) {
      Value value = Eval(*kid.kids[0]);
      if (value.kind != Kind::kDict) Fail("** needs a dict");
      for (const auto& [key, item] : value.dict->items) {
        args.keywords.emplace_back(ToText(*this, key), item);
      }
    } else {
      args.positional.push_back(Eval(kid));
    }
  }
  for (const auto& [name, value] : expr.keywords) args.keywords.emplace_back(name, Eval(*value));
  return args;
}

Value Interp::EvalCall(const Expr& expr) {
  const Expr& callee = *expr.kids[0];
  // A method is called on its object without making an object of the pair.
  if (callee.kind == Expr::Kind::kAttribute) {
    Value object = Eval(*callee.kids[0]);
    bool is_namespace = object.kind == Kind::kDict && object.dict->is_namespace;
    Builtin method = is_namespace ? nullptr : FindMethod(object, callee.name);
    if (method != nullptr) {
      Args args = EvalArgs(expr);
      line = expr.line;
      return method(*this, object, args);
    }
    Value function = Attribute(object, callee.name);
    Args args = EvalArgs(expr);
    line = expr.line;
    return CallValue(function, args);
  }
  Value function = Eval(callee);
  Args args = EvalArgs(expr);
  line = expr.line;
  return CallValue(function, args);
}

Value Interp::CallValue(const Value& callee, Args& args) {
  if (callee.is_undefined()) Fail("'" + std::string(callee.str()) + "' is undefined");
  if (callee.kind != Kind::kObject || !callee.object->callable()) {
    Fail(std::string("a value of type ") + TypeName(callee) + " cannot be called");
  }
  DepthGuard depth(*this);
  return callee.object->Call(*this, args);
}

// `input` is used by filter blocks, where the innermost filter has no operand.
Value Interp::EvalFilter(const Expr& expr, const Value& input) {
  DepthGuard depth(*this);
  Value value = input;
  if (const Expr* operand = expr.kids[0].get()) {
    value = operand->kind == Expr::Kind::kFilter ? EvalFilter(*operand, input) : Eval(*operand);
  }
  Args args = EvalArgs(expr);
  line = expr.line;
  return ApplyFilter(expr.name, value, args);
}

Value Interp::ApplyFilter(std::string_view name, const Value& input, Args& args) {
  Step();
  if (options_.extensions != nullptr) {
    if (const auto* function = FindExtension(options_.extensions->filters, name)) {
      Args with_input = args;
      with_input.positional.insert(with_input.positional.begin(), input);
      return CallWithJson(*this, *function, with_input);
    }
  }
  Builtin filter = FindFilter(name);
  if (filter == nullptr) Fail("no filter named '" + std::string(name) + "'");
  return filter(*this, input, args);
}

Value Interp::EvalTest(const Expr& expr) {
  Value value = Eval(*expr.kids[0]);
  Args args = EvalArgs(expr);
  line = expr.line;
  return Value::Bool(ApplyTest(expr.name, value, args));
}

bool Interp::ApplyTest(std::string_view name, const Value& input, Args& args) {
  Step();
  // "is filter('x')" must see the caller's filters too.
  if (name == "filter") {
    std::string wanted = TextArgument(*this, args, 0, "value", "");
    return FindFilter(wanted) != nullptr ||
           (options_.extensions != nullptr &&
            FindExtension(options_.extensions->filters, wanted) != nullptr);
  }
  TestFunction test = FindTest(name);
  if (test == nullptr) Fail("no test named '" + std::string(name) + "'");
  return test(*this, input, args);
}

}  // namespace hearth::tmpl
