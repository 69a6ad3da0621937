// Walks the syntax tree: one Interp is one render. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/internal/template_ast.h"
#include "text/internal/template_value.h"
#include "text/template.h"

namespace hearth::tmpl {

using TreePtr = std::shared_ptr<const Tree>;

// Gives the parsed template of a name; nullptr when there is none.
using TreeLoader = std::function<TreePtr(std::string_view name)>;

// Variables of one block. Names are views into syntax trees, which the Interp keeps alive.
struct Scope {
  Scope* parent = nullptr;
  std::vector<std::pair<std::string_view, Value>> variables;
  bool isolated = false;  // an imported template: does not see the context
  bool captured = false;  // a macro refers to it: must outlive its block

  Value* Find(std::string_view name);
  void Set(std::string_view name, Value value);
};

class Interp : public Heap {
 public:
  Interp(const Json& context, const RenderOptions& options, TreeLoader loader);

  std::string Render(const TreePtr& tree);

  Value Eval(const Expr& expr);
  bool autoescape() const { return autoescape_; }
  const RenderOptions& options() const { return options_; }

  Value CallValue(const Value& callee, Args& args);
  Value ApplyFilter(std::string_view name, const Value& input, Args& args);
  bool ApplyTest(std::string_view name, const Value& input, Args& args);
  // obj.name: methods before items. obj[key]: items before methods.
  Value Attribute(const Value& object, std::string_view name);
  Value Subscript(const Value& object, const Value& key);
  Value Binary(std::string_view op, const Value& a, const Value& b);
  // A string result of a macro or block: safe when escaping is on.
  Value Rendered(std::string text) { return String(std::move(text), autoescape_); }
  // Text of a value, escaped unless safe; for joining into safe text.
  std::string EscapedText(const Value& value);

  Value CallMacro(const Stmt& stmt, Scope* closure, const Tree* tree, Args& args);
  Value RunLoopRecursion(const Stmt& stmt, Scope* outer, const Value& iterable, size_t depth);
  Value RenderBlock(std::string_view name, size_t level, Scope* scope);

 private:
  // Nested evaluations at any time: what the C++ stack of a worker thread (8 MiB) surely holds.
  static constexpr size_t kMaxDepth = 2000;
  class DepthGuard {
   public:
    explicit DepthGuard(Interp& interp) : interp_(interp) {
      if (interp_.depth_ >= kMaxDepth) interp_.TooLarge("nested too deeply");
      ++interp_.depth_;
    }
    ~DepthGuard() { --interp_.depth_; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;

   private:
    Interp& interp_;
  };
  enum class Flow { kNext, kBreak, kContinue };
  class RecursionGuard;
  class Capture;
  class ScopeGuard;
  struct BlockLevel {
    const Stmt* stmt;
    const Tree* tree;
  };
  using Blocks = std::unordered_map<std::string_view, std::vector<BlockLevel>>;

  Scope* NewScope(Scope* parent);
  void Release(Scope* scope);
  void RunTemplate(const TreePtr& tree, Scope* scope);
  TreePtr Load(const Value& name, bool ignore_missing);

  Flow Exec(const Body& body);
  Flow ExecOne(const Stmt& stmt);
  Flow ExecInNewScope(const Body& body);
  Flow ExecIf(const Stmt& stmt);
  Flow ExecGeneration(const Stmt& stmt);
  void ExecFor(const Stmt& stmt);
  void RunLoop(const Stmt& stmt, Scope* outer, std::vector<Value> items, size_t depth);
  std::vector<Value> FilteredItems(const Stmt& stmt, Scope* outer, const Value& iterable);
  void ExecSetBlock(const Stmt& stmt);
  void ExecCallBlock(const Stmt& stmt);
  void ExecInclude(const Stmt& stmt);
  Value ImportModule(const Stmt& stmt);
  void ExecImport(const Stmt& stmt);
  void ExecBlock(const Stmt& stmt);
  void ExecWith(const Stmt& stmt);
  void Assign(const Target& target, const Value& value);
  void Output(const Value& value);
  void Write(std::string_view text);

  Value Lookup(std::string_view name);
  Value FunctionValue(std::string_view name);
  Value EvalCall(const Expr& expr);
  Value EvalFilter(const Expr& expr, const Value& input);
  Value EvalTest(const Expr& expr);
  Value EvalCompare(const Expr& expr);
  Value EvalConcat(const Expr& expr);
  Value EvalSlice(const Expr& expr);
  Value EvalDict(const Expr& expr);
  std::vector<Value> EvalKids(const Expr& expr);
  Args EvalArgs(const Expr& expr);
  bool CompareOne(std::string_view op, const Value& a, const Value& b);
  Value Negate(const Value& value);

  const Json& context_;
  const RenderOptions& options_;
  TreeLoader loader_;
  bool autoescape_;
  std::map<std::string, Value, std::less<>> context_values_;  // converted at first use
  std::vector<std::unique_ptr<Scope>> scopes_;
  std::vector<Scope*> free_scopes_;
  std::unordered_map<const Tree*, TreePtr> trees_;  // kept alive: scopes hold names in them
  Blocks blocks_;
  const Tree* tree_ = nullptr;  // being executed
  Scope* scope_ = nullptr;
  Scope* root_scope_ = nullptr;
  TreePtr parent_;  // set by extends
  bool extended_ = false;
  std::string* out_ = nullptr;
  const std::string* page_ = nullptr;  // the text that Render returns
  std::string discarded_;              // out_ points here after extends; nothing is written
  size_t depth_ = 0;
  size_t recursion_ = 0;
};

}  // namespace hearth::tmpl
