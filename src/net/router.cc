#include "net/router.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::net {
namespace {

// One segment of a pattern: literal, or prefix + {name} + suffix, or the rest of the path.
struct Piece {
  enum class Kind { kLiteral, kCapture, kRest, kOptionalRest };
  Kind kind = Kind::kLiteral;
  std::string literal;
  std::string prefix, suffix, name;
};

[[noreturn]] void BadPattern(std::string_view pattern, std::string_view why) {
  throw Error(Code::kInvalidArgument,
              "route pattern " + std::string(pattern) + ": " + std::string(why));
}

Piece ParsePiece(std::string_view segment, std::string_view pattern) {
  Piece piece;
  size_t open = segment.find('{');
  if (open == std::string_view::npos) {
    if (segment.find('}') != std::string_view::npos) BadPattern(pattern, "'}' without '{'");
    piece.literal = segment;
    return piece;
  }
  size_t close = segment.find('}', open);
  if (close == std::string_view::npos) BadPattern(pattern, "'{' without '}'");
  std::string_view name = segment.substr(open + 1, close - open - 1);
  piece.kind = Piece::Kind::kCapture;
  if (name.ends_with("...?")) {
    piece.kind = Piece::Kind::kOptionalRest;
    name.remove_suffix(4);
  } else if (name.ends_with("...")) {
    piece.kind = Piece::Kind::kRest;
    name.remove_suffix(3);
  }
  piece.name = name;
  piece.prefix = segment.substr(0, open);
  piece.suffix = segment.substr(close + 1);
  if (name.empty() || name.find_first_of("{.?") != std::string_view::npos) {
    BadPattern(pattern, "bad capture name");
  }
  if (piece.suffix.find_first_of("{}") != std::string::npos) {
    BadPattern(pattern, "one capture per segment");
  }
  if (piece.kind != Piece::Kind::kCapture && !(piece.prefix.empty() && piece.suffix.empty())) {
    BadPattern(pattern, "a rest capture must be a whole segment");
  }
  return piece;
}

}  // namespace

struct Router::Node {
  struct Leaf {
    std::string method;
    size_t route;
    std::vector<std::string> names;
  };
  struct Capture {
    std::string prefix, suffix;
    std::unique_ptr<Node> node;
  };
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::vector<Capture> captures;  // longest literal part first
  std::vector<Leaf> leaves;       // the path ends here
  std::vector<Leaf> rest;         // the path goes on with at least one character
  std::vector<Leaf> optional_rest;

  Node* Child(const Piece& piece) {
    if (piece.kind == Piece::Kind::kLiteral) {
      auto& child = literals[piece.literal];
      if (!child) child = std::make_unique<Node>();
      return child.get();
    }
    for (Capture& capture : captures) {
      if (capture.prefix == piece.prefix && capture.suffix == piece.suffix) {
        return capture.node.get();
      }
    }
    auto longer = [&](const Capture& c) {
      return c.prefix.size() + c.suffix.size() < piece.prefix.size() + piece.suffix.size();
    };
    auto at = std::find_if(captures.begin(), captures.end(), longer);
    at = captures.insert(at, Capture{piece.prefix, piece.suffix, std::make_unique<Node>()});
    return at->node.get();
  }
};

namespace {

// Walks the trie; `visit(leaf, values)` returns true to stop. Each trie node is met at most once
// per path because its depth fixes the segment, so a lookup is linear in the trie at worst.
template <typename Node, typename Visit>
class Walk {
 public:
  Walk(std::string_view path, const Visit& visit) : path_(path), visit_(visit) {
    values_.reserve(8);
  }

  // `at` is the offset of the segment's first character; npos = the path has ended.
  bool Step(const Node& node, size_t at) {
    if (at == std::string_view::npos) {
      return Leaves(node.leaves) || RestLeaves(node.optional_rest, "");
    }
    size_t slash = path_.find('/', at);
    std::string_view segment =
        path_.substr(at, slash == std::string_view::npos ? slash : slash - at);
    size_t next = slash == std::string_view::npos ? slash : slash + 1;
    auto literal = node.literals.find(segment);
    if (literal != node.literals.end() && Step(*literal->second, next)) return true;
    for (const auto& capture : node.captures) {
      if (segment.size() <= capture.prefix.size() + capture.suffix.size()) continue;
      if (!segment.starts_with(capture.prefix) || !segment.ends_with(capture.suffix)) continue;
      std::string_view value = segment.substr(capture.prefix.size());
      value.remove_suffix(capture.suffix.size());
      values_.push_back(value);
      if (Step(*capture.node, next)) return true;
      values_.pop_back();
    }
    std::string_view rest = path_.substr(at);
    if (!rest.empty() && RestLeaves(node.rest, rest)) return true;
    return RestLeaves(node.optional_rest, rest);
  }

 private:
  template <typename List>
  bool Leaves(const List& leaves) {
    for (const auto& leaf : leaves) {
      if (visit_(leaf, values_)) return true;
    }
    return false;
  }
  template <typename List>
  bool RestLeaves(const List& leaves, std::string_view rest) {
    values_.push_back(rest);
    bool stop = Leaves(leaves);
    values_.pop_back();
    return stop;
  }

  std::string_view path_;
  const Visit& visit_;
  std::vector<std::string_view> values_;
};

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::Add(std::string_view methods, std::string_view pattern, size_t route) {
  if (!pattern.starts_with('/')) BadPattern(pattern, "must start with '/'");
  std::vector<std::string> names;
  Node* node = root_.get();
  std::vector<Node::Leaf>* leaves = nullptr;
  for (std::string_view segment : Split(pattern.substr(1), '/')) {
    if (leaves) BadPattern(pattern, "a rest capture must be last");
    Piece piece = ParsePiece(segment, pattern);
    if (piece.kind != Piece::Kind::kLiteral) {
      if (std::count(names.begin(), names.end(), piece.name) > 0) {
        BadPattern(pattern, "capture name used twice");
      }
      names.push_back(piece.name);
    }
    if (piece.kind == Piece::Kind::kRest) {
      leaves = &node->rest;
    } else if (piece.kind == Piece::Kind::kOptionalRest) {
      leaves = &node->optional_rest;
    } else {
      node = node->Child(piece);
    }
  }
  if (!leaves) leaves = &node->leaves;
  for (std::string_view raw : Split(methods, ',')) {
    std::string method(TrimAscii(raw));
    if (method.empty()) BadPattern(pattern, "empty method");
    for (const Node::Leaf& leaf : *leaves) {
      if (leaf.method == method) BadPattern(pattern, "registered twice for " + method);
    }
    leaves->push_back({method, route, names});
  }
}

std::optional<RouteMatch> Router::Match(std::string_view method, std::string_view raw_path) const {
  if (!raw_path.starts_with('/')) return std::nullopt;
  RouteMatch match;
  auto visit = [&](const Node::Leaf& leaf, const std::vector<std::string_view>& values) {
    if (leaf.method != method) return false;
    match.route = leaf.route;
    match.captures.reserve(leaf.names.size());
    for (size_t i = 0; i < leaf.names.size(); ++i) {
      match.captures.emplace_back(leaf.names[i], std::string(values[i]));
    }
    return true;
  };
  if (!Walk<Node, decltype(visit)>(raw_path, visit).Step(*root_, 1)) return std::nullopt;
  return match;
}

std::vector<std::string> Router::AllowedMethods(std::string_view raw_path) const {
  std::vector<std::string> methods;
  if (!raw_path.starts_with('/')) return methods;
  auto visit = [&](const Node::Leaf& leaf, const std::vector<std::string_view>&) {
    if (std::count(methods.begin(), methods.end(), leaf.method) == 0)
      methods.push_back(leaf.method);
    return false;
  };
  Walk<Node, decltype(visit)>(raw_path, visit).Step(*root_, 1);
  return methods;
}

}  // namespace hearth::net
