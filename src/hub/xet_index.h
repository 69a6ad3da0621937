// The Xet store's index in the database: which xorbs are stored, which files exist, of which xorbs
// each is made, and which SHA-256 each has been proved to have. No rights here: hub/xet.h judges
// those. Thread-safe.
//
// One hash may have several rows (docs/adr/0021): a xorb one for each form of its body, a file one
// for each list of terms that somebody came to without knowing another one. The column `hash` of
// both tables has the 32 bytes, and behind them what tells further rows apart.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "storage/db/database.h"
#include "storage/xet/reconstruction.h"
#include "storage/xet/shard.h"
#include "storage/xet/xet_hash.h"
#include "storage/xet/xorb_store.h"

namespace hearth::hub {

// One file of the store.
struct XetFile {
  int64_t id = 0;  // database id, never reused
  storage::XetHash hash;
  uint64_t size_bytes = 0;
};

struct StoredXorb {
  int64_t id = 0;
  storage::XetHash hash;
  uint16_t form = 0;
  uint64_t body_bytes = 0;
  uint64_t unpacked_bytes = 0;

  storage::XorbForm Form() const { return {hash, form}; }
};

// Who must not lose a file: what registered it, or holds it without a SHA-256 (buckets).
enum class XetHolder { kRepo = 0, kBucket = 1 };

// SQL, "(SELECT ...)" with rows when a xorb of the file is in quarantine.
std::string RottenFile(std::string_view file_id);

class XetIndex {
 public:
  XetIndex(storage::Database& db, storage::XorbStore& xorbs, Clock& clock);

  // --- xorbs
  std::optional<StoredXorb> FindXorb(const storage::XorbForm& xorb) const;
  // All forms, the shortest first: numbers tell what else is or was stored.
  std::vector<StoredXorb> FindXorbs(const storage::XetHash& hash) const;
  // Adds the row (or finds it) and renews its lease; `user_id` has proved to hold its bytes (0 =
  // the hub itself). Chunks that may be asked for later are entered by AddFile.
  StoredXorb AddXorb(const storage::XorbIndex& index, int64_t user_id, uint16_t form = 0);
  // Lately: garbage collection forgets it a grace time after the user was last told of the xorb, so
  // that one which somebody else needs is not known any longer than one that nobody needs.
  bool HasUploaded(int64_t xorb_id, int64_t user_id) const;
  // No garbage collection takes the xorb for the grace time from now on; false when it is gone
  // already. The user, who has been told of it, may count on it as long. Cheap when renewed lately.
  bool RenewLease(int64_t xorb_id, int64_t user_id) const;
  // False when no stored xorb can hold the chunk; from memory, never blocks.
  bool MayHaveChunk(const storage::XetHash& chunk) const;
  // Xorbs that hold a chunk which may be asked for, the oldest `limit` of them, by hash.
  std::vector<StoredXorb> FindChunk(const storage::XetHash& chunk, size_t limit) const;

  // --- files
  // The oldest with this hash, whoever has it.
  std::optional<XetFile> FindFile(const storage::XetHash& hash) const;
  std::optional<XetFile> FindFileById(int64_t id) const;
  // That of a repository or bucket, which shows it; or shows it, or has registered it. A sound one,
  // the oldest, when there are several.
  std::optional<XetFile> FindShown(XetHolder kind, int64_t holder_id,
                                   const storage::XetHash& hash) const;
  std::optional<XetFile> FindFileOf(XetHolder kind, int64_t holder_id,
                                    const storage::XetHash& hash) const;
  std::optional<XetFile> FindFileOf(storage::Connection& c, XetHolder kind, int64_t holder_id,
                                    const storage::XetHash& hash) const;
  // Every repository and bucket that shows a file with this hash.
  struct Place {
    XetFile file;
    XetHolder kind = XetHolder::kRepo;
    int64_t holder_id = 0;
  };
  std::vector<Place> FindPlaces(const storage::XetHash& hash) const;
  // A file that has been proved to have this content, to read it from: sound and shown somewhere,
  // where there is one, and the oldest of those.
  std::optional<XetFile> FileOf(const Sha256& oid) const;
  bool IsProved(int64_t file_id, const Sha256& oid) const;
  std::optional<Sha256> Sha256Of(int64_t file_id) const;

  struct NewFile {
    storage::XetHash hash;
    uint64_t size_bytes = 0;
    std::vector<storage::XetTerm> terms;
    std::optional<Sha256> sha256;  // proved by the caller
    // First chunk of the file and the ones that the protocol lets clients ask for.
    std::vector<std::pair<storage::XetHash, storage::XorbForm>> chunks;  // chunk, xorb
  };
  // Inside a transaction of the caller, which has made the row of `sha256` in objects. Throws
  // kConflict when a xorb is no longer stored. `known`: the file with this hash that the caller
  // found for its sender, which keeps its terms, unless a xorb of theirs is in quarantine: then the
  // new ones heal it. Without one, or when it is gone, the file is a new one.
  XetFile AddFile(storage::Connection& c, const NewFile& file,
                  const std::optional<XetFile>& known = std::nullopt) const;
  // Inside a transaction: the file's content has been read and has this SHA-256.
  void Prove(storage::Connection& c, int64_t file_id, const Sha256& oid) const;
  // A xorb of it is in quarantine: it cannot be rebuilt whole.
  bool IsRotten(int64_t file_id) const;
  // Inside a transaction of the caller, who has stored the content whole: it has no such file any
  // more.
  void ForgetRottenFiles(storage::Connection& c, const Sha256& oid) const;
  // After the transaction of AddFile: from now on the chunks are found.
  void RememberChunks(const NewFile& file);
  // Inside a transaction: from now on the repository, which holds the object, shows this form of
  // it. False when it did already.
  bool Show(storage::Connection& c, int64_t repo_id, const Sha256& oid, int64_t file_id) const;
  // The same for every form that the other repository shows.
  void ShowAsIn(storage::Connection& c, int64_t repo_id, const Sha256& oid,
                int64_t other_repo_id) const;
  void AddHolder(storage::Connection& c, XetHolder kind, int64_t holder_id, int64_t file_id,
                 int64_t user_id) const;

  std::shared_ptr<const storage::TermSource> TermsOf(const XetFile& file) const;
  storage::XetReader Read(const XetFile& file, uint64_t start, uint64_t end) const;
  storage::Reconstruction Plan(const XetFile& file, uint64_t start, uint64_t end) const;

  storage::XorbStore& xorbs() const { return xorbs_; }

 private:
  storage::Database& db_;
  storage::XorbStore& xorbs_;
  Clock& clock_;
  // First 8 bytes of every hash in xet_chunks: answers nearly all "no"s. About one entry per 64 MiB
  // and one per file.
  mutable std::shared_mutex chunk_mutex_;
  std::unordered_set<uint64_t> chunk_prefixes_;
};

}  // namespace hearth::hub
