// How the stock git programs are run: a fixed, hardened configuration, given by the environment so
// that neither the machine's nor the repository's files decide.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace hearth::server {

enum class GitService { kUploadPack, kReceivePack };

// "git-upload-pack" / "git-receive-pack".
std::string_view ServiceName(GitService service);
std::optional<GitService> ParseService(std::string_view name);

struct GitProcess {
  GitService service = GitService::kUploadPack;
  std::filesystem::path repository;
  std::filesystem::path hooks;     // folder of the pre-receive hook
  std::string protocol;            // the client's Git-Protocol header; "" = none
  bool advertise = false;          // list refs and end, instead of serving one request
  std::vector<std::string> extra;  // further "KEY=value" variables
};

// A process body without input, prefix and on_exit.
net::ProcessBody MakeGitProcess(const GitProcess& process);

// A Git-Protocol header that is safe to hand on ("version=2"), or "".
std::string SafeProtocol(std::string_view header);

// Makes the names of freshly pushed packs, objects and refs durable: git syncs files, not folders.
void SyncGitFolders(const std::filesystem::path& repository);

}  // namespace hearth::server
