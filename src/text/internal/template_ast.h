// The syntax tree of a template. Immutable once parsed, so renders share it across threads.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/internal/template_value.h"
#include "text/template.h"

namespace hearth::tmpl {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  enum class Kind {
    kConstant,   // constant
    kName,       // name
    kList,       // kids
    kTuple,      // kids
    kDict,       // kids: key, value, key, value...
    kAttribute,  // kids[0] . name
    kSubscript,  // kids[0] [ kids[1] ]
    kSlice,      // kids[0] [ kids[1] : kids[2] : kids[3] ], each may be null
    kCall,       // kids[0] ( kids[1..], keywords )
    kFilter,     // kids[0] | name ( kids[1..], keywords ); kids[0] null in a filter block
    kTest,       // kids[0] is name ( kids[1..] )
    kNot,        // kids[0]
    kNegate,
    kPlus,
    kAnd,  // kids, short circuit
    kOr,
    kConcat,          // kids joined as text
    kBinary,          // kids[0] name kids[1]
    kCompare,         // kids[0] operators[0] kids[1] operators[1] kids[2] ...
    kConditional,     // kids[1] if kids[0] else kids[2] (may be null)
    kUnpackArgs,      // *kids[0], in a call
    kUnpackKeywords,  // **kids[0]
  };
  Kind kind;
  int line = 0;
  int height = 1;  // of the tree below; bounded, since evaluation and destruction recurse
  std::string name;
  Value constant;
  std::vector<ExprPtr> kids;
  std::vector<std::pair<std::string, ExprPtr>> keywords;
  std::vector<std::string> operators;
};

// What `set` and `for` assign to.
struct Target {
  std::string name;
  std::string attribute;         // of a namespace
  std::vector<Target> elements;  // a tuple; then name is empty
};

struct Stmt;
using Body = std::vector<Stmt>;

struct Parameter {
  std::string name;
  ExprPtr value;  // default; may be null
};

struct Branch {
  ExprPtr condition;
  Body body;
};

struct Stmt {
  enum class Kind {
    kData,         // text
    kOutput,       // expr
    kIf,           // branches, else_body
    kFor,          // target in expr if condition: body, else_body; recursive
    kSet,          // target = expr
    kSetBlock,     // target = body, through the filters in expr (may be null)
    kMacro,        // name, parameters, body
    kCallBlock,    // expr is a call; parameters, body = caller
    kFilterBlock,  // expr: filters over body
    kInclude,      // expr; ignore_missing, with_context
    kImport,       // expr as name; with_context
    kFromImport,   // expr import names; with_context
    kExtends,      // expr
    kBlock,        // name, body, scoped
    kWith,         // targets/values in parameters; body
    kAutoescape,   // expr, body
    kDo,           // expr
    kGeneration,   // body
    kBreak,
    kContinue,
  };
  Kind kind;
  int line = 0;
  std::string text;  // data, or name
  ExprPtr expr;
  ExprPtr condition;
  Target target;
  std::vector<Branch> branches;
  Body body;
  Body else_body;
  std::vector<Parameter> parameters;
  std::vector<std::pair<std::string, std::string>> names;  // of from-import: name, alias
  bool recursive = false;
  bool ignore_missing = false;
  bool with_context = true;
  bool scoped = false;
};

struct Tree {
  TemplateOptions options;
  Body body;
  std::vector<std::pair<std::string, const Stmt*>> blocks;  // all of the template, nested ones too
};

// Throws Error{kInvalidArgument} with template name and line.
std::shared_ptr<const Tree> ParseTree(std::string_view source, TemplateOptions options);

}  // namespace hearth::tmpl
