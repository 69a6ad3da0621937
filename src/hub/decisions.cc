#include "hub/decisions.h"

#include "base/error.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {
namespace {

constexpr std::string_view kName = "decisions";
constexpr int kMaxSameDay = 200;
constexpr int kTries = 5;
constexpr size_t kMaxNameBytes = 120;

constexpr std::string_view kCard =
    "# Decisions\n\n"
    "Notes on which models, data sets and Spaces were chosen, and why: each at pinned commits, "
    "with "
    "what the inspector found on that day. One file a note below `notes/`, as Markdown and as "
    "JSON.\n";

RepoHandle OpenOrMake(Repos& repos, const Actor& actor, const std::string& into) {
  if (!into.empty()) return repos.Open(actor, RepoType::kDataset, into, Right::kWrite);
  if (repos.Find(RepoType::kDataset, actor.user_name, kName) != nullptr) {
    return repos.Open(actor, RepoType::kDataset, actor.user_name + "/" + std::string(kName),
                      Right::kWrite);
  }
  NewRepo repo;
  repo.type = RepoType::kDataset;
  repo.name = kName;
  repo.is_private = true;
  repo.files = {{"README.md", std::string(kCard)}};
  try {
    return repos.Create(actor, repo);
  } catch (const Error& error) {
    if (error.code() != Code::kConflict) throw;
  }
  // Another request of the same person was first.
  return repos.Open(actor, RepoType::kDataset, actor.user_name + "/" + std::string(kName),
                    Right::kWrite);
}

std::string FreeName(const storage::GitRepository& git, const std::optional<GitOid>& head,
                     const std::string& name) {
  for (int number = 1; number <= kMaxSameDay; ++number) {
    std::string tried = "notes/" + name + (number > 1 ? "-" + std::to_string(number) : "");
    if (!head || (!git.FindEntry(*head, tried + ".md") && !git.FindEntry(*head, tried + ".json")))
      return tried;
  }
  throw Error(Code::kConflict, "There are too many notes of this day and name");
}

CommitOperation Put(std::string path, const std::string& content) {
  CommitFile file;
  file.path = std::move(path);
  file.content = content;
  return file;
}

}  // namespace

std::string DecisionName(std::string_view date, std::string_view id) {
  std::string name(date);
  name += '-';
  for (char c : id) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_' || (c == '.' && !name.ends_with('.'));
    name += plain ? c : '-';
  }
  if (name.size() > kMaxNameBytes) name.resize(kMaxNameBytes);
  while (name.ends_with('.') || name.ends_with('-')) name.pop_back();
  return name;
}

SavedDecision SaveDecision(Repos& repos, Commits& commits, const Actor& actor,
                           const DecisionFiles& files, const std::string& into) {
  if (!actor.signed_in()) throw Error(Code::kUnauthenticated, "Sign in to save a note");
  for (int left = kTries;; --left) {
    RepoHandle repo = OpenOrMake(repos, actor, into);
    if (!repo.record().is_private) {
      throw Error(Code::kConflict, repo.record().FullName() +
                                       " is public, and a note may tell of private repositories: "
                                       "make it private, or name another one");
    }
    auto git = storage::GitRepository::Open(repo.git_folder());
    std::optional<GitOid> head = git.FindRef("refs/heads/main");
    std::string path = FreeName(git, head, files.name);
    CommitRequest request;
    request.revision = "main";
    request.summary = "Decide: " + files.title;
    if (head) request.parent_commit = head->Hex();
    request.operations = {Put(path + ".md", files.markdown), Put(path + ".json", files.json)};
    try {
      CommitResult result = commits.Apply(actor, repo, request);
      return {repo.ptr(), result.oid, path + ".md"};
    } catch (const Error& error) {
      // Somebody committed in between: the name may be taken now.
      if (error.code() != Code::kPreconditionFailed || left == 1) throw;
    }
  }
}

}  // namespace hearth::hub
