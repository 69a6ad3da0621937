// The files of a repository: a folder, and one file.
#include "base/error.h"
#include "codec/yaml.h"
#include "hub/commits.h"
#include "server/pages/repo_view.h"
#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

constexpr size_t kEntriesPerPage = 1000;
constexpr size_t kMaxHistorySteps = 2000;  // commits looked through for who changed a file last

Json ChangeData(const storage::CommitInfo& commit, TimePoint now) {
  return Json::Obj({{"title", commit.Title()},
                    {"oid", commit.oid.Hex()},
                    {"author", commit.author.name},
                    {"ago", Ago(commit.committer.time, now)},
                    {"date", FormatIso8601(commit.committer.time)}});
}

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
    if ((entry.path == "README.md" || entry.path.ends_with("/README.md")) &&
        entry.kind == storage::EntryKind::kFile)
      readme = entry.path;
  }
  Json changes = Json::Obj();
  TimePoint now = context.hub.clock().Now();
  // Ages are shown for folders of ordinary size; in larger ones the walk through history would cost
  // more than it tells.
  if (paths.size() <= 200) {
    for (const auto& [path, commit] : view.git.LastCommits(view.commit, paths, 2000)) {
      changes.Set(path, ChangeData(commit, now));
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
  data.Set("commit", ChangeData(commit, now));
  data.Set("folder", view.path);
  data.Set("first_page", options.after_path.empty());
  data.Set("may_write", context.repo().right() >= hub::Right::kWrite);
  data.Set("is_branch", view.git.FindRef("refs/heads/" + view.revision).has_value());
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

// The bytes of a file: of git's blob, or of the large object that it points to.
struct Content {
  std::unique_ptr<const std::string> blob;  // the source may read from it
  std::unique_ptr<ByteSource> source;
  std::optional<storage::LfsPointer> pointer;
};

Content OpenContent(const Context& context, const RepoPlace& place,
                    const storage::TreeEntry& entry) {
  Content content;
  content.blob = std::make_unique<const std::string>(place.git.ReadBlob(entry.oid));
  content.pointer = storage::ParseLfsPointer(*content.blob);
  const hub::Objects& objects = context.hub.objects();
  if (content.pointer && objects.FindIn(context.repo().record(), content.pointer->oid))
    content.source = objects.OpenSource(content.pointer->oid);
  else
    content.source = std::make_unique<MemorySource>(*content.blob);
  return content;
}

net::Response BlobPage(Context& context) {
  RepoPlace view = OpenPlace(context, context.request.RawCapture("rev_path"));
  std::optional<storage::TreeEntry> entry = view.git.FindEntry(view.commit, view.path);
  if (!entry || entry->kind == storage::EntryKind::kFolder ||
      entry->kind == storage::EntryKind::kSubmodule) {
    throw Error(Code::kNotFound, "There is no file " + view.path + " at " + view.revision)
        .WithWireCode("EntryNotFound");
  }
  Content content = OpenContent(context, view, *entry);
  BlobSubject subject = MakeSubject(view.path, content.source.get());
  size_t slash = view.path.rfind('/');
  subject.markdown.base_url = RepoPath(context.repo().record());
  subject.markdown.revision = net::PercentEncode(view.revision);
  subject.markdown.folder = slash == std::string::npos ? "" : view.path.substr(0, slash);

  Json data = RepoPageData(context, "files", view.revision, HeadFacts(context).get());
  data.Set("crumbs", Crumbs(view.path));
  data.Set("branches", BranchNames(view.git));
  data.Set("file", view.path);
  data.Set("size", subject.size_bytes);
  data.Set("oid", entry->oid.Hex());
  data.Set("executable", entry->kind == storage::EntryKind::kExecutable);
  data.Set("may_write", context.repo().right() >= hub::Right::kWrite);
  data.Set("is_branch", view.git.FindRef("refs/heads/" + view.revision).has_value());
  if (content.pointer) data.Set("lfs", Json::Obj({{"oid", content.pointer->oid.Hex()}}));
  std::vector<std::pair<std::string, storage::CommitInfo>> last =
      view.git.LastCommits(view.commit, {view.path}, kMaxHistorySteps);
  if (!last.empty()) data.Set("change", ChangeData(last[0].second, context.hub.clock().Now()));
  FillViewer(subject, &data);
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
