#include "hub/push.h"

#include <sys/stat.h>

#include <cstdlib>

#include "base/error.h"

namespace hearth::hub {
namespace {

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

// What CheckIncoming cannot see: deletions, and refs that are the hub's own.
std::optional<std::string> RefFault(const RefUpdate& update) {
  std::string_view ref = update.ref;
  bool own = ref.starts_with("refs/heads/") || ref.starts_with("refs/tags/");
  if (!own) {
    return "Cannot " + std::string(update.after ? "push to " : "delete ") + update.ref +
           ": only branches and tags may be pushed";
  }
  if (!update.after && ref == "refs/heads/main") return "Cannot delete refs/heads/main";
  return std::nullopt;
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
      if (update.after) {
        commits.CheckIncoming(repo, actor, git, update.before, *update.after, update.ref);
      }
    }
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    return error.message();
  }
  return std::nullopt;
}

}  // namespace hearth::hub
