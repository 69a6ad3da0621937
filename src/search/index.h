// The full-text index of documents: immutable segments on disk (segment.h), a small newest one in
// memory, a thread that takes in changes and writes segments, and one that merges them: a merge of
// large segments takes a minute, and changes are visible meanwhile.
//
// Durability: a segment's files are fsynced before the manifest that lists them replaces the former
// one; what is only in memory is lost with the process. The index is never the truth: whoever feeds
// it compares StampOf with the state of the source at start and puts what is missing. Files that
// are damaged or of another version are dropped, and missing then.
//
// A change is visible to snapshots within milliseconds of the thread taking it up. Thread-safe.
// Errors of the disk are logged and tried again with the next change; searching goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bitmap.h"
#include "search/document.h"
#include "search/segment.h"

namespace hearth::search {

// A moment of the index; stays valid while it is held.
struct Snapshot {
  struct Layer {
    std::shared_ptr<const Segment> segment;
    Bitmap live;  // ids whose newest version is in this segment
  };
  std::vector<Layer> layers;  // oldest first
  uint32_t id_end = 0;        // all ids are below
  size_t documents = 0;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

struct IndexStats {
  size_t documents = 0, segments = 0;
  uint64_t disk_bytes = 0, memory_bytes = 0;  // files; the newest segment and the sets of ids
  uint64_t merges = 0, dropped = 0;           // since start; segments that were damaged
};

class Index {
 public:
  // Opens or makes the folder. Damaged segments are dropped (and their files removed).
  explicit Index(std::filesystem::path folder);
  ~Index();  // stops the threads; changes that were taken in are on disk afterwards

  void Put(Document document);
  void Remove(uint32_t id);
  // Documents by the newest state that was put (visible or not); nullopt = none, or removed.
  std::optional<uint64_t> StampOf(uint32_t id) const;
  // All ids that StampOf knows.
  std::vector<uint32_t> Ids() const;

  SnapshotPtr snapshot() const;
  IndexStats stats() const;

  // Waits until all changes so far are visible; false on timeout.
  bool WaitVisible(std::chrono::milliseconds timeout) const;
  // Makes all changes so far visible and durable, in the caller's thread's time. Merging goes on.
  void Flush();
  // Told of a segment that threw while it was read: it is dropped.
  void DropDamaged(const std::shared_ptr<const Segment>& segment);
  // Ids of documents that were lost with dropped segments since the last call.
  std::vector<uint32_t> TakeLost();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::search
