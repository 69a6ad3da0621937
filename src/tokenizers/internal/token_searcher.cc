#include "tokenizers/internal/token_searcher.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hearth::tokenizers::internal {
namespace {

// First bytes that are compared side by side in one register load each; real tokenizers have one to
// four ('<', '[', a line break, the first byte of U+2581).
constexpr size_t kMaxCompared = 4;

#if defined(__SSE2__)
// The first position of one of the bytes, or where the last whole vector ends. Four vectors at a
// time: candidates are rare, and then the loads alone count.
template <size_t kCount>
size_t SkipVectors(std::string_view text, size_t from, const uint8_t* bytes) {
  __m128i wanted[kCount];
  for (size_t i = 0; i < kCount; ++i) wanted[i] = _mm_set1_epi8(static_cast<char>(bytes[i]));
  auto hits = [&](size_t at) {
    __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    __m128i hit = _mm_cmpeq_epi8(block, wanted[0]);
    for (size_t i = 1; i < kCount; ++i) hit = _mm_or_si128(hit, _mm_cmpeq_epi8(block, wanted[i]));
    return hit;
  };
  for (; from + 64 <= text.size(); from += 64) {
    __m128i low = _mm_or_si128(hits(from), hits(from + 16));
    __m128i high = _mm_or_si128(hits(from + 32), hits(from + 48));
    if (_mm_movemask_epi8(_mm_or_si128(low, high)) != 0) break;
  }
  for (; from + 16 <= text.size(); from += 16) {
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits(from)));
    if (mask != 0) return from + static_cast<size_t>(std::countr_zero(mask));
  }
  return from;
}
#endif

}  // namespace

TokenSearcher::TokenSearcher(const std::vector<std::pair<std::string_view, uint32_t>>& tokens) {
  if (tokens.empty()) return;
  std::vector<std::map<uint8_t, uint32_t>> children(1);
  nodes_.emplace_back();
  for (const auto& [token, id] : tokens) {
    if (token.empty()) {
      has_empty_token_ = true;
      continue;
    }
    uint32_t node = 0;
    for (char c : token) {
      auto [edge, fresh] = children[node].try_emplace(static_cast<uint8_t>(c), nodes_.size());
      uint32_t next = edge->second;
      if (fresh) {
        children.emplace_back();
        nodes_.push_back({.depth = nodes_[node].depth + 1});
      }
      node = next;
    }
    if (nodes_[node].output == node) continue;
    nodes_[node].output = node;
    nodes_[node].id = id;
  }
  for (size_t node = 0; node < nodes_.size(); ++node) {
    nodes_[node].first_edge = static_cast<uint32_t>(edge_bytes_.size());
    nodes_[node].edge_count = static_cast<uint32_t>(children[node].size());
    for (const auto& [byte, target] : children[node]) {
      edge_bytes_.push_back(byte);
      edge_targets_.push_back(target);
    }
  }
  for (const auto& [byte, target] : children[0]) {
    root_[byte] = target;
    first_bytes_.push_back(byte);
  }
  Link();
}

// Breadth first: a node's fail is the longest proper suffix of it that is a node too.
void TokenSearcher::Link() {
  std::vector<uint32_t> order{0};
  order.reserve(nodes_.size());
  for (size_t i = 0; i < order.size(); ++i) {
    uint32_t node = order[i];
    for (uint32_t e = 0; e < nodes_[node].edge_count; ++e) {
      uint32_t edge = nodes_[node].first_edge + e;
      uint32_t target = edge_targets_[edge];
      order.push_back(target);
      uint32_t fail = 0;
      if (node != 0) {
        uint32_t suffix = nodes_[node].fail;
        while (suffix != 0 && Child(suffix, edge_bytes_[edge]) == 0) suffix = nodes_[suffix].fail;
        fail = Child(suffix, edge_bytes_[edge]);
      }
      nodes_[target].fail = fail;
      if (nodes_[target].output == 0) nodes_[target].output = nodes_[fail].output;
    }
  }
}

uint32_t TokenSearcher::Child(uint32_t node, uint8_t byte) const {
  if (node == 0) return root_[byte];
  const Node& from = nodes_[node];
  const uint8_t* begin = edge_bytes_.data() + from.first_edge;
  const uint8_t* end = begin + from.edge_count;
  const uint8_t* found = std::lower_bound(begin, end, byte);
  if (found == end || *found != byte) return 0;
  return edge_targets_[from.first_edge + static_cast<size_t>(found - begin)];
}

size_t TokenSearcher::NextCandidate(std::string_view text, size_t from) const {
#if defined(__SSE2__)
  switch (first_bytes_.size()) {
    case 1: {
      const void* found = std::memchr(text.data() + from, first_bytes_[0], text.size() - from);
      return found == nullptr ? text.size()
                              : static_cast<size_t>(static_cast<const char*>(found) - text.data());
    }
    case 2:
      from = SkipVectors<2>(text, from, first_bytes_.data());
      break;
    case 3:
      from = SkipVectors<3>(text, from, first_bytes_.data());
      break;
    case kMaxCompared:
      from = SkipVectors<kMaxCompared>(text, from, first_bytes_.data());
      break;
    default:
      break;
  }
#endif
  while (from < text.size() && root_[static_cast<uint8_t>(text[from])] == 0) ++from;
  return from;
}

// The automaton's state is the longest suffix of what was read that begins some token; as long as
// it begins no later than the match at hand, a better match may still come.
std::optional<TokenSearcher::Match> TokenSearcher::Find(std::string_view text, size_t from) const {
  if (nodes_.size() < 2) return std::nullopt;
  std::optional<Match> match;
  uint32_t state = 0;
  size_t at = from;
  while (true) {
    if (state == 0) at = NextCandidate(text, at);
    if (at >= text.size()) return match;
    auto byte = static_cast<uint8_t>(text[at++]);
    uint32_t next = Child(state, byte);
    while (next == 0 && state != 0) {
      state = nodes_[state].fail;
      next = Child(state, byte);
    }
    state = next;
    if (match && at - nodes_[state].depth > match->begin) return match;
    if (uint32_t output = nodes_[state].output; output != 0) {
      size_t begin = at - nodes_[output].depth;
      if (!match || begin <= match->begin) match = Match{begin, at, nodes_[output].id};
    }
  }
}

}  // namespace hearth::tokenizers::internal
