// Finds added tokens in a text: of all that begin leftmost, the longest.
//
// An Aho-Corasick automaton over bytes behind a filter that jumps from one possible first byte to
// the next, so that a text without added tokens costs little more than reading it. Immutable after
// construction, safe for concurrent use. A search is linear in the text, times the longest token at
// worst.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::tokenizers::internal {

class TokenSearcher {
 public:
  struct Match {
    size_t begin = 0;
    size_t end = 0;
    uint32_t id = 0;
    bool operator==(const Match&) const = default;
  };

  TokenSearcher() = default;
  // (token, id); of equal tokens the first one counts. An empty token is only remembered.
  explicit TokenSearcher(const std::vector<std::pair<std::string_view, uint32_t>>& tokens);

  bool empty() const { return nodes_.empty(); }
  bool has_empty_token() const { return has_empty_token_; }
  // The leftmost match that begins at `from` or later.
  std::optional<Match> Find(std::string_view text, size_t from) const;

 private:
  struct Node {
    uint32_t first_edge = 0;
    uint32_t edge_count = 0;
    uint32_t fail = 0;
    uint32_t depth = 0;
    uint32_t output = 0;  // the longest token that ends here: its node, 0 for none
    uint32_t id = 0;      // of the token that is exactly this node
  };

  uint32_t Child(uint32_t node, uint8_t byte) const;
  size_t NextCandidate(std::string_view text, size_t from) const;
  void Link();

  std::vector<Node> nodes_;  // nodes_[0] is the root
  std::vector<uint8_t> edge_bytes_;
  std::vector<uint32_t> edge_targets_;
  std::array<uint32_t, 256> root_{};  // child of the root by byte, 0 for none
  std::vector<uint8_t> first_bytes_;
  bool has_empty_token_ = false;
};

}  // namespace hearth::tokenizers::internal
