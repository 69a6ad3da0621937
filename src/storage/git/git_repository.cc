// Life of a repository folder: create, open, copy.
#include "storage/git/git_repository.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "storage/git/internal/lock_file.h"
#include "storage/git/internal/repository_impl.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;
using namespace internal;

// fsync=all makes the stock programs sync objects and refs as we do. gc.auto=0: packing is a job of
// the hub, not a background process of some push.
constexpr std::string_view kConfig =
    "[core]\n"
    "\trepositoryformatversion = 0\n"
    "\tfilemode = true\n"
    "\tbare = true\n"
    "\tfsync = all\n"
    "\tlogAllRefUpdates = false\n"
    "[gc]\n"
    "\tauto = 0\n"
    "[receive]\n"
    "\tautogc = false\n";

// A folder that is built beside its final place and removed unless Publish was called, so that a
// crash never leaves half a repository under the real name.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& target) : target_(target) {
    MakeFoldersDurably(target.parent_path());
    path_ = target.parent_path() / (".new-" + HexEncode(RandomBytes(8)));
    MakeFolder("");
  }
  ~NewFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const fs::path& path() const { return path_; }
  void MakeFolder(std::string_view name) {
    fs::path folder = path_ / name;
    if (::mkdir(folder.c_str(), 0755) != 0) ThrowErrno("create folder " + folder.string());
  }
  void Publish() {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST) {
        throw Error(Code::kConflict, "repository " + target_.string() + " exists already");
      }
      ThrowErrno("rename to " + target_.string());
    }
    path_.clear();
    FsyncFolder(target_.parent_path());
  }

 private:
  const fs::path target_;
  fs::path path_;
};

void MakeSkeleton(NewFolder& repository, std::string_view head) {
  for (const char* name : {"objects", "objects/info", "objects/pack", "refs", "refs/heads",
                           "refs/tags", "info", "hooks"}) {
    repository.MakeFolder(name);
  }
  WriteFileDurably(repository.path() / "config", kConfig);
  WriteFileDurably(repository.path() / "HEAD", head);
}

void SyncFolderTree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) FsyncFolder(entry.path());
  }
  FsyncFolder(folder);
}

// False when `from` has vanished: a repack is under way.
bool LinkOrCopy(const fs::path& from, const fs::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0 || errno == EEXIST) return true;
  if (errno == ENOENT) return false;
  if (errno != EXDEV && errno != EMLINK && errno != EPERM) ThrowErrno("link " + to.string());
  UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.valid()) return false;
  TempFile out(to.parent_path());
  std::string buffer(1 << 20, '\0');
  for (ssize_t got; (got = ::read(in.get(), buffer.data(), buffer.size())) != 0;) {
    if (got < 0) ThrowErrno("read " + from.string());
    out.Append(std::string_view(buffer).substr(0, static_cast<size_t>(got)));
  }
  if (::fchmod(out.fd(), 0444) != 0) ThrowErrno("chmod " + to.string());
  out.CommitTo(to);
  return true;
}

std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

bool IsObjectFile(std::string_view folder, std::string_view name) {
  if (folder == "pack") {
    return name.starts_with("pack-") && (name.ends_with(".pack") || name.ends_with(".idx") ||
                                         name.ends_with(".rev") || name.ends_with(".bitmap"));
  }
  return name.size() == 2 * GitOid::kBytes - 2 && IsLowerHex(name);
}

// Objects are immutable, so two repositories may share the files. One pass over all of them; false
// when a file vanished in between.
bool LinkObjects(const fs::path& from, const fs::path& to) {
  for (const std::string& folder : NamesIn(from)) {
    bool fan_out = folder.size() == 2 && IsLowerHex(folder);
    if (!fan_out && folder != "pack") continue;
    MakeFoldersDurably(to / folder);
    for (const std::string& name : NamesIn(from / folder)) {
      if (!IsObjectFile(folder, name)) continue;
      if (!LinkOrCopy(from / folder / name, to / folder / name)) return false;
    }
  }
  return true;
}

// All refs in the form of packed-refs; https://git-scm.com/docs/git-pack-refs
std::string PackedRefsOf(git_repository* repository) {
  std::vector<std::string> names;
  git_strarray list{};
  Check(git_reference_list(&list, repository), "list refs");
  for (size_t i = 0; i < list.count; ++i) names.emplace_back(list.strings[i]);
  git_strarray_dispose(&list);
  std::sort(names.begin(), names.end());
  std::string out = "# pack-refs with: peeled fully-peeled sorted \n";
  for (const std::string& name : names) {
    git_reference* raw = nullptr;
    if (!name.starts_with("refs/") || git_reference_lookup(&raw, repository, name.c_str()) < 0) {
      continue;
    }
    ReferenceHandle ref(raw);
    if (git_reference_type(raw) != GIT_REFERENCE_DIRECT) continue;
    const git_oid* target = git_reference_target(raw);
    out += FromGit(*target).Hex() + " " + name + "\n";
    git_object* peeled_raw = nullptr;
    if (git_reference_peel(&peeled_raw, raw, GIT_OBJECT_ANY) < 0) continue;
    ObjectHandle peeled(peeled_raw);
    if (!git_oid_equal(git_object_id(peeled_raw), target)) {
      out += "^" + FromGit(*git_object_id(peeled_raw)).Hex() + "\n";
    }
  }
  return out;
}

}  // namespace

GitRepository::GitRepository(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GitRepository::GitRepository(GitRepository&&) noexcept = default;
GitRepository& GitRepository::operator=(GitRepository&&) noexcept = default;
GitRepository::~GitRepository() = default;

const std::filesystem::path& GitRepository::folder() const { return impl_->folder(); }

void GitRepository::Create(const std::filesystem::path& folder) {
  if (fs::exists(folder)) {
    throw Error(Code::kConflict, "repository " + folder.string() + " exists already");
  }
  NewFolder repository(folder);
  MakeSkeleton(repository, "ref: refs/heads/main\n");
  SyncFolderTree(repository.path());
  repository.Publish();
}

GitRepository GitRepository::Open(const std::filesystem::path& folder,
                                  const std::vector<std::filesystem::path>& more_objects) {
  StartLibgit2();
  git_repository* raw = nullptr;
  int result = git_repository_open_bare(&raw, folder.c_str());
  if (result == GIT_ENOTFOUND) {
    throw Error(Code::kNotFound, "no git repository at " + folder.string());
  }
  Check(result, "open repository " + folder.string());
  return GitRepository(std::make_unique<Impl>(folder, RepositoryHandle(raw), more_objects));
}

void GitRepository::CloneInto(const std::filesystem::path& source,
                              const std::filesystem::path& target) {
  constexpr int kMaxPasses = 10;
  if (fs::exists(target)) {
    throw Error(Code::kConflict, "repository " + target.string() + " exists already");
  }
  GitRepository from = Open(source);
  if (fs::exists(source / "objects" / "info" / "alternates")) {
    throw Error(Code::kInternal, source.string() + " borrows objects and cannot be copied");
  }
  NewFolder copy(target);
  MakeSkeleton(copy, ReadFile(source / "HEAD", 4096));
  // The refs first: every object they need is there by then and is only ever repacked.
  std::string refs = PackedRefsOf(from.impl_->repository());
  int passes = 0;
  while (!LinkObjects(source / "objects", copy.path() / "objects")) {
    if (++passes == kMaxPasses) {
      throw Error(Code::kUnavailable, source.string() + " is being repacked");
    }
  }
  WriteFileDurably(copy.path() / "packed-refs", refs);
  SyncFolderTree(copy.path());
  copy.Publish();
}

}  // namespace hearth::storage
