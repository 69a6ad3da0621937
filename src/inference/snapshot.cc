#include "inference/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"

namespace hearth::inference {
namespace {

namespace fs = std::filesystem;

// A repository with more entries than this at its top and one below is no model.
constexpr size_t kMaxEntries = 20'000;
constexpr uint64_t kMaxBlobBytes = 1ull << 30;
constexpr uint64_t kPieceBytes = 4 << 20;

// Entries at the top and one folder below it.
std::map<std::string, storage::TreeEntry> Entries(const storage::GitRepository& git,
                                                  const GitOid& commit) {
  std::map<std::string, storage::TreeEntry> found;
  storage::GitRepository::ListOptions options;
  options.limit = kMaxEntries;
  std::vector<storage::TreeEntry> top = git.ListTree(commit, "", options);
  for (storage::TreeEntry& entry : top) {
    if (entry.kind == storage::EntryKind::kFolder && entry.path[0] >= '0' && entry.path[0] <= '9') {
      for (storage::TreeEntry& inner : git.ListTree(commit, entry.path, options)) {
        std::string path = inner.path;
        found.emplace(std::move(path), std::move(inner));
      }
    }
    std::string path = entry.path;
    found.emplace(std::move(path), std::move(entry));
  }
  return found;
}

bool IsPlainFile(const storage::TreeEntry& entry) {
  bool file =
      entry.kind == storage::EntryKind::kFile || entry.kind == storage::EntryKind::kExecutable;
  // git checks out what it holds, but the hub's own rules were made later than some histories.
  return file && !storage::PathFault(entry.path);
}

SnapshotFile Describe(hub::Hub& hub, const hub::RepoHandle& repo, const storage::GitRepository& git,
                      const storage::TreeEntry& entry) {
  SnapshotFile file{entry.path, entry.size_bytes, entry.oid, {}};
  if (entry.size_bytes > storage::kMaxPointerBytes) return file;
  auto pointer = storage::ParseLfsPointer(git.ReadBlob(entry.oid));
  if (!pointer) return file;
  // A grant, not the pointer, says that the repository has the object.
  std::optional<uint64_t> held = hub.objects().FindIn(repo.record(), pointer->oid);
  if (!held) {
    throw Error(Code::kNotFound, "The content of " + entry.path + " is missing on the hub");
  }
  file.object = pointer->oid;
  file.size_bytes = *held;
  return file;
}

std::string KeyOf(const std::vector<SnapshotFile>& files) {
  Sha256Hasher hasher;
  for (const SnapshotFile& file : files) {
    hasher.Update(file.path);
    hasher.Update(std::string_view("\0", 1));
    hasher.Update(file.blob.Hex());
  }
  return hasher.Finish().Hex();
}

class Layout {
 public:
  Layout(hub::Hub& hub, fs::path folder, const std::function<void(uint64_t)>& progress)
      : hub_(hub), folder_(std::move(folder)), progress_(progress) {}

  void Add(const storage::GitRepository& git, const SnapshotFile& file) {
    fs::path target = folder_ / file.path;
    fs::create_directories(target.parent_path());
    if (!file.object) {
      WriteFileDurably(target, git.ReadBlob(file.blob, kMaxBlobBytes), 0444);
    } else {
      AddObject(*file.object, target);
    }
    done_ = before_ + file.size_bytes;
    before_ = done_;
    progress_(done_);
  }

 private:
  void AddObject(const Sha256& oid, const fs::path& target) {
    hub::ObjectContent content = hub_.objects().OpenContent(oid);
    if (content.whole) {
      std::string opened = "/proc/self/fd/" + std::to_string(content.whole->get());
      if (::linkat(AT_FDCWD, opened.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0) {
        return;
      }
    }
    TempFile file(folder_);
    if (content.whole) {
      Copy(content.whole->get(), content.size_bytes, &file);
    } else {
      Rebuild(*content.file, &file);
    }
    ::fchmod(file.fd(), 0444);
    file.CommitTo(target);
  }

  void Copy(int from, uint64_t size_bytes, TempFile* to) {
    std::string piece;
    for (uint64_t at = 0; at < size_bytes;) {
      piece.resize(static_cast<size_t>(std::min(kPieceBytes, size_bytes - at)));
      ReadExactAt(from, at, piece.data(), piece.size());
      Append(piece, to);
      at += piece.size();
    }
  }

  void Rebuild(const hub::XetFile& source, TempFile* to) {
    if (source.size_bytes == 0) return;
    storage::XetReader reader = hub_.xet_index().Read(source, 0, source.size_bytes);
    std::string piece;
    bool more = true;
    while (more) {
      piece.clear();
      more = reader.Next(&piece, kPieceBytes);
      Append(piece, to);
    }
  }

  void Append(std::string_view piece, TempFile* to) {
    to->Append(piece);
    done_ += piece.size();
    progress_(done_);
  }

  hub::Hub& hub_;
  fs::path folder_;
  const std::function<void(uint64_t)>& progress_;
  uint64_t before_ = 0, done_ = 0;
};

}  // namespace

SnapshotPlan PlanSnapshot(hub::Hub& hub, const hub::RepoHandle& repo) {
  repo.Require(hub::Right::kReadContent);
  SnapshotPlan plan;
  plan.repo_id = repo.record().id;
  plan.model = repo.record().FullName();
  if (!repo.record().head) throw Error(Code::kNotFound, plan.model + " has no files yet");
  plan.commit = *repo.record().head;
  storage::GitRepository git = storage::GitRepository::Open(repo.git_folder());
  std::map<std::string, storage::TreeEntry> entries = Entries(git, plan.commit);
  std::vector<std::string> paths;
  for (const auto& [path, entry] : entries) {
    if (IsPlainFile(entry)) paths.push_back(path);
  }
  hub::FactsPtr facts = hub.catalog().FactsOf(repo, plan.commit);
  if (hub.catalog().judges() && !facts->run.runs()) {
    plan.fault = plan.model + " cannot run here: " + facts->run.reason;
    return plan;
  }
  for (const std::string& path : ChooseModelFiles(paths, facts->run.gguf_file)) {
    plan.files.push_back(Describe(hub, repo, git, entries.at(path)));
    plan.total_bytes += plan.files.back().size_bytes;
    if (IsWeightFile(path)) plan.weight_bytes += plan.files.back().size_bytes;
  }
  plan.key = KeyOf(plan.files);
  if (plan.weight_bytes == 0) {
    plan.fault =
        plan.model +
        " has no weights that this hub can run (*.safetensors, pytorch_model.bin or *.gguf)";
  }
  return plan;
}

std::string BlockedFault(const hub::Hub& hub, const SnapshotPlan& plan) {
  for (const SnapshotFile& file : plan.files) {
    bool blocked = file.object ? hub.safety().Blocks(*file.object) : hub.safety().Blocks(file.blob);
    if (!blocked) continue;
    return plan.model + " is not run: its file " + file.path +
           " was judged unsafe by this hub's scan";
  }
  return {};
}

fs::path SnapshotFolder(const fs::path& root, const SnapshotPlan& plan) {
  return root / (std::to_string(plan.repo_id) + "-" + plan.commit.Hex());
}

fs::path MakeSnapshot(hub::Hub& hub, const SnapshotPlan& plan, const fs::path& root,
                      const std::function<void(uint64_t)>& progress) {
  fs::path folder = SnapshotFolder(root, plan);
  if (fs::exists(folder)) {
    progress(plan.total_bytes);
    return folder;
  }
  fs::path unfinished = folder;
  unfinished += ".part";
  fs::remove_all(unfinished);
  fs::create_directories(unfinished);
  hub::RepoPtr record = hub.repos().FindById(plan.repo_id);
  if (!record) throw Error(Code::kNotFound, plan.model + " was deleted");
  storage::GitRepository git =
      storage::GitRepository::Open(hub.repos().OpenAsSystem(record).git_folder());
  Layout layout(hub, unfinished, progress);
  try {
    for (const SnapshotFile& file : plan.files) layout.Add(git, file);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(unfinished, ignored);
    throw;
  }
  // Links and folders too, before the name says that it is complete.
  FsyncFolder(unfinished);
  fs::rename(unfinished, folder);
  FsyncFolder(root);
  return folder;
}

void RemoveSnapshots(const fs::path& root, int64_t repo_id) {
  std::string prefix = std::to_string(repo_id) + "-";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    fs::remove_all(entry.path(), ignored);
    if (ignored) log::Warning("an old model folder stays", {{"folder", entry.path().string()}});
  }
}

void RemoveStaleSnapshots(hub::Hub& hub, const fs::path& root) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    std::string name = entry.path().filename().string();
    size_t dash = name.find('-');
    std::optional<int64_t> id = ParseInt(name.substr(0, dash));
    hub::RepoPtr repo = id ? hub.repos().FindById(*id) : nullptr;
    bool current = repo && repo->head && dash != std::string::npos &&
                   name.substr(dash + 1) == repo->head->Hex();
    if (!current) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace hearth::inference
