// The tree of a parsed pattern. Case folding and options are already worked into it: every leaf
// says exactly which bytes or code points it takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "text/internal/code_point_set.h"

namespace hearth::regex_internal {

enum class NodeKind : uint8_t {
  kEmpty,
  kBytes,      // bytes, one after the other
  kSet,        // one code point of a set
  kSequence,   // all children in order
  kAlternate,  // the first child that leads to a match
  kRepeat,     // child 0, min to max times
  kCapture,    // child 0, remembered as group `number` (1, 2, ...)
  kAtomic,     // child 0 without a way back into it
  kLook,       // child 0 must (not) match ahead or behind; takes nothing
  kAnchor,
  kBackReference,
  kGrapheme,  // \X
};

enum class Greed : uint8_t { kGreedy, kLazy, kPossessive };

enum class Anchor : uint8_t {
  kLineBegin,
  kLineEnd,
  kTextBegin,
  kTextEnd,
  kTextEndOrNewline,
  kSearchBegin,
  kWordBoundary,
  kNotWordBoundary,
  kAsciiWordBoundary,
  kNotAsciiWordBoundary,
  kKeep,
};

constexpr uint32_t kInfinite = UINT32_MAX;

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  explicit Node(NodeKind k) : kind(k) {}

  NodeKind kind;
  Greed greed = Greed::kGreedy;
  Anchor anchor = Anchor::kKeep;
  bool negative = false;     // kLook
  bool behind = false;       // kLook
  bool ignore_case = false;  // kBackReference
  uint32_t min = 0;          // kRepeat
  uint32_t max = 0;          // kRepeat, kInfinite
  std::vector<int> groups;   // kBackReference: candidates, the last one that took part wins
  int number = 0;            // kCapture
  std::string bytes;         // kBytes
  CodePointSet set;          // kSet
  std::vector<NodePtr> children;
};

NodePtr MakeNode(NodeKind kind);
NodePtr MakeBytes(std::string_view bytes);
NodePtr MakeSet(CodePointSet set);
NodePtr MakeParent(NodeKind kind, NodePtr child);

struct ParsedPattern {
  NodePtr root;
  int groups = 0;
  bool has_back_references = false;
};

// Throws Error kInvalidArgument, kTooLarge.
ParsedPattern ParseRegex(std::string_view pattern);

}  // namespace hearth::regex_internal
