#include "runtime/engine/page_pool.h"

#include <numeric>

#include "tensor/kernels/kv_cache.h"

namespace hearth::runtime {

using tensor::kPageTokens;

PagePool::PagePool(uint32_t pages) : entries_(pages), free_(pages) {
  std::iota(free_.rbegin(), free_.rend(), 0u);
}

std::string PagePool::Key(uint64_t parent, std::span<const uint32_t> tokens) const {
  std::string key(reinterpret_cast<const char*>(&parent), sizeof parent);
  return key.append(reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes());
}

std::vector<uint32_t> PagePool::TakeKnown(std::span<const uint32_t> tokens, uint64_t salt) {
  std::vector<uint32_t> pages;
  // The roots of different salts are different nodes: the upper half of the numbers is theirs.
  uint64_t parent = ~salt;
  for (size_t at = 0; at + kPageTokens < tokens.size(); at += kPageTokens) {
    auto found = known_.find(Key(parent, tokens.subspan(at, kPageTokens)));
    if (found == known_.end()) break;
    Entry& entry = entries_[found->second];
    if (entry.users++ == 0) idle_.erase(entry.idle);
    parent = entry.node;
    pages.push_back(found->second);
  }
  return pages;
}

void PagePool::Forget(uint32_t page) {
  Entry& entry = entries_[page];
  if (entry.node == 0) return;
  known_.erase(entry.key);
  entry.node = 0;
  entry.key.clear();
}

std::optional<uint32_t> PagePool::Take() {
  if (free_.empty()) {
    if (idle_.empty()) return std::nullopt;
    uint32_t oldest = idle_.front();
    idle_.pop_front();
    Forget(oldest);
    free_.push_back(oldest);
  }
  uint32_t page = free_.back();
  free_.pop_back();
  entries_[page].users = 1;
  return page;
}

void PagePool::MakeKnown(std::span<const uint32_t> pages, std::span<const uint32_t> tokens,
                         uint64_t salt) {
  uint64_t parent = ~salt;
  for (size_t i = 0; i < pages.size() && (i + 1) * kPageTokens <= tokens.size(); ++i) {
    Entry& entry = entries_[pages[i]];
    if (entry.node == 0) {
      std::string key = Key(parent, tokens.subspan(i * kPageTokens, kPageTokens));
      auto [place, is_new] = known_.try_emplace(key, pages[i]);
      if (!is_new) {
        // Another sequence computed the same meanwhile; this copy goes when it is released.
        parent = entries_[place->second].node;
        continue;
      }
      entry.node = next_node_++;
      entry.key = std::move(key);
    }
    parent = entry.node;
  }
}

void PagePool::Release(std::span<const uint32_t> pages) {
  // The end of a text goes first: its beginning is the likelier to come again.
  for (size_t i = pages.size(); i-- > 0;) {
    Entry& entry = entries_[pages[i]];
    if (--entry.users > 0) continue;
    if (entry.node == 0) {
      free_.push_back(pages[i]);
    } else {
      entry.idle = idle_.insert(idle_.end(), pages[i]);
    }
  }
}

}  // namespace hearth::runtime
