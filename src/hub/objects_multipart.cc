#include "hub/objects_multipart.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"

namespace hearth::hub {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

void PwriteAll(int fd, uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) ThrowErrno("write an upload's part");
    offset += static_cast<uint64_t>(done);
    bytes.remove_prefix(static_cast<size_t>(done));
  }
}

// In the kernel where the file system can (some then only share the blocks), else through a buffer.
void CopyRange(int from, int to, uint64_t to_offset, uint64_t size) {
  off64_t in = 0;
  off64_t out = static_cast<off64_t>(to_offset);
  while (static_cast<uint64_t>(in) < size) {
    ssize_t done = ::copy_file_range(from, &in, to, &out, size - static_cast<uint64_t>(in), 0);
    if (done > 0 || (done < 0 && errno == EINTR)) continue;
    if (done < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
      ThrowErrno("copy an upload's part");
    }
    break;
  }
  std::string buffer;
  while (static_cast<uint64_t>(in) < size) {
    buffer.resize(std::min<uint64_t>(kBufferBytes, size - static_cast<uint64_t>(in)));
    ReadExactAt(from, static_cast<uint64_t>(in), buffer.data(), buffer.size());
    PwriteAll(to, to_offset + static_cast<uint64_t>(in), buffer);
    in += static_cast<off64_t>(buffer.size());
  }
}

std::string_view Unquote(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag;
}

uint64_t PartSize(const PartFiles::Layout& layout, int part) {
  uint64_t start = static_cast<uint64_t>(part - 1) * layout.part_bytes;
  return std::min(layout.part_bytes, layout.size_bytes - start);
}

}  // namespace

std::shared_lock<std::shared_mutex> PartFiles::LockUploadShared(std::string_view id) {
  return std::shared_lock(upload_stripes_[std::hash<std::string_view>()(id) % kStripes]);
}

std::unique_lock<std::shared_mutex> PartFiles::LockUpload(std::string_view id) {
  return std::unique_lock(upload_stripes_[std::hash<std::string_view>()(id) % kStripes]);
}

std::shared_ptr<PartFiles::Progress> PartFiles::ProgressOf(std::string_view id) {
  std::lock_guard lock(mutex_);
  auto found = progress_.find(id);
  if (found == progress_.end()) {
    found = progress_.emplace(std::string(id), std::make_shared<Progress>()).first;
  }
  return found->second;
}

// Continues the digest up to and with `last_part`. The caller holds progress->mutex.
void PartFiles::HashThrough(const Layout& layout, int last_part, Progress* progress, int fd) const {
  std::string buffer;
  int done = progress->hashed_parts;
  // Until the end is reached the hasher stands in the middle of something: a fault must not leave
  // it so.
  Sha256Hasher hasher = std::exchange(progress->hasher, Sha256Hasher());
  progress->hashed_parts = 0;
  for (; done < last_part; ++done) {
    uint64_t at = static_cast<uint64_t>(done) * layout.part_bytes;
    uint64_t end = at + PartSize(layout, done + 1);
    while (at < end) {
      buffer.resize(std::min<uint64_t>(kBufferBytes, end - at));
      ReadExactAt(fd, at, buffer.data(), buffer.size());
      hasher.Update(buffer);
      at += buffer.size();
    }
  }
  progress->hasher = std::move(hasher);
  progress->hashed_parts = done;
}

std::string PartFiles::Put(const Layout& layout, int part, const TempFile& file) {
  if (part < 1 || part > layout.parts()) {
    throw Error(Code::kInvalidArgument, "part " + std::to_string(part) + " is not one of 1 to " +
                                            std::to_string(layout.parts()));
  }
  uint64_t size = PartSize(layout, part);
  if (file.size() != size) {
    throw Error(Code::kInvalidArgument, "part " + std::to_string(part) + " has " +
                                            std::to_string(file.size()) + " bytes instead of " +
                                            std::to_string(size));
  }
  size_t stripe = (std::hash<std::string_view>()(layout.id) + static_cast<size_t>(part)) % kStripes;
  std::lock_guard part_lock(part_stripes_[stripe]);
  std::filesystem::path folder = Folder(layout.id);
  if (::mkdir(folder.c_str(), 0700) == 0) {
    FsyncFolder(root_);
  } else if (errno != EEXIST) {
    ThrowErrno("create folder for an upload");
  }
  std::shared_ptr<Progress> progress = ProgressOf(layout.id);
  std::map<int, std::string> stored = Stored(layout.id);
  if (auto old = stored.find(part); old != stored.end()) {
    // From here until the new bytes are on disk the part does not count.
    std::lock_guard lock(progress->mutex);
    if (part <= progress->hashed_parts) {
      progress->hasher = Sha256Hasher();
      progress->hashed_parts = 0;
    }
    ::unlink((folder / (std::to_string(part) + "." + old->second)).c_str());
    FsyncFolder(folder);
  }
  UniqueFd data(::open((folder / "data").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!data.valid()) ThrowErrno("create an upload's file");
  uint64_t offset = static_cast<uint64_t>(part - 1) * layout.part_bytes;
  CopyRange(file.fd(), data.get(), offset, size);
  // Let the disk begin while the digest is computed.
  ::sync_file_range(data.get(), static_cast<off64_t>(offset), static_cast<off64_t>(size),
                    SYNC_FILE_RANGE_WRITE);
  {
    std::lock_guard lock(progress->mutex);
    if (progress->hashed_parts == part - 1) HashThrough(layout, part, progress.get(), data.get());
  }
  if (::fdatasync(data.get()) != 0) ThrowErrno("fsync an upload's part");
  std::string etag = HexEncode(RandomBytes(16));
  std::filesystem::path marker = folder / (std::to_string(part) + "." + etag);
  UniqueFd made(::open(marker.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made.valid()) ThrowErrno("create a part's marker");
  FsyncFolder(folder);
  return etag;
}

std::map<int, std::string> PartFiles::Stored(std::string_view id) const {
  std::map<int, std::string> stored;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(Folder(id), ignored)) {
    std::string name = entry.path().filename().string();
    size_t dot = name.find('.');
    if (dot == std::string::npos) continue;
    if (std::optional<int64_t> part = ParseInt(std::string_view(name).substr(0, dot))) {
      stored[static_cast<int>(*part)] = name.substr(dot + 1);
    }
  }
  return stored;
}

void PartFiles::CheckComplete(const Layout& layout,
                              const std::vector<std::pair<int, std::string>>& parts) const {
  std::map<int, std::string> stored = Stored(layout.id);
  std::map<int, std::string> named;
  for (const auto& [part, etag] : parts) named[part] = std::string(Unquote(etag));
  for (int part = 1; part <= layout.parts(); ++part) {
    if (!stored.contains(part)) {
      throw Error(Code::kInvalidArgument, "part " + std::to_string(part) + " was not uploaded");
    }
    if (auto it = named.find(part); it == named.end() || it->second != stored[part]) {
      throw Error(Code::kInvalidArgument,
                  "the ETag of part " + std::to_string(part) + " is not that of the stored part");
    }
  }
  if (named.size() != static_cast<size_t>(layout.parts())) {
    throw Error(Code::kInvalidArgument, "the list names parts that the upload does not have");
  }
}

Sha256 PartFiles::Digest(const Layout& layout) {
  std::shared_ptr<Progress> progress = ProgressOf(layout.id);
  UniqueFd data = OpenForRead(Folder(layout.id) / "data");
  std::lock_guard lock(progress->mutex);
  HashThrough(layout, layout.parts(), progress.get(), data.get());
  Sha256 digest = progress->hasher.Finish();
  // A hasher finishes once; a second attempt (the disk was full, say) reads the file again.
  progress->hasher = Sha256Hasher();
  progress->hashed_parts = 0;
  return digest;
}

TempFile PartFiles::LinkWhole(const Layout& layout, const std::filesystem::path& folder) const {
  std::filesystem::path name = folder / (".upload-" + HexEncode(RandomBytes(12)));
  if (::link((Folder(layout.id) / "data").c_str(), name.c_str()) != 0) ThrowErrno("link an upload");
  return TempFile::Adopt(name);
}

void PartFiles::Remove(std::string_view id) {
  std::error_code ignored;
  std::filesystem::remove_all(Folder(id), ignored);
  std::lock_guard lock(mutex_);
  if (auto found = progress_.find(id); found != progress_.end()) progress_.erase(found);
}

std::vector<std::string> PartFiles::ListUploads() const {
  std::vector<std::string> ids;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(root_, ignored)) {
    if (entry.is_directory(ignored)) ids.push_back(entry.path().filename().string());
  }
  return ids;
}

}  // namespace hearth::hub
