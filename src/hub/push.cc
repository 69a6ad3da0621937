#include "hub/push.h"

#include <sys/stat.h>

#include <cstdlib>
#include <set>

#include "base/error.h"

namespace hearth::hub {
namespace {

// History beyond this is taken on trust below the tips: a mirror of a very large repository must end.
constexpr size_t kMaxCheckedCommits = 100000;

// A single-quoted word for sh.
std::string ShellQuote(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::optional<std::string> RefFault(const RefUpdate& update) {
  std::string_view ref = update.ref;
  if (!update.after && ref == "refs/heads/main") return "Cannot delete refs/heads/main";
  if (ref.starts_with("refs/pr/")) {
    // Its owner may move an existing pull request; the hub alone makes and removes them.
    if (!update.before) return "Cannot create " + update.ref + ": open a pull request instead";
    if (!update.after) return "Cannot delete " + update.ref;
    return std::nullopt;
  }
  if (ref.starts_with("refs/convert/")) return "Cannot push to " + update.ref;
  std::string_view name = ref;
  for (std::string_view prefix : {"refs/heads/", "refs/tags/"}) {
    if (ref.starts_with(prefix)) name = ref.substr(prefix.size());
  }
  if (name == ref) {
    return "Cannot push to " + update.ref + ": only branches and tags may be pushed";
  }
  if (!update.after) return std::nullopt;
  if (std::optional<std::string> fault = storage::RefNameFault(name)) {
    return "Cannot push to " + update.ref + ": " + *fault;
  }
  return std::nullopt;
}

// Commits below the tip cannot be mended by a further commit, so only what would harm the repository
// for ever counts there: files that are too large for git.
void CheckHistory(const storage::GitRepository& git, const std::vector<GitOid>& commits,
                  const GitOid& tip, const std::string& ref) {
  std::set<std::string> offenders;
  for (const GitOid& oid : commits) {
    if (oid == tip) continue;
    storage::CommitInfo info = git.ReadCommit(oid);
    std::optional<GitOid> parent;
    if (!info.parents.empty()) parent = info.parents.front();
    for (const auto& entry : git.Diff(parent, oid)) {
      if (entry.new_size > kMaxRegularFileBytes) offenders.insert(entry.path);
    }
  }
  if (offenders.empty()) return;
  std::string text =
      "Your push was rejected because it contains files larger than 10 MiB. "
      "Please use https://git-lfs.github.com/ to store large files.\n"
      "Offending files:";
  for (const std::string& path : offenders) text += "\n - " + path + " (ref: " + ref + ")";
  throw Error(Code::kInvalidArgument, text);
}

void CheckUpdate(const Commits& commits, const RepoHandle& repo, const Actor& actor,
                 const storage::GitRepository& git, const RefUpdate& update) {
  std::optional<GitOid> tip = git.FindCommit(update.after->Hex());
  if (!tip) {
    throw Error(Code::kInvalidArgument, update.ref + " does not point to a commit");
  }
  std::vector<GitOid> fresh = git.NewCommits(*tip, kMaxCheckedCommits);
  if (fresh.empty()) return;  // nothing that was not accepted before
  std::set<GitOid> fresh_set(fresh.begin(), fresh.end());
  // The newest accepted state that the tip builds on: what differs from it is what this push brings.
  std::optional<GitOid> base = tip;
  while (base && fresh_set.contains(*base)) {
    storage::CommitInfo info = git.ReadCommit(*base);
    base = info.parents.empty() ? std::nullopt : std::optional<GitOid>(info.parents.front());
  }
  CheckHistory(git, fresh, *tip, update.ref);
  commits.CheckIncoming(repo, actor, git, base, *tip, update.ref);
}

}  // namespace

PushEnvironment PushEnvironment::FromProcess(const std::filesystem::path& data) {
  auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  return {data, variable("HEARTH_PUSH_SOCKET"), variable("HEARTH_PUSH_TICKET"),
          variable("GIT_QUARANTINE_PATH")};
}

void InstallHooks(const std::filesystem::path& data, const std::string& program) {
  std::filesystem::path folder = data / "hooks";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) ThrowErrno("create folder " + folder.string(), error.value());
  std::string script = "#!/bin/sh\n# Written by hearth at every start.\nexec " +
                       ShellQuote(program) + " git-hook pre-receive --data " +
                       ShellQuote(data.string()) + "\n";
  WriteFileDurably(folder / "pre-receive", script, 0755);
}

std::optional<std::string> CheckPush(const Commits& commits, const RepoHandle& repo,
                                     const Actor& actor, const storage::GitRepository& git,
                                     const std::vector<RefUpdate>& updates) {
  for (const RefUpdate& update : updates) {
    if (std::optional<std::string> fault = RefFault(update)) return fault;
  }
  try {
    for (const RefUpdate& update : updates) {
      if (update.after) CheckUpdate(commits, repo, actor, git, update);
    }
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    return error.message();
  }
  return std::nullopt;
}

}  // namespace hearth::hub
