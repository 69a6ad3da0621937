// Large objects (LFS) from the hub's point of view: which repository may use which content.
//
// Content is held whole in the blob store or as a Xet file, which is rebuilt while it is read;
// whoever reads through OpenContent or OpenSource need not know. Both forms may exist for a while.
//
// The store is one pool; a *grant* (repo_objects row) says that a repository holds an object
// because somebody who may write there uploaded its bytes, or copied it from a repository that they
// may read. Without a grant an object's id is worth nothing: knowing the sha256 of a private file
// must not give its content. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "formats/source/source.h"
#include "hub/actor.h"
#include "hub/repo_record.h"
#include "hub/repos.h"
#include "hub/sweep_lock.h"
#include "hub/xet_index.h"
#include "storage/blob/blob_store.h"
#include "storage/db/database.h"

namespace hearth::hub {

struct MultipartUpload {
  std::string id;
  int64_t repo_id = 0;
  Sha256 oid;
  uint64_t size_bytes = 0;
  uint64_t part_bytes = 0;
  std::vector<int> stored_parts;   // 1-based, sorted
  std::vector<std::string> etags;  // of the stored parts, in their order
};

// An object that a repository holds.
struct HeldObject {
  Sha256 oid;
  uint64_t size_bytes = 0;
  int64_t pusher_id = 0;
  TimePoint pushed_at;
};

// How to read an object: exactly one of the two is set.
struct ObjectContent {
  uint64_t size_bytes = 0;
  std::shared_ptr<UniqueFd> whole;
  std::optional<XetFile> file;
};

class Objects {
 public:
  // What objects are made of; all outlive this.
  struct Parts {
    storage::Database& db;
    storage::BlobStore& blobs;
    const XetIndex& xet_index;
    const SweepLock& sweep_lock;
    Repos& repos;
    Clock& clock;
  };
  Objects(const Parts& parts, std::filesystem::path parts_root);
  ~Objects();

  // Size when the repository holds the object (grant and bytes in either form).
  std::optional<uint64_t> FindIn(const RepoRecord& repo, const Sha256& oid) const;
  // The same for a caller who is going to rely on it, in a commit or in an answer to a client:
  // garbage collection leaves the grant alone for its grace from now on.
  std::optional<uint64_t> Claim(const RepoRecord& repo, const Sha256& oid) const;
  // Gives the repository an object that is in the store already, with the Xet form that is shown
  // there, if the actor may read it in some repository; false otherwise.
  bool GrantFromReadable(const Actor& actor, const RepoHandle& repo, const Sha256& oid);
  // Stores a finished upload: checks size and digest (kUnprocessable when they lie), makes it
  // durable, then grants.
  void Store(int64_t repo_id, int64_t pusher_id, const Sha256& expected, uint64_t expected_size,
             TempFile file, const Sha256& actual);
  // Inside a transaction of the caller, who vouches that the content is stored: the object's row,
  // and the same with a grant for the repository. kNotFound when the repository is gone.
  void AddIn(storage::Connection& c, const Sha256& oid, uint64_t size_bytes) const;
  void GrantIn(storage::Connection& c, int64_t repo_id, int64_t pusher_id, const Sha256& oid,
               uint64_t size_bytes) const;
  // Inside a transaction: whether the repository has a grant.
  bool IsGrantedIn(storage::Connection& c, int64_t repo_id, const Sha256& oid) const;
  // Size when the bytes are stored in either form, whoever holds them.
  std::optional<uint64_t> FindStored(const Sha256& oid) const;
  // The form may change between two calls, so it is looked up each time. kNotFound.
  ObjectContent OpenContent(const Sha256& oid) const;
  // Ranged reads of small parts, such as headers; kNotFound. Used by one thread.
  std::unique_ptr<ByteSource> OpenSource(const Sha256& oid) const;
  // Of which of these the repository shows a Xet form, and its hash (XetIndex::Show).
  std::unordered_map<Sha256, storage::XetHash> XetHashesIn(const RepoRecord& repo,
                                                           std::span<const Sha256> oids) const;
  // What the repository holds, by digest, after `after`.
  std::vector<HeldObject> List(const RepoRecord& repo, const std::optional<Sha256>& after,
                               size_t limit) const;
  // The repository holds these no longer; the bytes stay as long as others hold them.
  // Right::kWrite.
  void Revoke(const RepoHandle& repo, const std::vector<Sha256>& oids);

  // Multipart: parts are durable when PutPart returns and survive a restart; Finish hashes the
  // whole and stores it. Begin returns an unfinished upload of the same (repo, oid) when there is
  // one: resume.
  MultipartUpload Begin(const RepoHandle& repo, int64_t pusher_id, const Sha256& oid,
                        uint64_t size_bytes, uint64_t part_bytes);
  std::optional<MultipartUpload> FindUpload(std::string_view id) const;
  std::string PutPart(std::string_view id, int part, TempFile file);  // returns the part's ETag
  void Finish(std::string_view id, const std::vector<std::pair<int, std::string>>& parts);
  void ExpireUploads(TimePoint older_than);

 private:
  void Grant(int64_t repo_id, int64_t pusher_id, const Sha256& oid, uint64_t size_bytes);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::hub
