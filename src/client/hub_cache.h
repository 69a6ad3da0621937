// The cache of downloaded repositories that huggingface_hub keeps, read and written in its layout.
//
//   <root>/models--owner--name/blobs/<etag>                  the bytes
//   <root>/models--owner--name/refs/<revision>               the commit that it meant last
//   <root>/models--owner--name/snapshots/<commit>/<path>     links to blobs
//   <root>/.locks/models--owner--name/<etag>.lock            held (flock) by whoever writes a blob
//
// Layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache . A blob appears by
// rename, so that readers need no lock. Functions; any number of threads and processes. Errors:
// those of base/file.h; kForbidden for a snapshot that leads out of the cache.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace hearth::client {

class HubCache {
 public:
  explicit HubCache(std::filesystem::path root) : root_(std::move(root)) {}
  // HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME/huggingface/hub, else below ~/.cache.
  static HubCache FromEnvironment();

  const std::filesystem::path& root() const { return root_; }
  // `repository`: "owner/name", a name of ParseModelId.
  std::filesystem::path Folder(const std::string& repository) const;
  std::filesystem::path Snapshot(const std::string& repository, const std::string& commit) const;
  std::filesystem::path Blob(const std::string& repository, const std::string& etag) const;

  // The commit of a revision when it was last asked for; a commit is itself. nullopt: never seen.
  std::optional<std::string> FindCommit(const std::string& repository,
                                        const std::string& revision) const;
  // The paths of a snapshot's files, sorted; empty without one. Throws kForbidden when one of them
  // lies outside the cache.
  std::vector<std::string> Files(const std::string& repository, const std::string& commit) const;

  // Makes the folders of a repository and notes the revision's commit.
  void Begin(const std::string& repository, const std::string& revision, const std::string& commit);
  // Lets the snapshot's path mean the blob; what stood there is replaced.
  void Link(const std::string& repository, const std::string& commit, const std::string& path,
            const std::string& etag);

 private:
  std::filesystem::path root_;
};

// The lock of one blob, as the filelock package takes it. Held from construction to destruction.
class BlobLock {
 public:
  // `waiting` is called once when another process holds it.
  BlobLock(const HubCache& cache, const std::string& repository, const std::string& etag,
           const std::function<void()>& waiting);

 private:
  UniqueFd fd_;
};

}  // namespace hearth::client
