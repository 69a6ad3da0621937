// Recursive descent over the tokens; split into expressions and statements.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "text/internal/template_ast.h"
#include "text/internal/template_lexer.h"

namespace hearth::tmpl {

// The cursor over tokens, with the depth guard.
class TokenStream {
 public:
  TokenStream(std::vector<Token> tokens, const TemplateOptions& options)
      : tokens_(std::move(tokens)), options_(options) {}

  const Token& current() const { return tokens_[at_]; }
  const Token& Peek() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  int line() const { return current().line; }
  Token Next() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_.back(); }

  bool IsOperator(std::string_view op) const { return Is(TokenKind::kOperator, op); }
  bool IsName(std::string_view name) const { return Is(TokenKind::kName, name); }
  bool SkipOperator(std::string_view op) { return SkipIf(IsOperator(op)); }
  bool SkipName(std::string_view name) { return SkipIf(IsName(name)); }
  void ExpectOperator(std::string_view op);
  void ExpectName(std::string_view name);
  std::string ExpectAnyName();
  void Expect(TokenKind kind, const char* what);

  [[noreturn]] void Fail(const std::string& why) const { FailAt(options_, line(), why); }
  [[noreturn]] void FailUnexpected(const char* expected) const;

  void Enter() {
    if (++depth_ > options_.max_depth) Fail("nested too deeply");
  }
  void Leave() { --depth_; }

 private:
  bool Is(TokenKind kind, std::string_view text) const {
    return current().kind == kind && current().text == text;
  }
  bool SkipIf(bool condition) {
    if (condition) Next();
    return condition;
  }
  std::vector<Token> tokens_;
  const TemplateOptions& options_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

class DepthScope {
 public:
  explicit DepthScope(TokenStream& stream) : stream_(stream) { stream_.Enter(); }
  ~DepthScope() { stream_.Leave(); }
  DepthScope(const DepthScope&) = delete;
  DepthScope& operator=(const DepthScope&) = delete;

 private:
  TokenStream& stream_;
};

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& stream) : stream_(stream) {}

  // An expression; with_condition = false leaves "if" to a for loop.
  ExprPtr Parse(bool with_condition = true);
  // One or more expressions with commas: more than one (or a trailing comma) make a tuple.
  ExprPtr ParseTuple(bool with_condition = true);
  // "name | filter | filter": the filters of a filter or set block, over nothing.
  ExprPtr ParseFilters(ExprPtr input);
  ExprPtr ParsePrimaryWithPostfix();
  ExprPtr MakeNode(Expr::Kind kind, int line);

 private:
  ExprPtr Or();
  ExprPtr And();
  ExprPtr Not();
  ExprPtr CompareChain();
  ExprPtr Additive();
  ExprPtr Concat();
  ExprPtr Multiplicative();
  ExprPtr Unary(bool with_filters = true);
  ExprPtr Power();
  ExprPtr Primary();
  ExprPtr Postfix(ExprPtr node);
  ExprPtr FiltersAndTests(ExprPtr node);
  ExprPtr Test(ExprPtr node);
  ExprPtr Subscript(ExprPtr node);
  ExprPtr ListLiteral();
  ExprPtr DictLiteral();
  void Arguments(Expr* call);
  void AddKid(Expr* parent, ExprPtr kid);
  void Grow(Expr* parent, const Expr* kid);

  TokenStream& stream_;
};

}  // namespace hearth::tmpl
