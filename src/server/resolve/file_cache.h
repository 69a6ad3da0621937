// Remembers what (repository, version, revision, path) stands for, so that the hottest request of a
// hub, HEAD resolve, needs neither git nor the database. Bounded by bytes, least recently used goes
// first. Thread-safe; values are shared and, but for what they remember of answers, immutable.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "server/resolve/xet_links.h"

namespace hearth::server {

// What a plain HEAD of a file is answered with, remembered from the last one. Thread-safe.
class ReadyHead {
 public:
  enum class Form { kContent, kRaw };
  // nullptr when the last one was for another form or host.
  std::shared_ptr<const std::string> Find(Form form, std::string_view base_url) const {
    std::lock_guard lock(mutex_);
    return form == form_ && base_url == base_url_ ? lines_ : nullptr;
  }
  void Put(Form form, std::string_view base_url, std::shared_ptr<const std::string> lines) {
    std::lock_guard lock(mutex_);
    form_ = form;
    base_url_ = base_url;
    lines_ = std::move(lines);
  }

 private:
  mutable std::mutex mutex_;
  Form form_ = Form::kContent;
  std::string base_url_;
  std::shared_ptr<const std::string> lines_;  // see net::RenderForHead
};

// A file at one commit, with its header values rendered.
struct RepoFile {
  enum class Kind { kMissing, kRegular, kLfs, kSymlink };
  Kind kind = Kind::kMissing;
  std::string commit;  // hex; set also when the file is missing
  GitOid blob;         // as stored in git: of an LFS file the pointer
  uint64_t blob_bytes = 0;
  Sha256 lfs_oid;          // kLfs
  uint64_t lfs_bytes = 0;  // kLfs
  std::string_view content_type;
  std::string disposition;  // inline form
  // Of an LFS file that can also be fetched by Xet. How its content is stored changes behind this.
  std::optional<XetLinks> xet;
  // The blob's bytes when it is small; LFS pointers always are.
  std::shared_ptr<const std::string> content;
  mutable ReadyHead ready_head;
};

class FileCache {
 public:
  // 32 MiB: about 25,000 files without content, or the small files of some thousand repositories.
  explicit FileCache(size_t limit_bytes = 32 << 20) : shard_limit_(limit_bytes / kShards) {}

  std::shared_ptr<const RepoFile> Find(const std::string& key);
  void Put(const std::string& key, std::shared_ptr<const RepoFile> file);

 private:
  static constexpr size_t kShards = 16;
  struct Entry {
    std::string key;
    std::shared_ptr<const RepoFile> file;
    size_t cost;
  };
  struct Shard {
    std::mutex mutex;
    std::list<Entry> entries;  // most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> index;
    size_t bytes = 0;
  };
  Shard& ShardOf(const std::string& key) {
    return shards_[(std::hash<std::string>()(key) >> 7) % kShards];
  }

  size_t shard_limit_;
  std::array<Shard, kShards> shards_;
};

}  // namespace hearth::server
