#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"

namespace hearth {

void UniqueFd::Reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

UniqueFd OpenForRead(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) ThrowErrno("open " + path.string());
  return fd;
}

uint64_t FileSize(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) ThrowErrno("fstat");
  return static_cast<uint64_t>(info.st_size);
}

std::string ReadFile(const std::filesystem::path& path, uint64_t limit_bytes) {
  UniqueFd fd = OpenForRead(path);
  std::string out;
  char buffer[65536];
  for (;;) {
    ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowErrno("read " + path.string());
    if (got == 0) return out;
    out.append(buffer, static_cast<size_t>(got));
    if (out.size() > limit_bytes) {
      throw Error(Code::kTooLarge,
                  path.string() + " is larger than " + std::to_string(limit_bytes) + " bytes");
    }
  }
}

void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) ThrowErrno("write");
    bytes.remove_prefix(static_cast<size_t>(done));
  }
}

void ReadExactAt(int fd, uint64_t offset, char* out, size_t size) {
  while (size > 0) {
    ssize_t got = ::pread(fd, out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowErrno("pread");
    if (got == 0) throw Error(Code::kInternal, "file ended before the expected size");
    out += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<size_t>(got);
  }
}

void FsyncFile(int fd, std::string_view name) {
  if (::fsync(fd) != 0) ThrowErrno("fsync " + std::string(name));
}

void FsyncFolder(const std::filesystem::path& folder) {
  // The folder of a bare name is the working folder.
  const char* name = folder.empty() ? "." : folder.c_str();
  UniqueFd fd(::open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) ThrowErrno("open folder " + folder.string());
  FsyncFile(fd.get(), folder.string());
}

void WriteFileDurably(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
  TempFile file(path.parent_path());
  file.Append(bytes);
  if (::fchmod(file.fd(), mode) != 0) ThrowErrno("chmod " + path.string());
  file.CommitTo(path);
}

TempFile::TempFile(const std::filesystem::path& folder)
    : path_(folder / (".tmp-" + HexEncode(RandomBytes(12)))) {
  fd_.Reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd_.valid()) ThrowErrno("create " + path_.string());
}

TempFile TempFile::Adopt(const std::filesystem::path& path) {
  TempFile file;
  file.fd_.Reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.fd_.valid()) ThrowErrno("open " + path.string());
  file.size_ = FileSize(file.fd_.get());
  file.path_ = path;
  return file;
}

TempFile::TempFile(TempFile&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})), size_(other.size_) {}

TempFile& TempFile::operator=(TempFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(size_, other.size_);
  return *this;
}

TempFile::~TempFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void TempFile::Append(std::string_view bytes) {
  WriteAll(fd_.get(), bytes);
  size_ += bytes.size();
}

void TempFile::CommitTo(const std::filesystem::path& target) {
  FsyncFile(fd_.get(), path_.string());
  if (::rename(path_.c_str(), target.c_str()) != 0) ThrowErrno("rename to " + target.string());
  path_.clear();
  FsyncFolder(target.parent_path());
}

}  // namespace hearth
