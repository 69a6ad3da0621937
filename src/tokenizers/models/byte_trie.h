// A trie over bytes in flat arrays: finds every entry that is a prefix of a text.
//
// Nodes lie breadth-first, the children of a node side by side and sorted by byte. Immutable, safe
// for concurrent use; 13 bytes a node.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::tokenizers {

class ByteTrie {
 public:
  using Entry = std::pair<std::string_view, uint32_t>;

  ByteTrie() : ByteTrie(std::vector<Entry>()) {}
  // A key given twice keeps the last value. Empty keys are never found.
  explicit ByteTrie(std::vector<Entry> entries);

  // Calls visit(length, value) for each entry that `text` starts with, shortest first.
  template <typename Visit>
  void ForEachPrefix(std::string_view text, Visit&& visit) const {
    if (text.empty()) return;
    uint32_t node = root_[static_cast<unsigned char>(text[0])];
    for (size_t length = 1; node != 0; ++length) {
      if (nodes_[node].value != 0) visit(length, nodes_[node].value - 1);
      if (length == text.size()) return;
      node = FindChild(node, static_cast<unsigned char>(text[length]));
    }
  }

 private:
  struct Node {
    uint32_t first_child = 0;
    uint32_t children = 0;
    uint32_t value = 0;  // plus one; 0 is none
  };

  uint32_t FindChild(uint32_t node, unsigned char byte) const;

  std::vector<Node> nodes_;            // nodes_[0] is the root; 0 also says "none"
  std::vector<unsigned char> labels_;  // the byte that leads to the node
  std::array<uint32_t, 256> root_{};
};

}  // namespace hearth::tokenizers
