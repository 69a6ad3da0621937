// What changes the files of a bucket, and what gives them to a repository. Bytes never move: each
// operation names a file of the Xet store, and the questions are whether it is there and whether
// the caller may know.
#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/buckets.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {
namespace {

using storage::XetHash;

constexpr std::string_view kUnknownContent =
    "No content with this xetHash was uploaded to the bucket";
constexpr std::string_view kNotInSource = "The source has no file with this xetHash";

// Where a copy comes from, opened once for all copies of a batch.
struct Source {
  std::optional<BucketHandle> bucket;
  std::optional<RepoHandle> repo;
  std::string fault;  // why it cannot be read
};

// One operation after the questions were answered, outside of the transaction.
struct Resolved {
  const BucketAdd* add = nullptr;  // nullptr = delete
  std::string path;
  std::optional<XetFile> file;  // absent for the empty file, which needs no upload
  std::string fault;
};

// What the operations of one batch may use.
class Resolver {
 public:
  Resolver(const Buckets& buckets, const Buckets::Parts& parts, const Actor& actor,
           const BucketHandle& bucket)
      : buckets_(buckets), parts_(parts), actor_(actor), bucket_(bucket) {}

  Resolved operator()(const BucketAdd& add) { return Check(add, nullptr); }
  Resolved operator()(const BucketCopy& copy) {
    return Check(copy.file, &SourceOf(copy.source_type, copy.source_id));
  }
  Resolved operator()(const BucketDelete& operation) { return {nullptr, operation.path, {}, {}}; }

 private:
  Resolved Check(const BucketAdd& add, const Source* source) {
    Resolved resolved{&add, add.path, {}, {}};
    if (std::optional<std::string> fault = storage::PathFault(add.path)) {
      resolved.fault = "Invalid path: it " + *fault;
    } else if (source != nullptr && !source->fault.empty()) {
      resolved.fault = source->fault;
    } else if (!add.hash.IsZero()) {
      resolved.file = Find(add.hash, source);
      if (!resolved.file) {
        resolved.fault = source != nullptr ? kNotInSource : kUnknownContent;
      }
    }
    return resolved;
  }

  std::optional<XetFile> Find(const XetHash& hash, const Source* source) const {
    const XetIndex& index = parts_.xet_index;
    if (source == nullptr) return index.FindFileOf(XetHolder::kBucket, bucket_.record().id, hash);
    if (source->repo) return index.FindShown(XetHolder::kRepo, source->repo->record().id, hash);
    return index.FindShown(XetHolder::kBucket, source->bucket->record().id, hash);
  }

  const Source& SourceOf(const std::string& type, const std::string& id) {
    auto [at, is_new] = sources_.try_emplace({type, id});
    if (is_new) at->second = OpenSource(type, id);
    return at->second;
  }

  Source OpenSource(const std::string& type, const std::string& id) const {
    Source source;
    std::optional<RepoType> repo_type = ParseRepoType(type);
    try {
      if (repo_type) {
        source.repo = parts_.repos.Open(actor_, *repo_type, id, Right::kReadContent);
      } else if (type == "bucket" || type == "buckets") {
        source.bucket = buckets_.Open(actor_, id, Right::kReadContent);
      } else {
        source.fault = "Unknown source type '" + type.substr(0, 40) + "'";
      }
    } catch (const Error& error) {
      if (HttpStatus(error.code()) >= 500) throw;
      source.fault = "The source cannot be read: " + error.message();
    }
    return source;
  }

  const Buckets& buckets_;
  const Buckets::Parts& parts_;
  const Actor& actor_;
  const BucketHandle& bucket_;
  std::map<std::pair<std::string, std::string>, Source> sources_;
};

// Applies resolved operations inside one transaction and keeps the bucket's totals.
class Applier {
 public:
  Applier(storage::Connection& c, const Buckets::Parts& parts, int64_t bucket_id, int64_t user_id)
      : c_(c),
        parts_(parts),
        bucket_id_(bucket_id),
        user_id_(user_id),
        now_(ToUnixMillis(parts.clock.Now())) {}

  // Why not; "" = done.
  std::string Apply(const Resolved& operation) {
    if (!operation.fault.empty()) return operation.fault;
    if (operation.add == nullptr) {
      Remove(operation.path);
      return "";
    }
    std::optional<XetFile> file = operation.file ? operation.file : EmptyFile();
    if (!c_.QueryInt("SELECT 1 FROM xet_files WHERE id = ?", {file->id})) {
      return std::string(kUnknownContent);  // collected since it was looked up
    }
    Remove(operation.path);
    int64_t modified =
        operation.add->modified_at ? ToUnixMillis(*operation.add->modified_at) : now_;
    c_.Exec(
        "INSERT INTO bucket_files (bucket_id, path, file_id, content_type, mtime, uploaded_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        {bucket_id_, operation.path, file->id, operation.add->content_type, modified, now_});
    parts_.xet_index.AddHolder(c_, XetHolder::kBucket, bucket_id_, file->id, user_id_);
    bytes_ += static_cast<int64_t>(file->size_bytes);
    ++files_;
    return "";
  }

  void Finish() {
    for (const auto& [file_id, uploaded_at] : removed_) EndReading(file_id, uploaded_at);
    int64_t changed = c_.Exec(
        "UPDATE buckets SET size = size + ?, files = files + ?, updated_at = ? WHERE id = ?",
        {bytes_, files_, now_, bucket_id_});
    if (changed == 0) {
      throw Error(Code::kNotFound, "Repository not found").WithWireCode("RepoNotFound");
    }
  }

 private:
  void Remove(const std::string& path) {
    bool found = false;
    c_.Query(
        "SELECT f.size, f.id, b.uploaded_at FROM bucket_files b "
        "JOIN xet_files f ON f.id = b.file_id WHERE b.bucket_id = ? AND b.path = ?",
        {bucket_id_, path}, [&](const storage::Row& row) {
          found = true;
          bytes_ -= row.Int(0);
          int64_t& newest = removed_[row.Int(1)];
          newest = std::max(newest, row.Int(2));
        });
    if (!found) return;
    c_.Exec("DELETE FROM bucket_files WHERE bucket_id = ? AND path = ?", {bucket_id_, path});
    --files_;
  }

  // What the bucket shows no longer cannot be read by its hash either, unless somebody has
  // registered it anew since and is about to add it.
  void EndReading(int64_t file_id, int64_t uploaded_at) {
    c_.Exec(
        "DELETE FROM xet_holders WHERE kind = ? AND holder_id = ? AND file_id = ? "
        "AND created_at <= ? AND NOT EXISTS "
        "(SELECT 1 FROM bucket_files b WHERE b.bucket_id = ? AND b.file_id = ?)",
        {static_cast<int>(XetHolder::kBucket), bucket_id_, file_id, uploaded_at, bucket_id_,
         file_id});
  }

  XetFile EmptyFile() { return parts_.xet_index.AddFile(c_, XetIndex::NewFile{}); }

  storage::Connection& c_;
  const Buckets::Parts& parts_;
  int64_t bucket_id_;
  int64_t user_id_;
  int64_t now_;
  int64_t bytes_ = 0;
  int64_t files_ = 0;
  std::map<int64_t, int64_t> removed_;  // file -> when it was added
};

}  // namespace

BucketBatchResult Buckets::Apply(const Actor& actor, const BucketHandle& bucket,
                                 const std::vector<BucketOperation>& batch) {
  bucket.Require(Right::kWrite);
  Resolver resolver(*this, parts_, actor, bucket);
  std::vector<Resolved> resolved;
  resolved.reserve(batch.size());
  for (const BucketOperation& operation : batch) {
    resolved.push_back(std::visit(resolver, operation));
  }
  BucketBatchResult result;
  parts_.db.Write([&](storage::Connection& c) {
    result = {batch.size(), {}};
    Applier applier(c, parts_, bucket.record().id, actor.user_id);
    for (size_t i = 0; i < resolved.size(); ++i) {
      std::string fault = applier.Apply(resolved[i]);
      if (!fault.empty()) result.failed.push_back({i, resolved[i].path, std::move(fault)});
    }
    applier.Finish();
  });
  return result;
}

std::optional<std::string> Buckets::GrantTo(const Actor& actor, const BucketHandle& bucket,
                                            const RepoHandle& repo, const XetHash& hash,
                                            const Sha256& oid) {
  bucket.Require(Right::kReadContent);
  repo.Require(Right::kWrite);
  std::optional<XetFile> file =
      parts_.xet_index.FindShown(XetHolder::kBucket, bucket.record().id, hash);
  if (!file) return "The bucket has no file with this xetHash";
  if (!parts_.xet_index.IsProved(file->id, oid)) {
    Sha256Hasher hasher;
    storage::XetReader reader = parts_.xet_index.Read(*file, 0, file->size_bytes);
    for (std::string piece; reader.Next(&piece); piece.clear()) hasher.Update(piece);
    if (hasher.Finish() != oid) return "The file's content has another sha256";
  }
  bool there = false;
  parts_.db.Write([&](storage::Connection& c) {
    // Reading took its time: the file may have been deleted and collected since, and a new row
    // would have no terms.
    there = c.QueryInt("SELECT 1 FROM xet_files WHERE id = ?", {file->id}).has_value();
    if (!there) return;
    parts_.objects.GrantIn(c, repo.record().id, actor.user_id, oid, file->size_bytes);
    parts_.xet_index.Prove(c, file->id, oid);
    parts_.xet_index.Show(c, repo.record().id, oid, file->id);
  });
  if (!there) return "The bucket has no file with this xetHash any more";
  return std::nullopt;
}

}  // namespace hearth::hub
