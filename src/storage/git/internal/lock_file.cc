#include "storage/git/internal/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <thread>

#include "base/error.h"

namespace hearth::storage::internal {
namespace {

constexpr std::string_view kMarker = "hearth\n";
constexpr std::chrono::milliseconds kPause{5};

bool IsStillAt(int fd, const std::filesystem::path& path) {
  struct stat opened {
  }, present{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &present) == 0 &&
         opened.st_ino == present.st_ino && opened.st_dev == present.st_dev;
}

bool HasMarker(int fd) {
  char head[kMarker.size()];
  return ::pread(fd, head, sizeof head, 0) == static_cast<ssize_t>(sizeof head) &&
         std::string_view(head, sizeof head) == kMarker;
}

bool IsOld(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && std::time(nullptr) - info.st_mtime > kForeignLockAge.count();
}

// The file at `path`, new, with our marker in it and its flock held; invalid with errno set when
// there is one. It is made without a name and linked when it is whole: a process killed in between
// must not leave a lock that nobody can tell from git's own.
UniqueFd CreateMarked(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.parent_path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644));
  bool unnamed = fd.valid();
  if (!unnamed) {
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return {};
    // A file system without unnamed files.
    fd.Reset(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd.valid()) return {};
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) ThrowErrno("lock " + path.string());
  WriteAll(fd.get(), kMarker);
  if (!unnamed) return fd;
  std::string source = "/proc/self/fd/" + std::to_string(fd.get());
  if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return fd;
  int error_number = errno;
  fd.Reset();
  errno = error_number;
  return {};
}

}  // namespace

void MakeFoldersDurably(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0755) == 0) return FsyncFolder(folder.parent_path());
  int error_number = errno;
  if (error_number == ENOENT) {
    MakeFoldersDurably(folder.parent_path());
    return MakeFoldersDurably(folder);
  }
  struct stat info {};
  if (error_number == EEXIST && ::stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return;
  if (error_number == EEXIST || error_number == ENOTDIR) {
    throw Error(Code::kConflict, folder.filename().string() + " exists and is no folder");
  }
  ThrowErrno("create folder " + folder.string(), error_number);
}

bool RemoveStaleLock(const std::filesystem::path& lock) {
  UniqueFd fd(::open(lock.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return errno == ENOENT;
  bool abandoned =
      HasMarker(fd.get()) ? ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 : IsOld(fd.get());
  // While we hold the flock of the file that is at `lock`, no other remover can get past here, so
  // what is unlinked is this file and not a fresh lock of the same name.
  if (!abandoned || !IsStillAt(fd.get(), lock)) return false;
  return ::unlink(lock.c_str()) == 0;
}

std::optional<LockFile> LockFile::Acquire(const std::filesystem::path& target,
                                          std::chrono::milliseconds patience,
                                          const std::function<void()>& while_waiting) {
  std::filesystem::path path = target.string() + ".lock";
  auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    UniqueFd fd = CreateMarked(path);
    if (fd.valid()) return LockFile(path, std::move(fd));
    int error_number = errno;
    if (error_number == ENOENT || error_number == ENOTDIR) {
      // Also when somebody removed the emptied folder just now.
      MakeFoldersDurably(path.parent_path());
      continue;
    }
    if (error_number != EEXIST) ThrowErrno("create " + path.string(), error_number);
    while_waiting();
    if (RemoveStaleLock(path)) continue;
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(kPause);
  }
}

LockFile::~LockFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace hearth::storage::internal
