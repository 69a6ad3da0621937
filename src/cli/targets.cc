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

std::string WhyUnread(fs::file_type type) {
  switch (type) {
    case fs::file_type::not_found:
      return "a link that leads nowhere";
    case fs::file_type::fifo:
      return "a pipe, not a file";
    case fs::file_type::socket:
      return "a socket, not a file";
    case fs::file_type::block:
    case fs::file_type::character:
      return "a device, not a file";
    default:
      return "not a regular file";
  }
}

// Does the link lead to a folder below the root, which is listed by its own name?
bool IsListedAnyway(const fs::path& link, const fs::path& root) {
  std::error_code fault;
  fs::path inside = fs::canonical(link, fault);
  if (fault) return false;
  inside = inside.lexically_relative(fs::canonical(root, fault));
  if (fault || inside.empty()) return false;
  return std::none_of(inside.begin(), inside.end(),
                      [](const fs::path& part) { return part == ".." || part == ".git"; });
}

}  // namespace

std::vector<TargetFile> ListTarget(const std::string& target) {
  fs::path root(target);
  std::error_code fault;
  if (!fs::exists(root, fault)) throw Error(Code::kNotFound, target + " does not exist");
  if (!fs::is_directory(root, fault)) {
    if (fs::is_regular_file(root, fault)) return {{root, root.filename().string()}};
    throw Error(
        Code::kInvalidArgument,
        target + " is not a regular file, so it cannot be read in pieces: save it to a file");
  }
  std::vector<TargetFile> files;
  std::vector<fs::path> folders = {root};
  while (!folders.empty()) {
    fs::path folder = std::move(folders.back());
    folders.pop_back();
    auto name_of = [&](const fs::path& path) { return path.lexically_relative(root).string(); };
    fs::directory_iterator at(folder, fault), end;
    while (!fault && at != end) {
      const fs::path path = at->path();
      std::error_code ignored;
      fs::file_type type = at->status(ignored).type();
      bool is_link = at->is_symlink(ignored);
      if (type == fs::file_type::regular) {
        files.push_back({path, name_of(path)});
      } else if (type == fs::file_type::directory && !is_link) {
        if (path.filename() != ".git") folders.push_back(path);
      } else if (type != fs::file_type::directory) {
        files.push_back({path, name_of(path), WhyUnread(type)});
      } else if (!IsListedAnyway(path, root)) {
        files.push_back(
            {path, name_of(path), "a link to a folder elsewhere, which is not followed"});
      }
      at.increment(fault);
    }
    if (fault) files.push_back({folder, name_of(folder), "the folder cannot be read"});
    fault.clear();
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
