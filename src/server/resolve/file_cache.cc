#include "server/resolve/file_cache.h"

namespace hearth::server {

std::shared_ptr<const RepoFile> FileCache::Find(const std::string& key) {
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  auto found = shard.index.find(key);
  if (found == shard.index.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  return found->second->file;
}

void FileCache::Put(const std::string& key, std::shared_ptr<const RepoFile> file) {
  // Two copies of nothing: the key lives in the list, the index points at it. The constant
  // is what the nodes and the fixed part of a file take (400 bytes) and a ready head (900).
  size_t cost = 1300 + key.size() + file->disposition.size();
  if (file->content) cost += file->content->size();
  if (file->xet) cost += file->xet->bytes();
  if (cost > shard_limit_) return;
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  if (shard.index.contains(key)) return;
  shard.entries.push_front({key, std::move(file), cost});
  shard.index.emplace(shard.entries.front().key, shard.entries.begin());
  shard.bytes += cost;
  while (shard.bytes > shard_limit_) {
    const Entry& last = shard.entries.back();
    shard.bytes -= last.cost;
    shard.index.erase(last.key);
    shard.entries.pop_back();
  }
}

}  // namespace hearth::server
