#include "cli/targets.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "cli/progress.h"
#include "client/http_source.h"
#include "formats/source/file_source.h"

namespace hearth::cli {
namespace {

namespace fs = std::filesystem;

// HF_TOKEN belongs to HF_ENDPOINT, or to the default hub.
client::HttpSourceOptions TokenOptions() {
  client::HttpSourceOptions options;
  const char* token = std::getenv("HF_TOKEN");
  const char* endpoint = std::getenv("HF_ENDPOINT");
  if (token != nullptr) options.token = token;
  options.token_origin =
      endpoint != nullptr && *endpoint != '\0' ? endpoint : "https://huggingface.co";
  return options;
}

}  // namespace

std::vector<TargetFile> ListTarget(const std::string& target) {
  fs::path root(target);
  std::error_code fault;
  if (!fs::exists(root, fault)) throw Error(Code::kNotFound, target + " does not exist");
  if (!fs::is_directory(root, fault)) return {{root, root.filename().string()}};
  std::vector<TargetFile> files;
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, fault),
      end;
  while (!fault && at != end) {
    if (at->path().filename() == ".git") {
      at.disable_recursion_pending();
    } else if (at->is_regular_file(fault)) {
      files.push_back({at->path(), at->path().lexically_relative(root).string()});
    }
    at.increment(fault);
  }
  std::sort(files.begin(), files.end(),
            [](const TargetFile& a, const TargetFile& b) { return a.name < b.name; });
  return files;
}

std::unique_ptr<ByteSource> OpenTarget(const fs::path& path) {
  return std::make_unique<FileSource>(path);
}

bool IsAddress(const std::string& target) {
  return target.starts_with("http://") || target.starts_with("https://");
}

std::unique_ptr<ByteSource> OpenAddress(const std::string& address) {
  return std::make_unique<client::HttpSource>(client::ResolveAddress(address), TokenOptions());
}

std::optional<std::vector<client::HubFile>> ListRepository(const std::string& address) {
  std::optional<client::HubAddress> hub = client::ParseHubAddress(address);
  if (!hub) return std::nullopt;
  Progress progress("listing files", 0);
  try {
    return client::ListHubFiles(*hub, TokenOptions(), [&](size_t n) { progress.Update(n); });
  } catch (const Error& error) {
    // Two names may also be a folder and a file of some other server.
    bool answered = error.code() == Code::kNotFound || error.code() == Code::kInvalidArgument;
    if (hub->certain || !answered) throw;
    return std::nullopt;
  }
}

std::optional<std::string> FindCommitOf(const client::HubAddress& address) {
  return client::FindHubCommit(address, TokenOptions());
}

std::string AddressFileName(const std::string& address) {
  std::string path = address.substr(0, address.find_first_of("?#"));
  return path.substr(path.rfind('/') + 1);
}

bool WantsColour() {
  const char* refused = std::getenv("NO_COLOR");
  return (refused == nullptr || *refused == '\0') && ::isatty(STDOUT_FILENO) != 0;
}

}  // namespace hearth::cli
