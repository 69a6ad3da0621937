#include "storage/xet/xorb_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/hash_folders.h"
#include "storage/xet/internal/lru_cache.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;

// Two levels of 256 folders: a petabyte of full xorbs is 250 to a folder.
constexpr size_t kFolders = 256 * 256;
// Threads that publish or remove the same xorb wait for each other; others rarely do.
constexpr size_t kStripes = 256;
// 64 MiB hold the indexes of about 100 GB of content.
constexpr size_t kIndexCacheBytes = 64 << 20;
constexpr size_t kOpenFiles = 64;
// Uploads are read in pieces that stay in a core's second-level cache between the copy out of the
// page cache and the hash.
constexpr size_t kReadBytes = 1 << 20;
// Longer than any upload takes: what is older in the temporary folder was left by a crash.
constexpr time_t kStaleSeconds = 24 * 60 * 60;

// Tells two files that had the same name one after the other apart: another process may have moved
// a xorb out and a new upload, compressed differently, may have taken its place.
struct Stamp {
  uint64_t inode = 0;
  uint64_t bytes = 0;
  int64_t modified_ns = 0;
  bool operator==(const Stamp&) const = default;
};

Stamp StampOf(const struct stat& info) {
  return {static_cast<uint64_t>(info.st_ino), static_cast<uint64_t>(info.st_size),
          info.st_mtim.tv_sec * int64_t{1000000000} + info.st_mtim.tv_nsec};
}

Stamp StampOf(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) ThrowErrno("fstat");
  return StampOf(info);
}

std::optional<Stamp> FindStamp(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return StampOf(info);
  if (errno == ENOENT) return std::nullopt;
  ThrowErrno("stat " + path);
}

void RemoveStaleFiles(const fs::path& folder) {
  time_t limit = ::time(nullptr) - kStaleSeconds;
  for (const std::string& name : FolderNames(folder)) {
    fs::path path = folder / name;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (info.st_mtim.tv_sec < limit) ::unlink(path.c_str());
  }
}

XorbIndex ValidateFile(int fd, uint64_t bytes, const XetHash& expected) {
  auto buffer = std::make_unique_for_overwrite<char[]>(kReadBytes);
  XorbValidator validator;
  for (uint64_t at = 0; at < bytes;) {
    size_t piece = std::min<uint64_t>(kReadBytes, bytes - at);
    ReadExactAt(fd, at, buffer.get(), piece);
    validator.Feed({buffer.get(), piece});
    at += piece;
  }
  return validator.Finish(expected);
}

// Where the records end; that the chunks are the same is what the hash says.
bool SameRecords(const XorbIndex& a, const XorbIndex& b) {
  return a.body_bytes == b.body_bytes &&
         std::equal(
             a.chunks.begin(), a.chunks.end(), b.chunks.begin(), b.chunks.end(),
             [](const XorbChunk& x, const XorbChunk& y) { return x.record_end == y.record_end; });
}

bool SameBytes(int a, int b, uint64_t bytes) {
  // Both pieces stay in a core's second-level cache until they are compared.
  constexpr size_t kPieceBytes = 128 << 10;
  auto buffer = std::make_unique_for_overwrite<char[]>(2 * kPieceBytes);
  for (uint64_t at = 0; at < bytes;) {
    size_t piece = std::min<uint64_t>(kPieceBytes, bytes - at);
    ReadExactAt(a, at, buffer.get(), piece);
    ReadExactAt(b, at, buffer.get() + kPieceBytes, piece);
    if (std::memcmp(buffer.get(), buffer.get() + kPieceBytes, piece) != 0) return false;
    at += piece;
  }
  return true;
}

class LocalXorbStore : public XorbStore {
 public:
  explicit LocalXorbStore(const fs::path& root)
      : root_(root), temp_folder_(root / "tmp"), durable_folders_(kFolders) {
    MakeStore(root_, temp_folder_);
    RemoveStaleFiles(temp_folder_);
  }

  Put PutUploaded(TempFile body, const XetHash& expected, KnownForm known) override {
    uint64_t bytes = FileSize(body.fd());
    if (bytes > kXorbMaxBodyBytes + kXorbMaxFooterBytes) {
      throw Error(Code::kTooLarge, "xorb is longer than 64 MiB");
    }
    // The disk writes while the processor checks. Only a hint: fsync follows.
    if (!known) ::sync_file_range(body.fd(), 0, 0, SYNC_FILE_RANGE_WRITE);
    XorbIndex index = ValidateFile(body.fd(), bytes, expected);
    return PutChecked(std::move(body), std::move(index), known);
  }

  Put PutChecked(TempFile body, XorbIndex index, KnownForm known) override {
    if (known) {
      XorbIndexPtr first = FindIndex(XorbForm(index.hash, *known));
      if (first) return {std::move(first), false, *known};
    }
    if (::ftruncate(body.fd(), index.body_bytes) != 0) ThrowErrno("truncate upload");
    if (::lseek(body.fd(), index.body_bytes, SEEK_SET) < 0) ThrowErrno("seek in upload");
    return Publish(std::move(body), std::move(index), known);
  }

  Put PutBuilt(const XorbBuilder::Built& built) override {
    if (built.index.body_bytes != built.body.size()) {
      throw Error(Code::kInternal, "a built xorb does not have the length of its index");
    }
    TempFile file(temp_folder_);
    file.Append(built.body);
    return Publish(std::move(file), built.index, std::nullopt);
  }

  XorbIndexPtr FindIndex(const XorbForm& xorb) override {
    std::optional<Stamp> stamp = FindStamp(PathOf(xorb));
    if (!stamp) return nullptr;
    auto known = indexes_.Find(xorb);
    if (known && known->stamp == *stamp) return known->index;
    std::lock_guard lock(StripeOf(xorb.hash));
    return LoadLocked(xorb);
  }

  std::shared_ptr<UniqueFd> Open(const XorbForm& xorb) override {
    std::string path = PathOf(xorb);
    if (std::optional<OpenFile> known = files_.Find(xorb)) {
      if (FindStamp(path) == known->stamp) return known->fd;
      files_.Erase(xorb);
    }
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) {
      if (errno == ENOENT) throw Error(Code::kNotFound, "xorb " + xorb.Text() + " is missing");
      ThrowErrno("open xorb " + xorb.Text());
    }
    Stamp stamp = StampOf(fd.get());
    auto shared = std::make_shared<UniqueFd>(std::move(fd));
    files_.Put(xorb, {stamp, shared}, 1);
    return shared;
  }

  bool MoveOut(const XorbForm& xorb, const fs::path& target) override {
    std::string source = PathOf(xorb);
    std::lock_guard lock(StripeOf(xorb.hash));
    if (::rename(source.c_str(), target.c_str()) != 0) {
      int error_number = errno;
      if (error_number == ENOENT && !FindStamp(source)) return false;
      ThrowErrno("move xorb to " + target.string(), error_number);
    }
    indexes_.Erase(xorb);
    files_.Erase(xorb);
    // First where it is now: a crash in between may show it twice, never nowhere.
    FsyncFolder(target.parent_path());
    FsyncFolder(fs::path(source).parent_path());
    return true;
  }

  XorbIndexPtr MoveIn(const fs::path& source, const XorbForm& xorb) override {
    UniqueFd fd = OpenForRead(source);
    CheckName(ReadXorbFooter(fd.get(), source.string()), xorb);
    EnsureFolder(xorb.hash);
    std::lock_guard lock(StripeOf(xorb.hash));
    Link(source, xorb);
    SyncNames(xorb);
    XorbIndexPtr index = LoadLocked(xorb);
    if (::unlink(source.c_str()) != 0 && errno != ENOENT) ThrowErrno("remove " + source.string());
    FsyncFolder(source.parent_path());
    return index;
  }

  void ForEach(
      const std::function<void(const XorbForm&, uint64_t file_bytes)>& each) const override {
    ForEachHashFile(root_, [&](const std::string& name) {
      std::optional<XorbForm> xorb = XorbForm::FromText(name);
      if (!xorb) return;
      // One that was moved out since the listing is passed over.
      if (std::optional<Stamp> stamp = FindStamp(PathOf(*xorb))) each(*xorb, stamp->bytes);
    });
  }

  const fs::path& temp_folder() const override { return temp_folder_; }

 private:
  struct KnownIndex {
    Stamp stamp;
    XorbIndexPtr index;
  };
  struct OpenFile {
    Stamp stamp;
    std::shared_ptr<UniqueFd> fd;
  };

  std::string PathOf(const XorbForm& xorb) const {
    std::string text = xorb.Text();
    return root_.native() + "/" + text.substr(0, 2) + "/" + text.substr(2, 2) + "/" + text;
  }

  std::mutex& StripeOf(const XetHash& hash) { return stripes_[hash.data()[2] % kStripes]; }

  static void CheckName(const XorbIndex& index, const XorbForm& xorb) {
    if (index.hash != xorb.hash) {
      throw Error(Code::kInternal, "xorb file " + xorb.Text() + " holds another xorb");
    }
  }

  // Makes <root>/ab/cd. The first use of a folder in the life of this process syncs it and the
  // chain above it even when it exists: whoever filled it may have died before its own fsync.
  void EnsureFolder(const XetHash& hash) {
    // The text form starts with byte 7 of the hash.
    std::atomic<bool>& durable = durable_folders_[hash.data()[7] * size_t{256} + hash.data()[6]];
    if (durable.load(std::memory_order_acquire)) return;
    fs::path folder = fs::path(PathOf(hash)).parent_path();
    MakeFolder(folder.parent_path());
    MakeFolder(folder);
    FsyncFolder(folder);
    FsyncFolder(folder.parent_path());
    FsyncFolder(root_);
    durable.store(true, std::memory_order_release);
  }

  // Gives a finished, synced file its name, unless the name is taken: first write wins.
  bool Link(const fs::path& source, const XorbForm& xorb) {
    std::string target = PathOf(xorb);
    bool linked = ::link(source.c_str(), target.c_str()) == 0;
    if (!linked && errno != EEXIST) ThrowErrno("link " + target);
    return linked;
  }

  // Whoever made the name may not have come to it yet. The lock of the stripe is held meanwhile, so
  // that nobody is told of a name before it is durable.
  void SyncNames(const XorbForm& xorb) { FsyncFolder(fs::path(PathOf(xorb)).parent_path()); }

  // `file` holds the records and stands at their end. Under the known form, or else under the first
  // one that has the same body or is free. That body is written and synced like a new one before it
  // is compared.
  Put Publish(TempFile file, XorbIndex index, KnownForm known) {
    WriteAll(file.fd(), WriteXorbFooter(index, 0));
    // Nothing writes to a xorb again; the mode also stops a stray shell command.
    if (::fchmod(file.fd(), 0444) != 0) ThrowErrno("chmod " + file.path().string());
    FsyncFile(file.fd(), file.path().string());
    XorbForm xorb(index.hash, known.value_or(0));
    EnsureFolder(xorb.hash);
    std::lock_guard lock(StripeOf(xorb.hash));
    while (!Link(file.path(), xorb)) {
      bool gone = false;
      XorbIndexPtr first = known ? LoadLocked(xorb) : LoadEqual(xorb, file.fd(), index, &gone);
      if (first) {
        SyncNames(xorb);
        return {std::move(first), false, xorb.number};
      }
      // Another process may have moved it out since: then the name is free again.
      if (known || gone) continue;
      if (xorb.number == UINT16_MAX) {
        throw Error(Code::kConflict, "xorb " + xorb.hash.Text() + " has too many forms");
      }
      ++xorb.number;
    }
    SyncNames(xorb);
    auto shared = std::make_shared<const XorbIndex>(std::move(index));
    Remember(xorb, StampOf(file.fd()), shared);
    return {std::move(shared), true, xorb.number};
  }

  // The stored form when its body is that of `file`; nullptr when it is another one, or damaged, or
  // `gone`. Precondition: the stripe is locked.
  XorbIndexPtr LoadEqual(const XorbForm& xorb, int file, const XorbIndex& index, bool* gone) {
    try {
      XorbIndexPtr stored = LoadLocked(xorb);
      *gone = stored == nullptr;
      if (*gone || !SameRecords(*stored, index)) return nullptr;
      return SameBytes(Open(xorb)->get(), file, index.body_bytes) ? stored : nullptr;
    } catch (const Error& error) {
      *gone = error.code() == Code::kNotFound;
      if (!*gone && error.code() != Code::kInternal) throw;
      return nullptr;
    }
  }

  // Precondition: the stripe is locked.
  XorbIndexPtr LoadLocked(const XorbForm& xorb) {
    UniqueFd fd(::open(PathOf(xorb).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) {
      if (errno == ENOENT) return nullptr;
      ThrowErrno("open xorb " + xorb.Text());
    }
    Stamp stamp = StampOf(fd.get());
    auto known = indexes_.Find(xorb);
    if (known && known->stamp == stamp) return known->index;
    auto index = std::make_shared<const XorbIndex>(ReadXorbFooter(fd.get(), xorb.Text()));
    CheckName(*index, xorb);
    EnsureFolder(xorb.hash);
    Remember(xorb, stamp, index);
    return index;
  }

  void Remember(const XorbForm& xorb, const Stamp& stamp, const XorbIndexPtr& index) {
    size_t cost = 256 + index->chunks.size() * sizeof(XorbChunk);
    indexes_.Put(xorb, {stamp, index}, cost);
  }

  const fs::path root_;
  const fs::path temp_folder_;
  std::vector<std::atomic<bool>> durable_folders_;
  std::array<std::mutex, kStripes> stripes_;
  internal::LruCache<XorbForm, KnownIndex> indexes_{kIndexCacheBytes};
  internal::LruCache<XorbForm, OpenFile> files_{kOpenFiles};
};

}  // namespace

std::unique_ptr<XorbStore> XorbStore::OpenLocal(const std::filesystem::path& root) {
  return std::make_unique<LocalXorbStore>(root);
}

}  // namespace hearth::storage
