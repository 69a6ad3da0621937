#include "storage/git/internal/object_batch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "storage/git/internal/deflate.h"
#include "storage/git/internal/libgit2.h"

namespace hearth::storage::internal {
namespace {

// A loose object costs a file and a folder to sync, a pack two files and a folder whatever its
// size; but every pack makes every later look-up a little slower until a repack.
constexpr size_t kMaxLooseObjects = 24;

// The ids in a tree are random bytes: compressing one of 10,000 entries takes 9 ms and saves a
// third, until the next repack, which finds that it differs from its predecessor by one entry.
constexpr size_t kMaxCompressedTreeBytes = 64 << 10;

std::string HeaderOf(git_object_t type, size_t size_bytes) {
  return std::string(git_object_type2string(type)) + " " + std::to_string(size_bytes) + '\0';
}

// Runs sync(0) ... sync(count - 1) at the same time: the file system then serves all of them with
// one or two journal commits, where one after the other would wait for one each.
void SyncTogether(size_t count, const std::function<void(size_t)>& sync) {
  constexpr size_t kMaxThreads = 8;
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  auto work = [&] {
    for (size_t i; (i = next++) < count;) {
      try {
        sync(i);
      } catch (...) {
        std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    try {
      while (threads.size() + 1 < std::min(count, kMaxThreads)) threads.emplace_back(work);
    } catch (const std::system_error&) {
      // Out of threads: this one does what is left.
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

GitOid OidOf(git_object_t type, std::string_view data) {
  thread_local Sha1Hasher hasher;
  hasher.Update(HeaderOf(type, data.size()));
  hasher.Update(data);
  return hasher.Finish();
}

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& prefix)
    : path_(prefix.string() + HexEncode(RandomBytes(10))) {
  fd_.Reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd_.valid()) ThrowErrno("create " + path_.string());
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}

ScratchFile::~ScratchFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void ScratchFile::RenameTo(const std::filesystem::path& target, unsigned mode) {
  if (::fchmod(fd_.get(), mode) != 0) ThrowErrno("chmod " + path_.string());
  if (::rename(path_.c_str(), target.c_str()) != 0) ThrowErrno("rename to " + target.string());
  path_.clear();
}

GitOid ObjectBatch::AddBorrowed(git_object_t type, std::string_view data) {
  GitOid oid = OidOf(type, data);
  if (known_.insert(oid).second) pending_.push_back({oid, type, {}, data});
  return oid;
}

GitOid ObjectBatch::AddOwned(git_object_t type, std::string data) {
  GitOid oid = OidOf(type, data);
  if (known_.insert(oid).second) {
    // A deque does not move its elements, so the view into a short string stays valid.
    PendingObject& object = pending_.emplace_back(PendingObject{oid, type, std::move(data), {}});
    object.data = object.owned;
  }
  return oid;
}

std::filesystem::path ObjectBatch::LoosePath(const GitOid& oid) const {
  std::string hex = oid.Hex();
  return folder_ / hex.substr(0, 2) / hex.substr(2);
}

bool ObjectBatch::ExistsAlready(const GitOid& oid) {
  git_oid id = ToGit(oid);
  // Without a rescan of the pack folder for every new object; a pack that appeared since is only a
  // duplicate more.
  if (git_odb_exists_ext(odb_, &id, GIT_ODB_LOOKUP_NO_REFRESH) == 0) return false;
  std::filesystem::path loose = LoosePath(oid);
  // A fresh time keeps `git prune` from an old unreachable object that is about to be used. And
  // whoever wrote it may not have synced its folder yet.
  if (::utimensat(AT_FDCWD, loose.c_str(), nullptr, 0) == 0) {
    unsynced_folders_.insert(loose.parent_path().string());
  }
  return true;
}

void ObjectBatch::StoreLoose(const std::vector<const PendingObject*>& objects) {
  Deflater deflater;
  std::vector<std::pair<const PendingObject*, ScratchFile>> files;
  for (const PendingObject* object : objects) {
    std::string packed;
    if (object->type == GIT_OBJECT_TREE && object->data.size() > kMaxCompressedTreeBytes) {
      deflater.StoreNext();
    }
    deflater.Append(HeaderOf(object->type, object->data.size()), object->data, packed);
    ScratchFile& file = files.emplace_back(object, folder_ / "tmp_obj_").second;
    WriteAll(file.fd(), packed);
  }
  // All are written before the first is synced: one journal commit then covers most of them.
  SyncTogether(files.size(), [&](size_t i) { files[i].second.Sync(); });
  for (auto& [object, file] : files) {
    std::filesystem::path target = LoosePath(object->oid);
    std::filesystem::path parent = target.parent_path();
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) {
      ThrowErrno("create folder " + parent.string());
    }
    file.RenameTo(target, 0444);
    unsynced_folders_.insert(parent.string());
  }
}

void ObjectBatch::SyncFolders() {
  if (unsynced_folders_.empty()) return;
  std::vector<std::string> folders(unsynced_folders_.begin(), unsynced_folders_.end());
  folders.push_back(folder_.string());
  SyncTogether(folders.size(), [&](size_t i) { FsyncFolder(folders[i]); });
  unsynced_folders_.clear();
}

void ObjectBatch::Store() {
  std::vector<const PendingObject*> missing;
  for (const PendingObject& object : pending_) {
    if (!ExistsAlready(object.oid)) missing.push_back(&object);
  }
  if (missing.size() > kMaxLooseObjects) {
    WritePack(folder_ / "pack", missing);
    Check(git_odb_refresh(odb_), "find the new pack");
  } else {
    StoreLoose(missing);
  }
  SyncFolders();
}

}  // namespace hearth::storage::internal
