#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/hash_folders.h"
#include "storage/blob/blob_store.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;

// Two levels of 256 folders: a million objects are 15 to a folder.
constexpr size_t kFolders = 256 * 256;

size_t FolderIndex(const Sha256& id) { return id.data()[0] * size_t{256} + id.data()[1]; }

class LocalBlobStore : public BlobStore {
 public:
  explicit LocalBlobStore(const fs::path& root)
      : root_(root), temp_folder_(root / "tmp"), durable_folders_(kFolders) {
    MakeStore(root_, temp_folder_);
  }

  std::optional<uint64_t> FindSize(const Sha256& id) const override {
    struct stat info {};
    fs::path path = PathOf(id);
    if (::stat(path.c_str(), &info) == 0) return static_cast<uint64_t>(info.st_size);
    if (errno == ENOENT) return std::nullopt;
    ThrowErrno("stat " + path.string());
  }

  void Put(TempFile file, const Sha256& id) override {
    fs::path target = PathOf(id);
    EnsureFolder(id);
    if (FindSize(id) == FileSize(file.fd())) {
      // Takes as long as for new content: its sender may not know that others have it.
      FsyncFile(file.fd(), file.path().string());
      // The thread that put it first may not have reached its own fsync yet.
      FsyncFolder(target.parent_path());
      return;
    }
    // Nothing writes to an object again; the mode also stops a stray shell command.
    if (::fchmod(file.fd(), 0444) != 0) ThrowErrno("chmod " + file.path().string());
    file.CommitTo(target);
  }

  std::shared_ptr<UniqueFd> Open(const Sha256& id) const override {
    UniqueFd fd(::open(PathOf(id).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) {
      if (errno == ENOENT) throw Error(Code::kNotFound, "object " + id.Hex() + " is missing");
      ThrowErrno("open object " + id.Hex());
    }
    return std::make_shared<UniqueFd>(std::move(fd));
  }

  void Delete(const Sha256& id) override {
    if (::unlink(PathOf(id).c_str()) != 0 && errno != ENOENT) {
      ThrowErrno("delete object " + id.Hex());
    }
  }

  bool MoveOut(const Sha256& id, const fs::path& target) override {
    fs::path source = PathOf(id);
    if (::rename(source.c_str(), target.c_str()) != 0) {
      // A missing target folder is the caller's fault, a missing object is not.
      if (errno == ENOENT && !FindSize(id)) return false;
      ThrowErrno("move object " + id.Hex() + " to " + target.string());
    }
    FsyncFolder(target.parent_path());
    FsyncFolder(source.parent_path());
    return true;
  }

  void ForEach(const std::function<void(const Sha256&, uint64_t size_bytes)>& each) const override {
    ForEachHashFile(root_, [&](const std::string& name) {
      std::optional<Sha256> id = Sha256::FromHex(name);
      if (!id) return;
      // One that was deleted since the listing is passed over.
      if (std::optional<uint64_t> size_bytes = FindSize(*id)) each(*id, *size_bytes);
    });
  }

  const fs::path& temp_folder() const override { return temp_folder_; }

 private:
  fs::path PathOf(const Sha256& id) const {
    std::string hex = id.Hex();
    return root_ / hex.substr(0, 2) / hex.substr(2, 2) / hex;
  }

  // Makes <root>/ab/cd. The first use of a folder in the life of this process syncs the chain above
  // it even when the folder exists: whoever made it may have died before its own fsync.
  void EnsureFolder(const Sha256& id) {
    std::atomic<bool>& durable = durable_folders_[FolderIndex(id)];
    if (durable.load(std::memory_order_acquire)) return;
    fs::path folder = PathOf(id).parent_path();
    MakeFolder(folder.parent_path());
    MakeFolder(folder);
    FsyncFolder(folder.parent_path());
    FsyncFolder(root_);
    durable.store(true, std::memory_order_release);
  }

  const fs::path root_;
  const fs::path temp_folder_;
  std::vector<std::atomic<bool>> durable_folders_;
};

}  // namespace

std::unique_ptr<BlobStore> BlobStore::OpenLocal(const std::filesystem::path& root) {
  return std::make_unique<LocalBlobStore>(root);
}

}  // namespace hearth::storage
