// Buckets: life cycle, access, listing of their files, and the batches that change them.
//
// A bucket's file is a path that names a file of the Xet store; adding one never moves bytes. Who
// may add which: what was registered under a write token of this bucket, or what the caller may
// read where it is copied from. Knowing a hash is never enough. State is in the database alone.
// Thread-safe. Errors: kNotFound or kUnauthenticated with RepoNotFound for missing and not visible
// alike, kForbidden for too small a right.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "hub/accounts.h"
#include "hub/actor.h"
#include "hub/bucket_record.h"
#include "hub/objects.h"
#include "hub/repos.h"
#include "hub/xet_index.h"
#include "storage/db/database.h"

namespace hearth::hub {

struct BucketFile {
  std::string path;
  XetFile file;
  std::string content_type;  // as the uploader said; "" = nothing
  TimePoint modified_at;     // by the uploader's clock
  TimePoint uploaded_at;     // by the hub's
};

// One line of a listing. Of a folder only path and uploaded_at (of its newest files) are set.
struct BucketEntry {
  bool is_folder = false;
  BucketFile file;
};

struct BucketAdd {
  std::string path;
  storage::XetHash hash;
  std::optional<TimePoint> modified_at;
  std::string content_type = {};
};
struct BucketCopy {
  BucketAdd file;
  std::string source_type;  // "bucket" or a repository type, singular or plural
  std::string source_id;    // "ns/name"
};
struct BucketDelete {
  std::string path;
};
using BucketOperation = std::variant<BucketAdd, BucketCopy, BucketDelete>;

struct BucketBatchResult {
  struct Failure {
    size_t operation = 0;  // place in the batch
    std::string path;
    std::string reason;
  };
  size_t processed = 0;
  std::vector<Failure> failed;
};

class Buckets {
 public:
  // The hub's parts that Buckets works on; they outlive it.
  struct Parts {
    storage::Database& db;
    Accounts& accounts;
    Repos& repos;
    Objects& objects;
    XetIndex& xet_index;
    Clock& clock;
  };
  explicit Buckets(const Parts& parts) : parts_(parts) {}

  // --- the gate. `id` is "ns/name"; "me" as namespace is the caller's own.
  BucketHandle Open(const Actor& actor, std::string_view id, Right needed) const;
  // Whether the person (0 = nobody in particular) has the right; for tokens handed out before.
  bool May(int64_t bucket_id, int64_t user_id, Right needed) const;

  // --- life cycle. Create throws kConflict with details "id" = "ns/name" and "oid" for a taken
  // name that the caller may see, kForbidden for a foreign namespace.
  BucketHandle Create(const Actor& actor, std::string_view owner, std::string_view name,
                      bool is_private);
  void Delete(const BucketHandle& bucket);                       // Right::kAdmin
  void SetPrivate(const BucketHandle& bucket, bool is_private);  // Right::kAdmin
  // `to` = "ns/name"; the old id is free afterwards. Right::kAdmin.
  void Move(const Actor& actor, const BucketHandle& bucket, std::string_view to);

  struct Page {
    std::vector<BucketRecord> buckets;  // by name
    std::string next;                   // give it as `after`; "" at the end
  };
  // Those of a namespace that the actor may see and whose name contains `search`, any case.
  Page List(const Actor& actor, const Account& owner, std::string_view search,
            std::string_view after, size_t limit) const;

  // --- files. Right::kReadContent.
  struct TreeOptions {
    bool recursive = true;  // false: what lies deeper is folded into folders
    std::string start;      // from here on, as TreePage::next gave it; "" = the beginning
    size_t limit = 1000;    // entries, at least 1
  };
  struct TreePage {
    std::vector<BucketEntry> entries;  // by path, bytewise
    std::string next;                  // "" at the end
  };
  // All paths that begin with `prefix`, letter by letter: "logs" also finds "logs.json". Folded
  // listings go into the folder "logs" itself.
  TreePage Tree(const BucketHandle& bucket, std::string_view prefix,
                const TreeOptions& options) const;
  std::optional<BucketFile> FindFile(const BucketHandle& bucket, std::string_view path) const;
  // Those that exist, in the order of `paths`, each once.
  std::vector<BucketFile> FindFiles(const BucketHandle& bucket,
                                    const std::vector<std::string>& paths) const;

  // Applies what is possible, in order and in one transaction; the rest is named in the result.
  // Deleting a path that is not there succeeds: clients repeat a batch whose answer was lost.
  // Right::kWrite.
  BucketBatchResult Apply(const Actor& actor, const BucketHandle& bucket,
                          const std::vector<BucketOperation>& batch);

  // Gives a repository (Right::kWrite) files of the bucket as large objects, for a commit that
  // names them by SHA-256. One that was never proved is read once. Returns why not; nullopt = done.
  std::optional<std::string> GrantTo(const Actor& actor, const BucketHandle& bucket,
                                     const RepoHandle& repo, const storage::XetHash& hash,
                                     const Sha256& oid);

 private:
  std::optional<BucketRecord> Find(std::string_view owner, std::string_view name) const;
  std::optional<BucketRecord> FindById(int64_t id) const;
  AccountPtr OwnerFor(const Actor& actor, std::string_view name) const;
  void MustBeFree(const Actor& actor, const Account& owner, std::string_view name,
                  int64_t except_id) const;

  Parts parts_;
};

}  // namespace hearth::hub
