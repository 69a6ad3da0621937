// Which sequence owns which pages of the KV cache, and which pages hold text that may come again.
//
// A full page is known by the tokens in it and the page before it, exactly (no hash decides): a new
// prompt that begins alike takes the page over instead of computing it. Pages that nobody uses
// stay known until their memory is needed, the least recently used going first. Used by one thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace hearth::runtime {

class PagePool {
 public:
  explicit PagePool(uint32_t pages);

  // The known pages that hold the beginning of `tokens`, each used once more for the caller; never
  // all of the tokens, as the last one must be computed. `salt` keeps different models of the same
  // weights (adapters) apart.
  std::vector<uint32_t> TakeKnown(std::span<const uint32_t> tokens, uint64_t salt);
  // A page for the caller; nullopt when all are in use.
  std::optional<uint32_t> Take();
  // `pages` of a sequence whose first `tokens` are computed: makes its full pages known.
  void MakeKnown(std::span<const uint32_t> pages, std::span<const uint32_t> tokens, uint64_t salt);
  void Release(std::span<const uint32_t> pages);

  uint32_t pages() const { return static_cast<uint32_t>(entries_.size()); }
  // Not in use by a sequence; known pages count.
  uint32_t available() const { return static_cast<uint32_t>(free_.size() + idle_.size()); }

 private:
  struct Entry {
    uint32_t users = 0;
    uint64_t node = 0;  // 0: not known
    std::string key;
    std::list<uint32_t>::iterator idle;  // while known and unused
  };

  std::string Key(uint64_t parent, std::span<const uint32_t> tokens) const;
  void Forget(uint32_t page);

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  std::list<uint32_t> idle_;  // known and unused, least recently used first
  std::unordered_map<std::string, uint32_t> known_;
  uint64_t next_node_ = 1;
};

}  // namespace hearth::runtime
