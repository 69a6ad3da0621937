// Gives content that came by LFS or git the form of a Xet file, so that it is deduplicated by
// chunks and every client may fetch it by Xet. The whole object goes away in exchange.
//
// For each object: xorbs are stored first, the file is rebuilt from them and its SHA-256 compared,
// then one transaction makes it known, and only then the whole object is removed. A crash at any
// point leaves the object complete in at least one form; whoever reads looks the form up each time.
//
// A repository shows the file from then on, not before its own grant is old enough. Content that
// several hold is converted for each private repository as if it were nowhere else, since the xorbs
// of a file tell what lies beside it; only a file that a public repository shows, or the repository
// itself, is taken over. A copy, whose grant cost no bytes, takes over what was made for another
// copy or for the original, if who copied may read it there: so it would have been, had the
// conversion come before. Where the packing comes out the same, and that of large files does, the
// bytes are stored once (docs/adr/0021).
// Thread-safe. Errors are logged, and the object stays as it is.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "hub/accounts.h"
#include "hub/repos.h"
#include "hub/sweep_lock.h"
#include "hub/xet_index.h"
#include "storage/blob/blob_store.h"
#include "storage/db/database.h"

namespace hearth::hub {

class XetPacker;
struct XetCoverage;

class XetConverter {
 public:
  // The hub's parts that it works on; they outlive it.
  struct Parts {
    storage::Database& db;
    storage::BlobStore& blobs;
    XetIndex& index;
    const SweepLock& sweep_lock;
    Repos& repos;
    const Accounts& accounts;
    Clock& clock;
    // As for Xet: below it nothing is stored that the whole object does not make room for.
    std::optional<uint64_t> reserve_bytes = std::nullopt;
  };
  // Grants younger than `after` are left alone: a push or an upload may still be busy with them.
  XetConverter(const Parts& parts, std::chrono::seconds after);
  ~XetConverter();

  // One thread of the lowest priority. Stop ends it soon, within one file.
  void Start();
  void Stop();
  // Converts everything that is due, in the calling thread; the number of objects converted, each
  // counted for every private repository that holds it. Not beside Start.
  size_t ConvertDue();
  // Removes whole objects that have a Xet file: a crash came before their removal, or a client
  // uploaded by Xet what was stored already. Walks the whole blob store.
  void DropLeftovers();

  struct Stats {
    uint64_t waiting = 0;       // grants, old enough and not shown yet, as of the last look
    uint64_t converted = 0;     // since the start
    uint64_t failed = 0;        // left as they are until the next start
    uint64_t read_bytes = 0;    // of converted objects
    uint64_t stored_bytes = 0;  // of the xorbs made for them
  };
  Stats stats() const;

 private:
  // An object of one group of readers: a private repository, or all public ones together.
  struct Candidate {
    Sha256 oid;
    uint64_t size_bytes = 0;
    int64_t repo_id = 0;     // 0 = the public ones
    int64_t granted_at = 0;  // of the newest grant that is meant
    int64_t origin = 0;      // of a private repository's copy: where the bytes were sent
    int64_t pusher_id = 0;   // of that copy
  };

  void Run();
  void CountDue();
  std::vector<Candidate> FindDue() const;
  XetCoverage KnownOf(int64_t group, const StoredXorb& xorb, size_t chunks) const;
  std::optional<XetFile> FindKnown(const Candidate& object, const storage::XetHash& hash) const;
  size_t ConvertGroup(const Candidate* begin, const Candidate* end);
  template <typename Take>
  void ReadContent(const Candidate& object, Take take) const;
  bool MayKnow(const Sha256& oid) const;
  bool ShowKnown(const Candidate& object);
  std::optional<int64_t> FindCopied(const Candidate& object) const;
  bool ShowCopied(const Candidate& object);
  bool ShowFile(const Candidate& object, int64_t file_id);
  void Show(storage::Connection& c, const Candidate& object, int64_t file_id) const;
  void Pack(const Candidate& object, XetPacker& packer);
  size_t Publish(int64_t group, XetPacker& packer);
  bool PublishOne(int64_t group, const XetIndex::NewFile& file);
  Sha256 Rebuild(const XetIndex::NewFile& file) const;
  void DropWhole(const Sha256& oid);
  void Touch(const std::vector<Sha256>& oids);
  void GiveUp(const Sha256& oid, std::string_view reason);

  Parts parts_;
  const std::chrono::seconds after_;
  std::unordered_set<Sha256> given_up_;
  // Grants older than this were all dealt with.
  int64_t looked_until_ = 0;
  // Of the look that is under way: younger grants have to wait.
  int64_t due_until_ = 0;
  std::atomic<uint64_t> waiting_{0}, converted_{0}, failed_{0}, read_bytes_{0}, stored_bytes_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hearth::hub
