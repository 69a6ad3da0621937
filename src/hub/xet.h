// Xet from the hub's point of view: who may upload, register and rebuild what.
//
// A client works under a scope: one repository or bucket, one user, read or write. Xorbs are one
// pool, but nobody learns what they could not know: a xorb exists for a scope when its user has
// uploaded its bytes or may read a file that contains it; a file may be rebuilt when the scope's
// repository or bucket holds it. Knowing hashes is never enough. Nor is sending the same bytes: who
// could not know of what is stored gets what they would get from an empty store, their own form of
// xorbs and their own terms of files (docs/adr/0021). Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "hub/accounts.h"
#include "hub/objects.h"
#include "hub/repos.h"
#include "hub/sweep_lock.h"
#include "hub/xet_index.h"

namespace hearth::hub {

struct XetScope {
  XetHolder holder = XetHolder::kRepo;
  int64_t holder_id = 0;
  int64_t user_id = 0;  // 0 = anonymous: public repositories, read only
  bool may_write = false;
  // The credential covered everything its user may read (not a fine-grained token): deduplication
  // may look beyond the holder and what is public.
  bool whole_user = false;
  // The hub token that it was asked for with: its end is the scope's end. 0 = none, a web session.
  int64_t token_id = 0;
};

// Asked for the right of a bucket, which another part keeps; see Xet::SetBucketGate.
using BucketGate = std::function<bool(int64_t bucket_id, int64_t user_id, bool write)>;

// A xorb on its way in: checked, and its content hashed for the file that it is part of, while its
// bytes are in the processor's cache. One thread at a time.
class XorbArrival {
 public:
  XorbArrival(const XorbArrival&) = delete;
  ~XorbArrival();
  // The next bytes of the body, in any split. What is wrong with them is told by Xet::PutXorb.
  void Take(std::string_view bytes);

 private:
  friend class Xet;
  struct Impl;
  explicit XorbArrival(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Xet {
 public:
  // The hub's parts that Xet works on; they outlive it.
  struct Parts {
    storage::Database& db;
    XetIndex& index;
    Objects& objects;
    Repos& repos;
    Accounts& accounts;
    Clock& clock;
    const SweepLock& sweep_lock;
    std::filesystem::path store_id_file;
    // Free disk below which no xorb is taken; nullopt = 1 GiB or a fiftieth of the disk, whichever
    // is less. A xorb that no shard names lies there until it is collected, and git and the
    // database need room meanwhile.
    std::optional<uint64_t> reserve_bytes = std::nullopt;
  };
  // `secret` hides chunk hashes in dedup answers.
  Xet(const Parts& parts, std::string_view secret);
  ~Xet();
  void SetBucketGate(BucketGate gate);  // before use

  // Names this store in the addresses that clients cache by: a wiped or restored store gets
  // another one.
  const std::string& store_id() const;
  // The holder still exists, the user still has the right and the token behind the scope is still
  // good; throws kForbidden otherwise. Every request under a token calls it.
  void CheckScope(const XetScope& scope) const;

  // --- upload (scope.may_write, else kForbidden)
  // Durable when it returns. True unless the scope could have known that it was stored.
  bool PutXorb(const XetScope& scope, const storage::XetHash& hash, TempFile body);
  // The same for a body that is looked at while it arrives: `arrival` has seen all of `body`.
  // Receive throws kInsufficientStorage when the disk is nearly full.
  std::unique_ptr<XorbArrival> Receive(const XetScope& scope, const storage::XetHash& hash);
  bool PutXorb(const XetScope& scope, XorbArrival& arrival, TempFile body);
  // The form that this scope knows, if it is stored; its lease is renewed.
  std::optional<StoredXorb> HoldsXorb(const XetScope& scope, const storage::XetHash& hash);
  // Called now and then with content bytes proved so far.
  using Progress = std::function<void(uint64_t verified, uint64_t total)>;
  // Checks a shard whole and only then makes its files visible: objects by their SHA-256 with a
  // grant for the repository, others held by the scope's holder. kInvalidArgument for every lie.
  // False when the scope could read all of it already.
  bool RegisterShard(const XetScope& scope, std::string_view shard, const Progress& progress);

  // --- deduplication and reading
  // From memory, never blocks: false means that FindChunk would find nothing.
  bool MayHaveChunk(const storage::XetHash& chunk) const { return index_.MayHaveChunk(chunk); }
  // Who will upload asks for the first chunk of each file. From memory, never blocks.
  void NoteAsked(const storage::XetHash& chunk);
  // A shard that describes a xorb with the chunk and others of the same file (an edited file is
  // likely to have those too, and few of their chunks may be asked for), chunk hashes under a key;
  // nullopt for "no". Chunks that are only in files which the scope's user may not read are not
  // found, and in a xorb beside others they cannot be known.
  std::optional<std::string> FindChunk(const XetScope& scope, const storage::XetHash& chunk);
  // nullopt for missing and not readable alike.
  std::optional<XetFile> FindFile(const XetScope& scope, const storage::XetHash& file) const;
  storage::Reconstruction Plan(const XetFile& file, uint64_t start, uint64_t end) const {
    return index_.Plan(file, start, end);
  }

  XetIndex& index() { return index_; }

 private:
  struct Impl;
  XetIndex& index_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::hub
