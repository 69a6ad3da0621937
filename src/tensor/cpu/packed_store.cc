#include "tensor/cpu/packed_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace hearth::tensor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".packed";
// Pieces of a write: small enough that a full disk is noticed early. They begin at multiples of
// their size, so that file systems with large folios cache them in huge pages.
constexpr uint64_t kWriteBytes = 8 << 20;
// Files that a killed writer left. No write takes this long.
constexpr std::chrono::hours kAbandoned{24};

struct Mapping {
  Mapping(void* at, size_t length) : memory(at), bytes(length) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { munmap(memory, bytes); }
  void* memory;
  size_t bytes;
};

bool IsOurs(const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// One system call a chunk in place of a fault for every few pages. A hint.
void MapPages(std::span<const uint8_t> part) {
#ifdef MADV_POPULATE_READ
  auto begin = reinterpret_cast<uintptr_t>(part.data()) & ~uintptr_t{4095};
  auto end = reinterpret_cast<uintptr_t>(part.data() + part.size());
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ);
#else
  (void)part;
#endif
}

bool AllChunksHold(const PackedFileLayout& layout, std::span<const uint8_t> file,
                   ThreadTeam& team) {
  std::atomic<uint64_t> next{0};
  std::atomic<bool> holds{true};
  team.Begin();
  team.Run([&](int) {
    for (uint64_t i = next.fetch_add(1); i < layout.chunks() && holds; i = next.fetch_add(1)) {
      MapPages(layout.Chunk(file, i));
      if (!layout.ChunkHolds(file, i)) holds = false;
    }
  });
  team.End();
  return holds;
}

bool IsLeftOver(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(".tmp-") || name.ends_with(".lock");
}

struct KeptFile {
  fs::path path;
  fs::file_time_type used;
  uint64_t bytes;
};

}  // namespace

fs::path PackedStore::PathOf(const Sha256& key) const {
  return options_.folder / (key.Hex() + std::string(kEnding));
}

std::optional<PackedStore::Found> PackedStore::Find(const Sha256& key,
                                                    const PackedFileLayout& layout,
                                                    ThreadTeam& team) const {
  UniqueFd fd(open(PathOf(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status;
  if (!fd.valid() || fstat(fd.get(), &status) != 0 || !IsOurs(status)) return std::nullopt;
  const auto bytes = static_cast<size_t>(status.st_size);
  if (bytes != layout.file_bytes()) return std::nullopt;
  void* memory = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return std::nullopt;
  auto mapping = std::make_shared<const Mapping>(memory, bytes);
  const std::span<const uint8_t> file(static_cast<const uint8_t*>(memory), bytes);
  if (!layout.IsHead(file)) return std::nullopt;
  // All of it is read with every token: in small pages, address translation costs a part of that.
  // Reading ahead then takes huge pages, too; asking for it here would take small ones.
  if (madvise(memory, bytes, MADV_HUGEPAGE) != 0) madvise(memory, bytes, MADV_WILLNEED);
  if (!AllChunksHold(layout, file, team)) {
    log::Warning("packed weights are damaged and made again", {{"file", PathOf(key).string()}});
    return std::nullopt;
  }
  futimens(fd.get(), nullptr);  // when it was last used
  return Found{mapping, file.subspan(layout.data_offset())};
}

void PackedStore::Keep(const Sha256& key, const Sha256& identity, const PackedFileLayout& layout,
                       std::span<const uint8_t> data) const {
  try {
    if (layout.file_bytes() > options_.max_bytes) return;
    fs::create_directories(options_.folder);
    // Others that start with the same weights leave the writing to the first.
    const fs::path lock_path = options_.folder / (key.Hex() + ".lock");
    UniqueFd lock(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock.valid()) ThrowErrno("open " + lock_path.string());
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;
    if (Identity() == identity) Write(key, layout, data);
    unlink(lock_path.c_str());
  } catch (const std::exception& error) {
    log::Debug("packed weights could not be kept", {{"reason", error.what()}});
  }
}

void PackedStore::Write(const Sha256& key, const PackedFileLayout& layout,
                        std::span<const uint8_t> data) const {
  struct statvfs disk;
  // Never the last of a disk.
  if (statvfs(options_.folder.c_str(), &disk) == 0 &&
      uint64_t{disk.f_bavail} * disk.f_frsize / 2 < layout.file_bytes()) {
    throw Error(Code::kInsufficientStorage, "the disk has little room");
  }
  std::vector<uint64_t> checksums;
  for (uint64_t at = 0; at < data.size(); at += PackedFileLayout::kChunkBytes) {
    const uint64_t bytes = std::min(PackedFileLayout::kChunkBytes, data.size() - at);
    checksums.push_back(PackedFileLayout::Checksum(data.subspan(at, bytes)));
  }
  std::string first = layout.Head(checksums);
  const std::string_view bytes(reinterpret_cast<const char*>(data.data()), data.size());
  uint64_t at = std::min(bytes.size(), kWriteBytes - first.size() % kWriteBytes);
  first += bytes.substr(0, at);
  TempFile file(options_.folder);
  file.Append(first);
  for (; at < bytes.size(); at += kWriteBytes) file.Append(bytes.substr(at, kWriteBytes));
  file.CommitTo(PathOf(key));
  RemoveOldest(PathOf(key));
}

void PackedStore::RemoveOldest(const fs::path& kept) const {
  std::vector<KeptFile> files;
  uint64_t total = 0;
  const auto now = fs::file_time_type::clock::now();
  for (const fs::directory_entry& entry : fs::directory_iterator(options_.folder)) {
    std::error_code gone;  // by another process
    const auto used = entry.last_write_time(gone);
    if (gone) continue;
    if (entry.path().extension() == kEnding) {
      const uint64_t bytes = entry.file_size(gone);
      if (gone) continue;
      total += bytes;
      if (entry.path() != kept) files.push_back({entry.path(), used, bytes});
    } else if (IsLeftOver(entry.path()) && now - used > kAbandoned) {
      fs::remove(entry.path(), gone);
    }
  }
  std::sort(files.begin(), files.end(),
            [](const KeptFile& a, const KeptFile& b) { return a.used < b.used; });
  for (const KeptFile& file : files) {
    if (total <= options_.max_bytes) break;
    std::error_code gone;
    if (fs::remove(file.path, gone)) total -= file.bytes;
  }
}

}  // namespace hearth::tensor
