// Listing and finding the files of a bucket.
//
// Paths sort bytewise, and the rows of one bucket lie in that order. A folded listing walks them
// and, when it has named a folder, goes on behind the folder's last path, so that the length of a
// listing and not of what lies below decides what it costs.
#include <unordered_set>

#include "hub/buckets.h"

namespace hearth::hub {
namespace {

constexpr std::string_view kSelect =
    "SELECT b.path, f.id, f.hash, f.size, b.content_type, b.mtime, b.uploaded_at "
    "FROM bucket_files b JOIN xet_files f ON f.id = b.file_id WHERE b.bucket_id = ? ";

// Rows read at a time by a folded listing; most folders end sooner.
constexpr size_t kFoldedRows = 200;
// A folder shows the newest upload among this many of its files: a huge one is not read whole.
constexpr int64_t kDatedFiles = 1000;

BucketFile ReadRow(const storage::Row& row) {
  BucketFile file;
  file.path = row.Str(0);
  file.file = {row.Int(1), storage::XetHash::FromRaw(row.Text(2)),
               static_cast<uint64_t>(row.Int(3))};
  file.content_type = row.Str(4);
  file.modified_at = FromUnixMillis(row.Int(5));
  file.uploaded_at = FromUnixMillis(row.Int(6));
  return file;
}

std::string Select(std::string_view more) { return std::string(kSelect) + std::string(more); }

// The first path behind `path` itself: paths have no control characters.
std::string After(std::string path) { return path + '\x01'; }
// The first path behind everything in `folder`: '0' follows '/'.
std::string AfterFolder(const std::string& folder) { return folder + '0'; }

// The folder below `prefix` that hides `path` in a folded listing; "" = it shows itself.
std::string FolderOf(const std::string& path, std::string_view prefix) {
  size_t from = prefix.size();
  if (path.size() > from && path[from] == '/' && from > 0) ++from;
  size_t slash = path.find('/', from);
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

class Lister {
 public:
  Lister(storage::Connection& c, int64_t bucket_id, std::string_view prefix,
         const Buckets::TreeOptions& options)
      : c_(c), bucket_id_(bucket_id), prefix_(prefix), options_(options) {}

  Buckets::TreePage Run() {
    std::string from = std::max(options_.start, prefix_);
    // One more than asked for says whether there is a next page.
    size_t wanted = options_.limit + 1;
    for (bool more = true; more && page_.entries.size() < wanted;) {
      more = Batch(&from, options_.recursive ? wanted : std::min(wanted, kFoldedRows));
    }
    if (page_.entries.size() > options_.limit) {
      page_.entries.pop_back();
      const BucketEntry& last = page_.entries.back();
      page_.next = last.is_folder ? AfterFolder(last.file.path) : After(last.file.path);
    }
    return std::move(page_);
  }

 private:
  // Reads rows from `*from` on and moves it; false at the end.
  bool Batch(std::string* from, size_t rows) {
    std::vector<BucketFile> files;
    c_.Query(Select("AND b.path >= ? ORDER BY b.path LIMIT ?"),
             {bucket_id_, *from, static_cast<int64_t>(rows)},
             [&](const storage::Row& row) { files.push_back(ReadRow(row)); });
    for (BucketFile& file : files) {
      if (page_.entries.size() > options_.limit) return false;
      if (!file.path.starts_with(prefix_)) return false;
      if (file.path < *from) continue;  // in a folder that was just named
      std::string folder = options_.recursive ? "" : FolderOf(file.path, prefix_);
      *from = folder.empty() ? After(file.path) : AfterFolder(folder);
      page_.entries.push_back(folder.empty() ? BucketEntry{false, std::move(file)}
                                             : Folder(std::move(folder)));
    }
    return files.size() == rows;
  }

  BucketEntry Folder(std::string path) {
    BucketEntry entry{true, {}};
    std::optional<int64_t> newest = c_.QueryInt(
        "SELECT MAX(uploaded_at) FROM (SELECT uploaded_at FROM bucket_files "
        "WHERE bucket_id = ? AND path >= ? AND path < ? ORDER BY path LIMIT ?)",
        {bucket_id_, path + "/", AfterFolder(path), kDatedFiles});
    entry.file.uploaded_at = FromUnixMillis(newest.value_or(0));
    entry.file.path = std::move(path);
    return entry;
  }

  storage::Connection& c_;
  int64_t bucket_id_;
  std::string prefix_;
  const Buckets::TreeOptions& options_;
  Buckets::TreePage page_;
};

std::optional<BucketFile> FindIn(storage::Connection& c, int64_t bucket_id, std::string_view path) {
  return c.QueryOne(Select("AND b.path = ?"), {bucket_id, path}, ReadRow);
}

}  // namespace

Buckets::TreePage Buckets::Tree(const BucketHandle& bucket, std::string_view prefix,
                                const TreeOptions& options) const {
  bucket.Require(Right::kReadContent);
  return parts_.db.ReadValue(
      [&](storage::Connection& c) { return Lister(c, bucket.record().id, prefix, options).Run(); });
}

std::optional<BucketFile> Buckets::FindFile(const BucketHandle& bucket,
                                            std::string_view path) const {
  bucket.Require(Right::kReadContent);
  return parts_.db.ReadValue(
      [&](storage::Connection& c) { return FindIn(c, bucket.record().id, path); });
}

std::vector<BucketFile> Buckets::FindFiles(const BucketHandle& bucket,
                                           const std::vector<std::string>& paths) const {
  bucket.Require(Right::kReadContent);
  std::vector<BucketFile> files;
  std::unordered_set<std::string_view> seen;
  parts_.db.Read([&](storage::Connection& c) {
    for (const std::string& path : paths) {
      if (!seen.insert(path).second) continue;
      if (std::optional<BucketFile> file = FindIn(c, bucket.record().id, path)) {
        files.push_back(*std::move(file));
      }
    }
  });
  return files;
}

}  // namespace hearth::hub
