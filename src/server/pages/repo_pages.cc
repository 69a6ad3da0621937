// Pages of one repository: files, one file, commits, one commit.
#include "base/error.h"
#include "codec/yaml.h"
#include "hub/commits.h"
#include "server/pages/repo_page.h"
#include "server/pages/site.h"
#include "storage/git/git_repository.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

constexpr size_t kEntriesPerPage = 1000;
constexpr size_t kCommitsPerPage = 30;
constexpr uint64_t kMaxShownBytes = 512 << 10;  // a longer text file is offered raw
constexpr uint64_t kMaxDiffBytes = 256 << 10;

struct View {
  storage::GitRepository git;
  std::string revision;
  std::string path;
  GitOid commit;
};

View OpenView(Context& context, std::string_view raw) {
  RevisionAndPath at = SplitRevisionPath(raw);
  storage::GitRepository git = storage::GitRepository::Open(context.repo().git_folder());
  GitOid commit = hub::Commits::ResolveRevision(git, at.revision);
  return View{std::move(git), at.revision, at.path, commit};
}

Json Crumbs(std::string_view path) {
  Json crumbs = Json::Arr();
  size_t start = 0;
  while (start < path.size()) {
    size_t slash = path.find('/', start);
    size_t end = slash == std::string_view::npos ? path.size() : slash;
    crumbs.Push(
        Json::Obj({{"name", path.substr(start, end - start)}, {"path", path.substr(0, end)}}));
    start = end + 1;
  }
  return crumbs;
}

Json Branches(const storage::GitRepository& git) {
  Json names = Json::Arr();
  for (const storage::RefInfo& ref : git.ListRefs()) {
    for (std::string_view prefix : {"refs/heads/", "refs/tags/"}) {
      if (ref.name.starts_with(prefix)) names.Push(ref.name.substr(prefix.size()));
    }
  }
  return names;
}

Json EntryRow(const View& view, const storage::TreeEntry& entry) {
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
  View view = OpenView(context, context.request.RawCapture("rev_path"));
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
  data.Set("branches", Branches(view.git));
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
  View view = OpenView(context, context.request.RawCapture("rev_path"));
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

net::Response CommitsPage(Context& context) {
  View view = OpenView(context, context.request.RawCapture("rev_path"));
  size_t page = 0;
  if (std::optional<std::string> text = context.request.QueryParam("p"))
    page = static_cast<size_t>(
        std::min<unsigned long>(std::strtoul(text->c_str(), nullptr, 10), 100000));
  std::vector<storage::CommitInfo> log =
      view.git.Log(view.commit, page * kCommitsPerPage, kCommitsPerPage + 1);
  Json data = RepoPageData(context, "commits", view.revision, HeadFacts(context).get());
  if (log.size() > kCommitsPerPage) {
    log.pop_back();
    data.Set("next_page", page + 1);
  }
  Json rows = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  for (const storage::CommitInfo& commit : log) {
    rows.Push(Json::Obj({{"oid", commit.oid.Hex()},
                         {"title", commit.Title()},
                         {"description", commit.Description()},
                         {"author", commit.author.name},
                         {"ago", Ago(commit.committer.time, now)},
                         {"date", FormatIso8601(commit.committer.time)}}));
  }
  data.Set("commits", std::move(rows));
  data.Set("total", view.git.CountCommits(view.commit));
  return RenderPage(context, "repo_commits.html", std::move(data));
}

net::Response CommitPage(Context& context) {
  View view = OpenView(context, context.request.RawCapture("oid"));
  storage::CommitInfo commit = view.git.ReadCommit(view.commit);
  std::optional<GitOid> parent;
  if (!commit.parents.empty()) parent = commit.parents.front();
  Json data = RepoPageData(context, "commits", "main", HeadFacts(context).get());
  Json files = Json::Arr();
  for (const auto& entry : view.git.Diff(parent, commit.oid)) {
    static constexpr const char* kKinds[] = {"added", "modified", "deleted"};
    files.Push(Json::Obj({{"path", entry.path},
                          {"kind", kKinds[static_cast<int>(entry.kind)]},
                          {"old_size", entry.old_size},
                          {"new_size", entry.new_size}}));
  }
  Json lines = Json::Arr();
  std::string diff = Utf8Lossy(view.git.UnifiedDiff(parent, commit.oid, kMaxDiffBytes));
  size_t start = 0;
  while (start < diff.size()) {
    size_t end = std::min(diff.find('\n', start), diff.size());
    std::string_view line(diff.data() + start, end - start);
    const char* kind =
        line.starts_with("diff ") || line.starts_with("+++") || line.starts_with("---") ? "head"
        : line.starts_with("+")                                                         ? "add"
        : line.starts_with("-")                                                         ? "del"
        : line.starts_with("@@")                                                        ? "hunk"
                                                                                        : "same";
    lines.Push(Json::Obj({{"kind", kind}, {"text", line}}));
    start = end + 1;
  }
  data.Set("commit", Json::Obj({{"oid", commit.oid.Hex()},
                                {"title", commit.Title()},
                                {"description", commit.Description()},
                                {"author", commit.author.name},
                                {"date", FormatIso8601(commit.committer.time)},
                                {"parent", parent ? Json(parent->Hex()) : Json()}}));
  data.Set("changes", std::move(files));
  data.Set("lines", std::move(lines));
  return RenderPage(context, "repo_commit.html", std::move(data));
}

}  // namespace

void RegisterRepoPages(RouteTable& table) {
  struct PageRoute {
    const char* pattern;
    Handler handle;
    const char* summary;
    Access access;
  };
  const PageRoute pages[] = {
      {"/{P}{ns}/{name}/tree/{rev_path...}", TreePage, "Files of a folder.", Access::kRepoInfo},
      {"/{P}{ns}/{name}/blob/{rev_path...}", BlobPage, "One file.", Access::kRepoContent},
      {"/{P}{ns}/{name}/commits/{rev_path...}", CommitsPage, "History.", Access::kRepoInfo},
      {"/{P}{ns}/{name}/commit/{oid}", CommitPage, "One commit with its changes.",
       Access::kRepoContent},
  };
  for (const PageRoute& page : pages) {
    table.Add({.methods = "GET,HEAD",
               .pattern = page.pattern,
               .access = page.access,
               .handle = page.handle,
               .surface = Surface::kPage,
               .summary = page.summary});
  }
}

}  // namespace hearth::server
