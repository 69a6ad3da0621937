#include "storage/git/internal/ref_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "storage/git/internal/lock_file.h"
#include "storage/git/internal/object_batch.h"

namespace hearth::storage::internal {
namespace {

constexpr std::chrono::milliseconds kRefPatience{1000};
constexpr std::chrono::milliseconds kPackedPatience{5000};
constexpr size_t kHexBytes = 2 * GitOid::kBytes;

// Calls each(oid, name, whole lines with a following "^peeled" one) for every packed ref.
template <typename F>
void ForEachPacked(std::string_view text, F each) {
  while (!text.empty()) {
    size_t end = text.find('\n');
    size_t length = end == std::string_view::npos ? text.size() : end + 1;
    std::string_view line = text.substr(0, end);
    size_t whole = length;
    if (length < text.size() && text[length] == '^') {
      size_t peeled_end = text.find('\n', length);
      whole = peeled_end == std::string_view::npos ? text.size() : peeled_end + 1;
    }
    std::string_view name = line.size() > kHexBytes + 1 && line[0] != '#'
                                ? line.substr(kHexBytes + 1)
                                : std::string_view();
    each(line.substr(0, kHexBytes), name, text.substr(0, whole));
    text.remove_prefix(whole);
  }
}

bool IsFolder(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Removes `folder` and what is below when there are only empty folders.
void RemoveEmptyFolders(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) RemoveEmptyFolders(entry.path());
  }
  ::rmdir(folder.c_str());
}

Error NotExpected(const std::string& name, const std::optional<GitOid>& expected,
                  const std::optional<GitOid>& current) {
  auto text = [](const std::optional<GitOid>& oid) { return oid ? oid->Hex() : "absent"; };
  return Error(Code::kPreconditionFailed, name + " is at " + text(current) + ", not at " +
                                              text(expected) + ": it changed meanwhile");
}

}  // namespace

std::string RefStore::PackedRefs() const {
  try {
    return ReadFile(folder_ / "packed-refs");
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) return {};
    throw;
  }
}

std::optional<GitOid> RefStore::ReadPacked(const std::string& name) const {
  std::optional<GitOid> found;
  std::string text = PackedRefs();
  ForEachPacked(text, [&](std::string_view oid, std::string_view ref, std::string_view) {
    if (ref == name) found = GitOid::FromHex(oid);
  });
  return found;
}

std::optional<GitOid> RefStore::Read(const std::string& name) const {
  UniqueFd fd(::open((folder_ / name).c_str(), O_RDONLY | O_CLOEXEC));
  char text[kHexBytes + 1];
  ssize_t got = fd.valid() ? ::read(fd.get(), text, sizeof text) : -1;
  if (got < 0) {
    // EISDIR: an emptied folder that once held refs.
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return ReadPacked(name);
    ThrowErrno("read " + name);
  }
  auto oid = GitOid::FromHex(std::string_view(text, std::min<size_t>(got, kHexBytes)));
  if (!oid) throw Error(Code::kConflict, name + " is a symbolic or damaged ref");
  return oid;
}

void RefStore::CheckExpected(const std::string& name, const std::optional<GitOid>& expected) const {
  std::optional<GitOid> current = Read(name);
  bool matches = current == expected || (current && expected && peel_(*current) == *expected);
  if (!matches) throw NotExpected(name, expected, current);
}

void RefStore::CheckNoClash(const std::string& name) const {
  auto clash = [&](std::string_view other) {
    return Error(Code::kConflict, name + " cannot exist beside " + std::string(other));
  };
  std::filesystem::path path = folder_ / name;
  if (IsFolder(path)) RemoveEmptyFolders(path);
  if (IsFolder(path)) throw clash(name + "/*");
  std::string text = PackedRefs();
  ForEachPacked(text, [&](std::string_view, std::string_view ref, std::string_view) {
    bool above = name.size() > ref.size() && name[ref.size()] == '/' && name.starts_with(ref);
    bool below = ref.size() > name.size() && ref[name.size()] == '/' && ref.starts_with(name);
    if (!ref.empty() && (above || below)) throw clash(ref);
  });
}

void RefStore::Write(const std::string& name, const GitOid& target) {
  std::filesystem::path path = folder_ / name;
  ScratchFile value(folder_ / "tmp_ref_");
  WriteAll(value.fd(), target.Hex() + "\n");
  value.Sync();
  value.RenameTo(path, 0644);
  FsyncFolder(path.parent_path());
}

void RefStore::RemoveFromPacked(const std::string& name) {
  if (!ReadPacked(name)) return;
  std::optional<LockFile> lock = LockFile::Acquire(folder_ / "packed-refs", kPackedPatience, [] {});
  if (!lock) throw Error(Code::kUnavailable, "packed-refs of " + folder_.string() + " is locked");
  std::string text = PackedRefs(), kept;
  ForEachPacked(text, [&](std::string_view, std::string_view ref, std::string_view lines) {
    if (ref != name) kept += lines;
  });
  ScratchFile file(folder_ / "tmp_ref_");
  WriteAll(file.fd(), kept);
  file.Sync();
  file.RenameTo(folder_ / "packed-refs", 0644);
  FsyncFolder(folder_);
}

void RefStore::Delete(const std::string& name) {
  // Packed first: after a crash in between the loose value still stands, not an older packed one.
  RemoveFromPacked(name);
  std::filesystem::path path = folder_ / name;
  if (::unlink(path.c_str()) == 0) return FsyncFolder(path.parent_path());
  if (errno != ENOENT && errno != ENOTDIR && errno != EISDIR) ThrowErrno("delete " + name);
}

std::optional<LockFile> RefStore::Lock(const std::string& name,
                                       const std::function<void()>& while_waiting) const {
  return LockFile::Acquire(folder_ / name, kRefPatience, while_waiting);
}

void RefStore::Update(const std::string& name, const std::optional<GitOid>& expected,
                      const std::optional<GitOid>& target) {
  CheckExpected(name, expected);
  if (!expected && !target) return;
  {
    const bool held = name == held_;
    std::optional<LockFile> lock =
        held ? std::nullopt : Lock(name, [&] { CheckExpected(name, expected); });
    if (!lock && !held)
      throw Error(Code::kPreconditionFailed, name + " is locked by another update");
    CheckExpected(name, expected);
    if (!target) {
      Delete(name);
    } else {
      if (!expected) CheckNoClash(name);
      Write(name, *target);
    }
  }
  if (target) return;
  // Folders of a deleted "feature/x" would stand in the way of a branch "feature".
  std::filesystem::path parent = std::filesystem::path(name).parent_path();
  while (std::distance(parent.begin(), parent.end()) > 2) {
    if (::rmdir((folder_ / parent).c_str()) != 0) break;
    parent = parent.parent_path();
  }
}

}  // namespace hearth::storage::internal
