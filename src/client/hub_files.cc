#include "client/hub_files.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/error.h"
#include "client/internal/http_request.h"
#include "client/model_id.h"
#include "codec/json.h"
#include "codec/percent.h"

namespace hearth::client {
namespace {

// The owner's and the repository's names; a name with the ending of a weight file is a file.
bool LooksLikeName(std::string_view name) {
  if (name.empty() || name.size() > 96 || name.front() == '.') return false;
  for (std::string_view ending : {".bin", ".pt", ".pth", ".gguf", ".safetensors", ".onnx", ".json",
                                  ".h5", ".npy", ".npz", ".zip", ".gz", ".pkl", ".txt"}) {
    if (name.ends_with(ending)) return false;
  }
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

std::string Join(const std::vector<std::string_view>& parts, size_t from) {
  std::string text;
  for (size_t i = from; i < parts.size(); ++i)
    text += (i > from ? "/" : "") + DecodePercent(parts[i]);
  return text;
}

std::string PagePrefix(const HubAddress& address) {
  return address.origin + "/" + (address.kind == "models" ? "" : address.kind + "/") +
         address.repository;
}

// <http://hub/api/...?cursor=x>; rel="next"
std::string NextPage(std::string_view link) {
  for (std::string_view part : Split(link, ',')) {
    size_t open = part.find('<'), close = part.find('>');
    bool whole = open != std::string_view::npos && close != std::string_view::npos && open < close;
    if (whole && part.substr(close).find("rel=\"next\"") != std::string_view::npos)
      return std::string(part.substr(open + 1, close - open - 1));
  }
  return "";
}

// The pages of a list stay on the hub that was asked.
HttpAnswer GetPage(HttpConnection* connection, std::string place, const HttpSourceOptions& options,
                   uint64_t max_bytes) {
  std::string origin = OriginOf(place);
  for (int hop = 0; hop <= options.max_redirects; ++hop) {
    HttpAnswer answer = connection->Get(place, "", max_bytes, options);
    if (answer.location.empty()) {
      CheckStatus(answer.status, place);
      return answer;
    }
    place = answer.location;
    if (OriginOf(place) != origin)
      throw Error(Code::kUnavailable, "the list of files leads to another host");
  }
  throw Error(Code::kUnavailable, place + " redirects too often");
}

void TakeEntries(const Json& page, const HubAddress& address, std::vector<HubFile>* files) {
  if (page.AsArray() == nullptr) throw Error(Code::kInvalidArgument, "the hub's answer is no list");
  std::string prefix = PagePrefix(address) + "/resolve/" + EscapePath(address.revision, "") + "/";
  for (const Json& entry : *page.AsArray()) {
    const Json* type = entry.Find("type");
    const Json* path = entry.Find("path");
    const Json* size = entry.Find("size");
    bool file = type != nullptr && type->AsString() != nullptr && *type->AsString() == "file";
    if (!file || path == nullptr || path->AsString() == nullptr) continue;
    if (!IsPlainPath(*path->AsString()))
      throw Error(Code::kInvalidArgument, "the hub lists the odd path " + *path->AsString());
    uint64_t bytes = size != nullptr ? size->AsUint().value_or(0) : 0;
    files->push_back({*path->AsString(), bytes, prefix + EscapePath(*path->AsString(), "/")});
  }
}

}  // namespace

std::optional<HubAddress> ParseHubAddress(const std::string& address) {
  HubAddress hub;
  size_t scheme = address.find("://");
  if (OriginOf(address).empty() || scheme == std::string::npos ||
      address.find_first_of("?#") != std::string::npos) {
    return std::nullopt;
  }
  size_t slash = address.find('/', scheme + 3);
  if (slash == std::string::npos) return std::nullopt;
  hub.origin = address.substr(0, slash);
  std::string_view path = std::string_view(address).substr(slash + 1);
  while (path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string_view> parts = Split(path, '/');
  if (!parts.empty() && (parts[0] == "datasets" || parts[0] == "spaces" || parts[0] == "models")) {
    hub.kind = std::string(parts[0]);
    parts.erase(parts.begin());
  }
  if (parts.size() < 2 || !LooksLikeName(parts[0]) || !LooksLikeName(parts[1])) return std::nullopt;
  hub.repository = std::string(parts[0]) + "/" + std::string(parts[1]);
  if (parts.size() == 2) return hub;
  if (parts[2] != "tree" || parts.size() < 4) return std::nullopt;
  hub.certain = true;
  hub.revision = DecodePercent(parts[3]);
  hub.folder = Join(parts, 4);
  return hub;
}

std::string ResolveAddress(const std::string& address) {
  size_t scheme = address.find("://");
  size_t at = address.find("/blob/");
  if (scheme == std::string::npos || at == std::string::npos) return address;
  std::string_view before = std::string_view(address).substr(scheme + 3, at - scheme - 3);
  auto slashes = std::count(before.begin(), before.end(), '/');
  bool page =
      slashes == 2 || (slashes == 3 && (before.find("/datasets/") != std::string_view::npos ||
                                        before.find("/spaces/") != std::string_view::npos));
  return page ? address.substr(0, at) + "/resolve/" + address.substr(at + 6) : address;
}

std::vector<HubFile> ListHubFiles(const HubAddress& address, const HttpSourceOptions& options,
                                  const std::function<void(size_t)>& listed,
                                  const HubListLimits& limits) {
  HttpConnection connection;
  std::string place = address.origin + "/api/" + address.kind + "/" + address.repository +
                      "/tree/" + EscapePath(address.revision, "");
  if (!address.folder.empty()) place += "/" + EscapePath(address.folder, "/");
  place += "?recursive=true";
  std::vector<HubFile> files;
  std::set<std::string> pages;
  while (!place.empty()) {
    if (!pages.insert(place).second)
      throw Error(Code::kUnavailable, "the list of files goes in circles");
    if (pages.size() > limits.max_pages || files.size() > limits.max_files)
      throw Error(Code::kTooLarge, "the repository has too many files to list");
    HttpAnswer answer = GetPage(&connection, place, options, limits.max_page_bytes);
    TakeEntries(Json::Parse(answer.body), address, &files);
    listed(files.size());
    std::string next = NextPage(answer.link);
    if (!next.empty() && next.front() == '/') next = address.origin + next;
    if (!next.empty() && OriginOf(next) != OriginOf(address.origin))
      throw Error(Code::kUnavailable, "the list of files leads to another host");
    place = std::move(next);
  }
  return files;
}

std::optional<std::string> FindHubCommit(const HubAddress& address,
                                         const HttpSourceOptions& options) {
  constexpr uint64_t kMaxBytes = 32 << 20;  // what is known of a repository lists its files
  constexpr size_t kHexDigits = 40;
  HttpConnection connection;
  std::string place = address.origin + "/api/" + address.kind + "/" + address.repository +
                      "/revision/" + EscapePath(address.revision, "");
  try {
    Json answer = Json::Parse(GetPage(&connection, place, options, kMaxBytes).body);
    std::optional<std::string> commit =
        answer.is_object() ? answer.StringField("sha") : std::nullopt;
    if (commit && commit->size() == kHexDigits && IsLowerHex(*commit)) return commit;
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
  }
  return std::nullopt;
}

}  // namespace hearth::client
