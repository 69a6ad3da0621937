// Questions to the index of tensors.
#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "hub/internal/tensor_keys.h"
#include "hub/tensor_index.h"

namespace hearth::hub {
namespace {

// Digests that are looked up: enough to find every repository that shares more than a few tensors.
constexpr size_t kAskedHashes = 96;
// Rows a digest; a base model of a hub has thousands of copies.
constexpr int64_t kMaxRows = 4000;
constexpr size_t kMaxHolders = 50;
constexpr int64_t kMaxFiles = 400;

struct Candidate {
  int64_t repo_id = 0;
  uint64_t shared = 0;
};

// Evenly over all of them, so that every part of a model is asked about.
std::vector<inspector::TensorHash> Chosen(std::span<const inspector::TensorHash> hashes) {
  std::vector<inspector::TensorHash> chosen;
  size_t count = std::min(kAskedHashes, hashes.size());
  for (size_t i = 0; i < count; ++i) chosen.push_back(hashes[i * hashes.size() / count]);
  return chosen;
}

}  // namespace

std::optional<inspector::FileRecords> TensorIndex::FindRecords(
    const RepoRecord& repo, const inspector::RepoFile& file) const {
  std::optional<std::string> packed;
  parts_.db.Read([&](storage::Connection& c) {
    packed = c.QueryOne(
        "SELECT f.records FROM tensor_files f JOIN repo_tensor_files r ON r.file_id = f.id WHERE "
        "f.content = ? AND f.rule = ? AND r.repo_id = ? LIMIT 1",
        {storage::BlobValue{ContentKey(file)}, inspector::kTensorScanVersion, repo.id},
        [](const storage::Row& row) { return row.Str(0); });
  });
  if (!packed) return std::nullopt;
  try {
    return inspector::UnpackRecords(*packed);
  } catch (const Error&) {
    return std::nullopt;  // scanned again by the next rule
  }
}

std::vector<inspector::TensorHolder> TensorIndex::FindHolders(
    const Actor& actor, int64_t except_repo, std::span<const inspector::TensorHash> hashes,
    bool* more) const {
  std::map<int64_t, uint64_t> shared;
  parts_.db.Read([&](storage::Connection& c) {
    for (const inspector::TensorHash& hash : Chosen(hashes)) {
      std::set<int64_t> repos;
      c.Query(
          "SELECT r.repo_id FROM tensor_hashes h JOIN repo_tensor_files r ON r.file_id = h.file_id "
          "WHERE h.hash = ? AND r.current = 1 LIMIT ?",
          {storage::BlobValue{JoinKey(hash)}, kMaxRows},
          [&](const storage::Row& row) { repos.insert(row.Int(0)); });
      for (int64_t id : repos) ++shared[id];
    }
  });
  std::vector<Candidate> candidates;
  for (const auto& [id, count] : shared) {
    if (id != except_repo && parts_.repos.May(actor, id, Right::kReadContent))
      candidates.push_back({id, count});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.shared > b.shared; });
  *more = candidates.size() > kMaxHolders;
  if (*more) candidates.resize(kMaxHolders);
  std::vector<inspector::TensorHolder> holders;
  for (const Candidate& candidate : candidates) {
    RepoPtr repo = parts_.repos.FindById(candidate.repo_id);
    if (!repo) continue;
    inspector::TensorHolder holder{.type = std::string(SingularName(repo->type)),
                                   .id = repo->FullName(),
                                   .commit = "",
                                   .files = {}};
    parts_.db.Read([&](storage::Connection& c) {
      holder.commit = c.QueryOne("SELECT commit_oid FROM repo_tensor_state WHERE repo_id = ?",
                                 {repo->id}, [](const storage::Row& row) { return row.Str(0); })
                          .value_or("");
      c.Query(
          "SELECT r.path, f.records FROM repo_tensor_files r JOIN tensor_files f ON f.id = "
          "r.file_id WHERE r.repo_id = ? AND r.current = 1 ORDER BY r.path LIMIT ?",
          {repo->id, kMaxFiles}, [&](const storage::Row& row) {
            holder.files.emplace_back(row.Str(0), inspector::UnpackRecords(row.Text(1)));
          });
    });
    holders.push_back(std::move(holder));
  }
  return holders;
}

std::optional<inspector::FileRecords> CallerTensors::Find(const inspector::RepoView& view,
                                                          const inspector::RepoFile& file) const {
  std::optional<RepoType> type = ParseRepoType(view.type());
  std::string id = view.id();
  size_t slash = id.find('/');
  if (!type || slash == std::string::npos) return std::nullopt;
  // The view itself says that the caller may read it.
  RepoPtr repo = repos_.Find(*type, id.substr(0, slash), id.substr(slash + 1));
  return repo ? index_.FindRecords(*repo, file) : std::nullopt;
}

std::vector<inspector::TensorHolder> CallerTensors::FindHolders(
    std::span<const inspector::TensorHash> hashes, bool* more) const {
  return index_.FindHolders(actor_, repo_.id, hashes, more);
}

}  // namespace hearth::hub
