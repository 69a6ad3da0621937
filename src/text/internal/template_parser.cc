#include "text/internal/template_parser.h"

#include <algorithm>
#include <unordered_set>

namespace hearth::tmpl {
namespace {

using Names = std::initializer_list<std::string_view>;

class StatementParser {
 public:
  StatementParser(TokenStream& stream, Tree* tree)
      : stream_(stream), expressions_(stream), tree_(tree) {}

  void ParseAll() {
    tree_->body = ParseBody({});
    CollectBlocks(tree_->body);
  }

 private:
  // Statements up to one of `ends`, whose name is left as the current token (after "{%").
  Body ParseBody(Names ends);
  void ParseTag(Body* body);
  // Ends "{% name ... %}".
  void EndTag() { stream_.Expect(TokenKind::kBlockEnd, "'%}'"); }
  // A body up to "{% end %}", which is consumed.
  Body BodyUntil(std::string_view end) {
    EndTag();
    Body body = ParseBody({end});
    stream_.Next();
    EndTag();
    return body;
  }

  Stmt If(Stmt stmt);
  Stmt For(Stmt stmt);
  Stmt Set(Stmt stmt);
  Stmt Macro(Stmt stmt);
  Stmt CallBlock(Stmt stmt);
  Stmt Include(Stmt stmt);
  Stmt Import(Stmt stmt);
  Stmt FromImport(Stmt stmt);
  Stmt Block(Stmt stmt);
  Stmt With(Stmt stmt);
  Stmt Simple(std::string_view name, Stmt stmt);
  void ParseParameters(Stmt* stmt);
  bool ParseContext(bool fallback);
  Target ParseTarget();
  Target ParseOneTarget();
  void CollectBlocks(const Body& body);

  TokenStream& stream_;
  ExpressionParser expressions_;
  Tree* tree_;
  std::unordered_set<std::string> block_names_;
  int loops_ = 0;
};

Body StatementParser::ParseBody(Names ends) {
  DepthScope depth(stream_);
  Body body;
  while (true) {
    const Token& token = stream_.current();
    Stmt stmt;
    stmt.line = token.line;
    switch (token.kind) {
      case TokenKind::kData:
        stmt.kind = Stmt::Kind::kData;
        stmt.text = stream_.Next().text;
        body.push_back(std::move(stmt));
        continue;
      case TokenKind::kVariableBegin:
        stream_.Next();
        stmt.kind = Stmt::Kind::kOutput;
        stmt.expr = expressions_.ParseTuple();
        stream_.Expect(TokenKind::kVariableEnd, "'}}'");
        body.push_back(std::move(stmt));
        continue;
      case TokenKind::kBlockBegin:
        break;
      default:
        if (ends.size() == 0) return body;
        stream_.FailUnexpected(("'{% " + std::string(*ends.begin()) + " %}'").c_str());
    }
    stream_.Next();
    const Token& name = stream_.current();
    if (name.kind != TokenKind::kName) stream_.FailUnexpected("the name of a tag");
    if (std::find(ends.begin(), ends.end(), name.text) != ends.end()) return body;
    ParseTag(&body);
  }
}

void StatementParser::ParseTag(Body* body) {
  Stmt stmt;
  stmt.line = stream_.line();
  std::string name = stream_.ExpectAnyName();
  if (name == "if") {
    body->push_back(If(std::move(stmt)));
  } else if (name == "for") {
    body->push_back(For(std::move(stmt)));
  } else if (name == "set") {
    body->push_back(Set(std::move(stmt)));
  } else if (name == "macro") {
    body->push_back(Macro(std::move(stmt)));
  } else if (name == "call") {
    body->push_back(CallBlock(std::move(stmt)));
  } else if (name == "include") {
    body->push_back(Include(std::move(stmt)));
  } else if (name == "import") {
    body->push_back(Import(std::move(stmt)));
  } else if (name == "from") {
    body->push_back(FromImport(std::move(stmt)));
  } else if (name == "block") {
    body->push_back(Block(std::move(stmt)));
  } else if (name == "with") {
    body->push_back(With(std::move(stmt)));
  } else {
    body->push_back(Simple(name, std::move(stmt)));
  }
}

Stmt StatementParser::Simple(std::string_view name, Stmt stmt) {
  if (name == "extends" || name == "do") {
    stmt.kind = name == "do" ? Stmt::Kind::kDo : Stmt::Kind::kExtends;
    stmt.expr = expressions_.ParseTuple();
    EndTag();
  } else if (name == "filter") {
    stmt.kind = Stmt::Kind::kFilterBlock;
    stmt.expr = expressions_.ParseFilters(nullptr);
    stmt.body = BodyUntil("endfilter");
  } else if (name == "autoescape") {
    stmt.kind = Stmt::Kind::kAutoescape;
    stmt.expr = expressions_.Parse();
    stmt.body = BodyUntil("endautoescape");
  } else if (name == "generation") {
    // Chat templates mark the assistant's part with it; it prints its body.
    stmt.kind = Stmt::Kind::kGeneration;
    stmt.body = BodyUntil("endgeneration");
  } else if (name == "break" || name == "continue") {
    if (loops_ == 0) stream_.Fail("'" + std::string(name) + "' outside of a loop");
    stmt.kind = name == "break" ? Stmt::Kind::kBreak : Stmt::Kind::kContinue;
    EndTag();
  } else {
    stream_.Fail("unknown tag '" + std::string(name.substr(0, 60)) + "'");
  }
  return stmt;
}

Stmt StatementParser::If(Stmt stmt) {
  stmt.kind = Stmt::Kind::kIf;
  while (true) {
    Branch branch;
    branch.condition = expressions_.ParseTuple(/*with_condition=*/true);
    EndTag();
    branch.body = ParseBody({"elif", "else", "endif"});
    stmt.branches.push_back(std::move(branch));
    std::string name = stream_.ExpectAnyName();
    if (name == "elif") continue;
    if (name == "else") stmt.else_body = BodyUntil("endif");
    if (name == "endif") EndTag();
    return stmt;
  }
}

Stmt StatementParser::For(Stmt stmt) {
  stmt.kind = Stmt::Kind::kFor;
  stmt.target = ParseTarget();
  stream_.ExpectName("in");
  stmt.expr = expressions_.ParseTuple(/*with_condition=*/false);
  if (stream_.SkipName("if")) stmt.condition = expressions_.Parse();
  stmt.recursive = stream_.SkipName("recursive");
  EndTag();
  ++loops_;
  stmt.body = ParseBody({"endfor", "else"});
  --loops_;
  if (stream_.ExpectAnyName() == "else") {
    stmt.else_body = BodyUntil("endfor");
  } else {
    EndTag();
  }
  return stmt;
}

Target StatementParser::ParseOneTarget() {
  Target target;
  if (stream_.SkipOperator("(")) {
    target = ParseTarget();
    stream_.ExpectOperator(")");
    return target;
  }
  target.name = stream_.ExpectAnyName();
  for (std::string_view reserved : {"true", "false", "none", "True", "False", "None", "loop"}) {
    // Jinja lets "loop" be assigned only outside of loops; nobody needs it.
    if (target.name == reserved) stream_.Fail("cannot assign to '" + target.name + "'");
  }
  if (stream_.SkipOperator(".")) target.attribute = stream_.ExpectAnyName();
  return target;
}

Target StatementParser::ParseTarget() {
  DepthScope depth(stream_);
  Target first = ParseOneTarget();
  if (!stream_.IsOperator(",")) return first;
  Target tuple;
  tuple.elements.push_back(std::move(first));
  while (stream_.SkipOperator(",")) {
    if (stream_.IsName("in") || stream_.IsOperator("=") || stream_.IsOperator(")")) break;
    tuple.elements.push_back(ParseOneTarget());
  }
  return tuple;
}

Stmt StatementParser::Set(Stmt stmt) {
  stmt.target = ParseTarget();
  if (stream_.SkipOperator("=")) {
    stmt.kind = Stmt::Kind::kSet;
    stmt.expr = expressions_.ParseTuple();
    EndTag();
    return stmt;
  }
  stmt.kind = Stmt::Kind::kSetBlock;
  if (stream_.SkipOperator("|")) stmt.expr = expressions_.ParseFilters(nullptr);
  stmt.body = BodyUntil("endset");
  return stmt;
}

void StatementParser::ParseParameters(Stmt* stmt) {
  stream_.ExpectOperator("(");
  while (!stream_.IsOperator(")")) {
    Parameter parameter;
    parameter.name = stream_.ExpectAnyName();
    if (stream_.SkipOperator("=")) {
      parameter.value = expressions_.Parse();
    } else if (!stmt->parameters.empty() && stmt->parameters.back().value) {
      stream_.Fail("a parameter without default after one with default");
    }
    stmt->parameters.push_back(std::move(parameter));
    if (!stream_.SkipOperator(",")) break;
  }
  stream_.ExpectOperator(")");
}

Stmt StatementParser::Macro(Stmt stmt) {
  stmt.kind = Stmt::Kind::kMacro;
  stmt.text = stream_.ExpectAnyName();
  ParseParameters(&stmt);
  int outer = std::exchange(loops_, 0);
  stmt.body = BodyUntil("endmacro");
  loops_ = outer;
  return stmt;
}

Stmt StatementParser::CallBlock(Stmt stmt) {
  stmt.kind = Stmt::Kind::kCallBlock;
  if (stream_.IsOperator("(")) ParseParameters(&stmt);
  stmt.expr = expressions_.ParsePrimaryWithPostfix();
  if (stmt.expr->kind != Expr::Kind::kCall) stream_.Fail("'call' needs a call");
  int outer = std::exchange(loops_, 0);
  stmt.body = BodyUntil("endcall");
  loops_ = outer;
  return stmt;
}

bool StatementParser::ParseContext(bool fallback) {
  bool with = stream_.IsName("with");
  if (!(with || stream_.IsName("without")) || stream_.Peek().text != "context") return fallback;
  stream_.Next();
  stream_.Next();
  return with;
}

Stmt StatementParser::Include(Stmt stmt) {
  stmt.kind = Stmt::Kind::kInclude;
  stmt.expr = expressions_.Parse();
  if (stream_.IsName("ignore") && stream_.Peek().text == "missing") {
    stream_.Next();
    stream_.Next();
    stmt.ignore_missing = true;
  }
  stmt.with_context = ParseContext(true);
  EndTag();
  return stmt;
}

Stmt StatementParser::Import(Stmt stmt) {
  stmt.kind = Stmt::Kind::kImport;
  stmt.expr = expressions_.Parse();
  stream_.ExpectName("as");
  stmt.text = stream_.ExpectAnyName();
  stmt.with_context = ParseContext(false);
  EndTag();
  return stmt;
}

Stmt StatementParser::FromImport(Stmt stmt) {
  stmt.kind = Stmt::Kind::kFromImport;
  stmt.expr = expressions_.Parse();
  stream_.ExpectName("import");
  stmt.with_context = false;
  while (true) {
    if ((stream_.IsName("with") || stream_.IsName("without")) && stream_.Peek().text == "context") {
      stmt.with_context = ParseContext(false);
      break;
    }
    std::string name = stream_.ExpectAnyName();
    std::string alias = stream_.SkipName("as") ? stream_.ExpectAnyName() : name;
    stmt.names.emplace_back(std::move(name), std::move(alias));
    if (stream_.SkipOperator(",")) continue;
    stmt.with_context = ParseContext(false);
    break;
  }
  EndTag();
  return stmt;
}

Stmt StatementParser::Block(Stmt stmt) {
  stmt.kind = Stmt::Kind::kBlock;
  stmt.text = stream_.ExpectAnyName();
  stmt.scoped = stream_.SkipName("scoped");
  stream_.SkipName("required");
  EndTag();
  int outer = std::exchange(loops_, 0);
  stmt.body = ParseBody({"endblock"});
  loops_ = outer;
  stream_.Next();
  if (stream_.current().kind == TokenKind::kName && !stream_.SkipName(stmt.text)) {
    stream_.Fail("'endblock' names another block than '" + stmt.text + "'");
  }
  EndTag();
  return stmt;
}

Stmt StatementParser::With(Stmt stmt) {
  stmt.kind = Stmt::Kind::kWith;
  while (stream_.current().kind != TokenKind::kBlockEnd) {
    Parameter parameter;
    parameter.name = stream_.ExpectAnyName();
    stream_.ExpectOperator("=");
    parameter.value = expressions_.Parse();
    stmt.parameters.push_back(std::move(parameter));
    if (!stream_.SkipOperator(",")) break;
  }
  stmt.body = BodyUntil("endwith");
  return stmt;
}

void StatementParser::CollectBlocks(const Body& body) {
  for (const Stmt& stmt : body) {
    if (stmt.kind == Stmt::Kind::kBlock) {
      if (!block_names_.insert(stmt.text).second) {
        FailAt(tree_->options, stmt.line, "the block '" + stmt.text + "' is defined twice");
      }
      tree_->blocks.emplace_back(stmt.text, &stmt);
    }
    for (const Branch& branch : stmt.branches) CollectBlocks(branch.body);
    CollectBlocks(stmt.body);
    CollectBlocks(stmt.else_body);
  }
}

}  // namespace

std::shared_ptr<const Tree> ParseTree(std::string_view source, TemplateOptions options) {
  auto tree = std::make_shared<Tree>();
  tree->options = std::move(options);
  TokenStream stream(Tokenize(source, tree->options), tree->options);
  StatementParser(stream, tree.get()).ParseAll();
  return tree;
}

}  // namespace hearth::tmpl
