#include "client/hub_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "client/model_id.h"

namespace hearth::client {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxRefBytes = 1024;
constexpr size_t kMaxSnapshotFiles = 100'000;
// https://bford.info/cachedir/: backup programs leave the folder out.
constexpr std::string_view kTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag of model files that can be downloaded again.\n";

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path ExpandHome(const std::string& path) {
  if (path == "~" || path.starts_with("~/")) return Variable("HOME") + path.substr(1);
  return path;
}

std::string FolderName(const std::string& repository) {
  size_t slash = repository.find('/');
  return "models--" + repository.substr(0, slash) + "--" + repository.substr(slash + 1);
}

bool IsInside(const fs::path& path, const fs::path& folder) {
  auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

}  // namespace

HubCache HubCache::FromEnvironment() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    std::string cache = Variable(name);
    if (!cache.empty()) return HubCache(ExpandHome(cache));
  }
  std::string home = Variable("HF_HOME");
  if (!home.empty()) return HubCache(ExpandHome(home) / "hub");
  std::string xdg = Variable("XDG_CACHE_HOME");
  fs::path caches = xdg.empty() ? ExpandHome("~/.cache") : ExpandHome(xdg);
  return HubCache(caches / "huggingface" / "hub");
}

fs::path HubCache::Folder(const std::string& repository) const {
  return root_ / FolderName(repository);
}

fs::path HubCache::Snapshot(const std::string& repository, const std::string& commit) const {
  return Folder(repository) / "snapshots" / commit;
}

fs::path HubCache::Blob(const std::string& repository, const std::string& etag) const {
  return Folder(repository) / "blobs" / etag;
}

std::optional<std::string> HubCache::FindCommit(const std::string& repository,
                                                const std::string& revision) const {
  if (IsCommit(revision)) return revision;
  fs::path ref = Folder(repository) / "refs" / revision;
  std::error_code fault;
  if (!fs::is_regular_file(ref, fault)) return std::nullopt;
  std::string commit(TrimAscii(ReadFile(ref, kMaxRefBytes)));
  if (!IsCommit(commit)) return std::nullopt;
  return commit;
}

std::vector<std::string> HubCache::Files(const std::string& repository,
                                         const std::string& commit) const {
  fs::path snapshot = Snapshot(repository, commit);
  std::error_code fault;
  std::vector<std::string> files;
  if (!fs::is_directory(snapshot, fault)) return files;
  // A repository's folder may itself be a link to another disk: that is its owner's wish.
  fs::path root = fs::canonical(root_), folder = fs::canonical(Folder(repository));
  fs::recursive_directory_iterator at(snapshot, fs::directory_options::none, fault), end;
  for (; !fault && at != end; at.increment(fault)) {
    if (!at->is_regular_file(fault)) continue;  // also a link whose blob has gone
    fs::path real = fs::canonical(at->path(), fault);
    if (fault || !(IsInside(real, root) || IsInside(real, folder))) {
      throw Error(Code::kForbidden, at->path().string() + " leads out of the cache");
    }
    files.push_back(at->path().lexically_relative(snapshot).string());
    if (files.size() > kMaxSnapshotFiles) {
      throw Error(Code::kTooLarge, snapshot.string() + " holds too many files");
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void HubCache::Begin(const std::string& repository, const std::string& revision,
                     const std::string& commit) {
  fs::path folder = Folder(repository);
  std::error_code fault;
  for (const fs::path& each : {folder / "blobs", Snapshot(repository, commit),
                               root_ / ".locks" / FolderName(repository)}) {
    fs::create_directories(each, fault);
    if (fault) ThrowErrno("make " + each.string(), fault.value());
  }
  if (!fs::exists(root_ / "CACHEDIR.TAG", fault)) WriteFileDurably(root_ / "CACHEDIR.TAG", kTag);
  if (IsCommit(revision)) return;
  fs::path ref = folder / "refs" / revision;
  fs::create_directories(ref.parent_path(), fault);
  if (fault) ThrowErrno("make " + ref.parent_path().string(), fault.value());
  if (FindCommit(repository, revision) != commit) WriteFileDurably(ref, commit);
}

void HubCache::Link(const std::string& repository, const std::string& commit,
                    const std::string& path, const std::string& etag) {
  fs::path place = Snapshot(repository, commit) / path;
  std::error_code fault;
  fs::create_directories(place.parent_path(), fault);
  if (fault) ThrowErrno("make " + place.parent_path().string(), fault.value());
  fs::path target = Blob(repository, etag).lexically_relative(place.parent_path());
  // A link under another name, then renamed: a reader sees the old file or the new one.
  fs::path fresh = place.string() + "." + RandomAlphanumeric(8);
  fs::create_symlink(target, fresh, fault);
  if (fault) ThrowErrno("link " + place.string(), fault.value());
  fs::rename(fresh, place, fault);
  if (!fault) return;
  std::error_code ignored;
  fs::remove(fresh, ignored);
  ThrowErrno("link " + place.string(), fault.value());
}

BlobLock::BlobLock(const HubCache& cache, const std::string& repository, const std::string& etag,
                   const std::function<void()>& waiting) {
  fs::path path = cache.root() / ".locks" / FolderName(repository) / (etag + ".lock");
  bool told = false;
  for (;;) {
    // Group-writable, as people who share a cache need it.
    fd_.Reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0664));
    if (!fd_.valid()) ThrowErrno("open " + path.string());
    if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) ThrowErrno("lock " + path.string());
      if (!told) waiting();
      told = true;
      while (::flock(fd_.get(), LOCK_EX) != 0) {
        if (errno != EINTR) ThrowErrno("lock " + path.string());
      }
    }
    // Whoever held it may have removed the file: the lock of a name that is gone locks nothing.
    struct stat held = {}, named = {};
    if (::fstat(fd_.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
      return;
    }
  }
}

}  // namespace hearth::client
