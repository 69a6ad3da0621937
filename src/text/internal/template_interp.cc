#include "text/internal/template_interp.h"

#include <algorithm>

#include "base/error.h"
#include "text/html.h"
#include "text/internal/template_builtins.h"

namespace hearth::tmpl {
namespace {

class MacroObject : public Object {
 public:
  MacroObject(const Stmt& stmt, Scope* closure, const Tree* tree)
      : stmt_(stmt), closure_(closure), tree_(tree) {}
  Value Call(Interp& interp, Args& args) override {
    return interp.CallMacro(stmt_, closure_, tree_, args);
  }
  Value Attribute(Interp& interp, std::string_view name) override {
    if (name == "name") return interp.String(stmt_.text);
    if (name != "arguments") return Value();
    std::vector<Value> names;
    for (const Parameter& parameter : stmt_.parameters)
      names.push_back(interp.String(parameter.name));
    return interp.List(std::move(names), /*is_tuple=*/true);
  }
  std::string Repr() const override { return "<Macro '" + stmt_.text + "'>"; }

 private:
  const Stmt& stmt_;
  Scope* closure_;
  const Tree* tree_;
};

// {{ self.name() }} and {{ super() }}.
class BlockObject : public Object {
 public:
  BlockObject(std::string name, size_t level, Scope* scope)
      : name_(std::move(name)), level_(level), scope_(scope) {}
  Value Call(Interp& interp, Args&) override { return interp.RenderBlock(name_, level_, scope_); }

 private:
  std::string name_;
  size_t level_;
  Scope* scope_;
};

class SelfObject : public Object {
 public:
  explicit SelfObject(Scope* scope) : scope_(scope) {}
  Value Attribute(Interp& interp, std::string_view name) override {
    return Value::Of(interp.New<BlockObject>(std::string(name), 0, scope_));
  }
  bool callable() const override { return false; }

 private:
  Scope* scope_;
};

class LoopObject : public Object {
 public:
  LoopObject(const Stmt& stmt, Scope* outer, const std::vector<Value>& items, size_t depth)
      : stmt_(stmt), outer_(outer), items_(&items), length_(items.size()), depth_(depth) {}

  void MoveTo(size_t index) { index_ = index; }
  void Detach() { items_ = nullptr; }

  Value Attribute(Interp& interp, std::string_view name) override;
  Value Call(Interp& interp, Args& args) override {
    if (!stmt_.recursive) interp.Fail("the loop is not recursive");
    return interp.RunLoopRecursion(stmt_, outer_, RequiredArgument(interp, args, 0, "iterable"),
                                   depth_ + 1);
  }
  Value Cycle(Interp& interp, const Args& args) const {
    if (args.positional.empty()) interp.Fail("loop.cycle needs values");
    return args.positional[index_ % args.positional.size()];
  }
  bool Changed(Interp& interp, const Args& args) {
    bool changed = !has_last_ || last_.size() != args.positional.size();
    for (size_t i = 0; !changed && i < last_.size(); ++i) {
      changed = !Equal(interp, last_[i], args.positional[i]);
    }
    last_ = args.positional;
    has_last_ = true;
    return changed;
  }

 private:
  class Method : public Object {
   public:
    Method(LoopObject* loop, bool is_cycle) : loop_(loop), is_cycle_(is_cycle) {}
    Value Call(Interp& interp, Args& args) override {
      return is_cycle_ ? loop_->Cycle(interp, args) : Value::Bool(loop_->Changed(interp, args));
    }

   private:
    LoopObject* loop_;
    bool is_cycle_;
  };

  const Stmt& stmt_;
  Scope* outer_;
  const std::vector<Value>* items_;  // of the running loop; null afterwards
  size_t length_;
  size_t depth_;
  size_t index_ = 0;
  std::vector<Value> last_;
  bool has_last_ = false;
};

Value LoopObject::Attribute(Interp& interp, std::string_view name) {
  auto number = [](size_t value) { return Value::Int(static_cast<int64_t>(value)); };
  if (name == "index") return number(index_ + 1);
  if (name == "index0") return number(index_);
  if (name == "revindex") return number(length_ - index_);
  if (name == "revindex0") return number(length_ - index_ - 1);
  if (name == "first") return Value::Bool(index_ == 0);
  if (name == "last") return Value::Bool(index_ + 1 == length_);
  if (name == "length") return number(length_);
  if (name == "depth") return number(depth_ + 1);
  if (name == "depth0") return number(depth_);
  if (name == "previtem" && items_ != nullptr && index_ > 0) return (*items_)[index_ - 1];
  if (name == "nextitem" && items_ != nullptr && index_ + 1 < length_) {
    return (*items_)[index_ + 1];
  }
  if (name == "cycle" || name == "changed") {
    return Value::Of(interp.New<Method>(this, name == "cycle"));
  }
  return interp.Undefined(name);
}

}  // namespace

// For macros, blocks, includes and recursive loops.
class Interp::RecursionGuard {
 public:
  explicit RecursionGuard(Interp& interp) : interp_(interp) {
    if (++interp_.recursion_ > interp_.max_recursion()) {
      --interp_.recursion_;
      interp_.TooLarge("too many nested calls");
    }
  }
  ~RecursionGuard() { --interp_.recursion_; }

 private:
  Interp& interp_;
};

// Sends the output to a buffer of its own.
class Interp::Capture {
 public:
  explicit Capture(Interp& interp) : interp_(interp), outer_(interp.out_) { interp_.out_ = &text_; }
  ~Capture() { interp_.out_ = outer_; }
  std::string Take() { return std::move(text_); }

 private:
  Interp& interp_;
  std::string* outer_;
  std::string text_;
};

// Runs in a new scope; restores what was being executed, for messages too.
class Interp::ScopeGuard {
 public:
  ScopeGuard(Interp& interp, Scope* parent)
      : interp_(interp), outer_(interp.scope_), tree_(interp.tree_), line_(interp.line) {
    interp_.scope_ = interp_.NewScope(parent);
  }
  ~ScopeGuard() {
    interp_.Release(interp_.scope_);
    interp_.scope_ = outer_;
    SetTree(tree_);
    interp_.line = line_;
  }
  void SetTree(const Tree* tree) {
    interp_.tree_ = tree;
    interp_.template_name = tree != nullptr ? &tree->options.name : nullptr;
  }

 private:
  Interp& interp_;
  Scope* outer_;
  const Tree* tree_;
  int line_;
};

Value* Scope::Find(std::string_view name) {
  for (auto& [key, value] : variables) {
    if (key == name) return &value;
  }
  return nullptr;
}

void Scope::Set(std::string_view name, Value value) {
  if (Value* found = Find(name)) {
    *found = std::move(value);
  } else {
    variables.emplace_back(name, std::move(value));
  }
}

Interp::Interp(const Json& context, const RenderOptions& options, TreeLoader loader)
    : Heap(options.max_steps, options.max_output_bytes, options.max_recursion),
      context_(context),
      options_(options),
      loader_(std::move(loader)),
      autoescape_(options.autoescape) {}

Scope* Interp::NewScope(Scope* parent) {
  Scope* scope;
  if (free_scopes_.empty()) {
    scopes_.push_back(std::make_unique<Scope>());
    ChargeMemory(sizeof(Scope) + 64);
    scope = scopes_.back().get();
  } else {
    scope = free_scopes_.back();
    free_scopes_.pop_back();
  }
  scope->parent = parent;
  return scope;
}

void Interp::Release(Scope* scope) {
  if (scope->captured) return;
  scope->variables.clear();
  scope->isolated = false;
  free_scopes_.push_back(scope);
}

std::string Interp::Render(const TreePtr& tree) {
  std::string out;
  out_ = &out;
  page_ = &out;
  ScopeGuard scope(*this, nullptr);
  RunTemplate(tree, scope_);
  return out;
}

void Interp::RunTemplate(const TreePtr& tree, Scope* scope) {
  RecursionGuard recursion(*this);
  // An included template has blocks and inheritance of its own.
  Blocks outer_blocks = std::exchange(blocks_, {});
  Scope* outer_root = std::exchange(root_scope_, scope);
  TreePtr outer_parent = std::exchange(parent_, nullptr);
  bool outer_extended = std::exchange(extended_, false);
  scope->captured = true;  // blocks, super and self refer to it

  std::string* out = out_;
  TreePtr current = tree;
  size_t generations = 0;
  while (current) {
    if (++generations > max_recursion()) TooLarge("templates extend each other without end");
    trees_.emplace(current.get(), current);
    out_ = out;
    tree_ = current.get();
    template_name = &current->options.name;
    for (const auto& [name, stmt] : current->blocks) {
      blocks_[name].push_back({stmt, current.get()});
    }
    parent_ = nullptr;
    extended_ = false;
    Exec(current->body);
    current = std::exchange(parent_, nullptr);
  }
  out_ = out;
  blocks_ = std::move(outer_blocks);
  root_scope_ = outer_root;
  parent_ = std::move(outer_parent);
  extended_ = outer_extended;
}

TreePtr Interp::Load(const Value& name, bool ignore_missing) {
  std::vector<Value> names = name.kind == Kind::kList ? name.list->items : std::vector<Value>{name};
  std::string tried;
  for (const Value& candidate : names) {
    if (!candidate.is_string()) Fail("the name of a template must be a string");
    TreePtr tree = loader_ ? loader_(candidate.str()) : nullptr;
    if (tree) return tree;
    tried += (tried.empty() ? "" : ", ") + std::string(candidate.str());
  }
  if (ignore_missing) return nullptr;
  throw Error(Code::kNotFound, Where() + "no template " + tried);
}

void Interp::Write(std::string_view text) {
  if (out_ == &discarded_) return;
  CheckSize(out_->size() + text.size());
  Step(text.size() / 1024);
  out_->append(text);
}

std::string Interp::EscapedText(const Value& value) {
  if (value.is_string()) return value.safe ? std::string(value.str()) : EscapeHtml(value.str());
  return EscapeHtml(ToText(*this, value));
}

void Interp::Output(const Value& value) {
  if (value.is_string() && (value.safe || !autoescape_)) return Write(value.str());
  if (value.is_undefined()) return;
  Write(autoescape_ ? EscapedText(value) : ToText(*this, value));
}

Interp::Flow Interp::Exec(const Body& body) {
  DepthGuard depth(*this);
  for (const Stmt& stmt : body) {
    Flow flow = ExecOne(stmt);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interp::Flow Interp::ExecInNewScope(const Body& body) {
  ScopeGuard scope(*this, scope_);
  return Exec(body);
}

Interp::Flow Interp::ExecOne(const Stmt& stmt) {
  Step();
  line = stmt.line;
  switch (stmt.kind) {
    case Stmt::Kind::kData:
      Write(stmt.text);
      break;
    case Stmt::Kind::kOutput:
      Output(Eval(*stmt.expr));
      break;
    case Stmt::Kind::kIf:
      return ExecIf(stmt);
    case Stmt::Kind::kFor:
      ExecFor(stmt);
      break;
    case Stmt::Kind::kSet:
      Assign(stmt.target, Eval(*stmt.expr));
      break;
    case Stmt::Kind::kSetBlock:
      ExecSetBlock(stmt);
      break;
    case Stmt::Kind::kMacro:
      for (Scope* scope = scope_; scope != nullptr; scope = scope->parent) scope->captured = true;
      scope_->Set(stmt.text, Value::Of(New<MacroObject>(stmt, scope_, tree_)));
      break;
    case Stmt::Kind::kCallBlock:
      ExecCallBlock(stmt);
      break;
    case Stmt::Kind::kFilterBlock:
      ExecSetBlock(stmt);
      break;
    case Stmt::Kind::kInclude:
      ExecInclude(stmt);
      break;
    case Stmt::Kind::kImport:
    case Stmt::Kind::kFromImport:
      ExecImport(stmt);
      break;
    case Stmt::Kind::kExtends:
      if (extended_) Fail("a second 'extends'");
      parent_ = Load(Eval(*stmt.expr), /*ignore_missing=*/false);
      extended_ = true;
      out_ = &discarded_;  // the parent's layout replaces the text outside of blocks
      break;
    case Stmt::Kind::kBlock:
      ExecBlock(stmt);
      break;
    case Stmt::Kind::kWith:
      ExecWith(stmt);
      break;
    case Stmt::Kind::kAutoescape: {
      bool outer = std::exchange(autoescape_, Truthy(Eval(*stmt.expr)));
      Flow flow = ExecInNewScope(stmt.body);
      autoescape_ = outer;
      return flow;
    }
    case Stmt::Kind::kDo:
      Eval(*stmt.expr);
      break;
    case Stmt::Kind::kGeneration:
      return ExecGeneration(stmt);
    case Stmt::Kind::kBreak:
      return Flow::kBreak;
    case Stmt::Kind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNext;
}

// The span starts where the page stands and is as long as what the block prints, also when a macro
// or a set block prints it (which reaches the page later): as transformers counts.
Interp::Flow Interp::ExecGeneration(const Stmt& stmt) {
  size_t begin = page_->size(), before = out_->size();
  Flow flow = ExecInNewScope(stmt.body);
  if (options_.generation_spans != nullptr) {
    options_.generation_spans->push_back({begin, begin + out_->size() - before});
  }
  return flow;
}

Interp::Flow Interp::ExecIf(const Stmt& stmt) {
  for (const Branch& branch : stmt.branches) {
    if (Truthy(Eval(*branch.condition))) return Exec(branch.body);
  }
  return Exec(stmt.else_body);
}

void Interp::ExecFor(const Stmt& stmt) {
  Scope* outer = scope_;
  std::vector<Value> items = FilteredItems(stmt, outer, Eval(*stmt.expr));
  if (items.empty()) {
    ExecInNewScope(stmt.else_body);
    return;
  }
  RunLoop(stmt, outer, std::move(items), 0);
}

std::vector<Value> Interp::FilteredItems(const Stmt& stmt, Scope* outer, const Value& iterable) {
  std::vector<Value> items = Items(*this, iterable);
  if (!stmt.condition) return items;
  std::vector<Value> kept;
  ScopeGuard scope(*this, outer);
  for (Value& item : items) {
    Assign(stmt.target, item);
    if (Truthy(Eval(*stmt.condition))) kept.push_back(std::move(item));
  }
  return kept;
}

void Interp::RunLoop(const Stmt& stmt, Scope* outer, std::vector<Value> items, size_t depth) {
  auto* loop = New<LoopObject>(stmt, outer, items, depth);
  for (size_t i = 0; i < items.size(); ++i) {
    Step();
    loop->MoveTo(i);
    ScopeGuard scope(*this, outer);
    scope_->Set("loop", Value::Of(loop));
    Assign(stmt.target, items[i]);
    if (Exec(stmt.body) == Flow::kBreak) break;
  }
  loop->Detach();
}

Value Interp::RunLoopRecursion(const Stmt& stmt, Scope* outer, const Value& iterable,
                               size_t depth) {
  RecursionGuard recursion(*this);
  Capture capture(*this);
  RunLoop(stmt, outer, FilteredItems(stmt, outer, iterable), depth);
  return Rendered(capture.Take());
}

void Interp::Assign(const Target& target, const Value& value) {
  if (target.elements.empty()) {
    if (target.attribute.empty()) return scope_->Set(target.name, value);
    Value object = Lookup(target.name);
    if (object.kind != Kind::kDict || !object.dict->is_namespace) {
      Fail("cannot assign an attribute of '" + target.name + "': it is no namespace");
    }
    CheckNamespaceName(*this, target.attribute);
    return object.dict->Set(*this, target.attribute, value);
  }
  std::vector<Value> items = Items(*this, value);
  if (items.size() != target.elements.size()) {
    Fail("cannot unpack " + std::to_string(items.size()) + " values into " +
         std::to_string(target.elements.size()) + " names");
  }
  for (size_t i = 0; i < items.size(); ++i) Assign(target.elements[i], items[i]);
}

// {% set x %}body{% endset %} and {% filter f %}body{% endfilter %}.
void Interp::ExecSetBlock(const Stmt& stmt) {
  std::string text;
  {
    Capture capture(*this);
    ExecInNewScope(stmt.body);
    text = capture.Take();
  }
  Value value = Rendered(std::move(text));
  if (stmt.expr) value = EvalFilter(*stmt.expr, value);
  if (stmt.kind == Stmt::Kind::kSetBlock) {
    Assign(stmt.target, value);
  } else {
    Output(value);
  }
}

Value Interp::CallMacro(const Stmt& stmt, Scope* closure, const Tree* tree, Args& args) {
  RecursionGuard recursion(*this);
  ScopeGuard scope(*this, closure);
  scope.SetTree(tree);
  Capture capture(*this);
  std::vector<bool> used(args.keywords.size());
  auto keyword = [&](std::string_view name) -> const Value* {
    for (size_t i = 0; i < args.keywords.size(); ++i) {
      if (args.keywords[i].first != name) continue;
      used[i] = true;
      return &args.keywords[i].second;
    }
    return nullptr;
  };
  const auto& parameters = stmt.parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Value* given =
        i < args.positional.size() ? &args.positional[i] : keyword(parameters[i].name);
    if (given != nullptr) {
      scope_->Set(parameters[i].name, *given);
    } else {
      scope_->Set(parameters[i].name,
                  parameters[i].value ? Eval(*parameters[i].value) : Undefined(parameters[i].name));
    }
  }
  const Value* caller = keyword("caller");
  scope_->Set("caller", caller != nullptr ? *caller : Undefined("caller"));
  std::vector<Value> extra;
  for (size_t i = parameters.size(); i < args.positional.size(); ++i) {
    extra.push_back(args.positional[i]);
  }
  scope_->Set("varargs", List(std::move(extra), /*is_tuple=*/true));
  DictObj* rest = NewDict();
  for (size_t i = 0; i < args.keywords.size(); ++i) {
    if (!used[i]) rest->Set(*this, args.keywords[i].first, args.keywords[i].second);
  }
  scope_->Set("kwargs", Value::Of(rest));
  Exec(stmt.body);
  return Rendered(capture.Take());
}

void Interp::ExecCallBlock(const Stmt& stmt) {
  for (Scope* scope = scope_; scope != nullptr; scope = scope->parent) scope->captured = true;
  Value caller = Value::Of(New<MacroObject>(stmt, scope_, tree_));
  Args args = EvalArgs(*stmt.expr);
  args.keywords.emplace_back("caller", caller);
  Output(CallValue(Eval(*stmt.expr->kids[0]), args));
}

void Interp::ExecInclude(const Stmt& stmt) {
  TreePtr tree = Load(Eval(*stmt.expr), stmt.ignore_missing);
  if (!tree) return;
  ScopeGuard scope(*this, stmt.with_context ? scope_ : nullptr);
  scope_->isolated = !stmt.with_context;
  RunTemplate(tree, scope_);
}

Value Interp::ImportModule(const Stmt& stmt) {
  TreePtr tree = Load(Eval(*stmt.expr), /*ignore_missing=*/false);
  Capture capture(*this);
  ScopeGuard scope(*this, stmt.with_context ? scope_ : nullptr);
  scope_->isolated = !stmt.with_context;
  Scope* module_scope = scope_;
  RunTemplate(tree, module_scope);
  DictObj* module = NewDict();
  for (const auto& [name, value] : module_scope->variables) module->Set(*this, name, value);
  return Value::Of(module);
}

void Interp::ExecImport(const Stmt& stmt) {
  Value module = ImportModule(stmt);
  if (stmt.kind == Stmt::Kind::kImport) return scope_->Set(stmt.text, module);
  for (const auto& [name, alias] : stmt.names) {
    Value* value = module.dict->Find(name);
    scope_->Set(alias, value != nullptr ? *value : Undefined(name));
  }
}

void Interp::ExecBlock(const Stmt& stmt) {
  // In a child template blocks are only definitions.
  if (extended_) return;
  Value value = RenderBlock(stmt.text, 0, stmt.scoped ? scope_ : root_scope_);
  Write(value.str());
}

Value Interp::RenderBlock(std::string_view name, size_t level, Scope* scope) {
  auto found = blocks_.find(name);
  if (found == blocks_.end() || level >= found->second.size()) {
    Fail("there is no block '" + std::string(name) + "' to render");
  }
  RecursionGuard recursion(*this);
  BlockLevel block = found->second[level];
  ScopeGuard guard(*this, scope);
  guard.SetTree(block.tree);
  scope->captured = true;
  scope_->Set("super", Value::Of(New<BlockObject>(std::string(name), level + 1, scope)));
  Capture capture(*this);
  Exec(block.stmt->body);
  return Rendered(capture.Take());
}

void Interp::ExecWith(const Stmt& stmt) {
  std::vector<Value> values;
  for (const Parameter& parameter : stmt.parameters) values.push_back(Eval(*parameter.value));
  ScopeGuard scope(*this, scope_);
  for (size_t i = 0; i < values.size(); ++i) scope_->Set(stmt.parameters[i].name, values[i]);
  Exec(stmt.body);
}

Value Interp::Lookup(std::string_view name) {
  bool isolated = false;
  for (Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    if (Value* value = scope->Find(name)) return *value;
    isolated = scope->isolated;
  }
  if (!isolated) {
    auto known = context_values_.find(name);
    if (known != context_values_.end()) return known->second;
    if (const Json* json = context_.Find(name)) {
      Value value = FromJson(*this, *json);
      context_values_.emplace(name, value);
      return value;
    }
  }
  if (name == "self") return Value::Of(New<SelfObject>(root_scope_));
  return FunctionValue(name);
}

}  // namespace hearth::tmpl
