// Answers (or what is costly in them) by key, least recently used first out, bounded by bytes. Keys
// hold everything an answer depends on, so that nothing is ever invalidated: old entries just fall
// out. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace hearth::server {

template <class Value>
class ValueCache {
 public:
  explicit ValueCache(size_t max_bytes) : max_bytes_(max_bytes / kShards) {}

  // nullptr when absent.
  std::shared_ptr<const Value> Find(const std::string& key) {
    Shard& shard = ShardOf(key);
    std::lock_guard lock(shard.mutex);
    auto found = shard.by_key.find(key);
    if (found == shard.by_key.end()) return nullptr;
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
    return found->second->value;
  }

  // `bytes`: what the value takes.
  void Put(std::string key, std::shared_ptr<const Value> value, size_t bytes) {
    // A huge one would push a whole shard out.
    if (bytes > max_bytes_ / 8) return;
    size_t cost = key.size() + bytes + 160;  // nodes of list and map
    Shard& shard = ShardOf(key);
    std::lock_guard lock(shard.mutex);
    if (shard.by_key.contains(key)) return;
    shard.entries.push_front({std::move(key), std::move(value), cost});
    const Entry& entry = shard.entries.front();
    shard.by_key.emplace(entry.key, shard.entries.begin());
    shard.bytes += cost;
    while (shard.bytes > max_bytes_) {
      const Entry& last = shard.entries.back();
      shard.bytes -= last.cost;
      shard.by_key.erase(last.key);
      shard.entries.pop_back();
    }
  }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Value> value;
    size_t cost;
  };
  struct Shard {
    std::mutex mutex;
    std::list<Entry> entries;
    std::unordered_map<std::string_view, typename std::list<Entry>::iterator> by_key;
    size_t bytes = 0;
  };
  static constexpr size_t kShards = 8;  // so that threads seldom meet at one lock

  Shard& ShardOf(const std::string& key) {
    return shards_[std::hash<std::string_view>{}(key) % kShards];
  }

  std::array<Shard, kShards> shards_;
  const size_t max_bytes_;
};

class AnswerCache : public ValueCache<std::string> {
 public:
  using ValueCache::ValueCache;
  void Put(std::string key, std::shared_ptr<const std::string> answer) {
    size_t bytes = answer->size();
    ValueCache::Put(std::move(key), std::move(answer), bytes);
  }
};

}  // namespace hearth::server
