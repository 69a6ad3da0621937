// What a push brings, judged before its refs move. Only commits that no ref reaches yet are looked
// at, and of each only its difference to its first parent, so the cost follows the push and not the
// repository.
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "hub/internal/content_rules.h"
#include "hub/internal/git_text.h"

namespace hearth::hub {

using storage::CommitInfo;
using storage::GitRepository;

namespace {

// Walks back in time from the new tip and the known ones together, painting what the known ones
// reach, until nothing unpainted is left in the queue (git rev-list new --not known).
class NewCommits {
 public:
  explicit NewCommits(const GitRepository& git) : git_(git) {}

  void AddKnown(const GitOid& oid) { Visit(oid, true); }

  std::vector<CommitInfo> From(const GitOid& tip) {
    Visit(tip, false);
    std::vector<GitOid> order;
    while (fresh_in_queue_ > 0) {
      auto [time, oid] = queue_.top();
      queue_.pop();
      Seen& seen = seen_.at(oid);
      seen.queued = false;
      if (!seen.known) {
        --fresh_in_queue_;
        order.push_back(oid);
      }
      bool known = seen.known;
      std::vector<GitOid> parents = seen.info.parents;
      for (const GitOid& parent : parents) Visit(parent, known);
    }
    std::vector<CommitInfo> result;
    for (const GitOid& oid : order) {
      Seen& seen = seen_.at(oid);
      if (!seen.known) result.push_back(seen.info);
    }
    return result;
  }

 private:
  struct Seen {
    CommitInfo info;
    bool known = false;
    bool queued = false;
  };

  void Visit(const GitOid& oid, bool known) {
    auto [entry, first] = seen_.try_emplace(oid);
    Seen& seen = entry->second;
    if (first) {
      seen.info = git_.ReadCommit(oid);
      seen.known = known;
      Queue(oid, &seen);
    } else if (known && !seen.known) {
      if (seen.queued) --fresh_in_queue_;
      seen.known = true;
      // Its parents were painted as new: go over them again.
      if (!seen.queued) Queue(oid, &seen);
    }
  }

  void Queue(const GitOid& oid, Seen* seen) {
    seen->queued = true;
    if (!seen->known) ++fresh_in_queue_;
    queue_.emplace(seen->info.committer.time, oid);
  }

  const GitRepository& git_;
  std::unordered_map<GitOid, Seen> seen_;
  std::priority_queue<std::pair<TimePoint, GitOid>> queue_;
  size_t fresh_in_queue_ = 0;
};

// Of all commits of a push together: each looks at its whole difference.
constexpr size_t kMaxPushedChanges = 5'000'000;

void CheckRefName(std::string_view ref) {
  std::string_view short_name;
  if (ref.starts_with("refs/heads/")) {
    short_name = ref.substr(11);
  } else if (ref.starts_with("refs/tags/")) {
    short_name = ref.substr(10);
  } else {
    throw Error(Code::kInvalidArgument,
                "Your push was rejected because " + std::string(ref) +
                    " is not a branch or a tag: the hub itself writes the other refs.");
  }
  if (std::optional<std::string> fault = storage::RefNameFault(short_name)) {
    throw Error(Code::kInvalidArgument,
                "Your push was rejected because of the name " + std::string(ref) + ": " + *fault);
  }
}

}  // namespace

void Commits::CheckIncoming(const RepoHandle& repo, const Actor& actor, const GitRepository& git,
                            const std::optional<GitOid>& before, const GitOid& after,
                            std::string_view ref) const {
  repo.Require(Right::kWrite);
  CheckRefName(ref);
  std::optional<GitOid> tip = git.FindCommit(after.Hex());
  if (!tip) {
    throw Error(Code::kInvalidArgument, "Your push was rejected because " + std::string(ref) +
                                            " does not point to a commit.");
  }
  // `before` may be an annotated tag; refs are listed as the commits that they lead to.
  std::optional<GitOid> old_tip = before ? git.FindCommit(before->Hex()) : std::nullopt;
  NewCommits walk(git);
  if (old_tip) walk.AddKnown(*old_tip);
  for (const storage::RefInfo& known : git.ListRefs()) walk.AddKnown(known.target);
  std::vector<CommitInfo> commits = walk.From(*tip);

  ContentRules rules(repo.record().type,
                     GitAttributes::Parse(ReadTextFile(git, *tip, ".gitattributes")),
                     std::string(ref));
  std::unordered_set<GitOid> judged;
  size_t changes = 0;
  for (const CommitInfo& commit : commits) {
    std::optional<GitOid> parent;
    if (!commit.parents.empty()) parent = commit.parents.front();
    std::vector<GitRepository::DiffEntry> difference = git.Diff(parent, commit.oid);
    changes += difference.size();
    if (changes > kMaxPushedChanges) {
      throw Error(Code::kTooLarge, "Your push was rejected because it changes more than " +
                                       std::to_string(kMaxPushedChanges) +
                                       " files: push its commits in several steps.");
    }
    for (const auto& entry : difference) {
      if (entry.kind == GitRepository::DiffEntry::Kind::kDeleted) continue;
      rules.CheckPath(entry.path);
      if (!judged.insert(entry.new_oid).second || !git.HasObject(entry.new_oid)) continue;
      // Too large to be read: its size alone decides.
      std::string content;
      if (entry.new_size <= kMaxRegularFileBytes) content = git.ReadBlob(entry.new_oid);
      rules.CheckFile(entry.path, entry.new_size, content);
      if (content.size() > storage::kMaxPointerBytes) continue;
      std::optional<storage::LfsPointer> pointer = storage::ParseLfsPointer(content);
      if (!pointer) continue;
      bool held = objects_.Claim(repo.record(), pointer->oid) == pointer->size_bytes ||
                  (objects_.GrantFromReadable(actor, repo, pointer->oid) &&
                   objects_.FindIn(repo.record(), pointer->oid) == pointer->size_bytes);
      if (!held) rules.AddMissingObject(entry.path, pointer->oid);
    }
  }
  // Only the card that the ref will show counts; an old one may have been put right since.
  if (!commits.empty() && ref.starts_with("refs/heads/")) {
    std::string card = ReadTextFile(git, *tip, "README.md");
    bool same = old_tip && ReadTextFile(git, *old_tip, "README.md") == card;
    if (!card.empty() && !same) rules.CheckCard("README.md", card);
  }
  rules.ThrowIfRefused();
}

}  // namespace hearth::hub
