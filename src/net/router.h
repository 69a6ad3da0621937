// Maps method + raw path to a route. Patterns are split at '/': a literal segment, "{name}" for one
// non-empty segment, or a final "{name...}" for the rest (may be empty only when the pattern says
// "{name...?}"). A segment may mix a literal suffix: "{name}.git". Literal segments win over
// captures, captures over rest; the matcher backtracks, so "/datasets/{ns}/{name}" and
// "/{ns}/{name}/resolve/{rest...}" live together. Matching is on the raw (still encoded) path, so
// "%2F" never splits a segment. Immutable after Build; thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::net {

struct RouteMatch {
  size_t route = 0;                                                // index given to Add
  std::vector<std::pair<std::string_view, std::string>> captures;  // names: the router's
};

class Router {
 public:
  Router();
  ~Router();
  // `methods` is comma-separated ("GET,HEAD"). Throws Error{kInvalidArgument} for a bad or doubled
  // pattern.
  void Add(std::string_view methods, std::string_view pattern, size_t route);
  std::optional<RouteMatch> Match(std::string_view method, std::string_view raw_path) const;
  // Methods that this path accepts, for 405 + Allow; empty when the path is unknown.
  std::vector<std::string> AllowedMethods(std::string_view raw_path) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace hearth::net
