#include "server/git_http/git_process.h"

#include <algorithm>
#include <utility>

#include "base/file.h"

namespace hearth::server {
namespace {

// One pack of 4 GiB: more than the regular files of any sane repository (those above 10 MiB are
// refused anyway), less than what would fill a disk.
constexpr std::string_view kMaxInputBytes = "4294967296";

using Settings = std::vector<std::pair<std::string, std::string>>;

Settings CommonSettings() {
  return {
      // The data folder may belong to another user than the one that runs the hub (containers).
      {"safe.directory", "*"},
      {"gc.auto", "0"},
      {"maintenance.auto", "false"},
      // Only these are anybody's business; the rest is the hub's own.
      {"transfer.hideRefs", "refs"},
      {"transfer.hideRefs", "!refs/heads"},
      {"transfer.hideRefs", "!refs/tags"},
      {"transfer.hideRefs", "!refs/pr"},
      {"transfer.hideRefs", "!refs/convert"},
  };
}

Settings UploadSettings() {
  Settings settings = CommonSettings();
  settings.insert(settings.end(), {
                                      {"uploadpack.allowFilter", "true"},
                                      {"uploadpack.allowTipSHA1InWant", "true"},
                                      {"uploadpack.allowReachableSHA1InWant", "true"},
                                  });
  return settings;
}

Settings ReceiveSettings(const std::filesystem::path& hooks) {
  Settings settings = CommonSettings();
  settings.insert(settings.end(), {
                                      {"core.hooksPath", hooks.string()},
                                      {"core.fsync", "all"},
                                      {"core.fsyncMethod", "fsync"},
                                      {"receive.fsckObjects", "true"},
                                      // Old importers wrote such trees; git itself reads them well.
                                      {"receive.fsck.zeroPaddedFilemode", "warn"},
                                      {"receive.autogc", "false"},
                                      {"receive.updateServerInfo", "false"},
                                      {"receive.maxInputSize", std::string(kMaxInputBytes)},
                                      // The hook refuses to delete main, with its own words.
                                      {"receive.denyDeleteCurrent", "ignore"},
                                      {"receive.denyCurrentBranch", "ignore"},
                                  });
  return settings;
}

void SyncTree(const std::filesystem::path& folder, int depth) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (depth > 0 && entry.is_directory(error) && !entry.is_symlink(error)) {
      SyncTree(entry.path(), depth - 1);
    }
  }
  FsyncFolder(folder);
}

}  // namespace

std::string_view ServiceName(GitService service) {
  return service == GitService::kUploadPack ? "git-upload-pack" : "git-receive-pack";
}

std::optional<GitService> ParseService(std::string_view name) {
  for (GitService service : {GitService::kUploadPack, GitService::kReceivePack}) {
    if (name == ServiceName(service)) return service;
  }
  return std::nullopt;
}

std::string SafeProtocol(std::string_view header) {
  if (header.size() > 200) return "";
  bool safe = std::all_of(header.begin(), header.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '=' || c == ':' || c == '-' || c == '.' || c == '_';
  });
  return safe ? std::string(header) : "";
}

net::ProcessBody MakeGitProcess(const GitProcess& process) {
  net::ProcessBody body;
  body.argv = {"git", std::string(ServiceName(process.service)).substr(4), "--stateless-rpc"};
  if (process.advertise) body.argv.push_back("--advertise-refs");
  body.argv.push_back(process.repository.string());
  Settings settings = process.service == GitService::kUploadPack ? UploadSettings()
                                                                 : ReceiveSettings(process.hooks);
  body.env = {"GIT_CONFIG_NOSYSTEM=1",        "GIT_CONFIG_GLOBAL=/dev/null",
              "GIT_ATTR_NOSYSTEM=1",          "GIT_TERMINAL_PROMPT=0",
              "GIT_NO_REPLACE_OBJECTS=1",     "HOME=/nonexistent",
              "XDG_CONFIG_HOME=/nonexistent", "LC_ALL=C.UTF-8"};
  if (!process.protocol.empty()) body.env.push_back("GIT_PROTOCOL=" + process.protocol);
  body.env.push_back("GIT_CONFIG_COUNT=" + std::to_string(settings.size()));
  for (size_t i = 0; i < settings.size(); ++i) {
    body.env.push_back("GIT_CONFIG_KEY_" + std::to_string(i) + "=" + settings[i].first);
    body.env.push_back("GIT_CONFIG_VALUE_" + std::to_string(i) + "=" + settings[i].second);
  }
  body.env.insert(body.env.end(), process.extra.begin(), process.extra.end());
  return body;
}

void SyncGitFolders(const std::filesystem::path& repository) {
  SyncTree(repository / "objects", 1);
  SyncTree(repository / "refs", 64);
  FsyncFolder(repository);
}

}  // namespace hearth::server
