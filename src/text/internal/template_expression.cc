#include <algorithm>
#include <charconv>

#include "text/internal/template_parser.h"

namespace hearth::tmpl {
namespace {

// Left-deep chains (a + b + c ...) grow the tree without nesting the source.
constexpr int kMaxHeight = 400;

}  // namespace

void TokenStream::FailUnexpected(const char* expected) const {
  const Token& token = current();
  std::string found;
  switch (token.kind) {
    case TokenKind::kEnd:
      found = "the end of the template";
      break;
    case TokenKind::kData:
      found = "text";
      break;
    case TokenKind::kBlockBegin:
      found = "'{%'";
      break;
    case TokenKind::kBlockEnd:
      found = "'%}'";
      break;
    case TokenKind::kVariableBegin:
      found = "'{{'";
      break;
    case TokenKind::kVariableEnd:
      found = "'}}'";
      break;
    default:
      found = "'" + token.text.substr(0, 60) + "'";
  }
  Fail("expected " + std::string(expected) + ", found " + found);
}

void TokenStream::ExpectOperator(std::string_view op) {
  if (!SkipOperator(op)) FailUnexpected(("'" + std::string(op) + "'").c_str());
}

void TokenStream::ExpectName(std::string_view name) {
  if (!SkipName(name)) FailUnexpected(("'" + std::string(name) + "'").c_str());
}

std::string TokenStream::ExpectAnyName() {
  if (current().kind != TokenKind::kName) FailUnexpected("a name");
  return Next().text;
}

void TokenStream::Expect(TokenKind kind, const char* what) {
  if (current().kind != kind) FailUnexpected(what);
  Next();
}

ExprPtr ExpressionParser::MakeNode(Expr::Kind kind, int line) {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->line = line;
  return node;
}

void ExpressionParser::Grow(Expr* parent, const Expr* kid) {
  if (kid == nullptr) return;
  parent->height = std::max(parent->height, kid->height + 1);
  if (parent->height > kMaxHeight) stream_.Fail("the expression is too long");
}

void ExpressionParser::AddKid(Expr* parent, ExprPtr kid) {
  Grow(parent, kid.get());
  parent->kids.push_back(std::move(kid));
}

ExprPtr ExpressionParser::ParseTuple(bool with_condition) {
  int line = stream_.line();
  ExprPtr first = Parse(with_condition);
  if (!stream_.IsOperator(",")) return first;
  ExprPtr tuple = MakeNode(Expr::Kind::kTuple, line);
  AddKid(tuple.get(), std::move(first));
  while (stream_.SkipOperator(",")) {
    TokenKind kind = stream_.current().kind;
    if (kind == TokenKind::kBlockEnd || kind == TokenKind::kVariableEnd ||
        stream_.IsOperator(")")) {
      break;
    }
    AddKid(tuple.get(), Parse(with_condition));
  }
  return tuple;
}

ExprPtr ExpressionParser::Parse(bool with_condition) {
  DepthScope depth(stream_);
  int line = stream_.line();
  ExprPtr value = Or();
  while (with_condition && stream_.SkipName("if")) {
    ExprPtr node = MakeNode(Expr::Kind::kConditional, line);
    AddKid(node.get(), Or());
    AddKid(node.get(), std::move(value));
    AddKid(node.get(), stream_.SkipName("else") ? Parse() : nullptr);
    value = std::move(node);
  }
  return value;
}

ExprPtr ExpressionParser::Or() {
  ExprPtr left = And();
  if (!stream_.IsName("or")) return left;
  ExprPtr node = MakeNode(Expr::Kind::kOr, left->line);
  AddKid(node.get(), std::move(left));
  while (stream_.SkipName("or")) AddKid(node.get(), And());
  return node;
}

ExprPtr ExpressionParser::And() {
  ExprPtr left = Not();
  if (!stream_.IsName("and")) return left;
  ExprPtr node = MakeNode(Expr::Kind::kAnd, left->line);
  AddKid(node.get(), std::move(left));
  while (stream_.SkipName("and")) AddKid(node.get(), Not());
  return node;
}

ExprPtr ExpressionParser::Not() {
  if (!stream_.IsName("not")) return CompareChain();
  DepthScope depth(stream_);
  ExprPtr node = MakeNode(Expr::Kind::kNot, stream_.line());
  stream_.Next();
  AddKid(node.get(), Not());
  return node;
}

ExprPtr ExpressionParser::CompareChain() {
  ExprPtr left = Additive();
  ExprPtr node;
  while (true) {
    std::string op;
    const Token& token = stream_.current();
    if (token.kind == TokenKind::kOperator &&
        (token.text == "==" || token.text == "!=" || token.text == "<" || token.text == "<=" ||
         token.text == ">" || token.text == ">=")) {
      op = stream_.Next().text;
    } else if (stream_.SkipName("in")) {
      op = "in";
    } else if (stream_.IsName("not") && stream_.Peek().kind == TokenKind::kName &&
               stream_.Peek().text == "in") {
      stream_.Next();
      stream_.Next();
      op = "not in";
    } else {
      return node ? std::move(node) : std::move(left);
    }
    if (!node) {
      node = MakeNode(Expr::Kind::kCompare, left->line);
      AddKid(node.get(), std::move(left));
    }
    node->operators.push_back(std::move(op));
    AddKid(node.get(), Additive());
  }
}

ExprPtr ExpressionParser::Additive() {
  ExprPtr left = Concat();
  while (stream_.IsOperator("+") || stream_.IsOperator("-")) {
    ExprPtr node = MakeNode(Expr::Kind::kBinary, stream_.line());
    node->name = stream_.Next().text;
    AddKid(node.get(), std::move(left));
    AddKid(node.get(), Concat());
    left = std::move(node);
  }
  return left;
}

ExprPtr ExpressionParser::Concat() {
  ExprPtr left = Multiplicative();
  if (!stream_.IsOperator("~")) return left;
  ExprPtr node = MakeNode(Expr::Kind::kConcat, left->line);
  AddKid(node.get(), std::move(left));
  while (stream_.SkipOperator("~")) AddKid(node.get(), Multiplicative());
  return node;
}

ExprPtr ExpressionParser::Multiplicative() {
  ExprPtr left = Power();
  while (stream_.IsOperator("*") || stream_.IsOperator("/") || stream_.IsOperator("//") ||
         stream_.IsOperator("%")) {
    ExprPtr node = MakeNode(Expr::Kind::kBinary, stream_.line());
    node->name = stream_.Next().text;
    AddKid(node.get(), std::move(left));
    AddKid(node.get(), Power());
    left = std::move(node);
  }
  return left;
}

// Jinja's own precedence, not Python's: left to right, and signs bind tighter (-2 ** 2 is 4).
ExprPtr ExpressionParser::Power() {
  ExprPtr left = Unary();
  while (stream_.IsOperator("**")) {
    ExprPtr node = MakeNode(Expr::Kind::kBinary, stream_.line());
    node->name = stream_.Next().text;
    AddKid(node.get(), std::move(left));
    AddKid(node.get(), Unary());
    left = std::move(node);
  }
  return left;
}

// Filters bind looser than a sign: -1|abs is (-1)|abs.
ExprPtr ExpressionParser::Unary(bool with_filters) {
  ExprPtr node;
  if (stream_.IsOperator("-") || stream_.IsOperator("+")) {
    DepthScope depth(stream_);
    bool negate = stream_.IsOperator("-");
    node = MakeNode(negate ? Expr::Kind::kNegate : Expr::Kind::kPlus, stream_.line());
    stream_.Next();
    AddKid(node.get(), Unary(/*with_filters=*/false));
  } else {
    node = ParsePrimaryWithPostfix();
  }
  return with_filters ? FiltersAndTests(std::move(node)) : std::move(node);
}

ExprPtr ExpressionParser::ParsePrimaryWithPostfix() { return Postfix(Primary()); }

ExprPtr ExpressionParser::Primary() {
  Token token = stream_.current();
  ExprPtr node = MakeNode(Expr::Kind::kConstant, token.line);
  switch (token.kind) {
    case TokenKind::kName:
      stream_.Next();
      if (token.text == "true" || token.text == "True") {
        node->constant = Value::Bool(true);
      } else if (token.text == "false" || token.text == "False") {
        node->constant = Value::Bool(false);
      } else if (token.text == "none" || token.text == "None") {
        node->constant = Value::None();
      } else {
        node->kind = Expr::Kind::kName;
        node->name = token.text;
      }
      return node;
    case TokenKind::kString: {
      std::string text;
      while (stream_.current().kind == TokenKind::kString) text += stream_.Next().text;
      node->constant = Value::Constant(std::move(text));
      return node;
    }
    case TokenKind::kInteger: {
      int64_t value = 0;
      const char* end = token.text.data() + token.text.size();
      if (std::from_chars(token.text.data(), end, value).ec != std::errc()) {
        stream_.Fail("the number " + token.text.substr(0, 40) + " is too large");
      }
      stream_.Next();
      node->constant = Value::Int(value);
      return node;
    }
    case TokenKind::kFloat: {
      double value = 0;
      std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
      stream_.Next();
      node->constant = Value::Float(value);
      return node;
    }
    default:
      break;
  }
  if (stream_.SkipOperator("(")) {
    DepthScope depth(stream_);
    if (stream_.SkipOperator(")")) {
      node->kind = Expr::Kind::kTuple;
      return node;
    }
    ExprPtr inner = ParseTuple();
    stream_.ExpectOperator(")");
    return inner;
  }
  if (stream_.IsOperator("[")) return ListLiteral();
  if (stream_.IsOperator("{")) return DictLiteral();
  stream_.FailUnexpected("an expression");
}

ExprPtr ExpressionParser::ListLiteral() {
  ExprPtr node = MakeNode(Expr::Kind::kList, stream_.line());
  stream_.ExpectOperator("[");
  while (!stream_.IsOperator("]")) {
    AddKid(node.get(), Parse());
    if (!stream_.SkipOperator(",")) break;
  }
  stream_.ExpectOperator("]");
  return node;
}

ExprPtr ExpressionParser::DictLiteral() {
  ExprPtr node = MakeNode(Expr::Kind::kDict, stream_.line());
  stream_.ExpectOperator("{");
  while (!stream_.IsOperator("}")) {
    AddKid(node.get(), Parse());
    stream_.ExpectOperator(":");
    AddKid(node.get(), Parse());
    if (!stream_.SkipOperator(",")) break;
  }
  stream_.ExpectOperator("}");
  return node;
}

ExprPtr ExpressionParser::Postfix(ExprPtr node) {
  while (true) {
    int line = stream_.line();
    if (stream_.SkipOperator(".")) {
      ExprPtr access = MakeNode(Expr::Kind::kAttribute, line);
      if (stream_.current().kind == TokenKind::kInteger) {
        access->kind = Expr::Kind::kSubscript;
        AddKid(access.get(), std::move(node));
        AddKid(access.get(), Primary());
      } else {
        access->name = stream_.ExpectAnyName();
        AddKid(access.get(), std::move(node));
      }
      node = std::move(access);
    } else if (stream_.IsOperator("[")) {
      node = Subscript(std::move(node));
    } else if (stream_.IsOperator("(")) {
      ExprPtr call = MakeNode(Expr::Kind::kCall, line);
      AddKid(call.get(), std::move(node));
      Arguments(call.get());
      node = std::move(call);
    } else {
      return node;
    }
  }
}

ExprPtr ExpressionParser::Subscript(ExprPtr object) {
  int line = stream_.line();
  stream_.ExpectOperator("[");
  ExprPtr parts[3];
  int count = 0;
  bool is_slice = false;
  while (!stream_.IsOperator("]")) {
    if (stream_.SkipOperator(":")) {
      is_slice = true;
      if (++count > 2) stream_.FailUnexpected("']'");
    } else {
      if (parts[count]) stream_.FailUnexpected("':' or ']'");
      parts[count] = ParseTuple();
    }
  }
  stream_.ExpectOperator("]");
  ExprPtr node = MakeNode(is_slice ? Expr::Kind::kSlice : Expr::Kind::kSubscript, line);
  AddKid(node.get(), std::move(object));
  if (!is_slice && !parts[0]) stream_.Fail("an empty subscript");
  for (int i = 0; i < (is_slice ? 3 : 1); ++i) AddKid(node.get(), std::move(parts[i]));
  return node;
}

void ExpressionParser::Arguments(Expr* call) {
  DepthScope depth(stream_);
  stream_.ExpectOperator("(");
  while (!stream_.IsOperator(")")) {
    int line = stream_.line();
    if (stream_.IsOperator("*") || stream_.IsOperator("**")) {
      bool keywords = stream_.Next().text == "**";
      ExprPtr unpack =
          MakeNode(keywords ? Expr::Kind::kUnpackKeywords : Expr::Kind::kUnpackArgs, line);
      AddKid(unpack.get(), Parse());
      AddKid(call, std::move(unpack));
    } else if (stream_.current().kind == TokenKind::kName &&
               stream_.Peek().kind == TokenKind::kOperator && stream_.Peek().text == "=") {
      std::string name = stream_.Next().text;
      stream_.Next();
      ExprPtr value = Parse();
      Grow(call, value.get());
      call->keywords.emplace_back(std::move(name), std::move(value));
    } else {
      AddKid(call, Parse());
    }
    if (!stream_.SkipOperator(",")) break;
  }
  stream_.ExpectOperator(")");
}

ExprPtr ExpressionParser::ParseFilters(ExprPtr input) {
  ExprPtr node = std::move(input);
  do {
    ExprPtr filter = MakeNode(Expr::Kind::kFilter, stream_.line());
    filter->name = stream_.ExpectAnyName();
    while (stream_.SkipOperator(".")) filter->name += "." + stream_.ExpectAnyName();
    AddKid(filter.get(), std::move(node));
    if (stream_.IsOperator("(")) Arguments(filter.get());
    node = std::move(filter);
  } while (stream_.SkipOperator("|"));
  return node;
}

ExprPtr ExpressionParser::FiltersAndTests(ExprPtr node) {
  while (true) {
    if (stream_.SkipOperator("|")) {
      node = ParseFilters(std::move(node));
    } else if (stream_.SkipName("is")) {
      node = Test(std::move(node));
    } else if (stream_.IsOperator("(")) {
      // The result of a filter may be called.
      ExprPtr call = MakeNode(Expr::Kind::kCall, stream_.line());
      AddKid(call.get(), std::move(node));
      Arguments(call.get());
      node = std::move(call);
    } else {
      return node;
    }
  }
}

ExprPtr ExpressionParser::Test(ExprPtr object) {
  int line = stream_.line();
  bool negate = stream_.SkipName("not");
  ExprPtr test = MakeNode(Expr::Kind::kTest, line);
  test->name = stream_.ExpectAnyName();
  while (stream_.SkipOperator(".")) test->name += "." + stream_.ExpectAnyName();
  AddKid(test.get(), std::move(object));
  const Token& token = stream_.current();
  bool starts_value = token.kind == TokenKind::kString || token.kind == TokenKind::kInteger ||
                      token.kind == TokenKind::kFloat || token.kind == TokenKind::kName ||
                      stream_.IsOperator("[") || stream_.IsOperator("{");
  if (stream_.IsOperator("(")) {
    Arguments(test.get());
  } else if (starts_value && !stream_.IsName("else") && !stream_.IsName("or") &&
             !stream_.IsName("and") && !stream_.IsName("if") && !stream_.IsName("is") &&
             !stream_.IsName("in") && !stream_.IsName("not")) {
    // One argument without parentheses: "is divisibleby 3".
    AddKid(test.get(), ParsePrimaryWithPostfix());
  }
  if (!negate) return test;
  ExprPtr node = MakeNode(Expr::Kind::kNot, line);
  AddKid(node.get(), std::move(test));
  return node;
}

}  // namespace hearth::tmpl
