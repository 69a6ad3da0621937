// The most recently used values, bounded by the sum of their costs. Thread-safe: one mutex, held
// for a look-up only, so values should be cheap to copy (shared pointers).
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace hearth::storage::internal {

template <typename Key, typename Value>
class LruCache {
 public:
  explicit LruCache(size_t capacity) : capacity_(capacity) {}

  std::optional<Value> Find(const Key& key) {
    std::lock_guard lock(mutex_);
    auto found = places_.find(key);
    if (found == places_.end()) return std::nullopt;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  // Replaces the value of `key`; drops the longest unused values until the costs fit. A value that
  // costs more than everything is not kept.
  void Put(const Key& key, Value value, size_t cost) {
    std::lock_guard lock(mutex_);
    EraseLocked(key);
    if (cost > capacity_) return;
    entries_.push_front({key, std::move(value), cost});
    places_[key] = entries_.begin();
    used_ += cost;
    while (used_ > capacity_) EraseLocked(Key(entries_.back().key));
  }

  void Erase(const Key& key) {
    std::lock_guard lock(mutex_);
    EraseLocked(key);
  }

 private:
  struct Entry {
    Key key;
    Value value;
    size_t cost;
  };

  void EraseLocked(const Key& key) {
    auto found = places_.find(key);
    if (found == places_.end()) return;
    used_ -= found->second->cost;
    entries_.erase(found->second);
    places_.erase(found);
  }

  std::mutex mutex_;
  const size_t capacity_;
  size_t used_ = 0;
  std::list<Entry> entries_;  // the latest first
  std::unordered_map<Key, typename std::list<Entry>::iterator> places_;
};

}  // namespace hearth::storage::internal
