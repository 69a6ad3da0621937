// Folders and files of a revision (wire reference, sections 2.1 and 2.5).
#include <unordered_map>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"
#include "server/inspector_api/safety_json.h"
#include "server/route.h"
#include "storage/git/git_repository.h"

namespace hearth::server {
namespace {

using storage::EntryKind;
using storage::GitRepository;
using storage::TreeEntry;

constexpr size_t kPageSize = 1000;
constexpr size_t kExpandedPageSize = 100;
constexpr uint64_t kMaxPathsBytes = 16u << 20;

struct LfsInfo {
  storage::LfsPointer pointer;
  uint64_t pointer_bytes;
};

// Only a blob of a pointer's size is read.
std::optional<LfsInfo> FindLfs(const GitRepository& git, const TreeEntry& entry) {
  // "version ...", "oid sha256:<64>" and "size 0" cannot be shorter.
  constexpr uint64_t kMinPointerBytes = 100;
  if (entry.kind != EntryKind::kFile && entry.kind != EntryKind::kExecutable) return std::nullopt;
  if (entry.size_bytes < kMinPointerBytes || entry.size_bytes > storage::kMaxPointerBytes) {
    return std::nullopt;
  }
  std::optional<storage::LfsPointer> pointer = storage::ParseLfsPointer(git.ReadBlob(entry.oid));
  if (!pointer) return std::nullopt;
  return LfsInfo{*pointer, entry.size_bytes};
}

Json EntryJson(const TreeEntry& entry, const std::optional<LfsInfo>& lfs) {
  bool folder = entry.kind == EntryKind::kFolder;
  Json json = Json::Obj({{"type", folder ? "directory" : "file"},
                         {"oid", entry.oid.Hex()},
                         {"size", folder ? 0 : entry.size_bytes},
                         {"path", entry.path}});
  if (lfs) {
    json.Set("size", lfs->pointer.size_bytes);
    json.Set("lfs", Json::Obj({{"oid", lfs->pointer.oid.Hex()},
                               {"size", lfs->pointer.size_bytes},
                               {"pointerSize", lfs->pointer_bytes}}));
  }
  return json;
}

// Without the last commits. Clients that see xetHash fetch the file without another look at it.
Json::Array PlainEntries(const Context& context, const GitRepository& git,
                         const std::vector<TreeEntry>& entries) {
  Json::Array list;
  list.reserve(entries.size());
  std::vector<Sha256> oids;
  std::vector<size_t> places;
  for (const TreeEntry& entry : entries) {
    std::optional<LfsInfo> lfs = FindLfs(git, entry);
    if (lfs) {
      oids.push_back(lfs->pointer.oid);
      places.push_back(list.size());
    }
    list.push_back(EntryJson(entry, lfs));
  }
  auto hashes = context.hub.objects().XetHashesIn(context.repo().record(), oids);
  for (size_t i = 0; i < oids.size(); ++i) {
    auto found = hashes.find(oids[i]);
    if (found != hashes.end()) list[places[i]].Set("xetHash", found->second.Text());
  }
  return list;
}

void AddSafety(const Context& context, const GitRepository& git,
               const std::vector<TreeEntry>& entries, Json::Array* list) {
  std::vector<hub::SafetyKey> keys;
  std::vector<size_t> places;
  for (size_t i = 0; i < entries.size(); ++i) {
    const TreeEntry& entry = entries[i];
    if (entry.kind != EntryKind::kFile && entry.kind != EntryKind::kExecutable) continue;
    std::optional<LfsInfo> lfs = FindLfs(git, entry);
    std::optional<Sha256> oid;
    if (lfs) oid = lfs->pointer.oid;
    keys.push_back(hub::SafetyKeyOf(entry.path, entry.oid, oid,
                                    lfs ? lfs->pointer.size_bytes : entry.size_bytes));
    places.push_back(i);
  }
  auto found =
      context.hub.safety().Find(context.repo().record(), keys, hub::Safety::Detail::kReports);
  for (size_t i = 0; i < found.size(); ++i) {
    Json status = FileSafetyJson(found[i]);
    if (!status.is_null()) (*list)[places[i]].Set("securityFileStatus", std::move(status));
  }
}

Json EntriesJson(const Context& context, const GitRepository& git, const GitOid& commit,
                 const std::vector<TreeEntry>& entries, bool expand) {
  Json::Array list = PlainEntries(context, git, entries);
  if (!expand) return Json(std::move(list));
  std::vector<std::string> paths;
  std::unordered_map<std::string, Json> last_commits;
  for (const TreeEntry& entry : entries) paths.push_back(entry.path);
  for (const auto& [path, last] : git.LastCommits(commit, paths)) {
    last_commits[path] = Json::Obj({{"id", last.oid.Hex()},
                                    {"title", last.Title()},
                                    {"date", FormatIso8601(last.author.time)}});
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    auto found = last_commits.find(entries[i].path);
    if (found != last_commits.end()) list[i].Set("lastCommit", found->second);
  }
  if (MayReadSafety(context)) AddSafety(context, git, entries, &list);
  return Json(std::move(list));
}

// A page goes on in the commit where the first one began, even if the branch moved meanwhile.
struct TreeCursor {
  GitOid commit;
  std::string after_path;

  std::string Encode() const { return Base64UrlEncode(commit.Hex() + ":" + after_path); }
  static TreeCursor Parse(std::string_view text) {
    std::optional<std::string> raw = Base64UrlDecode(text);
    std::optional<GitOid> commit;
    if (raw && raw->size() > 41 && (*raw)[40] == ':') commit = GitOid::FromHex(raw->substr(0, 40));
    if (!commit) throw Error(Code::kInvalidArgument, "Invalid cursor");
    return {*commit, raw->substr(41)};
  }
};

size_t PageLimit(const net::Request& request, size_t most) {
  std::optional<std::string> text = request.QueryParam("limit");
  if (!text) return most;
  std::optional<uint64_t> limit = ParseUint(*text);
  if (!limit || *limit == 0) throw Error(Code::kInvalidArgument, "limit must be a positive number");
  return std::min<uint64_t>(*limit, most);
}

[[noreturn]] void ThrowNoEntry(const RevisionAndPath& where, const GitOid& commit) {
  throw Error(Code::kNotFound, where.path + " does not exist on \"" + where.revision + "\"")
      .WithWireCode("EntryNotFound")
      .WithHeader("X-Repo-Commit", commit.Hex());
}

std::string TrimSlashes(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  while (path.starts_with('/')) path.erase(0, 1);
  return path;
}

net::Response ListTree(Context& context) {
  RevisionAndPath where = SplitRevisionPath(context.request.RawCapture("rev_path"));
  where.path = TrimSlashes(std::move(where.path));
  bool expand = context.request.QueryFlag("expand", false);
  size_t limit = PageLimit(context.request, expand ? kExpandedPageSize : kPageSize);
  auto git = GitRepository::Open(context.repo().git_folder());
  GitOid commit = hub::Commits::ResolveRevision(git, where.revision);

  GitRepository::ListOptions options;
  options.recursive = context.request.QueryFlag("recursive", false);
  options.limit = limit + 1;  // one more says whether there is a next page
  if (std::optional<std::string> cursor = context.request.QueryParam("cursor")) {
    TreeCursor start = TreeCursor::Parse(*cursor);
    if (!git.FindCommit(start.commit.Hex())) throw Error(Code::kInvalidArgument, "Invalid cursor");
    commit = start.commit;
    options.after_path = start.after_path;
  }
  std::optional<TreeEntry> folder = git.FindEntry(commit, where.path);
  if (!folder || folder->kind != EntryKind::kFolder) ThrowNoEntry(where, commit);

  std::vector<TreeEntry> entries = git.ListTree(commit, where.path, options);
  bool more = entries.size() > limit;
  if (more) entries.pop_back();
  net::Response response = JsonResponse(EntriesJson(context, git, commit, entries, expand));
  if (more) AddNextLink(&response, context, TreeCursor{commit, entries.back().path}.Encode());
  response.headers.Set("X-Repo-Commit", commit.Hex());
  return response;
}

struct PathsRequest {
  std::vector<std::string> paths;
  bool expand = false;
};

// A form from Python, JSON from JavaScript.
PathsRequest ParsePathsRequest(Context& context) {
  PathsRequest wanted;
  std::string type = AsciiLower(context.request.headers.Get("Content-Type"));
  if (type.starts_with("application/json")) {
    Json body = context.JsonBody();
    const Json* paths = body.Find("paths");
    if (paths != nullptr && paths->is_string()) {
      wanted.paths.push_back(*paths->AsString());
    } else {
      for (const Json& path : body.RequireArray("paths")) {
        const std::string* text = path.AsString();
        if (text == nullptr) throw Error(Code::kInvalidArgument, "paths must be strings");
        wanted.paths.push_back(*text);
      }
    }
    wanted.expand = body.BoolField("expand").value_or(false);
    return wanted;
  }
  for (auto& [key, value] : net::ParseForm(context.request.body.ReadAll())) {
    if (key == "paths" || key == "paths[]") wanted.paths.push_back(std::move(value));
    if (key == "expand") wanted.expand = AsciiEqualsIgnoreCase(value, "true") || value == "1";
  }
  return wanted;
}

net::Response PathsInfo(Context& context) {
  RevisionAndPath where = SplitRevisionPath(context.request.RawCapture("rev"));
  if (!where.path.empty()) where.revision += "/" + where.path;  // a branch with a bare slash
  PathsRequest wanted = ParsePathsRequest(context);
  auto git = GitRepository::Open(context.repo().git_folder());
  GitOid commit = hub::Commits::ResolveRevision(git, where.revision);
  std::vector<TreeEntry> entries;
  std::unordered_set<std::string> seen;
  for (std::string& path : wanted.paths) {
    path = TrimSlashes(std::move(path));
    // Once each: a small body of repeats would otherwise make an answer of gigabytes.
    if (path.empty() || !seen.insert(path).second) continue;
    if (std::optional<TreeEntry> entry = git.FindEntry(commit, path)) {
      entries.push_back(*std::move(entry));
    }
  }
  net::Response response = JsonResponse(EntriesJson(context, git, commit, entries, wanted.expand));
  response.headers.Set("X-Repo-Commit", commit.Hex());
  return response;
}

// One request sums at most this many entries; each costs a look at its blob.
constexpr size_t kMaxSummedEntries = 100'000;

net::Response TreeSize(Context& context) {
  RevisionAndPath where = SplitRevisionPath(context.request.RawCapture("rev_path"));
  where.path = TrimSlashes(std::move(where.path));
  auto git = GitRepository::Open(context.repo().git_folder());
  GitOid commit = hub::Commits::ResolveRevision(git, where.revision);
  std::optional<TreeEntry> root = git.FindEntry(commit, where.path);
  if (!root) ThrowNoEntry(where, commit);
  std::vector<TreeEntry> entries{*root};
  if (root->kind == EntryKind::kFolder) {
    GitRepository::ListOptions options;
    options.recursive = true;
    options.limit = kMaxSummedEntries + 1;
    entries = git.ListTree(commit, where.path, options);
    if (entries.size() > kMaxSummedEntries) {
      throw Error(Code::kUnprocessable, "The folder has more than " +
                                            std::to_string(kMaxSummedEntries) +
                                            " entries: ask for the size of a smaller one");
    }
  }
  uint64_t total = 0;
  for (const TreeEntry& entry : entries) {
    std::optional<LfsInfo> lfs = FindLfs(git, entry);
    total += lfs ? lfs->pointer.size_bytes : entry.size_bytes;
  }
  return JsonResponse(Json::Obj({{"path", where.path}, {"size", total}}));
}

}  // namespace

void RegisterTreeApi(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/tree/{rev_path...}",
             .access = Access::kRepoInfo,
             .handle = ListTree,
             .summary = "Lists a folder of a revision."});
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/paths-info/{rev...}",
             .access = Access::kRepoInfo,
             .handle = PathsInfo,
             .body = {.max_bytes = kMaxPathsBytes},
             .summary = "Describes given paths of a revision."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/treesize/{rev_path...}",
             .access = Access::kRepoInfo,
             .handle = TreeSize,
             .summary = "Sum of the file sizes below a path."});
}

}  // namespace hearth::server
