// The files of a repository: a folder, and one file.
#include "base/error.h"
#include "codec/yaml.h"
#include "hub/commits.h"
#include "server/pages/repo_view.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

constexpr size_t kEntriesPerPage = 1000;
constexpr uint64_t kMaxShownBytes = 512 << 10;  // a longer text file is offered raw

Json EntryRow(const RepoPlace& view, const storage::TreeEntry& entry) {
  size_t slash = entry.path.rfind('/');
  Json row =
      Json::Obj({{"path", entry.path},
                 {"name", slash == std::string::npos ? entry.path : entry.path.substr(slash + 1)},
                 {"folder", entry.kind == storage::EntryKind::kFolder},
                 {"size", entry.size_bytes}});
  if (entry.kind == storage::EntryKind::kFile && entry.size_bytes <= storage::kMaxPointerBytes) {
    if (std::optional<storage::LfsPointer> pointer =
            storage::ParseLfsPointer(view.git.ReadBlob(entry.oid, storage::kMaxPointerBytes))) {
      row.Set("size", pointer->size_bytes);
      row.Set("lfs", true);
    }
  }
  return row;
}

net::Response TreePage(Context& context) {
  RepoPlace view = OpenPlace(context, context.request.RawCapture("rev_path"));
  storage::GitRepository::ListOptions options;
  options.limit = kEntriesPerPage + 1;
  options.after_path = context.request.QueryParam("after").value_or("");
  std::vector<storage::TreeEntry> entries = view.git.ListTree(view.commit, view.path, options);
  Json data = RepoPageData(context, "files", view.revision, HeadFacts(context).get());
  if (entries.size() > kEntriesPerPage) {
    entries.pop_back();
    data.Set("after", entries.back().path);
  }
  std::vector<std::string> paths;
  std::string readme;
  for (const storage::TreeEntry& entry : entries) {
    paths.push_back(entry.path);
    if (entry.path.ends_with("README.md") && entry.kind == storage::EntryKind::kFile)
      readme = entry.path;
  }
  Json changes = Json::Obj();
  TimePoint now = context.hub.clock().Now();
  // Ages are shown for folders of ordinary size; in larger ones the walk through history would cost
  // more than it tells.
  if (paths.size() <= 200) {
    for (const auto& [path, commit] : view.git.LastCommits(view.commit, paths, 2000)) {
      changes.Set(path, Json::Obj({{"title", commit.Title()},
                                   {"oid", commit.oid.Hex()},
                                   {"ago", Ago(commit.committer.time, now)}}));
    }
  }
  Json rows = Json::Arr();
  for (bool folders : {true, false}) {
    for (const storage::TreeEntry& entry : entries) {
      if ((entry.kind == storage::EntryKind::kFolder) != folders) continue;
      Json row = EntryRow(view, entry);
      if (const Json* change = changes.Find(entry.path)) row.Set("change", *change);
      rows.Push(std::move(row));
    }
  }
  storage::CommitInfo commit = view.git.ReadCommit(view.commit);
  data.Set("entries", std::move(rows));
  data.Set("crumbs", Crumbs(view.path));
  data.Set("branches", BranchNames(view.git));
  data.Set("commit", Json::Obj({{"oid", commit.oid.Hex()},
                                {"title", commit.Title()},
                                {"author", commit.author.name},
                                {"ago", Ago(commit.committer.time, now)}}));
  // The list of files is open where a gate guards their content.
  bool may_read = context.repo().right() >= hub::Right::kReadContent;
  if (may_read && !readme.empty() && !view.path.empty()) {
    if (std::optional<storage::TreeEntry> entry = view.git.FindEntry(view.commit, readme)) {
      data.Set("readme", CardHtml(context, SplitFrontMatter(view.git.ReadBlob(entry->oid)).body,
                                  view.revision, view.path));
    }
  }
  return RenderPage(context, "repo_tree.html", std::move(data));
}

bool IsPicture(std::string_view path) {
  for (std::string_view suffix : {".png", ".jpg", ".jpeg", ".gif", ".webp"}) {
    if (path.ends_with(suffix)) return true;
  }
  return false;
}

net::Response BlobPage(Context& context) {
  RepoPlace view = OpenPlace(context, context.request.RawCapture("rev_path"));
  std::optional<storage::TreeEntry> entry = view.git.FindEntry(view.commit, view.path);
  if (!entry || entry->kind == storage::EntryKind::kFolder) {
    throw Error(Code::kNotFound, "There is no file " + view.path + " at " + view.revision)
        .WithWireCode("EntryNotFound");
  }
  Json data = RepoPageData(context, "files", view.revision, HeadFacts(context).get());
  data.Set("crumbs", Crumbs(view.path));
  data.Set("file", view.path);
  data.Set("size", entry->size_bytes);
  data.Set("oid", entry->oid.Hex());
  data.Set("picture", IsPicture(view.path));
  std::string text = entry->size_bytes <= kMaxShownBytes
                         ? view.git.ReadBlob(entry->oid, kMaxShownBytes)
                         : std::string();
  if (std::optional<storage::LfsPointer> pointer = storage::ParseLfsPointer(text)) {
    data.Set("lfs", Json::Obj({{"oid", pointer->oid.Hex()}, {"size", pointer->size_bytes}}));
    data.Set("size", pointer->size_bytes);
  } else if (view.path.ends_with(".md") && !text.empty()) {
    size_t slash = view.path.rfind('/');
    data.Set("markdown", CardHtml(context, SplitFrontMatter(text).body, view.revision,
                                  slash == std::string::npos ? "" : view.path.substr(0, slash)));
  } else if (entry->size_bytes <= kMaxShownBytes && !hub::LooksBinary(text)) {
    data.Set("text", Utf8Lossy(text));
  }
  return RenderPage(context, "repo_blob.html", std::move(data));
}

}  // namespace

void RegisterRepoFilePages(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/tree/{rev_path...}",
             .access = Access::kRepoInfo,
             .handle = TreePage,
             .surface = Surface::kPage,
             .summary = "Files of a folder."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/blob/{rev_path...}",
             .access = Access::kRepoContent,
             .handle = BlobPage,
             .surface = Surface::kPage,
             .summary = "One file."});
}

}  // namespace hearth::server
