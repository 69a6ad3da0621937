// Files with the durability rule of the project: write a temporary file, fsync it, rename it, fsync
// the folder, and only then tell anyone. All functions throw Error (kInsufficientStorage for a full
// or read-only disk, kNotFound for a missing file, kInternal otherwise). Thread-safe unless said.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hearth {

// Owns a file descriptor; closes it. Move-only.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(other.Release());
    return *this;
  }
  ~UniqueFd() { Reset(); }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

UniqueFd OpenForRead(const std::filesystem::path& path);
uint64_t FileSize(int fd);
// Reads the whole file; throws kTooLarge above `limit_bytes`.
std::string ReadFile(const std::filesystem::path& path, uint64_t limit_bytes = 1ull << 30);
void WriteAll(int fd, std::string_view bytes);
// Fills `size` bytes from `offset` or throws (a short file is kInternal: it changed under us).
void ReadExactAt(int fd, uint64_t offset, char* out, size_t size);
void FsyncFile(int fd, std::string_view name);
void FsyncFolder(const std::filesystem::path& folder);
// Durable replacement of `path` by `bytes` with the given mode.
void WriteFileDurably(const std::filesystem::path& path, std::string_view bytes,
                      unsigned mode = 0644);

// A file under construction in a folder on the same file system as its final place. The destructor
// removes it unless CommitTo was called. Not thread-safe.
class TempFile {
 public:
  explicit TempFile(const std::filesystem::path& folder);
  // Takes over the existing file `path` as if it had been made here. Throws kNotFound.
  static TempFile Adopt(const std::filesystem::path& path);
  TempFile(TempFile&&) noexcept;
  TempFile& operator=(TempFile&&) noexcept;
  ~TempFile();

  void Append(std::string_view bytes);
  uint64_t size() const { return size_; }
  int fd() const { return fd_.get(); }
  const std::filesystem::path& path() const { return path_; }
  // fsync, rename over `target`, fsync of the target's folder. After it the file is durable.
  void CommitTo(const std::filesystem::path& target);

 private:
  TempFile() = default;
  UniqueFd fd_;
  std::filesystem::path path_;
  uint64_t size_ = 0;
};

}  // namespace hearth
