// The files of a repository: a folder, and one file.
#include "base/bytes.h"
#include "base/error.h"
#include "codec/yaml.h"
#include "hub/commits.h"
#include "server/inspector_api/quarantine.h"
#include "server/inspector_api/safety_json.h"
#include "server/pages/repo_view.h"
#include "server/pages/viewers/viewer.h"
#include "text/direction.h"

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

// The row of an entry, and under which key scans know its content; that of a folder is empty.
Json EntryRow(const RepoPlace& view, const storage::TreeEntry& entry, hub::SafetyKey* key) {
  size_t slash = entry.path.rfind('/');
  std::string_view name(entry.path);
  if (slash != std::string::npos) name.remove_prefix(slash + 1);
  Json row = Json::Obj({{"path", entry.path},
                        {"name", WithDirectionShown(name)},
                        {"folder", entry.kind == storage::EntryKind::kFolder},
                        {"size", entry.size_bytes}});
  std::optional<Sha256> lfs;
  if (entry.kind == storage::EntryKind::kFile && entry.size_bytes <= storage::kMaxPointerBytes) {
    if (std::optional<storage::LfsPointer> pointer =
            storage::ParseLfsPointer(view.git.ReadBlob(entry.oid, storage::kMaxPointerBytes))) {
      row.Set("size", pointer->size_bytes);
      row.Set("lfs", true);
      lfs = pointer->oid;
    }
  }
  if (entry.kind != storage::EntryKind::kFolder)
    *key = hub::SafetyKeyOf(entry.path, entry.oid, lfs, entry.size_bytes);
  return row;
}

// What scans warn of, on the rows of a folder ("safety": "unsafe"), for who may read the files.
void MarkIssues(const Context& context, std::span<const hub::SafetyKey> keys, Json* rows) {
  if (!MayReadSafety(context)) return;
  auto found =
      context.hub.safety().Find(context.repo().record(), keys, hub::Safety::Detail::kStates);
  for (size_t i = 0; i < found.size(); ++i) {
    if (IsIssue(found[i].state))
      (*rows->AsArray())[i].Set("safety", hub::SafetyStateName(found[i].state));
  }
}

// "safety": {"state", "findings": ["kind: evidence"], "withheld"} of a file that scans warn of.
void SetSafety(const Context& context, const hub::SafetyKey& key, const std::string& path,
               bool withheld, Json* data) {
  hub::FileSafety safety =
      context.hub.safety()
          .Find(context.repo().record(), {&key, 1}, hub::Safety::Detail::kReports)
          .front();
  if (!withheld && !IsIssue(safety.state)) return;
  constexpr size_t kMaxFindings = 10;
  // Blocked under another name of the same content.
  bool other_name = withheld && safety.state != hub::SafetyState::kUnsafe;
  data->Set("safety", Json::Obj({{"state", other_name ? "unsafe" : SafetyStateName(safety.state)},
                                 {"findings", FirstFindings(safety.report, path, kMaxFindings)},
                                 {"withheld", withheld}}));
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
  std::vector<hub::SafetyKey> keys;
  for (bool folders : {true, false}) {
    for (const storage::TreeEntry& entry : entries) {
      if ((entry.kind == storage::EntryKind::kFolder) != folders) continue;
      Json row = EntryRow(view, entry, &keys.emplace_back());
      if (const Json* change = changes.Find(entry.path)) row.Set("change", *change);
      rows.Push(std::move(row));
    }
  }
  MarkIssues(context, keys, &rows);
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

  subject.wanted_line =
      static_cast<size_t>(ParseUint(context.request.QueryParam("line").value_or("1")).value_or(1));

  Json data = RepoPageData(context, "files", view.revision, HeadFacts(context).get());
  data.Set("crumbs", Crumbs(view.path));
  data.Set("branches", BranchNames(view.git));
  data.Set("plain", context.request.QueryFlag("plain", false));
  data.Set("file", view.path);
  data.Set("file_name", WithDirectionShown(view.path));
  data.Set("size", subject.size_bytes);
  data.Set("oid", entry->oid.Hex());
  data.Set("executable", entry->kind == storage::EntryKind::kExecutable);
  data.Set("may_write", context.repo().right() >= hub::Right::kWrite);
  data.Set("is_branch", view.git.FindRef("refs/heads/" + view.revision).has_value());
  if (content.pointer) data.Set("lfs", Json::Obj({{"oid", content.pointer->oid.Hex()}}));
  std::vector<std::pair<std::string, storage::CommitInfo>> last =
      view.git.LastCommits(view.commit, {view.path}, kMaxHistorySteps);
  if (!last.empty()) data.Set("change", ChangeData(last[0].second, context.hub.clock().Now()));
  std::optional<Sha256> lfs;
  if (content.pointer) lfs = content.pointer->oid;
  const hub::Safety& safety = context.hub.safety();
  bool withheld = lfs ? safety.Blocks(*lfs) : safety.Blocks(entry->oid);
  SetSafety(context, hub::SafetyKeyOf(view.path, entry->oid, lfs, subject.size_bytes), view.path,
            withheld, &data);
  if (withheld) {
    data.Set("shown_as", "withheld");
  } else {
    FillViewer(subject, &data);
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
