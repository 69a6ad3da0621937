#include "tokenizers/models/byte_trie.h"

#include <algorithm>

namespace hearth::tokenizers {
namespace {

// Below this many children a scan is faster than a binary search.
constexpr uint32_t kScanLimit = 8;

struct Range {
  size_t begin;
  size_t end;
  size_t depth;
};

}  // namespace

ByteTrie::ByteTrie(std::vector<Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.first < b.first; });
  // Each node owns a range of the sorted entries; `ranges` runs in step with `nodes_`.
  nodes_.emplace_back();
  labels_.push_back(0);
  std::vector<Range> ranges = {{0, entries.size(), 0}};
  for (size_t node = 0; node < nodes_.size(); ++node) {
    auto [at, end, depth] = ranges[node];
    for (; at < end && entries[at].first.size() == depth; ++at) {
      nodes_[node].value = entries[at].second + 1;
    }
    nodes_[node].first_child = static_cast<uint32_t>(nodes_.size());
    while (at < end) {
      char label = entries[at].first[depth];
      size_t next = at + 1;
      while (next < end && entries[next].first[depth] == label) ++next;
      nodes_.emplace_back();
      labels_.push_back(static_cast<unsigned char>(label));
      ranges.push_back({at, next, depth + 1});
      ++nodes_[node].children;
      at = next;
    }
  }
  for (uint32_t i = 0; i < nodes_[0].children; ++i) {
    root_[labels_[nodes_[0].first_child + i]] = nodes_[0].first_child + i;
  }
}

uint32_t ByteTrie::FindChild(uint32_t node, unsigned char byte) const {
  const Node& parent = nodes_[node];
  const unsigned char* labels = labels_.data() + parent.first_child;
  if (parent.children <= kScanLimit) {
    for (uint32_t i = 0; i < parent.children; ++i) {
      if (labels[i] == byte) return parent.first_child + i;
    }
    return 0;
  }
  const unsigned char* found = std::lower_bound(labels, labels + parent.children, byte);
  if (found == labels + parent.children || *found != byte) return 0;
  return static_cast<uint32_t>(found - labels_.data());
}

}  // namespace hearth::tokenizers
