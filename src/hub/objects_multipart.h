// The files of unfinished multipart uploads.
//
// Background: an object arrives in parts, in any order, over several requests and server lives. All
// parts of an upload go to their place in one file, `<root>/<id>/data`, so that nothing has to be
// joined at the end: the whole file is linked into the blob store as it is. A part counts once its
// bytes are on disk and an empty file `<n>.<etag>` beside it says so.
//
// While parts arrive in order their bytes are hashed at once (they are still in the page cache);
// the digest at the end then costs nothing. After a restart, or out of order, the rest is read
// again.
//
// Thread rule: take LockUploadShared around Put, LockUpload around everything else that changes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/hash.h"

namespace hearth::hub {

class PartFiles {
 public:
  struct Layout {
    std::string id;
    uint64_t size_bytes = 0;  // of the whole object, > 0
    uint64_t part_bytes = 0;  // of each part but the last, > 0
    int parts() const { return static_cast<int>((size_bytes + part_bytes - 1) / part_bytes); }
  };

  explicit PartFiles(std::filesystem::path root) : root_(std::move(root)) {}

  std::shared_lock<std::shared_mutex> LockUploadShared(std::string_view id);
  std::unique_lock<std::shared_mutex> LockUpload(std::string_view id);

  // Copies `file` to the part's place; durable when it returns. Answers the part's ETag. Throws
  // kInvalidArgument for a part number or size that does not fit the layout.
  std::string Put(const Layout& layout, int part, const TempFile& file);
  // Part number -> ETag of what is stored.
  std::map<int, std::string> Stored(std::string_view id) const;
  // Every part is there and has the ETag that the client was given; throws kInvalidArgument.
  void CheckComplete(const Layout& layout,
                     const std::vector<std::pair<int, std::string>>& parts) const;
  Sha256 Digest(const Layout& layout);
  // The whole object as a file of its own in `folder`; the upload keeps its parts.
  TempFile LinkWhole(const Layout& layout, const std::filesystem::path& folder) const;
  void Remove(std::string_view id);
  std::vector<std::string> ListUploads() const;

 private:
  // What is known in memory about an upload; losing it costs time, not data.
  struct Progress {
    std::mutex mutex;
    Sha256Hasher hasher;  // over the first `hashed_parts` parts
    int hashed_parts = 0;
  };
  // Locks are striped: two uploads on one stripe only wait for each other. 256 makes that rare.
  static constexpr size_t kStripes = 256;

  std::shared_ptr<Progress> ProgressOf(std::string_view id);
  void HashThrough(const Layout& layout, int last_part, Progress* progress, int fd) const;
  std::filesystem::path Folder(std::string_view id) const { return root_ / std::string(id); }

  std::filesystem::path root_;
  std::mutex mutex_;  // for progress_
  std::map<std::string, std::shared_ptr<Progress>, std::less<>> progress_;
  std::array<std::shared_mutex, kStripes> upload_stripes_;
  std::array<std::mutex, kStripes> part_stripes_;
};

}  // namespace hearth::hub
